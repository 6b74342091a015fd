"""Databento files (DBN) to tapes: mbo, mbp-1, mbp-10, trades; definitions name the instrument.

Decides what a record means; the bytes are `databento_records`, the passes `databento_rows`.
mbo: A adds, C cancels `size` lots. M becomes what it does to the queue: a CANCEL of the lots it
gives up where the price stays and the size does not grow beyond what fills left, else a CANCEL of
its old place and an ADD behind the others. T is a TRADE of the aggressor's side and the volume, F
an EXECUTE with NO_BOOK: the C or M that follows changes the book. An F of the aggressor's own order
and a C of an unknown one are left out, an M of an unknown one adds; T and F without a side are
AUCTION. A snapshot (or R) begins with CLEAR, ends with LAST and happens when it was sent, since its
records carry the time of an older message. mbp-1 becomes BBO rows, mbp-10 the LEVEL rows between
two ladders. exch_ts is ts_event, local_ts is ts_recv.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from hft.core.errors import DataError
from hft.core.instruments import Instrument
from hft.feeds import databento_levels
from hft.feeds import databento_records as dbn
from hft.feeds import databento_rows as passes
from hft.feeds.base import DecodeOptions
from hft.feeds.databento_records import DbnFile
from hft.feeds.findings import Findings
from hft.tape.schema import DTYPES, Columns, Feed

NAMES = ("databento",)
DESCRIPTION = "Databento DBN files (.dbn, .dbn.zst): mbo, mbp-1, mbp-10, trades, definition"

FUTURE = re.compile(r"([A-Z0-9]{1,3})[FGHJKMNQUVXZ]\d{1,2}")
FIRST_TABLE_ROWS = 1 << 15
SPARE_ROWS = 1 << 10
# Whose sessions the instruments of a dataset trade in, by the beginning of its name.
CALENDARS = {
    "GLBX": "CMES",
    **dict.fromkeys(("XNAS", "XNYS", "ARCX", "BATS", "BATY", "EDGA", "EDGX", "IEXG"), "XNYS"),
    **dict.fromkeys(("XBOS", "XPSX", "XASE", "MEMX", "DBEQ", "EQUS"), "XNYS"),
}


def sniff(head: bytes, path: Path) -> str | None:
    """The format's name when the file is DBN."""
    return NAMES[0] if head.startswith(dbn.MAGIC) else None


def decode(paths: Sequence[Path], options: DecodeOptions) -> list[Feed]:
    """One feed per file and instrument, in the order of the files; definition files name them.

    Raises: DataError naming file, record and field.
    """
    files = [dbn.read(Path(path)) for path in paths]
    defined = {
        instrument.symbol: instrument
        for file in files
        if file.schema == dbn.DEFINITION
        for instrument in definitions(file)
    }
    markets = [file for file in files if file.schema != dbn.DEFINITION]
    if files and not markets:
        raise DataError(
            f"{files[0].path}: only instrument definitions: give a market file (mbo, ...) with it"
        )
    total = sum(len(file.records) for file in markets)
    feeds: list[Feed] = []
    done = 0
    for file in markets:
        feeds.extend(_feeds(file, defined, options))
        done += len(file.records)
        options.report(done, total, sum(len(feed.columns.kind) for feed in feeds))
    return feeds


def definitions(file: DbnFile) -> list[Instrument]:
    """The instruments a definition file describes."""
    return [_instrument(record, row, file) for row, record in enumerate(file.records, start=1)]


def _instrument(record: np.void, row: int, file: DbnFile) -> Instrument:
    symbol = record["raw_symbol"].decode()
    step = int(record["min_price_increment"])
    if not 0 < step < dbn.UNDEFINED_PRICE:
        raise DataError(f"{file.path}, record {row}: {symbol}: min_price_increment is not given")
    units = int(record["unit_of_measure_qty"])
    multiplier = int(record["contract_multiplier"])
    if 0 < multiplier < np.iinfo(np.int32).max:
        worth = Decimal(multiplier)
    elif 0 < units < dbn.UNDEFINED_PRICE:
        worth = _real(units)
    else:
        worth = Decimal(1)
    expiration = int(record["expiration"])
    notes = (f"expires {dbn.day_of(expiration)}",) if expiration > 0 else ()
    return Instrument(
        symbol=symbol,
        tick=_real(step),
        lot=Decimal(1),
        multiplier=worth,
        currency=record["currency"].decode() or "USD",
        venue=record["exchange"].decode(),
        notes=notes,
    )


def _real(fixed: int) -> Decimal:
    """A 1e-9 fixed-point number without trailing zeros."""
    value = (Decimal(fixed) / dbn.PRICE_SCALE).normalize()
    return value.quantize(Decimal(1)) if value == value.to_integral_value() else value


def _feeds(file: DbnFile, defined: dict[str, Instrument], options: DecodeOptions) -> list[Feed]:
    """A feed for each (publisher, instrument) of a file; records of another type are a finding."""
    dtype = file.records.dtype
    heads = file.records.view(dbn.head(dtype))["head"]
    if (heads == heads[0]).all():
        return [_feed(file, file.records, None, defined, options)]
    good = (file.records["length"] == dtype.itemsize // 4) & (
        file.records["rtype"] == dbn.RTYPES[file.schema]
    )
    feeds = []
    for head in np.unique(heads[good]).tolist():
        record_idx = np.flatnonzero(heads == head)
        records = file.records[record_idx]
        records.flags.writeable = False  # the type the passes are compiled for
        feeds.append(_feed(file, records, record_idx, defined, options))
    findings = Findings(feeds[0].findings)
    findings.mask("bad_row", ~good, 1, f"not a record of schema {file.schema}")
    feeds[0].findings = findings.sorted()
    return feeds


def _feed(
    file: DbnFile,
    records: np.ndarray,
    record_idx: np.ndarray | None,
    defined: dict[str, Instrument],
    options: DecodeOptions,
) -> Feed:
    findings = Findings()
    id_ = int(records[0]["instrument_id"])
    symbol = options.symbol or file.symbols.get(id_, str(id_))
    instrument = _known(symbol, defined, options)
    if instrument is None:
        options.must_guess(symbol, str(file.path), ("tick",))
        instrument = _guessed(symbol, records, findings, options)
    if instrument.calendar is None:
        instrument = replace(instrument, calendar=CALENDARS.get(file.dataset.partition(".")[0]))
    tick = _fixed_tick(instrument, file)
    found = np.zeros(len(passes.FINDINGS), passes.FOUND)
    state = np.zeros(passes.STATE, np.int64)
    decoder = _decode_mbo if file.schema == dbn.MBO else _decode_levels
    columns = decoder(records, tick, state, found)
    for name, (count, first) in zip(passes.FINDINGS, found.tolist(), strict=True):
        if count:
            row = first if record_idx is None else int(record_idx[first - 1]) + 1
            findings.add(name, count, row)
    source: dict[str, Any] = {"format": NAMES[0], "file": str(file.path), "schema": file.schema}
    source |= {"dataset": file.dataset, "version": file.version, "records": len(records)}
    if file.schema == dbn.MBO:
        source["live_orders_max"] = int(state[passes.LIVE_MAX])
        if not records[0]["flags"] & dbn.FLAG_SNAPSHOT and records[0]["action"] != passes.R:
            findings.add("missing_snapshot", 1, 1)
    return Feed(instrument, columns, findings.sorted(), source)


def _known(
    symbol: str, defined: dict[str, Instrument], options: DecodeOptions
) -> Instrument | None:
    """From the definitions beside the file, the instrument table, or that table's futures root."""
    root = FUTURE.fullmatch(symbol)
    default = defined.get(symbol)
    if default is None and root and root[1] in options.instruments:
        default = replace(options.instruments[root[1]], symbol=symbol)
    if default is None and symbol not in options.instruments:
        return None
    return options.instrument(symbol, default)


def _guessed(
    symbol: str, records: np.ndarray, findings: Findings, options: DecodeOptions
) -> Instrument:
    """On the given tick, else the coarsest grid of the prices; sizes are contracts or shares."""
    lot = options.lot or Decimal(1)
    if options.tick is not None:
        return Instrument(symbol=symbol, tick=options.tick, lot=lot)
    step = int(databento_levels.price_step(records["price"], 0))
    if step == 0:
        raise DataError(f"{symbol}: no price to tell the tick from: give it (--tick)")
    note = f"tick {_real(step)} from the prices, multiplier 1: no definition of {symbol}"
    findings.add("guessed_tick", 1, 1, note)
    return Instrument(symbol=symbol, tick=_real(step), lot=lot)


def _fixed_tick(instrument: Instrument, file: DbnFile) -> int:
    tick = instrument.tick * dbn.PRICE_SCALE
    if tick != tick.to_integral_value():
        raise DataError(f"{file.path}: the tick {instrument.tick} is finer than 1e-9, DBN's step")
    if instrument.lot != 1:
        raise DataError(f"{file.path}: the lot {instrument.lot} must be 1: DBN sizes are whole")
    return int(tick)


def _decode_mbo(records: np.ndarray, tick: int, state: np.ndarray, found: np.ndarray) -> Columns:
    rows = _room(len(records) + len(records) // 4 + SPARE_ROWS)
    table = np.zeros(FIRST_TABLE_ROWS, passes.LIVE_ORDER)
    done = 0
    while True:
        done = passes.mbo(records, done, tick, rows, table, state, found)
        if done == len(records):
            return _used(rows, state)
        if 2 * state[passes.LIVE] >= len(table):
            larger = np.zeros(4 * len(table), passes.LIVE_ORDER)
            passes.rehash(table, larger)
            table = larger
        else:
            rows = _more(rows, len(records) - done)


def _decode_levels(records: np.ndarray, tick: int, state: np.ndarray, found: np.ndarray) -> Columns:
    names = records.dtype.names or ()
    depth = records.dtype["levels"].shape[0] if "levels" in names else 0
    ladders = _ladders(records)
    events = tuple(records[name] for name in databento_levels.EVENT)
    rows = np.empty(len(records) * (2 if depth else 1) + SPARE_ROWS, databento_levels.ROW)
    done = 0
    while True:
        done = databento_levels.mbp(events, ladders, depth, done, tick, rows, state, found)
        if done == len(records):
            used = rows[: int(state[passes.ROWS])]
            return Columns(*(np.ascontiguousarray(used[name]) for name in DTYPES))
        spare = np.empty(2 * (len(records) - done) + SPARE_ROWS, databento_levels.ROW)
        rows = np.concatenate([rows, spare])


def _ladders(records: np.ndarray) -> tuple[np.ndarray, ...]:
    """Views (bid_px, bid_sz, ask_px, ask_sz) of (record, level); place holders without levels."""
    if "levels" not in (records.dtype.names or ()):
        prices, sizes = records["price"][:, None], records["size"][:, None]
        return prices, sizes, prices, sizes
    levels = records["levels"]
    return levels["bid_px"], levels["bid_sz"], levels["ask_px"], levels["ask_sz"]


def _room(rows: int) -> Columns:
    """Columns whose content is still undefined: the pass writes every field of a row it makes."""
    return Columns(*(np.empty(rows, column.dtype) for column in Columns.empty(0)))


def _more(rows: Columns, left: int) -> Columns:
    """The same rows in front of room for more."""
    spare = _room(left + SPARE_ROWS)
    return Columns(*(np.concatenate(pair) for pair in zip(rows, spare, strict=True)))


def _used(rows: Columns, state: np.ndarray) -> Columns:
    return Columns(*(column[: int(state[passes.ROWS])] for column in rows))
