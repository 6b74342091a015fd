"""One market in both worlds: the engine's records in plain tuples, and where the twin's differ.

`engine_records` drives the real engine in this process, without a run folder; `difference` names
the first record in which the two disagree, in words that can be read.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

import hft
from hft.core.codes import EventKind, LatencyLeg, StepKind
from hft.core.instruments import Instrument
from hft.gateway.limits import Limits
from hft.gateway.resolve import ResolvedLimits, resolve
from hft.market.book import NO_ASK, NO_BID
from hft.replay.build import Session, gateway_for, new_session, source_of
from hft.replay.run import drive
from hft.runs.faults import FaultPlan
from hft.strategies.base import Strategy
from hft.tape.schema import Columns
from hft.venue.model import Latency, VenueModel
from tests.naive.engine.author import HIGH, LOW
from tests.naive.engine.chaos import Body, Sight, body, twin_sight
from tests.naive.engine.faults import Faults
from tests.naive.engine.guarded_replay import GuardedReplay
from tests.naive.engine.house import House
from tests.naive.engine.markets import Actor, Market, Row
from tests.naive.engine.money import digits_of
from tests.naive.engine.places import own_model
from tests.naive.engine.replay import Replay
from tests.naive.gateway_rows import resolved
from tests.twin_house import resolved_keys, said_of
from tests.twin_sight import engine_sight

FILL_FIELDS = (
    *("fill_id", "order_id", "strategy_idx", "instrument_idx", "side", "price", "qty", "fee_money"),
    *("realized_money", "liquidity", "exch_ts_ns", "local_ts_ns", "position_qty"),
)
EQUITY_FIELDS = (
    *("ts_ns", "strategy_idx", "instrument_idx", "qty", "realized_money", "unrealized_money"),
    *("fees_money", "mid2", "bid_tick", "ask_tick"),
)
SLOTS = 256
NO_HOUSE = House({}, slots=SLOTS)
Maker = Callable[[Actor, list[Any], Counter[str], Sight], Body]
SessionFor = Callable[[Market, list[Strategy]], Session]
OWN = hft.queue_model(own_model)


@dataclass
class Records:
    """What one world left behind, as tuples."""

    steps: list[tuple[Any, ...]] = field(default_factory=list)
    fills: list[tuple[int, ...]] = field(default_factory=list)
    equity: list[tuple[int, ...]] = field(default_factory=list)
    sights: list[list[Any]] = field(default_factory=list)
    deeds: Counter[str] = field(default_factory=Counter)


class _Sink:
    def __init__(self) -> None:
        self.steps: list[np.ndarray] = []
        self.fills: list[np.ndarray] = []
        self.equity: list[np.ndarray] = []

    def take(self, steps: Any, fills: Any, equity: Any, series: Any) -> None:
        self.steps.append(steps.copy())
        self.fills.append(fills.copy())
        self.equity.append(equity.copy())


def _columns(rows: list[Row]) -> Columns:
    made = Columns.empty(len(rows))
    for column, values in zip(made, zip(*rows, strict=True), strict=True):
        column[:] = values
    return made


def venue_model(market: Market) -> VenueModel:
    venue = market.venue
    legs = {name: Latency(*leg) for name, leg in venue.legs.items()}
    return VenueModel(
        legs=legs or {leg.name.lower(): Latency() for leg in LatencyLeg},
        queue=OWN if venue.queue == "own" else venue.queue,
        queue_power=venue.power,
        capped=venue.capped,
        amend_keeps_priority=venue.keeps_place,
        taken=venue.rule,
        crossed=venue.crossed,
    )


@cache
def _no_limits(instruments: tuple[Instrument, ...]) -> ResolvedLimits:
    return resolve(Limits.off(), instruments, [{"first_mid": 100}] * len(instruments))


def _plan(faults: Faults) -> FaultPlan:
    return FaultPlan(
        *(faults.reject, faults.lost, faults.late, faults.late_ns, faults.twice),
        *(faults.unknown_ns, faults.down_ns),
    )


def session_of(market: Market, strategies: list[Strategy]) -> Session:
    """The engine over a market, under its rules or with every limit off."""
    instruments = market.instruments
    digits = digits_of(tuple(instruments))
    sources = []
    for instrument, rows in zip(instruments, market.feeds, strict=True):
        ids = {row.order_id for row in rows if row.order_id}
        sources.append(
            source_of(
                instrument,
                [_columns(rows)],
                digits,
                max_price=100_000,
                price_low=LOW,
                price_high=HIGH,
                live_orders=len(ids) + 1 if market.form == "orders" else 0,
                statuses=any(row.kind == EventKind.STATUS for row in rows),
            )
        )
    limits = _no_limits(tuple(instruments)) if market.rules is None else resolved(market.rules)
    house = market.house or NO_HOUSE
    said: dict[str, Any] = {}
    if market.house is not None:
        limits = resolved_keys(market, house.keys)
        said = said_of(market, house)
    gateway = gateway_for(
        sources, limits, len(strategies), order_capacity=house.slots, dedup_window=SLOTS
    )
    return new_session(
        sources,
        strategies,
        gateway,
        venue_model(market),
        start_ns=market.start_ns,
        end_ns=market.end_ns,
        equity_every_ns=market.equity_every_ns,
        faults=_plan(market.venue.faults).rows(0),
        **said,
    )


def _called(wake: Body) -> type:
    """A body as a class, whose wake-ups cost least; parameters and state it has none."""

    class Called:
        def on_wake(self, view: Any, order: Any) -> None:
            wake(view, order, None, None)

    return Called


def engine_records(
    market: Market, make: Maker = body, session_for: SessionFor = session_of
) -> Records:
    """The real engine's records of a market; `make` gives the bodies of its actors."""
    out = Records()
    strategies = []
    for k, actor in enumerate(market.actors):
        trace: list[Any] = []
        out.sights.append(trace)
        strategies.append(
            Strategy(
                _called(make(actor, trace, out.deeds, engine_sight)),
                f"actor{k}",
                actor.every_ns,
                actor.wakes_on,
                {},
                {},
                instruments=actor.instruments,
            )
        )
    session = session_for(market, strategies)
    sink = _Sink()
    drive(session, sink)
    out.steps = _steps(np.concatenate(sink.steps), market.house is not None)
    last = out.steps[-1] if out.steps else ("",)
    if last[0] == "WAKE" and (
        last[4] == 0
        or any((s[2], s[4]) == (last[2], last[4]) for s in out.steps[:-1] if s[0] == "WAKE")
    ):  # the end of the run is noted as a wake-up that nobody has
        out.steps.pop()
    out.fills = _rows(np.concatenate(sink.fills), FILL_FIELDS)
    out.equity = [_equity_row(row) for row in _rows(np.concatenate(sink.equity), EQUITY_FIELDS)]
    return out


def _rows(table: np.ndarray, names: tuple[str, ...]) -> list[tuple[int, ...]]:
    """Some columns of a table, as tuples of Python integers."""
    return list(zip(*(table[name].tolist() for name in names), strict=True))


def _equity_row(row: tuple[int, ...]) -> tuple[Any, ...]:
    """An equity row as the twin writes it: what is not there is None."""
    mid2, bid, ask = row[-3:]
    touch = (mid2 or None, None if bid == NO_BID else bid, None if ask == NO_ASK else ask)
    return (*row[:-3], *touch)


STEP_FIELDS = (
    *("kind", "ts_ns", "strategy_idx", "instrument_idx", "wake", "order_id", "liquidity", "code"),
    *("side", "price", "qty"),
)
WAKE, FILL = int(StepKind.WAKE), int(StepKind.FILL)


def _steps(table: np.ndarray, guards: bool) -> list[tuple[Any, ...]]:
    """The records of the journal that the twin writes, too, as it writes them."""
    found = []
    for kind, ts, who, where, wake, oid, liquidity, code, *rest in _rows(table, STEP_FIELDS):
        name = KINDS.get(kind)
        if name is not None and (guards or name != "GUARD"):
            about = wake if kind == WAKE else oid
            found.append((name, ts, who, where, about, liquidity if kind == FILL else code, *rest))
    return found


def twin_records(market: Market, make: Maker = body) -> Records:
    """The twin's records of a market."""
    out = Records()
    bodies = []
    for actor in market.actors:
        trace: list[Any] = []
        out.sights.append(trace)
        bodies.append(make(actor, trace, out.deeds, twin_sight))
    world = Replay if market.house is None else GuardedReplay
    kept = world(market, bodies).run()
    out.steps, out.fills, out.equity = kept.steps, kept.fills, kept.equity
    return out


def difference(engine: Records, twin: Records) -> str | None:
    """The first record in which engine and twin differ, with what came before it; None: equal."""
    sights = [
        _first(f"sight of strategy {s}", one, two, 2) or ""
        for s, (one, two) in enumerate(zip(engine.sights, twin.sights, strict=True))
    ]
    return (
        "\n".join([_first("step", engine.steps, twin.steps, 12) or "", *sights]).strip()
        or _first("fill", engine.fills, twin.fills, 2)
        or _first("equity row", engine.equity, twin.equity, 2)
    )


def _first(what: str, engine: list[Any], twin: list[Any], shown: int) -> str | None:
    if engine == twin:
        return None
    for k in range(max(len(engine), len(twin))):
        one = engine[k] if k < len(engine) else None
        two = twin[k] if k < len(twin) else None
        if one is None or two is None or not _agree(one, two):
            before = "\n".join(f"   both    {row}" for row in engine[max(0, k - shown) : k])
            return f"{what} {k}\n{before}\n   engine  {one}\n   twin    {two}"
    return None


def _agree(one: Any, two: Any) -> bool:
    """Equal, where the twin says something at all."""
    if two is None or one == two:
        return True
    if not isinstance(two, (tuple, list)) or len(one) != len(two):
        return False
    return all(map(_agree, one, two))


NOTED = (
    *(StepKind.WAKE, StepKind.DECISION, StepKind.ARRIVAL, StepKind.FILL, StepKind.RESPONSE),
    *(StepKind.CONTROL, StepKind.GUARD),
)
KINDS = {int(kind): kind.name for kind in NOTED}
