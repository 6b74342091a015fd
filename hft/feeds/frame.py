"""The first door: the user's own frame, CSV or Parquet file, by the names of its columns.

Layouts, told by the fields there are (`columns={"field": "their name"}` or the usual names):

    trades   ts price qty [side | buyer_maker]
    quotes   ts bid ask [bid_qty ask_qty]                 -> one BBO row a side
    both     the fields of trades and of quotes; a null price means "no trade in this row"
    events   ts kind [side price qty order_id]            kinds: level clear snapshot add cancel ...

All take [local_ts], the receive time (else `ts` stands for both), and [symbol], one tape a symbol.
Rows must be in order of receive time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import polars as pl

from hft.core.codes import EventKind, Flag
from hft.core.errors import DataError
from hft.core.instruments import Instrument
from hft.feeds.base import EXACT_FLOAT, DecodeOptions, to_ticks
from hft.feeds.findings import Findings
from hft.feeds.grid import step_or_guess
from hft.feeds.order import goes_back, take
from hft.feeds.table_files import read_frame
from hft.feeds.times import times_ns
from hft.tape.schema import Columns, Feed

NAMES = ("csv", "parquet")
DESCRIPTION = "your own columns: ts price qty side, ts bid ask sizes, or ts kind side price qty"

ALIASES: dict[str, tuple[str, ...]] = {
    "ts": ("ts", "exch_ts", "timestamp", "time", "datetime", "date", "ts_event"),
    "local_ts": ("local_ts", "local_timestamp", "receive_ts", "ts_recv"),
    "symbol": ("symbol", "ticker", "instrument"),
    "kind": ("kind", "event", "type", "action"),
    "side": ("side",),
    "buyer_maker": ("buyer_maker", "is_buyer_maker"),
    "price": ("price", "px"),
    "qty": ("qty", "quantity", "size", "amount", "volume"),
    "bid": ("bid", "bid_price", "bid_px", "bid_px_00", "best_bid_price"),
    "ask": ("ask", "ask_price", "ask_px", "ask_px_00", "best_ask_price"),
    "bid_qty": ("bid_qty", "bid_size", "bid_sz", "bid_sz_00", "best_bid_qty"),
    "ask_qty": ("ask_qty", "ask_size", "ask_sz", "ask_sz_00", "best_ask_qty"),
    "order_id": ("order_id", "orderid"),
}
SIDES = {"buy": 0, "b": 0, "bid": 0, "1": 0, "sell": 1, "s": 1, "ask": 1, "a": 1, "-1": 1}
NO_SIDE = ("", "n", "none", "unknown", "null")
KINDS = {kind.name.lower(): kind.value for kind in EventKind}
PLACED_KINDS = (
    *(EventKind.LEVEL, EventKind.SNAPSHOT, EventKind.BBO),
    *(EventKind.ADD, EventKind.MODIFY),
)
ORDER_KINDS = (EventKind.ADD, EventKind.CANCEL, EventKind.MODIFY, EventKind.EXECUTE)


def sniff(head: bytes, path: Path) -> str | None:
    """CSV by a header line that names a time; Parquet by its magic."""
    if head.startswith(b"PAR1"):
        return "parquet"
    first = head.split(b"\n", 1)[0].decode("utf-8", "replace").lower()
    names = {name.strip().strip('"') for name in first.replace(";", ",").split(",")}
    return "csv" if len(names) > 1 and names & set(ALIASES["ts"]) else None


def decode(paths: Sequence[Path], options: DecodeOptions) -> list[Feed]:
    """One file after the other; each gives a tape a symbol and day."""
    feeds: list[Feed] = []
    sizes = [path.stat().st_size if path.exists() else 0 for path in paths]
    rows = 0
    for index, path in enumerate(paths):
        frame, first_row = read_frame(path)
        symbol = options.symbol or path.name.split(".")[0]
        feeds.extend(decode_frame(frame, replace(options, symbol=symbol), path.name, first_row))
        rows += frame.height
        options.report(sum(sizes[: index + 1]), sum(sizes), rows)
    return feeds


def decode_frame(
    frame: pl.DataFrame, options: DecodeOptions, origin: str = "frame", first_row: int = 1
) -> list[Feed]:
    """The feeds of one frame. Raises: DataError naming origin, row, field and fix."""
    fields = _fields(frame, options.columns, origin)
    if frame.height == 0:
        raise DataError(f"{origin}: no rows")
    if "symbol" not in fields:
        rows = np.arange(frame.height) + first_row
        return [_one_symbol(frame, fields, options, origin, rows)]
    names = frame[fields["symbol"]].cast(pl.String)
    feeds = []
    rows = np.arange(frame.height) + first_row
    for name in names.unique(maintain_order=True):
        mask = (names == name).to_numpy()
        chosen = replace(options, symbol=name)
        feeds.append(_one_symbol(frame.filter(mask), fields, chosen, origin, rows[mask]))
    return feeds


def _fields(frame: pl.DataFrame, given: Mapping[str, str] | None, origin: str) -> dict[str, str]:
    """Field -> column name of the frame."""
    have = {name.lower(): name for name in frame.columns}
    fields: dict[str, str] = {}
    for field, column in (given or {}).items():
        if field not in ALIASES:
            raise DataError(f"{origin}: columns: {_unknown('field', field, list(ALIASES))}")
        if column not in frame.columns:
            raise DataError(f"{origin}: columns: {_unknown('column', column, frame.columns)}")
        fields[field] = column
    taken = set(fields.values())
    for field, names in ALIASES.items():
        found = next((have[name] for name in names if name in have), None)
        if field not in fields and found is not None and found not in taken:
            fields[field] = found
    if "ts" not in fields and "local_ts" in fields:
        fields["ts"] = fields["local_ts"]
    layouts = [{"ts", "price", "qty"}, {"ts", "bid", "ask"}, {"ts", "kind"}]
    if not any(layout <= set(fields) for layout in layouts):
        raise DataError(
            f"{origin}: columns {_listed(frame.columns)} are no layout: needed are ts price qty, "
            "or ts bid ask, or ts kind; name yours with --columns field=column "
            f"(fields: {', '.join(ALIASES)})"
        )
    return fields


def _unknown(what: str, name: str, known: Sequence[str]) -> str:
    close = get_close_matches(name, known, 1, 0.5)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return f"no {what} {name!r}{hint} (there are {_listed(known)})"


def _listed(names: Sequence[str]) -> str:
    """Names in a line, even where a damaged header made a name of a page."""
    return ", ".join(n if n.isprintable() and len(n) <= 60 else repr(n[:60]) for n in names)


class _Reader:
    """Typed columns of one symbol's rows, each error with origin, row and field."""

    def __init__(
        self, frame: pl.DataFrame, fields: Mapping[str, str], origin: str, rows: np.ndarray
    ) -> None:
        self.frame, self.fields, self.origin, self.rows = frame, fields, origin, rows

    def where(self, field: str) -> str:
        return f"{self.origin}, column {self.fields[field]!r}"

    def times(self, field: str) -> np.ndarray:
        series = self.frame[self.fields[field]]
        return times_ns(series, self.where(field), int(self.rows[0]))

    def numbers(self, field: str) -> np.ndarray:
        """Floats or integers; a null or empty cell becomes NaN."""
        series = self.frame[self.fields[field]]
        if series.dtype.is_integer() and not series.null_count():
            whole = series.cast(pl.Int64, strict=False)
            if not whole.null_count():
                return whole.to_numpy()
        if series.dtype == pl.Float32 and not series.null_count():
            return series.to_numpy()
        cast = series.cast(pl.Float64, strict=False)
        broken = cast.is_null() & series.is_not_null()
        if series.dtype == pl.String:
            broken &= series.str.strip_chars() != ""
        if broken.any():
            index = int(broken.arg_true()[0])
            raise DataError(
                f"{self.where(field)}, row {self.rows[index]}: {series[index]!r} is no number"
            )
        return cast.fill_null(np.nan).to_numpy()

    def codes(self, field: str, table: Mapping[str, int], empty: int | None) -> np.ndarray:
        """Codes of texts; `empty` stands for none."""
        text = self.frame[self.fields[field]].cast(pl.String).str.strip_chars().str.to_lowercase()
        text = text.fill_null("")
        whole = dict(table)
        if empty is not None:
            whole.update(dict.fromkeys(NO_SIDE, empty))
        codes = text.replace_strict(whole, default=None, return_dtype=pl.Int8)
        unknown = codes.is_null()
        if unknown.any():
            index = int(unknown.arg_true()[0])
            raise DataError(
                f"{self.where(field)}, row {self.rows[index]}: {text[index]!r} is none of "
                f"{', '.join(name for name in table)}"
            )
        return codes.to_numpy()


def _one_symbol(
    frame: pl.DataFrame,
    fields: Mapping[str, str],
    options: DecodeOptions,
    origin: str,
    rows: np.ndarray,
) -> Feed:
    findings = Findings()
    reader = _Reader(frame, fields, origin, rows)
    exch_ts = reader.times("ts")
    local_ts = reader.times("local_ts") if "local_ts" in fields else exch_ts
    if "local_ts" not in fields:
        findings.add(
            "assumed_clock", len(rows), int(rows[0]), "no receive time: ts stands for both"
        )
    order = _receive_order(local_ts, reader, options, findings)
    if order is not None:
        reader = _Reader(frame[order], fields, origin, rows[order])
        exch_ts, local_ts = exch_ts[order], local_ts[order]
    build = _events if "kind" in fields else _trades_and_quotes
    instrument, columns = build(reader, exch_ts, local_ts, options, findings)
    source = {"format": options.format or "frame", "file": origin}
    return Feed(instrument, columns, findings.sorted(), source)


def _receive_order(
    local_ts: np.ndarray, reader: _Reader, options: DecodeOptions, findings: Findings
) -> np.ndarray | None:
    """None when the rows are in order; refused, or (waived) the stable order by time."""
    back = goes_back(local_ts)
    if not back.any():
        return None
    index = int(np.argmax(back)) + 1
    field = "local_ts" if "local_ts" in reader.fields else "ts"
    step_ns = int(local_ts[index - 1] - local_ts[index])
    note = f"time goes back {step_ns} ns"
    findings.add("receive_disorder", int(back.sum()), int(reader.rows[index]), note)
    if "receive_disorder" not in options.waive:
        raise DataError(
            f"{reader.where(field)}, row {reader.rows[index]}: receive_disorder: {note} "
            f"({int(back.sum())} times in all); sort by time, or waive receive_disorder"
        )
    return np.argsort(local_ts, kind="stable")


def _instrument(
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


def _trades_and_quotes(
    reader: _Reader,
    exch_ts: np.ndarray,
    local_ts: np.ndarray,
    options: DecodeOptions,
    findings: Findings,
) -> tuple[Instrument, Columns]:
    """Up to three tape rows a frame row: best bid, best ask, trade."""
    fields, rows = reader.fields, len(exch_ts)
    parts: list[tuple[EventKind, np.ndarray, np.ndarray, np.ndarray]] = []
    ones = np.ones(rows, np.int64)
    for side, name in enumerate(("bid", "ask")):
        if name in fields:
            field = f"{name}_qty"
            sizes = reader.numbers(field) if field in fields else ones
            parts.append((EventKind.BBO, reader.numbers(name), sizes, np.full(rows, side)))
    if {"price", "qty"} <= set(fields):
        trade = (reader.numbers("price"), reader.numbers("qty"), _aggressor(reader, findings))
        parts.append((EventKind.TRADE, *trade))
    prices = np.concatenate([part[1] for part in parts])
    sizes = np.concatenate([part[2] for part in parts])
    instrument = _instrument(options, prices, sizes, findings, reader.origin)
    width = len(parts)
    out = Columns.empty(rows * width)
    keep = np.empty(rows * width, bool)
    for slot, (kind, price, size, sides) in enumerate(parts):
        at = slice(slot, None, width)
        empty = _nan(price) | _nan(size)
        out.kind[at], out.side[at] = kind.value, sides
        out.exch_ts[at], out.local_ts[at] = exch_ts, local_ts
        price = _zero(price, empty)
        size = _zero(size, empty)
        out.price[at] = to_ticks(price, instrument.tick, findings, "price", first_row=reader.rows)
        lots = to_ticks(size, instrument.lot, findings, "qty", first_row=reader.rows)
        lots = _checked_lots(lots, findings, reader.rows)
        out.qty[at] = lots
        if kind == EventKind.TRADE:
            findings.mask("zero_qty", ~empty & (lots == 0), reader.rows)
        keep[at] = ~empty & (lots > 0) if kind == EventKind.TRADE else True
    row_of = np.repeat(np.arange(rows), width)
    if not keep.all():
        out, row_of = take(out, keep), row_of[keep]
    out.flags[np.append(row_of[1:] != row_of[:-1], True)[: len(row_of)]] = Flag.LAST.value
    return instrument, out


def _aggressor(reader: _Reader, findings: Findings) -> np.ndarray:
    if "side" in reader.fields:
        side = reader.codes("side", SIDES, 2)
    elif "buyer_maker" in reader.fields:
        side = reader.codes("buyer_maker", {"true": 1, "false": 0, "1": 1, "0": 0}, 2)
    else:
        side = np.full(len(reader.rows), 2, np.int8)
    findings.mask("unknown_side", side == 2, reader.rows, "trades without a side")
    return side


def _events(
    reader: _Reader,
    exch_ts: np.ndarray,
    local_ts: np.ndarray,
    options: DecodeOptions,
    findings: Findings,
) -> tuple[Instrument, Columns]:
    """One tape row a frame row."""
    fields, rows = reader.fields, len(exch_ts)
    kinds = reader.codes("kind", KINDS, None)
    zeros = np.zeros(rows, np.int64)
    side = reader.codes("side", SIDES, 2) if "side" in fields else np.full(rows, 2, np.int8)
    price = reader.numbers("price") if "price" in fields else zeros
    size = reader.numbers("qty") if "qty" in fields else zeros
    order_id = reader.numbers("order_id") if "order_id" in fields else zeros
    by_order = np.isin(kinds, ORDER_KINDS)
    _require(reader, by_order & (_nan(order_id) | (order_id == 0)), "order_id")
    placed = np.isin(kinds, PLACED_KINDS)
    _require(reader, placed & (side > 1), "side")
    _require(reader, (placed | (kinds == EventKind.TRADE)) & (_nan(price) | _nan(size)), "price")
    instrument = _instrument(options, price, size, findings, reader.origin)
    price, size = _zero(price, _nan(price)), _zero(size, _nan(size))
    lots = to_ticks(size, instrument.lot, findings, "qty", first_row=reader.rows)
    lots = _checked_lots(lots, findings, reader.rows)
    columns = Columns(
        exch_ts,
        local_ts,
        kinds,
        side,
        to_ticks(price, instrument.tick, findings, "price", first_row=reader.rows),
        lots,
        _order_ids(reader, _zero(order_id, _nan(order_id))),
        np.zeros(rows, np.int16),
    )
    # One time is one group: a book is whole at the last row of its time.
    last = np.append(exch_ts[1:] != exch_ts[:-1], True)
    columns.flags[last] = Flag.LAST.value
    return instrument, columns


def _order_ids(reader: _Reader, numbers: np.ndarray) -> np.ndarray:
    if numbers.dtype.kind == "f":
        bad = (np.abs(numbers) > EXACT_FLOAT) | (numbers != np.rint(numbers))
        if bad.any():
            row = int(np.argmax(bad))
            raise DataError(
                f"{reader.where('order_id')}, row {reader.rows[row]}: {numbers[row]} is no order id"
            )
    return numbers.astype(np.int64)


def _require(reader: _Reader, missing: np.ndarray, field: str) -> None:
    if missing.any():
        row = reader.rows[int(np.argmax(missing))]
        raise DataError(f"{reader.origin}, row {row}: {field} is missing for its kind of event")


def _checked_lots(lots: np.ndarray, findings: Findings, rows: np.ndarray) -> np.ndarray:
    negative = lots < 0
    findings.mask("negative_qty", negative, rows, "made 0")
    return np.maximum(lots, 0) if negative.any() else lots


def _nan(values: np.ndarray) -> np.ndarray:
    if values.dtype.kind == "f":
        return np.isnan(values)
    return np.zeros(len(values), bool)


def _zero(values: np.ndarray, where: np.ndarray) -> np.ndarray:
    return np.asarray(np.where(where, 0, values), values.dtype)
