"""Kinds of fault that a good recording may catch: what each does to the rows of a decoded feed.

A kind changes one row in a thousand of those that it fits, chosen by the seed. `other` says why a
recording that nothing complains of may be another market that could have been; a kind without it
has to be found, or change nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hft.core.codes import EventKind, Flag
from hft.tape.schema import Columns

SECOND = 1_000_000_000
PRICED = (0, 2, 3, 4, 5, 6, 7, 8)
RESTING = (0, 2, 3, 8)  # rows that say what stands in the book
BOOK = (0, 2, 3, 4, 5, 6, 8)
ORDERS = (3, 4, 5, 6)
TRADES = (7,)
SNAPSHOT = (2,)
ANY = tuple(int(kind) for kind in EventKind)
HUGE_TICKS, HUGE_LOTS = 1 << 41, 10**13

Change = Callable[[Columns, np.ndarray], Columns | None]


@dataclass(frozen=True)
class Kind:
    """One kind of mutation: the row kinds that it fits, what it does, why it may go unseen."""

    rows: tuple[int, ...]
    change: Change
    other: str = ""


def _set(field: str, value: Callable[[Columns, np.ndarray], object]) -> Change:
    """Write `value` into one field of the chosen rows."""

    def change(columns: Columns, at: np.ndarray) -> None:
        getattr(columns, field)[at] = value(columns, at)

    return change


def _times(exch_ns: int, local_ns: int) -> Change:
    def change(columns: Columns, at: np.ndarray) -> None:
        columns.exch_ts[at] += exch_ns
        columns.local_ts[at] += local_ns

    return change


def _taken(columns: Columns, rows: np.ndarray) -> Columns:
    return Columns(*(column[rows] for column in columns))


def _doubled(columns: Columns, at: np.ndarray) -> Columns:
    return _taken(columns, np.sort(np.concatenate((np.arange(len(columns.kind)), at))))


def _dropped(columns: Columns, at: np.ndarray) -> Columns:
    return _taken(columns, np.delete(np.arange(len(columns.kind)), at))


def _swapped(columns: Columns, at: np.ndarray) -> Columns:
    """Each chosen row changes places with the next; the clocks stay where they were."""
    rows = np.arange(len(columns.kind))
    for k in at[at + 1 < len(rows)]:
        rows[[k, k + 1]] = rows[[k + 1, k]]
    moved = _taken(columns, rows)
    return moved._replace(exch_ts=columns.exch_ts, local_ts=columns.local_ts)


def _opposite_price(columns: Columns, at: np.ndarray) -> np.ndarray:
    """The price of the last row of the other side before each chosen row."""
    prices = columns.price[at].copy()
    for n, k in enumerate(at):
        before = np.flatnonzero(
            np.isin(columns.kind[:k], BOOK) & (columns.side[:k] != columns.side[k])
        )
        if len(before):
            prices[n] = columns.price[before[-1]]
    return prices


def _flag(bit: Flag, there: bool) -> Change:
    def change(columns: Columns, at: np.ndarray) -> None:
        value = np.int16(bit.value)
        flags = columns.flags[at]
        columns.flags[at] = flags | value if there else flags & ~value

    return change


def _kind(kind: int) -> Change:
    return _set("kind", lambda c, at: kind)


COULD = "one row cannot tell it from a quote or print that somebody made"
LATER = "the row could have happened, or been received, then"
ONE_CLOCK = "recordings of two clocks have rows that only the venue or only strategies see"
NO_NUMBER = "decoded rows have no sequence numbers; the decoders count the gaps of raw messages"

KINDS: dict[str, Kind] = {
    "price one tick up": Kind(PRICED, _set("price", lambda c, at: c.price[at] + 1), COULD),
    "price one tick down": Kind(PRICED, _set("price", lambda c, at: c.price[at] - 1), COULD),
    "price x10": Kind(PRICED, _set("price", lambda c, at: c.price[at] * 10), COULD),
    "price a tenth": Kind(PRICED, _set("price", lambda c, at: c.price[at] // 10), COULD),
    "price a fifth up": Kind(PRICED, _set("price", lambda c, at: c.price[at] * 6 // 5), COULD),
    "price negative": Kind(PRICED, _set("price", lambda c, at: -c.price[at])),
    "price zero": Kind(PRICED, _set("price", lambda c, at: 0)),
    "price huge": Kind(PRICED, _set("price", lambda c, at: HUGE_TICKS)),
    "price of the other side": Kind(BOOK, _set("price", _opposite_price), COULD),
    "side flipped": Kind(BOOK, _set("side", lambda c, at: 1 - c.side[at] % 2), COULD),
    "aggressor flipped": Kind(TRADES, _set("side", lambda c, at: 1 - c.side[at] % 2), COULD),
    "side unknown": Kind(PRICED, _set("side", lambda c, at: 2)),
    "side no code": Kind(PRICED, _set("side", lambda c, at: 7)),
    "quantity one lot more": Kind(PRICED, _set("qty", lambda c, at: c.qty[at] + 1), COULD),
    "quantity x10": Kind(PRICED, _set("qty", lambda c, at: c.qty[at] * 10), COULD),
    "quantity zero": Kind(PRICED, _set("qty", lambda c, at: 0), "a level that goes is a market"),
    "quantity negative": Kind(PRICED, _set("qty", lambda c, at: -1 - c.qty[at])),
    "quantity huge": Kind(PRICED, _set("qty", lambda c, at: HUGE_LOTS)),
    "exchange time +1 s": Kind(ANY, _times(SECOND, 0)),
    "exchange time -1 s": Kind(ANY, _times(-SECOND, 0), LATER),
    "receive time +1 s": Kind(ANY, _times(0, SECOND)),
    "receive time -1 s": Kind(ANY, _times(0, -SECOND)),
    "both times +1 s": Kind(ANY, _times(SECOND, SECOND)),
    "both times -1 s": Kind(ANY, _times(-SECOND, -SECOND)),
    "row doubled": Kind(ANY, _doubled, "a print or order event may be there twice"),
    "row dropped": Kind(ANY, _dropped, NO_NUMBER),
    "rows swapped": Kind(ANY, _swapped, "rows of near times may come in either order"),
    "snapshot row dropped": Kind(SNAPSHOT, _dropped, NO_NUMBER),
    "order id of nobody": Kind(ORDERS, _set("order_id", lambda c, at: 1 << 60), COULD),
    "order id zero": Kind(ORDERS, _set("order_id", lambda c, at: 0)),
    "order id of the row before": Kind(
        ORDERS, _set("order_id", lambda c, at: c.order_id[np.maximum(at - 1, 0)]), COULD
    ),
    "last flag lost": Kind(ANY, _flag(Flag.LAST, False), "the book is whole a moment later"),
    "seen by the venue alone": Kind(ANY, _flag(Flag.VENUE_ONLY, True), ONE_CLOCK),
    "seen by strategies alone": Kind(ANY, _flag(Flag.VIEW_ONLY, True), ONE_CLOCK),
    "kind becomes a print": Kind(BOOK, _kind(EventKind.TRADE), COULD),
    "kind becomes a clear": Kind(BOOK, _kind(EventKind.CLEAR), "a feed may clear its book"),
    "kind becomes a level": Kind((3, 4, 5, 6, 7), _kind(EventKind.LEVEL), COULD),
    "kind no code": Kind(ANY, _kind(99)),
}


def mutated(columns: Columns, name: str, seed: int) -> Columns | None:
    """The columns with one fitting row in a thousand changed; None where no row fits."""
    kind = KINDS[name]
    fitting = np.flatnonzero(np.isin(columns.kind, kind.rows))
    if not len(fitting):
        return None
    rng = np.random.Generator(np.random.Philox(key=[seed, list(KINDS).index(name)]))
    count = max(1, round(len(columns.kind) / 1000))
    at = np.sort(rng.choice(fitting, min(count, len(fitting)), replace=False))
    copy = Columns(*(column.copy() for column in columns))
    return kind.change(copy, at) or copy


CELLS: dict[str, tuple[str, object]] = {
    "frame: price NaN": ("price", float("nan")),
    "frame: price infinite": ("price", float("inf")),
    "frame: price empty": ("price", None),
    "frame: price off the grid": ("price", 100.003),
    "frame: quantity NaN": ("qty", float("nan")),
    "frame: quantity infinite": ("qty", float("inf")),
    "frame: quantity empty": ("qty", None),
    "frame: quantity negative": ("qty", -3.0),
    "frame: side empty": ("side", None),
    "frame: side of another word": ("side", "both"),
    "frame: kind of another word": ("kind", "levle"),
    "frame: time empty": ("ts", None),
}
