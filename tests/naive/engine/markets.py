"""Random tiny markets: tapes that keep the rules of docs/reference/tapes.md and break all habits.

A market is drawn from its seed alone: format, instruments, venue, latencies, strategies and rows.
The rows cross, hide, clear, halt, print through everything, repeat times and disagree about clocks.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from random import Random

from hft.core.codes import Flag
from hft.core.instruments import Instrument
from tests.naive.engine.author import HIGH, LEVELS, LOW, ORDERS, QUOTES, Author

QUEUES = ("risk_averse", "prob_log", "prob_sqrt", "prob_power", "own", "fifo")
DEEP_SHARE = 0.03  # of the markets that have levels


@dataclass(frozen=True)
class Row:
    """One row of a tape, its columns in order."""

    exch_ts: int
    local_ts: int
    kind: int
    side: int
    price: int
    qty: int
    order_id: int = 0
    flags: int = 0

    def values(self) -> tuple[int, ...]:
        return (
            *(self.exch_ts, self.local_ts, self.kind, self.side),
            *(self.price, self.qty, self.order_id, self.flags),
        )


@dataclass(frozen=True)
class Actor:
    """One strategy: its timer, the causes that wake it, its seed and how bold it is."""

    seed: int
    every_ns: int
    wakes_on: int  # bit 1 << WakeCause
    bold: float
    instruments: int
    sweeps: bool = False  # in a deep market: takes hundreds of levels at once


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
    reject: float = 0.0  # the chance that a new order is rejected
    down_ns: tuple[int, int] = (0, 0)  # commands that arrive from .. to before .. are refused


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
    window: tuple[int, int] | None = None  # ticks that the book holds; None: all of them


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
                rows.append(Row(row.exch_ts, _last_seen(rows), *row.values()[2:]))
            late.remove(row)
        rows.append(Row(now, local, kind, side, price, qty, oid, flags))
    for row in sorted(late, key=lambda r: r.local_ts):
        rows.append(Row(row.exch_ts, max(row.local_ts, _last_seen(rows)), *row.values()[2:]))
    return rows


def _last_seen(rows: list[Row]) -> int:
    return next((r.local_ts for r in reversed(rows) if not r.flags & Flag.VENUE_ONLY), 0)


def _instrument(rng: Random, k: int) -> Instrument:
    inverse = rng.random() < 0.15
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


def _venue(rng: Random, queue: str | None) -> Venue:
    same, start = _leg(rng), rng.randrange(100, 300)
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
        reject=rng.choice((0.1, 0.5)) if rng.random() < 0.04 else 0.0,
        down_ns=(start, start + rng.randrange(1, 120)) if rng.random() < 0.06 else (0, 0),
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
    made = Market(
        *(seed, form, [_instrument(rng, k) for k in range(count)], feeds, actors),
        _venue(rng, queue),
        deep,
        equity_every_ns=rng.choice((13, 37, 200)),
        window=(LOW, HIGH),
    )
    last = max(row.exch_ts for rows in feeds for row in rows)
    if rng.random() < 0.1:
        made.start_ns = rng.randrange(100, last)
    if rng.random() < 0.1:
        made.end_ns = rng.randrange(max(100, made.start_ns or 0), last + 5)
    return made


def _actor(rng: Random, instruments: int, sweeps: bool) -> Actor:
    every = rng.choice((2, 5, 11, 30, 0))
    causes = rng.randrange(64) & ~1 if rng.random() < 0.3 else 0
    if every:
        causes |= 1
    if not causes:
        every, causes = 7, 1
    bold = rng.choice((0.05, 0.3, 0.7))
    return Actor(rng.randrange(1 << 30), every, causes, bold, instruments, sweeps)
