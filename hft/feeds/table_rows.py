"""Prints and quotes of a user's table as tape rows, and the numbers of any table on its grid.

Decides what an empty cell says: beside quotes a row may have no trade, beside trades no quote. A
quantity (or a side, where nothing else is said) without a price is a finding, since a price was
meant. Nothing here puts rows into another order.
"""

from decimal import Decimal
from typing import NamedTuple

import numpy as np

from hft.core.codes import EventKind, Flag
from hft.core.instruments import Instrument
from hft.feeds.base import DecodeOptions, to_ticks
from hft.feeds.cells import Cells
from hft.feeds.findings import Findings
from hft.feeds.grid import step_or_guess
from hft.feeds.layout import BOOK_WORDS, SIDES
from hft.feeds.order import take
from hft.tape.schema import Columns

Built = tuple[Instrument, Columns]


def instrument_of(
    options: DecodeOptions, prices: np.ndarray, sizes: np.ndarray, findings: Findings, origin: str
) -> Instrument:
    """The known instrument, else one on the given grid, or on a guessed one if that is waived."""
    symbol = options.symbol or "OWN"
    known = options.instruments.get(symbol)
    if known is not None:
        return options.instrument(symbol)
    options.must_guess(symbol, origin)
    tick = step_or_guess(options.tick, prices, findings, "tick", origin)
    lot = step_or_guess(options.lot, sizes, findings, "lot", origin)
    return Instrument(symbol=symbol, tick=tick, lot=lot)


def trades_and_quotes(
    cells: Cells,
    exch_ts: np.ndarray,
    local_ts: np.ndarray,
    options: DecodeOptions,
    findings: Findings,
) -> Built:
    """Up to three tape rows a frame row: best bid, best ask, trade.

    Where no column says how much is quoted, it is one lot.
    """
    rows = len(exch_ts)
    ones = np.ones(rows, np.int64)
    parts = _quoted(cells, ones, findings)
    stated = np.ones(rows, bool)
    if {"price", "qty"} <= set(cells.fields):
        if parts:  # in a row of a trade an absent quote says nothing, and is not a quote of zero
            stated = ~missing(parts[0].price) | ~missing(parts[1].price)
        parts.append(_traded(cells, stated if parts else None, findings))
    prices = np.concatenate([part.price for part in parts])
    sizes = np.concatenate([part.qty for part in parts])
    instrument = instrument_of(options, prices, sizes, findings, cells.origin)
    width = len(parts)
    out = Columns.empty(rows * width)
    keep = np.empty(rows * width, bool)
    for slot, (name, field, price, size, sides) in enumerate(parts):
        if size is ones:  # nobody says how many: one lot
            size = ones * float(instrument.lot)
        at = slice(slot, None, width)
        absent = missing(price)
        lost = ~absent & missing(size)
        findings.mask("missing_qty", lost, cells.rows, "a price without a quantity")
        empty = absent | lost
        traded = name == "price"
        out.kind[at] = EventKind.TRADE if traded else EventKind.BBO
        out.side[at] = sides
        out.exch_ts[at], out.local_ts[at] = exch_ts, local_ts
        price, size = zeroed(price, empty), zeroed(size, empty)
        out.price[at] = steps(cells, name, price, instrument.tick, findings)
        out.qty[at] = lots = lots_of(cells, field, size, instrument.lot, findings)
        if traded:
            findings.mask("zero_qty", ~empty & (lots == 0), cells.rows)
            keep[at] = ~empty & (lots > 0)
        else:
            keep[at] = stated & ~lost
    row_of = np.repeat(np.arange(rows), width)
    if not keep.all():
        out, row_of = take(out, keep), row_of[keep]
    out.flags[np.append(row_of[1:] != row_of[:-1], True)[: len(row_of)]] = Flag.LAST.value
    return instrument, out


class Part(NamedTuple):
    """What one kind of tape row is made of: the fields and an item a frame row."""

    name: str
    field: str
    price: np.ndarray
    qty: np.ndarray
    side: np.ndarray


def _quoted(cells: Cells, ones: np.ndarray, findings: Findings) -> list[Part]:
    """Bids and asks, of one lot (`ones`) where no column tells the quantity."""
    parts = []
    for side, name in enumerate(("bid", "ask")):
        if {"bid", "ask"} <= set(cells.fields):
            field, price = f"{name}_qty", cells.numbers(name)
            sizes = ones
            if field in cells.fields:
                sizes = cells.numbers(field)
                note = f"{name}: a quantity without a price"
                findings.mask("bad_number", missing(price) & (sizes > 0), cells.rows, note)
            parts.append(Part(name, field, price, sizes, np.full(len(ones), side)))
    return parts


def _traded(cells: Cells, quoted: np.ndarray | None, findings: Findings) -> Part:
    """Trades. Beside quotes a row may have none: then it tells neither a quantity nor, where it is
    no row of a quote (`quoted`), a side."""
    price, qty = cells.numbers("price"), cells.numbers("qty")
    sides = _aggressor(cells, findings, ~missing(price))
    meant = np.ones(len(price), bool) if quoted is None else (qty > 0) | (~quoted & (sides < 2))
    findings.mask("bad_number", missing(price) & meant, cells.rows, "a trade without a price")
    return Part("price", "qty", price, qty, sides)


def _aggressor(cells: Cells, findings: Findings, traded: np.ndarray) -> np.ndarray:
    if "side" in cells.fields:
        side = cells.codes("side", SIDES, 2)
        told = cells.words("side", BOOK_WORDS)
        findings.mask("book_side", traded & told, cells.rows, "read as trades")
    elif "buyer_maker" in cells.fields:
        side = cells.codes("buyer_maker", {"true": 1, "false": 0, "1": 1, "0": 0}, 2)
    else:
        side = np.full(len(cells.rows), 2, np.int8)
    findings.mask("unknown_side", traded & (side == 2), cells.rows, "trades without a side")
    return side


def steps(
    cells: Cells,
    field: str,
    values: np.ndarray,
    step: Decimal,
    findings: Findings,
    what: str = "price",
) -> np.ndarray:
    dusty = cells.floats(field)
    return to_ticks(values, step, findings, what, first_row=cells.rows, dusty=dusty)


def lots_of(
    cells: Cells, field: str, values: np.ndarray, lot: Decimal, findings: Findings
) -> np.ndarray:
    lots = steps(cells, field, values, lot, findings, "qty")
    negative = lots < 0
    findings.mask("negative_qty", negative, cells.rows, "made 0")
    return np.maximum(lots, 0) if negative.any() else lots


def missing(values: np.ndarray) -> np.ndarray:
    if values.dtype.kind == "f":
        return np.isnan(values)
    return np.zeros(len(values), bool)


def zeroed(values: np.ndarray, where: np.ndarray) -> np.ndarray:
    return np.asarray(np.where(where, 0, values), values.dtype)
