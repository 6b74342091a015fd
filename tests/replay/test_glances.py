"""What we see may be taken from the venue's book: nobody can tell, whatever tape and whoever looks.

Each run is compared with one whose view has a book of its own from the first row on.
"""

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from small_world import (
    ADD,
    BBO,
    EXECUTE,
    LEVEL,
    SIGNAL,
    STATUS,
    TRADE,
    Kept,
    Row,
    X,
    columns,
    opening,
)

from hft.core.codes import Flag
from hft.core.numbers import money_digits
from hft.gateway.limits import Limits
from hft.gateway.resolve import resolve
from hft.replay import run
from hft.replay.build import Session, gateway_for, new_session, source_of
from hft.replay.glances import lag
from hft.replay.run import drive, run_digest
from hft.replay.snapshot import freeze, thaw
from hft.replay.state import GLANCES_MAX
from hft.strategies.base import Strategy
from hft.tape.schema import Columns
from hft.venue.model import Latency, VenueModel

pytestmark = pytest.mark.nojit

MEMBERS = (
    *("now", "book_valid", "bid_tick", "ask_tick", "bid_lots", "ask_lots", "last_trade_tick"),
    *("last_trade_lots", "last_trade_side", "traded_since_wake", "position", "session_phase"),
)
Edit = Callable[[Columns], None]


def some_rows(seed: int, count: int = 120) -> list[Row]:
    """A snapshot, then levels, prints, best quotes and orders, some of them crossing."""
    rng = random.Random(seed)
    rows = opening(10, {100: 5, 99: 4, 97: 2}, {102: 3, 103: 6})
    ts = 10
    for k in range(count):
        ts += rng.choice((0, 1, 3, 9, 40))
        kind = rng.choice((LEVEL,) * 6 + (TRADE, TRADE, ADD, EXECUTE, BBO))
        side = rng.randrange(2)
        tick = 101 + (1 if side else -1) * rng.randrange(-1, 6)
        lots = rng.choice((0, 1, 2, 7)) if kind in (LEVEL, BBO) else rng.randrange(1, 4)
        rows.append((ts, kind, side, tick, lots, 1000 + k))
    return rows


def delayed(rows: list[Row], seed: int, most_ns: int) -> Columns:
    """The rows as columns whose latency changes from row to row; they arrive in order."""
    made = columns(rows)
    rng = np.random.default_rng(seed)
    late = made.exch_ts + rng.integers(0, most_ns + 1, len(rows))
    made.local_ts[:] = np.maximum.accumulate(late)
    return made


class Watcher:
    """A strategy that quotes, writes down what it sees, and looks below the touch now and then."""

    def __init__(self, deep_from: int) -> None:
        self.deep_from = deep_from
        self.seen: list[Any] = []

    def __call__(self, view: Any, order: Any, p: Any, s: Any) -> None:
        sight = [int(getattr(view, name)) for name in MEMBERS]
        if len(self.seen) >= self.deep_from:
            sight += [int(view.bid_ticks[k]) for k in range(4)]
            sight += [int(view.ask_depth[k]) for k in range(4)]
        self.seen.append(tuple(sight))
        if view.book_valid and view.now % 3 == 0:
            order.quote(0, view.bid_tick, 2)
            order.quote(1, view.ask_tick + 1, 1)


def world(
    made: Columns,
    watchers: list[Watcher],
    every_ns: list[int],
    *,
    cut: int = 0,
    end_ns: int | None = None,
    statuses: bool = False,
    wakes_on: int = 1,
) -> Session:
    """An engine over the columns, in two batches cut at row `cut`."""
    batches = [made]
    if cut:
        batches = [Columns(*(column[part] for column in made)) for part in cuts(cut)]
    source = source_of(
        X,
        batches,
        money_digits([X]),
        max_price=100_000,
        price_low=1,
        price_high=1024,
        statuses=statuses,
    )
    limits = resolve(Limits.off(), [X], [{"first_mid": 100}])
    gateway = gateway_for([source], limits, len(watchers), order_capacity=64, dedup_window=64)
    legs = {name: Latency("constant", 7, 0, ()) for name in ("entry", "response")}
    strategies = [
        Strategy(watcher, f"s{k}", every, wakes_on, {}, {})
        for k, (watcher, every) in enumerate(zip(watchers, every_ns, strict=True))
    ]
    return new_session([source], strategies, gateway, VenueModel(legs=legs), end_ns=end_ns)


def cuts(cut: int) -> tuple[slice, slice]:
    return slice(0, cut), slice(cut, None)


def told(session: Session, kept: Kept) -> tuple[Any, ...]:
    """Everything a run says of itself."""
    touch = session.engine.trading.touch[0].tolist()
    return run_digest(session.engine), np.concatenate(kept.steps).tobytes(), touch


def played(
    monkeypatch: pytest.MonkeyPatch,
    made: Columns,
    deep_from: tuple[int, ...] = (1 << 30,),
    every_ns: tuple[int, ...] = (5,),
    **given: Any,
) -> Session:
    """Run it as it is and with a book of its own; the session as it is, when both agree."""
    out = []
    for own_book in (False, True):
        monkeypatch.setattr(run, "lag", (lambda engine: None) if own_book else lag)
        watchers = [Watcher(first) for first in deep_from]
        session = world(made, watchers, list(every_ns), **given)
        kept = Kept([], [], [])
        drive(session, kept, plain=True)
        out.append((told(session, kept), [watcher.seen for watcher in watchers], session))
    assert out[0][1] == out[1][1]
    assert out[0][0] == out[1][0]
    assert len(out[0][1][0]) > 10 and any(sight[1] for sight in out[0][1][0])
    assert out[1][2].engine.feeds[0]["lags"] == 0
    return out[0][2]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("most_ns", [0, 1, 30, 400])
def test_what_is_seen_does_not_depend_on_whose_book_it_is_taken_from(
    monkeypatch: pytest.MonkeyPatch, seed: int, most_ns: int
) -> None:
    made = delayed(some_rows(seed), seed, most_ns)
    session = played(monkeypatch, made, every_ns=(7,), cut=40 + seed)
    assert session.engine.feeds[0]["lags"] == 1  # nobody asked, nobody had to keep up
    assert session.engine.feeds[0]["view_row"] == 0


@pytest.mark.parametrize("deep_from", [0, 1, 17])
def test_who_looks_below_the_touch_finds_the_book_as_it_reached_us(
    monkeypatch: pytest.MonkeyPatch, deep_from: int
) -> None:
    made = delayed(some_rows(5), 5, 60)
    session = played(monkeypatch, made, (deep_from,), cut=33)
    assert session.engine.feeds[0]["lags"] == 0


def test_strategies_with_intervals_of_their_own_look_when_any_of_them_wakes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = delayed(some_rows(6), 6, 90)
    session = played(monkeypatch, made, (1 << 30, 1 << 30, 1 << 30), (5, 7, 40), cut=50)
    assert session.engine.feeds[0]["lags"] == 1
    session = played(monkeypatch, made, (1 << 30, 9, 1 << 30), (5, 7, 40))
    assert session.engine.feeds[0]["lags"] == 0


def test_a_replay_that_ends_before_its_tape_shows_no_row_after_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = some_rows(7)
    for end_ns in (rows[60][0], rows[80][0] + 1, rows[95][0] + 3, rows[110][0]):
        for every_ns, cut in ((5, 0), (5, 60), (37, 60)):
            made = delayed(rows, 7, 50)
            session = played(monkeypatch, made, every_ns=(every_ns,), end_ns=end_ns, cut=cut)
            assert session.engine.feeds[0]["lags"] == 1
            assert session.engine.trading.touch[0]["ts_ns"] <= end_ns


def one_sided(made: Columns) -> None:
    made.flags[60] |= Flag.VENUE_ONLY
    made.flags[64] |= Flag.VIEW_ONLY


def one_sided_first(made: Columns) -> None:
    made.flags[0] |= Flag.VENUE_ONLY


def one_sided_batch(made: Columns) -> None:
    made.flags[50] |= Flag.VIEW_ONLY


def early(made: Columns) -> None:
    made.local_ts[70:76] = made.exch_ts[69] - 1
    made.local_ts[:] = np.maximum.accumulate(made.local_ts)
    made.local_ts[75] = made.exch_ts[74]


def early_at_a_look(made: Columns) -> None:
    """Received at a wake-up, five after the first row and so on, and happened right after it."""
    row = 70
    look_ns = int(made.exch_ts[0]) + 5 * ((int(made.exch_ts[row]) - int(made.exch_ts[0])) // 5 + 1)
    made.exch_ts[row:] += look_ns + 1 - made.exch_ts[row]
    made.local_ts[:] = np.minimum(made.local_ts, look_ns)
    made.local_ts[row + 1 :] = made.exch_ts[row + 1 :]


def signal(made: Columns) -> None:
    made.kind[70] = SIGNAL
    made.order_id[70] = 2


def status(made: Columns) -> None:
    made.kind[70] = STATUS
    made.qty[70] = 2


@pytest.mark.parametrize(
    "edit",
    [one_sided, one_sided_first, one_sided_batch, early, early_at_a_look, signal, status],
)
def test_rows_that_only_one_side_knows_give_the_view_its_own_book(
    monkeypatch: pytest.MonkeyPatch, edit: Edit
) -> None:
    made = delayed(some_rows(8), 8, 20)
    edit(made)
    session = played(monkeypatch, made, cut=50)
    assert edit is early or session.engine.feeds[0]["lags"] == 0


def test_a_session_event_that_was_announced_is_seen_when_it_arrives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = delayed(some_rows(9), 9, 60)
    for row, phase in ((30, 2), (60, 0), (90, 3)):
        made.kind[row], made.qty[row] = STATUS, phase
    session = played(monkeypatch, made, statuses=True)
    assert session.engine.feeds[0]["lags"] == 1


def test_more_looks_than_can_wait_give_the_view_its_own_book(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = [
        *opening(10, {100: 5}, {102: 5}),
        *((20 + k, LEVEL, 0, 90 + k % 9, 3) for k in range(200)),
    ]
    made = columns(rows, 10 * GLANCES_MAX)
    session = played(monkeypatch, made, every_ns=(2,))
    assert session.engine.feeds[0]["lags"] == 0


def test_strategies_that_wake_by_answers_have_a_view_with_its_own_book() -> None:
    session = world(delayed(some_rows(1), 1, 9), [Watcher(0)], [5], wakes_on=3)
    drive(session, Kept([], [], []), plain=True)
    assert session.engine.feeds[0]["glances"] == 0


@pytest.mark.parametrize("deep_from", [12, 1 << 30])
def test_a_replay_frozen_between_two_looks_goes_on_as_if_nothing_had_been(deep_from: int) -> None:
    made = delayed(some_rows(2), 2, 80)
    whole = world(made, [Watcher(deep_from)], [5])
    drive(whole, Kept([], [], []), plain=True)
    for step in (3, 11, 23, 40):
        first, watcher = Watcher(deep_from), Watcher(deep_from)
        begun = world(made, [first], [5])
        drive(begun, Kept([], [], []), plain=True, stop_at_step=step)
        after = world(made, [watcher], [5])
        thaw(after, freeze(begun))
        watcher.deep_from -= len(first.seen)
        drive(after, Kept([], [], []), plain=True)
        assert run_digest(after.engine) == run_digest(whole.engine)
        assert after.engine.feeds[0]["lags"] == whole.engine.feeds[0]["lags"]
