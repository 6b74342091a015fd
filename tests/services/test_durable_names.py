"""What somebody made and did not sync is made durable by who relies on it."""

from pathlib import Path
from random import Random
from types import SimpleNamespace

from hft.services.checkpoint import Checkpoints
from hft.services.history import Mark
from hft.services.journal import Journal
from hft.trading.inputs import InputKind, rows_of
from tests.naive.gateway import Rules
from tests.simulation.disk import Life, ModelDisk
from tests.simulation.product import Product

FOLDER = Path("/data/gateway/journal")
POWER_CUTS = 20


def test_folders_of_a_process_that_ended_at_once_stay_once_a_journal_was_opened_in_them() -> None:
    lost = 0
    for seed in range(POWER_CUTS):
        disk = ModelDisk(Random(seed))
        Life(disk).make(FOLDER)
        if seed % 2:
            Journal(FOLDER, "account", shared=True, disk=Life(disk)).close()
        disk.power_cut()
        is_there = Life(disk).names(FOLDER.parent) == [FOLDER.name]
        assert is_there or seed % 2 == 0, f"seed {seed}: the journal is gone"
        lost += not is_there
    assert lost > 0, "a power cut takes what nobody synced"


def test_a_checkpoint_that_was_written_is_there_after_a_power_cut() -> None:
    """The journal before it goes as soon as it is written."""
    desk = Product().desk(SimpleNamespace(rules=Rules(dedup_window=64), room=8))
    for seed in range(POWER_CUTS):
        disk = ModelDisk(Random(seed))
        Journal(FOLDER, "account", shared=True, disk=Life(disk)).close()
        written = Checkpoints(FOLDER / "checkpoints", "account", disk=Life(disk))
        path = written.write(desk, Mark(1, rows_of(InputKind.TICK, 7)))
        disk.power_cut()
        found = Checkpoints(FOLDER / "checkpoints", "account", disk=Life(disk))
        assert found.paths() == [path], f"seed {seed}: it is gone"
