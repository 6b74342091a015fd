"""Whole books, one a row of a user's table, as the events that say the same: a clear, then levels.

Two shapes: columns `bids` and `asks` of lists of [price, quantity] (also as JSON text, as ccxt's
order books are saved), or a column a number (`bid_0_price`, `bid_0_amount`, `ask_0_price` ...).
An absent level says nothing; a row without a level is an empty book.
"""

import json
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from hft.core.errors import DataError
from hft.feeds.cells import Cells
from hft.feeds.layout import bare

BOOK_FIELDS = {name: name for name in ("kind", "side", "price", "qty")}
SIDES = ("bid", "ask")
LISTS = ("bids", "asks")
LEVELS = pl.List(pl.List(pl.Float64))
SIZES = ("amount", "qty", "quantity", "size", "volume")
NUMBERED = re.compile(
    rf"(bid|ask)(?:(\d+)(price|{'|'.join(SIZES)})|(price|{'|'.join(SIZES)})(\d+))"
)


class Part(NamedTuple):
    """Levels of one side: the row that each is of, price and quantity."""

    side: str
    row_idx: np.ndarray
    price: np.ndarray
    qty: np.ndarray


def book_shape(frame: pl.DataFrame) -> list[tuple[str, str, str]] | None:
    """(side, column of prices, column of quantities) of each level; one column twice for lists."""
    have = {bare(name): name for name in reversed(frame.columns)}
    if set(LISTS) <= set(have):
        return [(side, have[name], have[name]) for side, name in zip(SIDES, LISTS, strict=True)]
    found: dict[tuple[str, int], dict[str, str]] = {}
    for letters, name in have.items():
        if match := NUMBERED.fullmatch(letters):
            side, before, what, other, after = match.groups()
            field = "price" if (what or other) == "price" else "qty"
            found.setdefault((side, int(before or after)), {})[field] = name
    whole = [(key, found[key]) for key in sorted(found) if len(found[key]) == 2]
    if {side for (side, _), _ in whole} != set(SIDES):
        return None
    return [(side, pair["price"], pair["qty"]) for (side, _), pair in whole]


def as_events(
    frame: pl.DataFrame, shape: Sequence[tuple[str, str, str]], origin: str, rows: np.ndarray
) -> tuple[pl.DataFrame, np.ndarray]:
    """The frame with a row an event (`BOOK_FIELDS`), and the source's row of each.

    Raises: DataError naming column and row of a cell that is no list of levels or no number.
    """
    parts = []
    for side, prices, sizes in shape:
        if prices == sizes:
            parts.append(_listed(frame[prices], side, f"{origin}, column {prices!r}", rows))
        else:
            cells = Cells(frame, {"price": prices, "qty": sizes}, origin, rows)
            price, qty = (cells.numbers(name).astype(np.float64) for name in ("price", "qty"))
            there = np.flatnonzero(~np.isnan(price))
            parts.append(Part(side, there, price[there], qty[there]))
    clears = np.arange(frame.height)
    index = np.concatenate([clears, *(part.row_idx for part in parts)])
    order = np.argsort(index, kind="stable")
    absent = [None] * frame.height
    sides = [part.side for part in parts for _ in range(len(part.row_idx))]
    nothing = np.full(frame.height, np.nan)
    events = {
        "kind": ["clear"] * frame.height + ["snapshot"] * len(sides),
        "side": absent + sides,
        "price": np.concatenate([nothing, *(part.price for part in parts)]),
        "qty": np.concatenate([nothing, *(part.qty for part in parts)]),
    }
    taken = {*(name for _, *names in shape for name in names), *events}
    kept = frame.select(pl.exclude(*taken))[index[order]]
    made = pl.DataFrame(events, schema_overrides={"kind": pl.String, "side": pl.String})[order]
    return pl.concat([kept, made], how="horizontal"), rows[index[order]]


def _listed(cells: pl.Series, side: str, where: str, rows: np.ndarray) -> Part:
    """The levels of a column of lists, or of the JSON text of lists."""
    if cells.dtype == pl.String:
        cells = cells.set(cells.str.strip_chars() == "", None)
        cells = _parsed(cells, where, rows)
    try:
        levels = cells.cast(LEVELS)
    except pl.exceptions.PolarsError:
        raise DataError(f"{where}: {cells.dtype} is no list of [price, quantity]") from None
    counts = levels.list.len().fill_null(0).to_numpy()
    index = np.repeat(np.arange(len(levels)), counts)
    pairs = levels.filter(pl.Series(counts > 0)).explode()
    if len(pairs) and (short := (pairs.list.len().fill_null(0) < 2)).any():
        row = rows[index[int(short.arg_true()[0])]]
        raise DataError(f"{where}, row {row}: a level is no [price, quantity]")
    price, qty = (pairs.list.get(at).fill_null(np.nan).to_numpy() for at in (0, 1))
    return Part(side, index, price, qty)


def _parsed(texts: pl.Series, where: str, rows: np.ndarray) -> pl.Series:
    try:
        return texts.str.json_decode(LEVELS)
    except pl.exceptions.PolarsError:  # numbers in quotes, or a cell to name
        return pl.Series(
            [_level_list(text, where, row) for text, row in zip(texts, rows, strict=True)],
            dtype=LEVELS,
        )


def _level_list(text: str | None, where: str, row: Any) -> list[list[float]] | None:
    try:
        if text is None:
            return None
        levels = json.loads(text.replace("None", "null"))  # as Python writes a list
        return [[float(one) for one in level[:2]] for level in levels]
    except (ValueError, TypeError):
        shown = repr(text[:40]) if text else text
        raise DataError(f"{where}, row {row}: {shown} is no list of [price, quantity]") from None
