"""Random tiny markets: tapes that keep the rules of docs/reference/tapes.md and break all habits.

A market is drawn from its seed alone: format, instruments, venue, latencies, strategies and rows.
The rows cross, hide, clear, halt, print through everything, repeat times and disagree about clocks.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from random import Random
from typing import Any, NamedTuple

from hft.core.codes import Flag, SelfTradeMode
from hft.core.instruments import Instrument
from tests.naive.engine.author import HIGH, LEVELS, LOW, ORDERS, QUOTES, Author
from tests.naive.engine.faults import Faults
from tests.naive.engine.house import DAY_NS, House, house_of
from tests.naive.engine.money import grids_of
from tests.naive.gateway_state import Rules

QUEUES = ("risk_averse", "prob_log", "prob_sqrt", "prob_power", "own", "fifo")
LIMITED_SHARE = 0.15
HOUSED_SHARE = 0.08  # of the others
DEEP_SHARE = 0.044  # of the markets that have levels


class Row(NamedTuple):
    """One row of a tape, its columns in order."""

    exch_ts: int
    local_ts: int
    kind: int
    side: int
    price: int
    qty: int
    order_id: int = 0
    flags: int = 0


@dataclass(frozen=True)
class Actor:
    """One strategy: its timer, the causes that wake it, its seed and how bold it is."""

    seed: int
    every_ns: int
    wakes_on: int  # bit 1 << WakeCause
    bold: float
    instruments: int
    sweeps: bool = False  # in a deep market: takes hundreds of levels at once
    odd: bool = False  # writes prices and lots that are none


@dataclass(frozen=True)
class Venue:
    """The options of the simulated venue; latencies per leg are (kind, base, spread, table)."""

    queue: str = "risk_averse"
    capped: bool = True
    keeps_place: bool = True
    power: float = 2.0
    legs: dict[str, tuple[str, int, int, tuple[int, ...]]] = field(default_factory=dict)
    rule: str = "stays"
    crossed: str = "returns"
    faults: Faults = field(default_factory=Faults)


@dataclass
class Market:
    """All that one run needs."""

    seed: int
    form: str
    instruments: list[Instrument]
    feeds: list[list[Row]]
    actors: list[Actor]
    venue: Venue
    deep: bool = False
    start_ns: int | None = None
    end_ns: int | None = None
    equity_every_ns: int = 37
    rules: Rules | None = None  # None: every limit off
    # Open hours (from, to) by the calendar of instruments whose tape says no phase.
    hours: list[list[tuple[int, int]] | None] | None = None
    window: tuple[int, int] | None = None  # ticks that the book holds; None: all of them
    house: House | None = None  # guards and controls; never with rules


def _clocked(rng: Random, raw: list[tuple[int, int, int, int, int, int, int]]) -> list[Row]:
    """Give the rows receive times; where the two orders disagree a row stands twice."""
    lag = rng.choice((0, 0, 0, 2, 20))
    wild = rng.random() < 0.25
    rows: list[Row] = []
    late: list[Row] = []
    local = 0
    for now, kind, side, price, qty, oid, flags in raw:
        due = now + (rng.randrange(lag + 1) if lag else 0)
        if wild and rng.random() < 0.15:
            arrives = due + rng.randrange(1, 40)
            shown = (kind, side, price, qty, oid)
            rows.append(Row(now, arrives, *shown, flags | Flag.VENUE_ONLY))
            late.append(Row(now, arrives, *shown, flags | Flag.VIEW_ONLY))
            continue
        local = max(local, due)
        for row in sorted((r for r in late if r.local_ts <= local), key=lambda r: r.local_ts):
            if not rows or row.local_ts >= _last_seen(rows):
                rows.append(row)
            else:
                rows.append(Row(row.exch_ts, _last_seen(rows), *row[2:]))
            late.remove(row)
        rows.append(Row(now, local, kind, side, price, qty, oid, flags))
    for row in sorted(late, key=lambda r: r.local_ts):
        rows.append(Row(row.exch_ts, max(row.local_ts, _last_seen(rows)), *row[2:]))
    return rows


def _last_seen(rows: list[Row]) -> int:
    return next((r.local_ts for r in reversed(rows) if not r.flags & Flag.VENUE_ONLY), 0)


def _instrument(rng: Random, k: int, limited: bool) -> Instrument:
    inverse = rng.random() < 0.15 and not limited
    return Instrument(
        f"I{k}",
        Decimal("0.5"),
        Decimal("0.1") if not inverse else Decimal(1),
        multiplier=Decimal(10) if inverse else Decimal(1),
        currency="USD",
        kind="inverse" if inverse else "linear",
        max_price=Decimal(100_000),
        maker_bps=rng.choice((Decimal(0), Decimal("-0.5"), Decimal("1.37"))),
        taker_bps=rng.choice((Decimal(0), Decimal("3.9"), Decimal("0.0017"))),
    )


def _leg(rng: Random) -> tuple[str, int, int, tuple[int, ...]]:
    draw = rng.random()
    if draw < 0.35:
        return ("constant", 0, 0, ())
    if draw < 0.42:
        return ("uniform", rng.choice((0, 5)), rng.choice((1, 30)), ())
    if draw < 0.49:
        return ("sampled", rng.choice((0, 5)), 0, tuple(rng.choices((0, 1, 4, 50), k=3)))
    if draw < 0.54:
        times = sorted(rng.sample(range(90, 400), rng.randrange(1, 5)))
        pairs = tuple(v for t in times for v in (t, rng.choice((0, 3, 10, 70))))
        return ("interpolated", 0, 0, pairs)
    return ("constant", rng.choice((1, 3, 7, 25, 60)), 0, ())


def _faults(rng: Random) -> Faults:
    """Mostly none; else a part of what a plan may have."""
    reject = rng.choice((0.1, 0.5)) if rng.random() < 0.04 else 0.0
    start = rng.randrange(100, 300)
    down = (start, start + rng.randrange(1, 120)) if rng.random() < 0.06 else (0, 0)
    if rng.random() > 0.08:
        return Faults(reject, down_ns=down)
    return Faults(
        *(reject, rng.choice((0.0, 0.1, 0.4)), rng.choice((0.0, 0.1, 0.4)), rng.choice((1, 9, 60))),
        *(rng.choice((0.0, 0.2)), rng.choice((1, 20, 90)), down),
    )


def _rules(rng: Random, made: Market) -> Rules:
    """One to three limits, near what the strategies do."""
    per_tick = int(grids_of(tuple(made.instruments))[0].per_tick_lot)
    rules = Rules(per_tick, strategies=len(made.actors), instruments=len(made.instruments))

    def money() -> int:
        return per_tick * rng.randrange(60, 800) * rng.choice((2, 5, 20, 100, 1000))

    draws: dict[str, Callable[[], Any]] = {
        "order_size": lambda: rng.choice((2, 8, 30, 500)),
        "long_max": lambda: rng.choice((0, 3, 10, 40)),
        "short_max": lambda: rng.choice((0, 3, 10, 40)),
        "net_qty_max": lambda: rng.choice((3, 10, 40)),
        "global_max": money,
        "strategy_max": money,
        "leaf_max": money,
        "notional_max": money,
        "order_notional_max": money,
        "cap": lambda: rng.randrange(60, 800),
        "band_ticks": lambda: rng.choice((0, 1, 3, 20)),
        "band_bps": lambda: rng.choice((1, 100, 900)),
        "age_ns": lambda: rng.choice((1, 10, 60)),
        "restricted": lambda: (rng.randrange(len(made.instruments)),),
        "per_s": lambda: rng.choice((1, 5, 20)),
        "per_min": lambda: rng.choice((1, 5, 20)),
        "leaves": lambda: 1,
        "price_max": lambda: rng.randrange(60, 800),
        "qty_max": lambda: rng.choice((5, 100, 1000)),
        "repeated": lambda: rng.choice((1, 2, 4)),
        "self_trade": lambda: rng.choice(list(SelfTradeMode)),
    }
    chosen = {name: draws[name]() for name in rng.sample(list(draws), rng.randrange(1, 4))}
    if rng.random() < 0.06:
        chosen |= {"fast_gate": False, "qty_bound": 1000, "qty_max": 1000}
    return replace(rules, repeated_ns=rng.choice((5, 50, 1000)), **chosen)


def _venue(rng: Random, queue: str | None) -> Venue:
    same = _leg(rng)
    legs = {name: same for name in ("entry", "amend", "cancel", "response")}
    if rng.random() < 0.6:
        legs = {name: _leg(rng) for name in legs}
    return Venue(
        queue=queue or rng.choice(QUEUES),
        capped=rng.random() < 0.85,
        keeps_place=rng.random() < 0.7,
        power=rng.choice((1.0, 2.0, 3.0)),
        legs=legs,
        rule=rng.choice(("stays", "stays", "restated")),
        crossed=rng.choice(("returns", "returns", "restated")),
        faults=_faults(rng),
    )


def market(seed: int, *, form: str | None = None, queue: str | None = None) -> Market:
    """The market of a seed."""
    rng = Random(seed)
    form = form or rng.choice((LEVELS, LEVELS, ORDERS, ORDERS, QUOTES))
    deep = form != QUOTES and rng.random() < DEEP_SHARE
    count = 2 if not deep and rng.random() < 0.15 else 1
    feeds = []
    for _ in range(count):
        author = Author(rng, form, deep)
        author.open()
        for _ in range(rng.randrange(8, 45)):
            author.event()
        feeds.append(_clocked(rng, author.rows))
    actors = [_actor(rng, count, deep) for _ in range(2 if rng.random() < 0.2 else 1)]
    limited = rng.random() < LIMITED_SHARE
    made = Market(
        *(seed, form, [_instrument(rng, k, limited) for k in range(count)], feeds, actors),
        _venue(rng, queue),
        deep,
        equity_every_ns=rng.choice((13, 37, 200)),
        window=(LOW, HIGH),
    )
    if limited:
        made.rules = _rules(rng, made)
        made.actors = [replace(actor, odd=True) for actor in actors]
    last = max(row.exch_ts for rows in feeds for row in rows)
    if rng.random() < 0.1:
        made.start_ns = rng.randrange(100, last)
    if rng.random() < 0.1:
        made.end_ns = rng.randrange(max(100, made.start_ns or 0), last + 5)
    if not limited and Random(f"housed {seed}").random() < HOUSED_SHARE:
        return _housed(made)
    return made


def _housed(made: Market) -> Market:
    """The market with guards and controls; of some, midnight is amid the rows."""
    rng = Random(f"house {made.seed}")
    made.instruments = [
        replace(one, kind="linear", lot=Decimal("0.1"), multiplier=Decimal(1))
        for one in made.instruments
    ]
    times = [row.local_ts for rows in made.feeds for row in rows]
    if rng.random() < 0.6:
        made = _later(made, DAY_NS - rng.choice(times))
        times = [row.local_ts for rows in made.feeds for row in rows]
    span = (min(times), max(times))
    made.house = house_of(rng, len(made.actors), len(made.instruments), span)
    return made


def _later(made: Market, ns: int) -> Market:
    """The same at a later time."""
    feeds = [
        [row._replace(exch_ts=row.exch_ts + ns, local_ts=row.local_ts + ns) for row in rows]
        for rows in made.feeds
    ]
    legs = {}
    for name, (kind, base, spread, table) in made.venue.legs.items():
        if kind == "interpolated":
            table = tuple(v + ns * (k % 2 == 0) for k, v in enumerate(table))
        legs[name] = (kind, base, spread, table)
    plan = made.venue.faults
    start, end = plan.down_ns
    plan = replace(plan, down_ns=(start + ns, end + ns) if end else (0, 0))
    return replace(
        made,
        feeds=feeds,
        venue=replace(made.venue, legs=legs, faults=plan),
        start_ns=None if made.start_ns is None else made.start_ns + ns,
        end_ns=None if made.end_ns is None else made.end_ns + ns,
    )


def _actor(rng: Random, instruments: int, sweeps: bool) -> Actor:
    every = rng.choice((2, 5, 11, 30, 0))
    causes = rng.randrange(64) & ~1 if rng.random() < 0.3 else 0
    if every:
        causes |= 1
    if not causes:
        every, causes = 7, 1
    bold = rng.choice((0.05, 0.3, 0.7))
    return Actor(rng.randrange(1 << 30), every, causes, bold, instruments, sweeps)
