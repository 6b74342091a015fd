"""A session that is run in slices, as one who trades on paper runs it, is the replay it was."""

import random
from typing import Any

import numpy as np
import pytest
from small_world import LEVEL, TRADE, Kept, opening, session_of
from test_glances import Watcher, delayed, some_rows

from hft.core.codes import ControlKind, StepKind
from hft.core.errors import ConfigError, InvariantError
from hft.gateway.rows import KillScope
from hft.replay.build import Session
from hft.replay.paced import Paced
from hft.replay.run import drive, run_digest
from hft.replay.state import CONTROL
from hft.strategies.base import Strategy
from hft.venue.model import Latency, VenueModel
from hft.venue.state import FOREVER

pytestmark = pytest.mark.nojit
END = FOREVER


def watched(seed: int, every_ns: int, wakes_on: int, entry_ns: int = 7) -> tuple[Session, Watcher]:
    watcher = Watcher(1 << 30)
    strategy = Strategy(watcher, "s0", every_ns, wakes_on, {}, {})
    legs = {name: Latency("constant", entry_ns, 0, ()) for name in ("entry", "cancel", "response")}
    made = delayed(some_rows(seed), seed, 40)
    return session_of([[]], [strategy], venue=VenueModel(legs=legs), made=[made]), watcher


def inputs(*said: tuple[int, ControlKind, int, int]) -> np.ndarray:
    return np.array([(ts, kind.value, code, value) for ts, kind, code, value in said], CONTROL)


def given(session: Session, rows: np.ndarray) -> Session:
    """The session as if these inputs had been known from its start."""
    engine = session.engine
    table = np.concatenate([np.sort(rows, order="ts_ns", kind="stable"), engine.controls[-1:]])
    engine = engine._replace(controls=table)
    session.engine, session.arena = engine, type(session.arena)(engine)
    return session


def paced(session: Session, kept: Kept, cuts: list[int], said: np.ndarray | None = None) -> Paced:
    """Run to each cut, each input heard at the last cut before it, all commands released."""
    one = Paced(session, kept, plain=True)
    rest = inputs() if said is None else said
    for cut in [*sorted(cuts), END]:
        due = rest["ts_ns"] < cut
        one.hear(rest[due])
        rest = rest[~due]
        while True:
            slice_ = one.until(cut)
            if slice_.ended or slice_.at_ns == cut:
                break
            one.release()
        one.release()
    return one


def told(session: Session, kept: Kept, watcher: Watcher) -> tuple[Any, ...]:
    return run_digest(session.engine), np.concatenate(kept.steps).tobytes(), watcher.seen


@pytest.mark.parametrize(("every_ns", "wakes_on"), [(5, 1), (3, 7), (0, 8), (0, 24), (11, 31)])
@pytest.mark.parametrize("seed", range(3))
def test_pauses_at_any_time_leave_no_mark(seed: int, every_ns: int, wakes_on: int) -> None:
    plain, watcher = watched(seed, every_ns, wakes_on)
    kept = Kept([], [], [])
    drive(plain, kept, plain=True)
    expected = told(plain, kept, watcher)
    assert len(watcher.seen) > 10
    rng = random.Random(seed)
    for count in (0, 1, 7, 150):
        session, seen = watched(seed, every_ns, wakes_on)
        kept = Kept([], [], [])
        paced(session, kept, [rng.randrange(1, 1500) for _ in range(count)])
        assert told(session, kept, seen) == expected


@pytest.mark.parametrize("seed", range(3))
def test_a_session_that_is_stopped_and_ended_is_a_replay_told_so(seed: int) -> None:
    said = inputs((301, ControlKind.STOP, 0, 0), (344, ControlKind.END, 0, 0))
    first, watcher = watched(seed, 5, 7)
    kept = Kept([], [], [])
    drive(given(first, said), kept, plain=True)
    second, seen = watched(seed, 5, 7)
    again = Kept([], [], [])
    paced(second, again, [50, 301, 320, 344], said)
    assert told(second, again, seen) == told(first, kept, watcher)
    steps = np.concatenate(kept.steps)
    assert 301 < steps["ts_ns"].max() < 400 < some_rows(seed)[-1][0]
    assert not (first.engine.trading.gw.orders["order_id"] > 0).any()  # nothing works any more


@pytest.mark.parametrize("seed", range(4))
def test_an_input_heard_while_it_runs_is_the_input_given_from_the_start(seed: int) -> None:
    rng = random.Random(seed)
    times = sorted(rng.randrange(20, 700) for _ in range(4))
    said = inputs(
        (times[0], ControlKind.KILL, KillScope.GLOBAL.value, 1),
        (times[1], ControlKind.KILL, KillScope.GLOBAL.value, 0),
        (times[2], ControlKind.LATENCY, 0, 3),
        (times[3], ControlKind.DOWN, 0, times[3] + 55),
    )
    first, watcher = watched(seed, 5, 7)
    kept = Kept([], [], [])
    drive(given(first, said), kept, plain=True)
    expected = told(first, kept, watcher)
    second, seen = watched(seed, 5, 7)
    kept = Kept([], [], [])
    # An input may come at the very time of the last horizon.
    paced(second, kept, [*times, *(rng.randrange(1, 900) for _ in range(9))], said)
    assert told(second, kept, seen) == expected
    steps = np.concatenate(kept.steps)
    assert (steps["kind"] == StepKind.CONTROL).sum() == 4


def test_an_input_of_a_time_that_has_been_is_refused() -> None:
    session, _ = watched(0, 5, 1)
    one = Paced(session, plain=True)
    while one.until(100).at_ns < 100:
        one.release()
    one.hear(inputs((100, ControlKind.LATENCY, 0, 3)))
    with pytest.raises(InvariantError, match="an input of 99 was heard at 100"):
        one.hear(inputs((99, ControlKind.LATENCY, 0, 3)))


def test_no_command_reaches_the_venue_before_it_is_released() -> None:
    session, _ = watched(1, 5, 1, entry_ns=20)
    kept = Kept([], [], [])
    one = Paced(session, kept, plain=True)
    held = []
    while not (slice_ := one.until(END)).ended:
        steps = np.concatenate(kept.steps)
        arrived = set(steps["cmd_id"][steps["kind"] == StepKind.ARRIVAL].tolist())
        sent = steps[(steps["kind"] == StepKind.DECISION) & (steps["code"] == 0)]
        waits = set(sent["cmd_id"].tolist()) - arrived
        assert len(waits) == slice_.held > 0
        # It is due now, 20 ns after it was sent, and nothing of this time has happened.
        assert slice_.at_ns == sent["ts_ns"][sent["cmd_id"] == min(waits)][0] + 20
        assert steps["ts_ns"].max() < slice_.at_ns
        held.append(slice_.at_ns)
        assert one.until(END).at_ns == slice_.at_ns  # asking again moves nothing
        one.release()
    assert len(held) > 5 and held == sorted(held)


def test_while_our_process_is_dead_orders_fill_and_nobody_hears_or_acts() -> None:
    sold_through_our_bid = (300, TRADE, 1, 99, 9)
    rows = [*opening(10, {100: 5}, {102: 5}), sold_through_our_bid, (900, LEVEL, 1, 102, 6)]
    heard: list[tuple[int, int]] = []

    def body(view: Any, order: Any, p: Any, s: Any) -> None:
        heard.append((int(view.now), int(view.position)))
        if view.now == 110:
            order.quote(0, 100, 2)

    strategy = Strategy(body, "script", 50, 3, {}, {})
    session = session_of([rows], [strategy])
    given(session, inputs((210, ControlKind.DOWN, 0, 555)))
    kept = Kept([], [], [])
    drive(session, kept, plain=True)
    steps = np.concatenate(kept.steps)
    fills = steps[steps["kind"] == StepKind.FILL]
    assert fills["ts_ns"].tolist() == [300]
    assert [now for now, _ in heard if now < 210] == [60, 110, 160]
    # The fill is what we hear first, then the timer goes on where it would have been.
    assert [pair for pair in heard if 210 <= pair[0] < 700] == [
        (555, 2),
        (560, 2),
        (610, 2),
        (660, 2),
    ]


def test_a_pull_loop_cannot_be_paced() -> None:
    def body(sim: Any, p: Any, s: Any) -> None:
        pass

    session, _ = watched(0, 5, 1)
    session.strategies[0] = Strategy(body, "puller", 0, 1, {}, {}, loop=True)
    with pytest.raises(ConfigError, match="'puller' is a pull loop, which moves time itself"):
        Paced(session)
