"""A session whose watcher falls silent is killed, over crashes too, and its replay is the same."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from killed_life import bury
from paper_world import MADE, SECOND, WALL, Killed, Machine, go_on, trade

from hft.api import gateway
from hft.core.errors import ConfigError, JournalError
from hft.runs.ingest import synthetic
from hft.services.paper import mailbox
from hft.services.paper.plan import Plan

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
def tape(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A synthetic market, made once for these tests."""
    MADE.insert(0, synthetic(seed=1, out=tmp_path_factory.mktemp("market"), events=1_000_000))
    yield
    MADE.pop(0)


def asked_at(machine: Machine, home: Path, at_s: float, **entry: Any) -> Path:
    """Something that is asked of the session at this second; the place of its answer."""
    path = home / mailbox.MAILBOX / f"{at_s:06.2f}.ask"
    machine.at[WALL + round(at_s * SECOND)] = lambda: path.write_text(json.dumps(entry))
    return path.with_suffix(".answer")


def kills(done: gateway.Paper) -> list[dict[str, Any]]:
    """The kills of its inputs."""
    heard = done.run.manifest["config"].get("controls", ())
    return [one for one in heard if one["kind"] == "kill"]


def new_orders(done: gateway.Paper, from_ns: int, to_ns: int = 1 << 62) -> int:
    """New orders that were sent in a time of the tape."""
    at, sent = pl.col("ts").cast(pl.Int64), (pl.col("intent") == "NEW") & (pl.col("reason") == "OK")
    return done.run.decisions.filter(sent & (at >= from_ns) & (at < to_ns)).height


def test_silence_kills_once_and_the_replay_decides_the_same(tmp_path: Path) -> None:
    home, machine = tmp_path / "home", Machine()
    for second in range(1, 8):
        asked_at(machine, home, second, kind="beat")
    done = trade(machine, home, dead_man="2s")
    (kill,) = kills(done)
    assert kill["cause"] == "no heartbeat for 2 s"
    assert new_orders(done, 0, kill["at_ns"]) > 5 and new_orders(done, kill["at_ns"]) == 0
    assert gateway.reconcile(done.run).same


def test_a_session_that_died_is_watched_again_and_what_was_killed_stays_killed(
    tmp_path: Path,
) -> None:
    home, machine = tmp_path / "home", Machine(dies_ns=WALL + 3 * SECOND)
    asked_at(machine, home, 1.5, kind="beat")
    with pytest.raises(Killed):
        trade(machine, home, dead_man="2s")
    machine.dies_ns = WALL + 8 * SECOND
    machine.now_ns += SECOND  # it is back at 4 s, and waits anew until 6 s
    with pytest.raises(Killed):
        go_on(machine, home)
    machine.dies_ns = 1 << 62
    done = go_on(machine, home)
    first = kills(done)[0]
    down_ns = [one for one in done.run.manifest["config"]["controls"] if one["kind"] == "down"]
    assert down_ns[0]["value"] < first["at_ns"] < down_ns[1]["at_ns"]
    assert new_orders(done, 0, first["at_ns"]) > 0 and new_orders(done, first["at_ns"]) == 0
    assert gateway.reconcile(done.run).same


def test_a_reset_is_a_sign_of_life_and_the_time_begins_anew(tmp_path: Path) -> None:
    home, machine = tmp_path / "home", Machine()
    asked_at(machine, home, 5, kind="reset", cause="the watcher was restarted")
    done = trade(machine, home, dead_man="2s")
    first, second = kills(done)
    seconds = (second["at_ns"] - first["at_ns"]) / 20 / SECOND
    assert 4.9 < seconds < 5.1  # killed at 2 s, reset at 5 s, and killed again at 7 s
    assert new_orders(done, first["at_ns"], second["at_ns"]) > 0
    assert gateway.reconcile(done.run).same


def test_a_session_that_waits_for_nobody_refuses_a_heartbeat(tmp_path: Path) -> None:
    home, machine = tmp_path / "home", Machine()
    answer = asked_at(machine, home, 1, kind="beat")
    done = trade(machine, home)
    assert "waits for no heartbeat" in json.loads(answer.read_text())["refused"]
    assert not kills(done)


def test_a_timer_is_part_of_what_a_session_is(tmp_path: Path) -> None:
    home, machine = tmp_path / "home", Machine(dies_ns=WALL + SECOND)
    with pytest.raises(Killed):
        trade(machine, home, dead_man="2s")
    plan = Plan.load(home)
    assert plan is not None and plan.dead_man_ns == 2 * SECOND
    with pytest.raises(ConfigError, match="dead-man timer"):
        trade(machine, home, dead_man="3s")
    with pytest.raises(ConfigError, match="dead-man timer"):
        trade(machine, home)
    written = json.loads((home / "session.json").read_text())
    del written["dead_man_ns"]
    (home / "session.json").write_text(json.dumps(written))
    with pytest.raises(JournalError, match="dead_man_ns"):
        go_on(machine, home)


def test_a_time_that_is_none_is_refused_and_makes_nothing(tmp_path: Path) -> None:
    for given in ("5", "10ms", "soon"):
        with pytest.raises(ConfigError, match="dead_man"):
            trade(Machine(), tmp_path / "home", dead_man=given)
    assert not (tmp_path / "home").exists()
