"""Paper trading: what is decided while the tape goes by is what its replay decides."""

import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from killed_life import bury
from paper_world import MADE, SECOND, SPAN, WALL, Killed, Machine, go_on, trade

import hft
from hft.api import gateway
from hft.core.codes import StepKind
from hft.core.errors import ConfigError, HftError, JournalError, Unavailable
from hft.runs.controls import Control
from hft.runs.ingest import synthetic
from hft.runs.result import Run
from hft.services.paper import mailbox, session
from hft.services.paper.journal import read

# Nobody closes the files of a life that is killed, as nobody does in a process that is.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(autouse=True)
def killed_lives_are_over() -> Iterator[None]:
    """The files of a killed life are collected here, and not in the middle of another test."""
    yield
    bury()


@pytest.fixture(scope="module", autouse=True)
def tape(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Ten minutes of a synthetic market, made once."""
    made = synthetic(seed=1, out=tmp_path_factory.mktemp("market"), events=1_000_000)
    MADE.append(made)


def dead(run: Run) -> list[tuple[int, int]]:
    """From when until when no process was there, tape ns."""
    heard = run.manifest["config"]["controls"]
    return [(one["at_ns"], one["value"]) for one in heard if one["kind"] == "down"]


def acts(run: Run) -> list[int]:
    """When the gateway decided, tape ns."""
    return run.decisions["ts"].cast(pl.Int64).to_list()


def test_a_session_to_the_end_of_its_tape_is_the_replay_of_the_same_inputs(tmp_path: Path) -> None:
    machine = Machine()
    done = trade(machine, tmp_path / "home")
    assert done.ended == "the tapes ended" and done.lives == 1
    # Eight minutes at twenty times real time are 24 seconds of the machine.
    assert 23 * SECOND < machine.now_ns - WALL < 25 * SECOND
    plain = hft.replay(
        MADE[0], "market_making", venue={"latency": "5ms"}, out=tmp_path / "plain", **SPAN
    )
    assert done.run.digest == plain.digest
    assert done.run.manifest["key"] == plain.manifest["key"]
    assert plain.fills.height > 5
    assert gateway.reconcile(done.run).same


def test_a_session_that_is_killed_again_and_again_is_reconciled(tmp_path: Path) -> None:
    home, rng = tmp_path / "home", random.Random(5)
    machine = Machine()
    lives = 0
    done: gateway.Paper | None = None
    while done is None:
        machine.dies_ns = machine.now_ns + rng.randrange(1, 6 * SECOND)
        try:
            done = trade(machine, home) if lives == 0 else go_on(machine, home)
        except Killed:
            lives += 1
            machine.now_ns += rng.randrange(1, 3 * SECOND)  # and the tape goes on meanwhile
    assert lives >= 3 and done.lives == lives + 1
    assert len(dead(done.run)) == lives
    for begin_ns, until_ns in dead(done.run):
        assert not [ts for ts in acts(done.run) if begin_ns <= ts < until_ns]
    assert done.run.fills.height > 5
    assert gateway.reconcile(done.run).same
    assert 23 * SECOND < machine.now_ns - WALL < 30 * SECOND
    dead_ns = [until_ns - begin_ns for begin_ns, until_ns in dead(done.run)]
    assert max(dead_ns) < done.run.manifest["paper"]["dead_ns"] <= sum(dead_ns)


def test_what_had_been_sent_before_a_kill_stands_in_the_run_after_it(tmp_path: Path) -> None:
    home, machine = tmp_path / "home", Machine(dies_ns=WALL + 9 * SECOND)
    with pytest.raises(Killed):
        trade(machine, home)
    mark = read(home / "journal").mark
    assert mark is not None
    assert len(list((home / "runs").glob("*.partial"))) == 1
    machine.dies_ns = 1 << 62
    machine.now_ns += 2 * SECOND
    done = go_on(machine, home)
    assert not list((home / "runs").glob("*.partial"))
    ((begin_ns, until_ns),) = dead(done.run)
    assert begin_ns == mark.at_ns
    # Tape time went on at its speed while nobody was there: two seconds, and what was not recorded.
    assert 40 * SECOND <= until_ns - begin_ns < 62 * SECOND
    steps = np.concatenate(list(done.run.steps()))[: mark.step]
    assert (steps["kind"] == StepKind.ARRIVAL).sum() > 100 and steps["ts_ns"].max() < begin_ns


def test_a_session_that_was_dead_for_long_was_dead_once(tmp_path: Path) -> None:
    home, machine = tmp_path / "home", Machine(dies_ns=WALL + 4 * SECOND)
    with pytest.raises(Killed):
        trade(machine, home)
    machine.dies_ns = 1 << 62
    machine.now_ns += 8 * SECOND  # longer than what counts as a machine that slept
    done = go_on(machine, home)
    ((begin_ns, until_ns),) = dead(done.run)
    assert done.run.manifest["paper"]["dead_ns"] == until_ns - begin_ns >= 160 * SECOND
    assert gateway.reconcile(done.run).same


def test_a_kill_that_was_heard_is_in_force_after_the_process_died(tmp_path: Path) -> None:
    home, machine = tmp_path / "home", Machine()
    folder = home / mailbox.MAILBOX
    heard: list[Path] = []

    def ask() -> None:
        path = folder / "1.ask"
        path.write_text('{"kind":"kill","cause":"test"}')
        heard.append(path)

    machine.at[WALL + 5 * SECOND] = ask
    machine.dies_ns = WALL + 5 * SECOND + 20_000_000
    with pytest.raises(Killed):
        trade(machine, home)
    assert heard and (folder / "1.answer").exists() and not heard[0].exists()
    machine.dies_ns = 1 << 62
    done = go_on(machine, home)
    assert done.run.controls.filter(kind="KILL").height == 1
    (at_ns,) = [
        one["at_ns"] for one in done.run.manifest["config"]["controls"] if one["kind"] == "kill"
    ]
    new = done.run.decisions.filter((pl.col("intent") == "NEW") & (pl.col("reason") == "OK"))
    assert new.height > 20 and max(new["ts"].cast(pl.Int64)) < at_ns
    assert gateway.reconcile(done.run).same


def test_a_kill_for_a_process_that_is_not_there_is_in_force_before_the_next_life_decides(
    tmp_path: Path,
) -> None:
    home, machine = tmp_path / "home", Machine(dies_ns=WALL + 5 * SECOND)
    with pytest.raises(Killed):
        trade(machine, home)
    bury()
    began = time.monotonic()
    with pytest.raises(Unavailable, match="nothing is cancelled now; the kill is kept"):
        gateway.request(home, {"kind": "kill", "cause": "enough"})
    with pytest.raises(Unavailable, match="is not there; `hft gateway run` goes on with it"):
        gateway.request(home, {"kind": "reset"})
    with pytest.raises(ConfigError, match="scope: 'all' is none of global"):
        gateway.request(home, {"kind": "kill", "scope": "all"})
    with pytest.raises(ConfigError, match="'nobody' is none of market_making"):
        gateway.request(home, {"kind": "kill", "strategy": "nobody"})
    assert time.monotonic() - began < mailbox.WAIT_S  # nobody waits for a process that is gone
    machine.dies_ns = 1 << 62
    machine.now_ns += 2 * SECOND
    done = go_on(machine, home)
    ((begin_ns, until_ns),) = dead(done.run)
    heard = done.run.manifest["config"]["controls"]
    assert [one["kind"] for one in heard] == ["down", "kill"]
    # Nobody was there to cancel anything before.
    assert heard[1]["at_ns"] == until_ns and heard[1]["cause"] == "enough"
    assert min(ts for ts in acts(done.run) if ts >= begin_ns) >= until_ns
    new = done.run.decisions.filter((pl.col("intent") == "NEW") & (pl.col("reason") == "OK"))
    assert new.height > 20 and max(new["ts"].cast(pl.Int64)) < begin_ns
    assert gateway.reconcile(done.run).same
    assert not list((home / mailbox.MAILBOX).iterdir())
    with pytest.raises(Unavailable, match=r"is over \(the tapes ended\); nothing trades there"):
        gateway.request(home, {"kind": "kill"})


def test_a_stop_cancels_what_works_and_seals_a_whole_run(tmp_path: Path) -> None:
    home, machine = tmp_path / "home", Machine()

    def ask() -> None:
        (home / mailbox.MAILBOX / "1.ask").write_text('{"kind":"stop"}')

    machine.at[WALL + 6 * SECOND] = ask
    done = trade(machine, home)
    assert done.ended == "asked to stop" and not done.run.partial
    kinds = done.run.controls["kind"].to_list()
    assert kinds[-2:] == ["STOP", "END"]
    assert not done.run.orders["ended"].is_null().any()
    assert gateway.reconcile(done.run).same
    # The home is free for another session, and what is over is kept.
    assert [one.name for one in (home / "ended").iterdir()] == [done.session]


def test_a_machine_that_slept_was_dead_meanwhile(tmp_path: Path) -> None:
    home, machine = tmp_path / "home", Machine()

    def sleep_long() -> None:
        machine.now_ns += 8 * SECOND

    machine.at[WALL + 4 * SECOND] = sleep_long
    done = trade(machine, home)
    assert done.run.controls.filter(kind="DOWN").height == 1
    assert gateway.reconcile(done.run).same


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ('{"kind":"kill","strategy":"nobody"}', "'nobody' is none of market_making"),
        ('{"kind":"down","until":1}', "kind: 'down' is none of kill, reset"),
        ('{"kind":"mode"}', "value: is missing"),
        ('{"kind":"reset","scope":"byte"}', "a reset says why, for the audit; ask again with"),
        ('{"kind":"reset","cause":" "}', "a reset says why, for the audit; ask again with"),
        ("not json", "cannot be read"),
        ("[1]", "kind: None is none of"),
    ],
)
def test_a_request_that_cannot_be_is_refused_with_a_sentence_and_changes_nothing(
    tmp_path: Path, entry: str, sentence: str
) -> None:
    home, machine = tmp_path / "home", Machine()
    folder = home / mailbox.MAILBOX
    machine.at[WALL + SECOND] = lambda: (folder / "1.ask").write_text(entry) and None
    done = trade(machine, home, end="2024-01-02T00:01:00Z")
    assert sentence in (folder / "1.answer").read_text()
    assert done.run.controls.height == 0


def test_a_session_is_continued_as_it_began_or_not_at_all(tmp_path: Path) -> None:
    home, machine = tmp_path / "home", Machine(dies_ns=WALL + SECOND)
    with pytest.raises(Killed):
        trade(machine, home)
    bury()  # what the killed life had not written yet comes to its unsealed run
    before = {path: path.read_bytes() for path in sorted(home.rglob("*")) if path.is_file()}

    def refused(kind: type[HftError], sentence: str, **given: Any) -> None:
        with pytest.raises(kind, match=sentence):
            trade(machine, home, **given)
        now = {path: path.read_bytes() for path in sorted(home.rglob("*")) if path.is_file()}
        assert now == before

    refused(ConfigError, "a session of other tapes, strategy, settings or speed", speed=21.0)
    refused(ConfigError, "a session of other tapes", seed=2)
    machine.now_ns -= 2 * SECOND
    refused(ConfigError, "set back; set it right, .* or begin another session with --home FOLDER")
    other = trade(machine, tmp_path / "other", end="2024-01-02T00:00:30Z")
    assert other.ended == "the tapes ended"
    machine.now_ns += 2 * SECOND
    (segment,) = (home / "journal").glob("*.wal")
    segment.write_bytes(before[segment].replace(b'"step":', b'"stop":', 1))
    with pytest.raises(JournalError, match="is damaged"):
        go_on(machine, home)


def test_a_venue_that_is_reached_at_once_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="entry: a command takes time to reach the venue"):
        trade(Machine(), tmp_path, venue={"latency": "0ms"})
    with pytest.raises(ConfigError, match="cancel: a command takes time"):
        trade(Machine(), tmp_path / "b", venue={"latency": {"entry": "1ms", "amend": "1ms"}})


@pytest.mark.parametrize("speed", [0, -1, float("nan"), 2e6, True])
def test_a_speed_that_no_tape_can_have_is_refused(tmp_path: Path, speed: Any) -> None:
    with pytest.raises(ConfigError, match=r"is not from 0\.001 to 1000000"):
        trade(Machine(), tmp_path, speed=speed)


def test_every_request_of_a_person_is_a_kind_of_control_input() -> None:
    for kind in session.ASKED:
        assert Control(0, kind).kind == kind
