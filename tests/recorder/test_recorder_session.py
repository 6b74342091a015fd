"""A session on paper becomes tables that equal its journal row by row, whoever was killed when."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hft
from hft.api.recorder import place_of
from hft.api.recorder_sessions import record, session_of
from hft.api.recorder_tapes import make_tape, record_market
from hft.cli.app import run
from hft.core.codes import StepKind
from hft.core.errors import DataError
from hft.recorder.segments import last
from hft.recorder.steps import STEP_TABLES
from hft.recorder.wal_first import WALFirstWriter
from hft.runs.folder.journal import read_steps
from hft.runs.ingest import synthetic
from hft.storage.database import Source, opened
from hft.storage.disk import REAL
from hft.storage.log import segment_paths
from hft.tape.dataset import Tapes
from tests.killed_life import bury
from tests.services.paper_world import SECOND, WALL, Killed, Machine, go_on, trade

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
SPAN = {"end": "2024-01-02T00:03:00Z"}


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Tapes:
    made = synthetic(seed=1, out=tmp_path_factory.mktemp("market"), events=300_000)
    return made.select(days="2024-01-02")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    bury()


def said(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    assert run(["recorder", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_session_is_recorded_loaded_and_equals_its_journal(
    here: Path, tape: Tapes, capsys: pytest.CaptureFixture[str]
) -> None:
    machine, home = Machine(), here / "home"
    machine.at[WALL + 3 * SECOND] = lambda: print(
        record(place_of().of_session(session_of(home).name), session_of(home))
    )
    done = trade(machine, home, tape, **SPAN)
    while_it_ran = int(capsys.readouterr().out.split()[0])
    steps = sum(len(block) for block in read_steps(done.run.path / "journal"))
    assert 100 < while_it_ran < steps
    loaded = said(capsys, "load", "--home", "home")
    found = said(capsys, "verify", "--home", "home")
    assert found["ok"] and 0 < found["compared"] < loaded["rows"], "market data beside"
    assert said(capsys, "verify")["ok"]

    source = Source(f"chdb://{here}/.state/audit.chdb")
    with opened(source) as database:
        counts = {
            table: int(database.rows(f"SELECT count() FROM hft.{table}")[0][0])
            for table in STEP_TABLES
        }
        reasons = dict(database.rows("SELECT reason, count() FROM hft.decisions GROUP BY reason"))
    beside = counts.pop("risk") + counts.pop("latency")
    assert sum(counts.values()) == steps, "each step is one row"
    assert beside and counts["fills"] and counts["orders"]
    assert reasons == dict(done.run.decisions.group_by("reason").len().iter_rows())
    assert said(capsys, "load", "--home", "home")["rows"] == 0


def test_session_and_recorder_are_killed_and_the_tables_are_those_of_what_happened(
    here: Path, tape: Tapes, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    machine, home = Machine(), here / "home"

    def killed_recorder() -> None:
        """It dies after its second group, as by kill -9: nothing is sealed or closed."""
        groups = iter(range(2))

        def commit(self: WALFirstWriter, mark: int | None = None) -> None:
            if next(groups, None) is None:
                raise Killed
            original(self, mark)

        original = WALFirstWriter.commit
        monkeypatch.setattr(WALFirstWriter, "commit", commit)
        monkeypatch.setattr(WALFirstWriter, "close", lambda self: self._log.close())
        monkeypatch.setattr("hft.recorder.follow.STEPS", 50)
        with pytest.raises(Killed):
            record(place_of().of_session(session_of(home).name), session_of(home))
        monkeypatch.undo()
        monkeypatch.chdir(here)

    machine.at[WALL + 3 * SECOND] = killed_recorder
    machine.dies_ns = WALL + 4 * SECOND
    with pytest.raises(Killed):
        trade(machine, home, tape, **SPAN)
    session = session_of(home)
    place = place_of().of_session(session.name)
    recorded = last(place.wal, REAL).head
    assert recorded is not None and 100 <= recorded.mark < 200
    record(place, session)  # what the dead life left durable
    machine.dies_ns = 1 << 62
    machine.now_ns += 2 * SECOND
    done = go_on(machine, home)
    assert done.lives == 2
    said(capsys, "load", "--home", "home")
    assert said(capsys, "verify", "--home", "home")["ok"]
    with opened(Source(f"chdb://{here}/.state/audit.chdb")) as database:
        seqs = [row[0] for row in database.rows("SELECT seq FROM hft.decisions ORDER BY wal_seq")]
    wanted = [
        int(seq)
        for block in read_steps(done.run.path / "journal")
        for seq in block["seq"][block["kind"] == StepKind.DECISION]
    ]
    assert seqs == wanted


def test_a_recorder_that_follows_a_session_ends_with_it(here: Path, tape: Tapes) -> None:
    machine, home = Machine(dies_ns=WALL + 4 * SECOND), here / "home"
    with pytest.raises(Killed):
        trade(machine, home, tape, **SPAN)
    machine.dies_ns = 1 << 62
    machine.now_ns += 2 * SECOND
    done = []

    def sleep(seconds: float) -> None:
        """The session goes on to its end while its recorder waits, and is laid aside."""
        assert not done, "it looks for a session that is over"
        done.append(go_on(machine, home))

    session = session_of(home)
    recorded = record(place_of().of_session(session.name), session, follow=True, sleep=sleep)
    steps = sum(len(block) for block in read_steps(done[0].run.path / "journal"))
    assert recorded == steps > 100
    assert session.has_ended and session_of(home) == session


def test_a_row_that_was_changed_in_the_database_is_named(
    here: Path, tape: Tapes, capsys: pytest.CaptureFixture[str]
) -> None:
    trade(Machine(), here / "home", tape, **SPAN)
    said(capsys, "load", "--home", "home")
    with opened(Source(f"chdb://{here}/.state/audit.chdb")) as database:
        database.command(
            "INSERT INTO hft.fills SELECT * REPLACE (wal_seq + 1000000 AS wal_seq) FROM hft.fills"
        )
    assert run(["recorder", "verify", "--home", "home"]) == 2
    assert "rows are there that the journal has not" in capsys.readouterr().out


def test_what_a_session_saw_becomes_a_tape_that_replays_to_its_fills(
    here: Path, tape: Tapes, capsys: pytest.CaptureFixture[str]
) -> None:
    done = trade(Machine(), here / "home", tape, **SPAN)
    made = said(capsys, "tape", "2024-01-02", "--home", "home", "--out", "recorded")
    assert made["equal"] and made["fills"] == len(done.run.fills) > 0
    (again,) = hft.tapes("recorded")
    (whole,) = tape
    rows = made["rows"]
    assert rows == again.rows <= whole.rows
    again.verify()
    for mine, theirs in zip(again.columns(), whole.columns(), strict=True):
        assert np.array_equal(mine, theirs[:rows])
    assert run(["recorder", "tape", "2024-01-03", "--home", "home", "--out", "other"]) == 65
    assert "is of 2024-01-02, not of 2024-01-03 alone" in capsys.readouterr().err


def test_rows_that_were_lost_make_no_tape(here: Path, tape: Tapes) -> None:
    trade(Machine(), here / "home", tape, **SPAN)
    session, place = session_of(here / "home"), place_of()
    record_market(place, session)
    folder = place.of_session(f"{session.name}.market0").wal
    first = segment_paths(folder)[0]
    first.unlink()
    with pytest.raises(DataError, match=r"row 0 is missing|nothing was recorded"):
        make_tape(place, session, here / "out")


def test_a_home_without_a_session_is_refused(here: Path) -> None:
    with pytest.raises(DataError, match="nowhere: no session is there"):
        session_of("nowhere")
    assert run(["recorder", "load", "--home", "nowhere"]) == 65
    assert run(["recorder", "load", "--follow"]) == 64
