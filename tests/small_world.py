"""A whole engine over a handful of rows, with a plain-Python strategy that is a script.

`play` runs rows and commands through calendar, gateway (limits off), venue and portfolio; the
engine is compiled once, the scripts never. Times are small integers of ns: tests read like tables.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from hft.core.codes import EventKind, Flag, ResponseKind, StepKind
from hft.core.instruments import Instrument
from hft.core.numbers import money_digits
from hft.gateway.limits import Limits
from hft.gateway.resolve import resolve
from hft.replay.build import Session, gateway_for, new_session, source_of
from hft.replay.run import drive, run_digest
from hft.replay.state import SESSION
from hft.strategies.base import Strategy
from hft.tape.schema import Columns
from hft.venue.model import VenueModel

X = Instrument("X", Decimal(1), Decimal(1), max_price=Decimal(100_000))
LOW, HIGH = 1, 1_024

LEVEL, CLEAR, SNAPSHOT = EventKind.LEVEL, EventKind.CLEAR, EventKind.SNAPSHOT
ADD, CANCEL, EXECUTE = EventKind.ADD, EventKind.CANCEL, EventKind.EXECUTE
TRADE, STATUS, BBO = EventKind.TRADE, EventKind.STATUS, EventKind.BBO
SIGNAL, FUNDING = EventKind.SIGNAL, EventKind.FUNDING
LAST = Flag.LAST

Row = tuple[int, ...]  # ts, kind, side, price, qty[, order_id[, flags]]
Body = Callable[[Any, Any, Any, Any], None]


def opening(ts: int, bids: Mapping[int, int], asks: Mapping[int, int]) -> list[Row]:
    """A snapshot: CLEAR, then every level, the last row flagged."""
    levels = [(0, price, qty) for price, qty in bids.items()]
    levels += [(1, price, qty) for price, qty in asks.items()]
    rows: list[Row] = [(ts, CLEAR, 2, 0, 0)]
    rows += [(ts, SNAPSHOT, side, price, qty) for side, price, qty in levels]
    rows[-1] = (*rows[-1], 0, LAST)
    return rows


def columns(rows: Sequence[Row], latency_ns: int = 0) -> Columns:
    """Rows as the columns of a tape."""
    made = Columns.empty(len(rows))
    for k, row in enumerate(rows):
        ts, kind, side, price, qty, order_id, flags = (*row, 0, 0)[:7]
        values = (ts, ts + latency_ns, kind, side, price, qty, order_id, flags)
        for column, value in zip(made, values, strict=True):
            column[k] = value
    return made


@dataclass
class Kept:
    """A sink that keeps copies of all records."""

    steps: list[np.ndarray]
    fills: list[np.ndarray]
    equity: list[np.ndarray]

    def take(self, steps: Any, fills: Any, equity: Any, series: Any) -> None:
        self.steps.append(steps.copy())
        self.fills.append(fills.copy())
        self.equity.append(equity.copy())


@dataclass
class Played:
    """What a small run left behind."""

    session: Session
    steps: np.ndarray
    fills: np.ndarray

    @property
    def engine(self) -> Any:
        return self.session.engine

    @property
    def digest(self) -> str:
        return run_digest(self.engine)

    def venue_fills(self) -> list[tuple[int, int, int, int, int]]:
        """(time at the venue, order id, price, lots, liquidity) of every fill, in order."""
        rows = self.steps[self.steps["kind"] == StepKind.FILL]
        names = ["ts_ns", "order_id", "price", "qty", "liquidity"]
        return [tuple(int(row[name]) for name in names) for row in rows]  # type: ignore[misc]

    def answers(self) -> list[tuple[int, str]]:
        """(order id, what the venue said) in the order in which we heard it."""
        rows = self.steps[self.steps["kind"] == StepKind.RESPONSE]
        return [(int(row["order_id"]), ResponseKind(int(row["code"])).name) for row in rows]

    def refusals(self) -> list[int]:
        rows = self.steps[self.steps["kind"] == StepKind.DECISION]
        return [int(row["code"]) for row in rows if row["code"] != 0]


def session_of(
    feeds: Sequence[Sequence[Row]],
    strategies: Sequence[Strategy],
    *,
    venue: VenueModel | None = None,
    instruments: Sequence[Instrument] = (X,),
    latency_ns: int = 0,
    live_orders: int = 0,
    slots: int = 256,
    record: str = "full",
    low: int = LOW,
    high: int = HIGH,
    made: Sequence[Columns] = (),
    start_ns: int | None = None,
    hours: Sequence[tuple[int, int, int, int]] = (),
) -> Session:
    """An engine over these feeds (or over columns already made) with every limit off.

    `hours` are SESSION rows of every instrument: open, close, begin, end.
    """
    digits = money_digits(list(instruments))
    batches = made or [columns(rows, latency_ns) for rows in feeds]
    sources = [
        source_of(
            instrument,
            [batch],
            digits,
            max_price=100_000,
            price_low=low,
            price_high=high,
            live_orders=live_orders,
            sessions=np.array(list(hours), SESSION),
            statuses=STATUS in batch.kind,
        )
        for instrument, batch in zip(instruments, batches, strict=True)
    ]
    limits = resolve(Limits.off(), list(instruments), [{"first_mid": 100}] * len(instruments))
    gateway = gateway_for(
        sources, limits, len(strategies), order_capacity=slots, dedup_window=slots
    )
    model = venue or VenueModel()
    return new_session(sources, list(strategies), gateway, model, record=record, start_ns=start_ns)


def play(
    rows: Sequence[Row],
    script: Mapping[int, Callable[[Any, Any], None]] | Body,
    *,
    every_ns: int = 1,
    **given: Any,
) -> Played:
    """Run one feed with a script: time -> what to do then, or a whole strategy body."""
    if callable(script):
        body: Body = script
    else:
        actions = script

        def body(view: Any, order: Any, p: Any, s: Any) -> None:
            action = actions.get(int(view.now))
            if action is not None:
                action(view, order)

    strategy = Strategy(body, "script", every_ns, 1, {}, {})
    session = session_of([rows], [strategy], **given)
    return finish(session)


def finish(session: Session) -> Played:
    """Drive a session to its end in plain Python."""
    kept = Kept([], [], [])
    drive(session, kept, plain=True)
    return Played(session, np.concatenate(kept.steps), np.concatenate(kept.fills))
