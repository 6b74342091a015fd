"""Ready again: from the first record, from a checkpoint and its tail, and past a damaged one."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hft.core.codes import ControlKind
from hft.core.errors import ConfigError, JournalError
from hft.services.checkpoint import Checkpoints
from hft.services.desk_file import keep_limits, keep_plan, load_desk
from hft.services.history import History, OlderRows
from hft.services.recovery import recover
from hft.storage.log import segment_paths
from hft.storage.raw import read_raw, write_raw
from hft.trading.inputs import INPUT, InputKind, rows_of
from tests.services.journal_world import ACCOUNT, Day, Folder, desk, limits, written


def checkpoints(folder: Folder) -> Checkpoints:
    return Checkpoints(folder.path / "checkpoints", ACCOUNT)


def recovered(folder: Folder) -> str:
    again = desk()
    recover(again, folder.history(), checkpoints(folder))
    return again.digest()


def test_all_rows_of_all_lives_lead_to_the_desk_that_wrote_them(tmp_path: Path) -> None:
    folder, day = written(tmp_path / "journal")
    again = desk()
    found = recover(again, folder.history(), checkpoints(folder))
    assert (found.checkpoint, found.replayed) == (0, day.desk.inputs)
    assert again.digest() == day.desk.digest()
    assert again.epoch == 3


@pytest.mark.parametrize("rounds", [1, 2, 4])
def test_a_checkpoint_and_the_rows_behind_it_are_the_whole(tmp_path: Path, rounds: int) -> None:
    folder, day = written(tmp_path / "journal", lives=1)
    log = folder.open()
    maker = folder.checkpointer()
    for _ in range(rounds):
        folder.write(log, day.rows(50))
        made = maker.make()
        assert made.path is not None and made.inputs < day.desk.inputs  # the last group is left out
    again = desk()
    found = recover(again, folder.history(), checkpoints(folder))
    assert found.checkpoint == made.inputs
    assert found.replayed == day.desk.inputs - made.inputs
    assert again.digest() == day.desk.digest()
    log.close()


def test_a_damaged_checkpoint_is_passed_over_for_the_one_before_it(tmp_path: Path) -> None:
    folder, day = written(tmp_path / "journal", lives=1)
    log = folder.open()
    maker = folder.checkpointer(keep=3)
    made = []
    for _ in range(3):
        folder.write(log, day.rows(40))
        made.append(maker.make())
    log.close()
    newest = made[-1].path
    assert newest is not None
    data = bytearray(newest.read_bytes())
    data[len(data) // 2] ^= 1
    newest.write_bytes(data)
    again = desk()
    found = recover(again, folder.history(), checkpoints(folder))
    assert found.checkpoint == made[1].inputs
    assert len(found.passed_over) == 1 and str(newest) in found.passed_over[0]
    assert again.digest() == day.desk.digest()


def test_segments_before_the_two_newest_checkpoints_go_and_recovery_does_not_need_them(
    tmp_path: Path,
) -> None:
    folder, day = written(tmp_path / "journal", lives=3)
    log = folder.open()
    maker = folder.checkpointer()
    kept = []
    for _ in range(4):
        folder.write(log, day.rows(80))
        kept.append(maker.make())
    assert [len(one.retired) > 0 for one in kept] == [False, True, True, True]
    assert len(checkpoints(folder).paths()) == 2
    assert not segment_paths(folder.history().place(1))
    assert folder.history().lives()[0].begins > 1
    log.close()
    assert recovered(folder) == day.desk.digest()
    with pytest.raises(JournalError, match="begins with record"):
        list(folder.history().read(1))


def test_an_archive_keeps_every_segment(tmp_path: Path) -> None:
    folder, day = written(tmp_path / "journal", lives=2)
    whole = np.concatenate(list(folder.history().read()))
    log = folder.open()
    maker = folder.checkpointer(archive=tmp_path / "archive")
    for _ in range(3):
        whole = np.concatenate([whole, rows := day.rows(80)])
        folder.write(log, rows)
        maker.make()
    log.close()
    for path in (tmp_path / "archive").rglob("*.wal"):
        path.rename(folder.path / path.parent.name / path.name)
    assert np.concatenate(list(folder.history().read())).tobytes() == whole.tobytes()


def test_a_life_begins_with_a_copy_and_what_a_stopped_leader_wrote_behind_it_is_void(
    tmp_path: Path,
) -> None:
    folder, day = written(tmp_path / "journal", lives=1)
    [*_, last] = folder.history().read()
    before = folder.next
    stopped = Day(7, load_desk(folder.path, ACCOUNT))
    recover(stopped.desk, folder.history(), checkpoints(folder))
    stopped.now = stopped.desk.now_ns
    log = folder.open()
    folder.write(log, stopped.rows(30))
    folder.checkpointer().make()  # it has rows that will not count
    folder.next = before
    leads = folder.begin(last)
    folder.write(leads, np.concatenate([day.life(), day.rows(20)]))
    again = desk()
    found = recover(again, folder.history(), checkpoints(folder))
    assert again.digest() == day.desk.digest()
    assert found.checkpoint == 0 and "later life went on" in found.passed_over[0]
    log.close()
    leads.close()


def test_other_limits_that_a_row_put_in_force_are_found_beside_the_journal(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    folder, day = written(path, lives=1)
    other = limits(order_size=3)
    keep_limits(other, path)
    value = day.desk.allow(other)
    row = rows_of(InputKind.CONTROL, day.now, code=ControlKind.LIMITS, value=value)
    day.desk.apply(row)
    log = folder.open()
    folder.write(log, row)
    folder.write(log, day.rows(40))
    log.close()
    again = load_desk(path, ACCOUNT)
    recover(again, folder.history(), checkpoints(folder))
    assert again.limits_in_force == value
    assert again.digest() == day.desk.digest()
    with pytest.raises(ConfigError, match="are not known here"):
        recovered(folder)


def test_the_process_makes_a_checkpoint_by_itself(tmp_path: Path) -> None:
    folder, day = written(tmp_path / "journal")
    command = [sys.executable, "-m", "hft.services.checkpointer", str(folder.path), ACCOUNT]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    [path] = checkpoints(folder).paths()
    assert f"{path}: up to input" in done.stdout
    assert recovered(folder) == day.desk.digest()
    command[-1] = "another"
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 74
    assert done.stderr == f"{folder.path}: the journal of 'account0', not of 'another'\n"


def test_a_journal_of_the_version_before_is_upgraded_row_by_row(tmp_path: Path) -> None:
    """The version before is made up: it had no `queued`, and 24 bytes less."""
    folder, day = written(tmp_path / "now", lives=1)
    rows = np.concatenate(list(folder.history().read()))
    old = np.dtype([(name, np.int64) for name in INPUT.names[:-3] if name != "queued"])
    packed = np.zeros(len(rows), old)
    for name in old.names:
        packed[name] = rows[name]

    def upgrade(data: bytes) -> np.ndarray:
        found = np.frombuffer(data, old)
        out = np.zeros(len(found), INPUT)
        for name in old.names:
            out[name] = found[name]
        out["touch_ns"] = np.where(found["kind"] == InputKind.INTENT, found["ts_ns"], 0)
        return out

    before = Folder(tmp_path / "before")
    before.schema = b"input-0"
    log = before.begin()
    before.write(log, packed)
    log.close()
    with pytest.raises(JournalError, match="records of version 'input-0', this hft reads"):
        list(before.history().read())
    older = {b"input-0": OlderRows(old.itemsize, upgrade)}
    again = desk()
    recover(again, History(before.path, ACCOUNT, older=older), checkpoints(before))
    assert again.digest() == day.desk.digest()


def test_a_checkpoint_of_the_version_before_is_upgraded(tmp_path: Path) -> None:
    folder, day = written(tmp_path / "journal", lives=1)
    folder.checkpointer().make()
    [path] = checkpoints(folder).paths()
    _, facts, arrays = read_raw(path)
    lanes = arrays.pop("lanes")
    write_raw(path, 0, facts, arrays | {"lane_low": lanes[:1], "lane_high": lanes[1:]})
    with pytest.raises(ConfigError, match="a snapshot of version 0, this hft reads 1; replay"):
        recovered(folder)

    def upgrade(saved):
        out = {name: array for name, array in saved.items() if not name.startswith("lane_")}
        return out | {"lanes": np.concatenate([saved["lane_low"], saved["lane_high"]])}

    again = desk()
    known = Checkpoints(folder.path / "checkpoints", ACCOUNT, upgrades={0: upgrade})
    assert recover(again, folder.history(), known).checkpoint > 0
    assert again.digest() == day.desk.digest()


def refusals(folder: Folder) -> str:
    """What recovery says of a folder that it does not take; nothing in it has changed."""
    before = {path: path.read_bytes() for path in folder.path.rglob("*") if path.is_file()}
    with pytest.raises((JournalError, ConfigError)) as error:
        recovered(folder)
    after = {path: path.read_bytes() for path in folder.path.rglob("*") if path.is_file()}
    assert after == before
    return str(error.value).replace(str(folder.path), "")


def test_what_is_not_this_journal_is_one_sentence_and_nothing_is_touched(tmp_path: Path) -> None:
    folder, _ = written(tmp_path / "a", lives=2, each=120)
    (place := folder.history().place(1)).joinpath("owner").write_text("another\n")
    assert refusals(folder) == f"/{place.name}: the journal of 'another', not of 'account0'"

    folder, _ = written(tmp_path / "b", lives=1, each=200)
    segment_paths(folder.history().place(1))[1].unlink()
    assert "a segment is missing" in refusals(folder)

    folder, _ = written(tmp_path / "c", lives=2)
    for path in segment_paths(folder.history().place(1)):
        path.unlink()
    assert refusals(folder).startswith(": begins with record")

    folder, _ = written(tmp_path / "d", lives=1, each=200)
    folder.checkpointer().make()
    for path in segment_paths(folder.history().place(1))[1:]:
        path.unlink()
    assert "a segment is missing, or the checkpoint is of another journal" in refusals(folder)

    folder, _ = written(tmp_path / "e", lives=1)
    folder.checkpointer().make()
    [path] = checkpoints(folder).paths()
    version, facts, arrays = read_raw(path)
    write_raw(path, version, facts | {"account": "another"}, arrays)
    assert "a checkpoint of 'another', not of 'account0'" in refusals(folder)
    write_raw(path, version + 1, facts, arrays)
    assert "a snapshot of version 2, this hft reads 1; go on with the hft" in refusals(folder)


def test_another_configuration_is_refused_by_plan_checkpoint_and_journal(tmp_path: Path) -> None:
    folder, _ = written(tmp_path / "journal", lives=1)
    other = desk(dedup_window=51)
    with pytest.raises(ConfigError, match="a gateway with other instruments, sizes"):
        keep_plan(other, folder.path, ACCOUNT)
    with pytest.raises(JournalError, match="the journal of 'account0', not of 'another'"):
        keep_plan(desk(), folder.path, "another")
    with pytest.raises(ConfigError, match="input 1 begins a life of another configuration"):
        recover(other, folder.history(), checkpoints(folder))
    renamed = desk(strategies=["maker", "other"])
    with pytest.raises(ConfigError, match="strategy 1 is 'other' here and had another name before"):
        recover(renamed, folder.history(), checkpoints(folder))
    folder.checkpointer().make()
    with pytest.raises(ConfigError, match="the snapshot is of another configuration"):
        recover(desk(dedup_window=51), folder.history(), checkpoints(folder))
    with pytest.raises(ConfigError, match="strategy 1 is 'other' here and had another"):
        recover(desk(strategies=["maker", "other"]), folder.history(), checkpoints(folder))
