"""The first door: the user's own frame, CSV, Parquet or Arrow file, by the names of its columns.

Layouts, told by the fields there are (`columns={"field": "their name"}` or the usual names):

    trades   ts price qty [side | buyer_maker]
    quotes   ts bid ask [bid_qty ask_qty]                 -> one BBO row a side
    both     the fields of trades and of quotes; an empty cell says nothing of its half of the row
    levels   ts is_snapshot side price qty                a quantity of 0 removes the level
    books    ts bids asks, or bid_0_price bid_0_qty ask_0_price ...    a whole book a row
    events   ts kind [side price qty order_id]            kinds: level clear snapshot add cancel ...

All take [local_ts], the receive time (else `ts` stands for both), and [symbol], one tape a symbol.
Rows must be in order of receive time.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from hft.core.codes import EventKind, Flag
from hft.core.errors import DataError
from hft.feeds.base import DecodeOptions, symbol_problem
from hft.feeds.books import BOOK_FIELDS, as_events, book_shape
from hft.feeds.cells import Cells
from hft.feeds.csv_text import plain, top_of
from hft.feeds.findings import Findings
from hft.feeds.layout import (
    KINDS,
    SIDES,
    fields_of,
    is_layout,
    layout_of,
    named_here,
    with_index,
    with_moments,
)
from hft.feeds.names import OneName
from hft.feeds.order import goes_back
from hft.feeds.table_files import read_frame
from hft.feeds.table_rows import (
    Built,
    instrument_of,
    lots_of,
    missing,
    steps,
    trades_and_quotes,
    zeroed,
)
from hft.feeds.times import spoken
from hft.feeds.trade_ids import TradeIds, all_told, finding_of
from hft.tape.schema import Columns, Feed

NAMES = ("csv", "parquet", "arrow")
DESCRIPTION = "your own columns: ts price qty side, ts bid ask sizes, or ts kind side price qty"

HELD = re.compile(
    r"(.+?)-(?:trades|aggTrades|bookTicker|quotes)(?:-\d{4}-\d{2}(?:-\d{2})?)?", re.IGNORECASE
)
PLACED_KINDS = (
    *(EventKind.LEVEL, EventKind.SNAPSHOT, EventKind.BBO),
    *(EventKind.ADD, EventKind.MODIFY),
)
ORDER_KINDS = (EventKind.ADD, EventKind.CANCEL, EventKind.MODIFY, EventKind.EXECUTE)


def sniff(head: bytes, path: Path) -> str | None:
    """CSV by a first line of several words, or of numbers known to stand so; Parquet and Arrow by
    their magic."""
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"ARROW1"):
        return "arrow"
    try:
        text = plain(head)
        top = top_of(text)
        line = text[top.at :].split(b"\n", 1)[0].decode()
    except ValueError:
        return None
    known = line.startswith(("{", "[", "<?", "<!"))  # JSON, XML
    legible = line.replace("\t", " ").strip().isprintable()
    return "csv" if len(top.names) > 1 and legible and not known else None


def decode(paths: Sequence[Path], options: DecodeOptions) -> list[Feed]:
    """One file after the other; each gives a tape a symbol and day."""
    feeds: list[Feed] = []
    sizes = [path.stat().st_size if path.exists() else 0 for path in paths]
    rows = 0
    there: set[str] = set()
    names, trades = OneName(options.symbol), TradeIds()
    if options.merge and options.columns:
        there = {name for path in paths for name in read_frame(path)[0].columns}
    given = options.columns
    for index, path in enumerate(paths):
        frame, file_rows = read_frame(path)
        if there:
            options = replace(options, columns=named_here(given, frame.columns, there))
        known = Known(symbol_of(path), names, trades)
        feeds.extend(decode_frame(frame, options, path.name, file_rows, known))
        rows += frame.height
        options.report(sum(sizes[: index + 1]), sum(sizes), rows)
    return feeds


def symbol_of(path: Path) -> str:
    """What a file without a symbol column is called: its name without what and when it holds.

    So `BTC_USDT-trades.feather` (freqtrade) and `BTCUSDT-trades-2024-08-08.csv` (Binance Vision)
    are named as their pairs.
    """
    name = path.name.split(".")[0]
    held = HELD.fullmatch(name)
    return held[1] if held else name


class Known(NamedTuple):
    """What the files or frames of one ingest share."""

    called: str  # the symbol where neither the user nor a column says one
    names: OneName
    trades: TradeIds


def decode_frame(
    frame: pl.DataFrame,
    options: DecodeOptions,
    origin: str = "frame",
    first_row: int | np.ndarray = 1,
    known: Known | None = None,
) -> list[Feed]:
    """The feeds of one frame, whose rows are those from `first_row` on, or those given.

    Raises: DataError naming origin, row, field and fix. Mutates: known.
    """
    known = known or Known("", OneName(options.symbol), TradeIds())
    frame = with_moments(with_index(frame, options.columns))
    rows = np.arange(frame.height) + first_row if isinstance(first_row, int) else first_row
    shape = None if is_layout(frame, options.columns, origin) else book_shape(frame)
    if shape is not None:
        frame, rows = as_events(frame, shape, origin, rows)
        options = replace(options, columns={**(options.columns or {}), **BOOK_FIELDS})
    fields = fields_of(frame, options.columns, origin)
    if frame.height == 0:
        raise DataError(f"{origin}: no rows")
    layout = "books" if shape is not None else layout_of(fields)
    if layout != "trades":
        fields.pop("trade_id", None)
    if "symbol" not in fields:
        options = replace(options, symbol=options.symbol or known.called or None)
        cells = Cells(frame, fields, origin, rows, options.tz)
        return [_one_symbol(cells, options, layout, known.trades)]
    names = frame[fields["symbol"]].cast(pl.String).fill_null("").str.strip_chars()
    for wrong, problem in ((names == "", "the symbol is missing"), *_half(names)):
        if wrong.any():
            row = rows[int(wrong.arg_true()[0])]
            raise DataError(f"{origin}, column {fields['symbol']!r}, row {row}: {problem}")
    there = names.unique(maintain_order=True).to_list()
    renamed = known.names.rename(there, f"{origin}, column {fields['symbol']!r}")
    feeds = []
    for name in there:
        mask = (names == name).to_numpy()
        cells = Cells(frame.filter(mask), fields, origin, rows[mask], options.tz)
        called = replace(options, symbol=renamed or name, several=len(there) > 1)
        feeds.append(_one_symbol(cells, called, layout, known.trades))
    return feeds


def _half(names: pl.Series) -> Iterator[tuple[pl.Series, str]]:
    """Which symbols have nothing on one side of a colon, and what to say of the first."""
    for name in names.unique(maintain_order=True):
        if problem := symbol_problem(name):
            yield names == name, problem


def _one_symbol(cells: Cells, options: DecodeOptions, layout: str, trades: TradeIds) -> Feed:
    findings = Findings()
    if "trade_id" in cells.fields:
        cells = _each_once(cells, options.symbol or "", trades, findings)
    fields, rows = cells.fields, cells.rows
    exch_ts = cells.times("ts")
    local_ts = cells.times("local_ts") if "local_ts" in fields else exch_ts
    if "local_ts" not in fields:
        findings.add(
            "assumed_clock", len(rows), int(rows[:1].sum()), "no receive time: ts stands for both"
        )
    order = _receive_order(local_ts, cells, options, findings)
    if order is not None:
        cells = cells.at(order)
        exch_ts, local_ts = exch_ts[order], local_ts[order]
    findings.times = local_ts
    build = trades_and_quotes
    if "kind" in fields or "is_snapshot" in fields:
        build = _events if "kind" in fields else _levels
    instrument, columns = build(cells, exch_ts, local_ts, options, findings)
    unread = [name for name in cells.frame.columns if name not in fields.values()]
    source: dict[str, Any] = {
        "format": options.format or "frame",
        "file": cells.origin,
        "layout": layout,
        "columns": dict(fields),
    }
    if unread:
        source["columns_not_read"] = unread
    if "trade_id" in fields and all_told(cells.frame, fields["trade_id"]):
        source["trade_ids"] = True
    return Feed(instrument, columns, findings.sorted(), source)


def _each_once(cells: Cells, symbol: str, trades: TradeIds, findings: Findings) -> Cells:
    """The rows without the trades that were there before. Mutates: trades, findings."""
    again = trades.repeated(symbol, cells.frame, cells.fields)
    if not again.any():
        return cells
    one = finding_of(again, cells.frame, cells.fields["trade_id"], cells.rows)
    findings.add(one.name, one.count, one.first_row, one.note)
    return cells.at(np.flatnonzero(~again))


def _receive_order(
    local_ts: np.ndarray, cells: Cells, options: DecodeOptions, findings: Findings
) -> np.ndarray | None:
    """None when the rows are in order; refused, or (waived) the stable order by time."""
    back = goes_back(local_ts)
    if not back.any():
        return None
    index, times = int(np.argmax(back)) + 1, int(back.sum())
    field = "local_ts" if "local_ts" in cells.fields else "ts"
    step_ns = int(local_ts[index - 1] - local_ts[index])
    turned = not (local_ts[1:] > local_ts[:-1]).any()
    note = f"time goes back {spoken(step_ns)}" + (", the newest row stands first" if turned else "")
    findings.add("receive_disorder", times, int(cells.rows[index]), note)
    if "receive_disorder" not in options.waive:
        error = DataError(
            f"{cells.where(field)}, row {cells.rows[index]}: receive_disorder: {note} "
            f"({times} times in all); sort by time, or --waive receive_disorder "
            f"(waive='receive_disorder') {'turns the rows round' if turned else 'sorts the rows'}"
        )
        error.facts = {"row": int(cells.rows[index]), "back_ns": step_ns, "times": times}
        raise error
    if turned:  # rows of one time stand in reverse as well
        return np.arange(len(local_ts))[::-1]
    return np.argsort(local_ts, kind="stable")


def _levels(
    cells: Cells,
    exch_ts: np.ndarray,
    local_ts: np.ndarray,
    options: DecodeOptions,
    findings: Findings,
) -> Built:
    """One tape row a frame row, and a CLEAR before each snapshot, which ends in one LAST row."""
    snapshot = cells.codes("is_snapshot", {"true": 1, "false": 0, "1": 1, "0": 0}, None) == 1
    side = cells.codes("side", SIDES, None)
    price, size = cells.numbers("price"), cells.numbers("qty")
    cells.require(missing(price) | missing(size), "price or qty")
    instrument = instrument_of(options, price, size, findings, cells.origin)
    columns = Columns.empty(len(exch_ts))
    columns.exch_ts[:], columns.local_ts[:] = exch_ts, local_ts
    columns.kind[:] = np.where(snapshot, EventKind.SNAPSHOT, EventKind.LEVEL)
    columns.side[:] = side
    columns.price[:] = steps(cells, "price", price, instrument.tick, findings)
    columns.qty[:] = lots_of(cells, "qty", size, instrument.lot, findings)
    begins = _begins(snapshot, side, local_ts)
    ends = np.append((local_ts[1:] != local_ts[:-1]) | (snapshot[1:] != snapshot[:-1]), True)
    # Rows of a snapshot may carry several times: it is whole where it ends.
    ends &= ~snapshot | np.append(~snapshot[1:] | begins[1:], True)
    columns.flags[ends] = Flag.LAST.value
    places = np.flatnonzero(begins)
    out = Columns(*(np.insert(column, places, column[places]) for column in columns))
    clears = places + np.arange(len(places))
    for name, value in (("kind", EventKind.CLEAR), ("side", 2), ("price", 0), ("qty", 0)):
        getattr(out, name)[clears] = int(value)
    out.flags[clears] = 0
    return instrument, out


def _begins(snapshot: np.ndarray, side: np.ndarray, local_ts: np.ndarray) -> np.ndarray:
    """The first row of each snapshot.

    One begins behind an update, and at each new receive time. Where no time of a run of snapshot
    rows has both sides (a time a level, or bids before asks), the run is one snapshot.
    """
    first = snapshot & ~np.append(False, snapshot[:-1])  # of a run
    moments = first | (snapshot & np.append(True, local_ts[1:] != local_ts[:-1]))
    starts = np.flatnonzero(moments)
    if not len(starts):
        return moments
    said = np.where(snapshot, 1 << side.astype(np.int64), 0)
    both = np.bitwise_or.reduceat(said, starts) == 3
    run_of = np.cumsum(first) - 1
    apart = np.bincount(run_of[starts], both) > 0
    begins: np.ndarray = first | (moments & apart[run_of])
    return begins


def _events(
    cells: Cells,
    exch_ts: np.ndarray,
    local_ts: np.ndarray,
    options: DecodeOptions,
    findings: Findings,
) -> Built:
    """One tape row a frame row."""
    fields, rows = cells.fields, len(exch_ts)
    kinds = cells.codes("kind", KINDS, None)
    zeros = np.zeros(rows, np.int64)
    side = cells.codes("side", SIDES, 2) if "side" in fields else np.full(rows, 2, np.int8)
    price = cells.numbers("price") if "price" in fields else zeros
    size = cells.numbers("qty") if "qty" in fields else zeros
    order_id = cells.order_ids() if "order_id" in fields else zeros
    cells.require(np.isin(kinds, ORDER_KINDS) & (order_id == 0), "order_id")
    placed = np.isin(kinds, PLACED_KINDS)
    cells.require(placed & (side > 1), "side")
    cells.require((placed | (kinds == EventKind.TRADE)) & (missing(price) | missing(size)), "price")
    instrument = instrument_of(options, price, size, findings, cells.origin)
    price, size = zeroed(price, missing(price)), zeroed(size, missing(size))
    columns = Columns(
        exch_ts,
        local_ts,
        kinds,
        side,
        steps(cells, "price", price, instrument.tick, findings),
        lots_of(cells, "qty", size, instrument.lot, findings),
        order_id,
        np.zeros(rows, np.int16),
    )
    # One time is one group: a book is whole at the last row of its time.
    last = np.append(exch_ts[1:] != exch_ts[:-1], True)
    columns.flags[last] = Flag.LAST.value
    return instrument, columns
