"""Lean tick files (a zip with one CSV per symbol, day and kind) to one tape per symbol.

Decides days, clocks and what is not said in the files. US equities: times are milliseconds since
midnight New York, prices x 10,000, quotes are the national best bid and offer (bid row and offer
row in pairs; the size is that of the exchange named), trades carry sale conditions. FX: bid and
offer of one dealer without sizes (one lot is assumed), FXCM in UTC-5 the year round, others in
UTC. No file tells a receive time: it is taken as the exchange time. Suspicious rows are left out;
prints outside continuous trading (openings, closings, late, averaged) are kept with Flag.AUCTION.
"""

import re
import struct
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from isal import isal_zlib

from hft.core.errors import DataError
from hft.core.instruments import Instrument
from hft.feeds.base import DecodeOptions
from hft.feeds.digits import DIGITS_MAX, step_units
from hft.feeds.files import INFLATE_ERROR
from hft.feeds.findings import Findings
from hft.feeds.lean_rows import (
    ASK,
    ASK_QTY,
    BID,
    BID_QTY,
    EXPECTED,
    FX_COLUMNS,
    MERGE,
    QUOTE_COLUMNS,
    ROW_WIDTH,
    STATE,
    TIME,
    TRADE_COLUMNS,
    merge_day,
    read_rows,
)
from hft.tape.schema import Columns, Feed

NAMES = ("lean",)
DESCRIPTION = "Lean tick zips: US equity quotes and trades, FX quotes, a zip per symbol and day"

TORN: tuple[type[Exception], ...] = (
    OSError,
    RuntimeError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
    INFLATE_ERROR,
)
FILE_NAME = re.compile(r"(\d{8})_(quote|trade)\.zip")
SHAPES = {
    QUOTE_COLUMNS: re.compile(rb"\d+(\.\d+)?,\d+,\d+,\d+,\d+,[A-Z]?,[0-9A-Fa-f]*,[01]\r?\n"),
    TRADE_COLUMNS: re.compile(rb"\d+(\.\d+)?,\d+,\d+,[A-Z]?,[0-9A-Fa-f]*,[01]\r?\n"),
    FX_COLUMNS: re.compile(rb"\d+(\.\d+)?,\d+(\.\d+)?,\d+(\.\d+)?\r?\n"),
}
BARS = re.compile(rb"\d+(,\d*\.?\d*){5,10}\r?\n")
BUFFER_BYTES_MAX = 1 << 28
EQUITY_ZONE = "America/New_York"
EQUITY_PRICE_DECIMALS = 4
FXCM_ZONE = "Etc/GMT+5"  # POSIX sign: this is UTC-5
MILLISECOND_DECIMALS = 6  # milliseconds read as nanoseconds
NO_ROWS = np.zeros((0, ROW_WIDTH), np.int64)


def sniff(head: bytes, path: Path) -> str | None:
    """Lean by the name of the zip and the shape of its first line."""
    if not FILE_NAME.fullmatch(path.name):
        return None
    return "lean" if _columns(head) or BARS.match(head + b"\n") else None


def decode(paths: Sequence[Path], options: DecodeOptions) -> list[Feed]:
    """One feed for each symbol among the files, its days in order.

    Raises: DataError naming file and line.
    """
    symbols: dict[tuple[str, str], list[_File]] = {}
    for path in paths:
        file = _file(path)
        symbols.setdefault((file.symbol, file.zone), []).append(file)
    return [_decode_symbol(symbols[key], options) for key in sorted(symbols)]


@dataclass(frozen=True)
class _File:
    path: Path
    day: str  # YYYYMMDD
    kind: str  # quote or trade
    symbol: str
    zone: str  # of the times in the file


def _columns(head: bytes) -> int:
    return next((count for count, shape in SHAPES.items() if shape.match(head + b"\n")), 0)


def _file(path: Path) -> _File:
    """What the names say: day and kind by the zip, symbol by its member or the folder."""
    named = FILE_NAME.fullmatch(path.name)
    if named is None:
        raise DataError(f"{path}: expected a name like 20131007_quote.zip or 20131007_trade.zip")
    try:
        with zipfile.ZipFile(path) as archive:
            member = archive.namelist()[0]
    except (OSError, zipfile.BadZipFile, IndexError) as error:
        raise DataError(
            f"{path}: the zip is absent, empty, cut short or corrupt ({error})"
        ) from None
    parts = member.split("_")
    symbol = parts[1] if len(parts) >= 4 else path.parent.name
    in_fx = re.search(r"forex|fxcm|oanda", str(path.resolve()).lower())
    zone = EQUITY_ZONE
    if in_fx:
        zone = FXCM_ZONE if in_fx and "fxcm" in str(path.resolve()).lower() else "UTC"
    return _File(path, named.group(1), named.group(2), symbol.upper(), zone)


def _instrument(file: _File, options: DecodeOptions, findings: Findings) -> Instrument:
    """The listed instrument; cents for a stock, and for FX only what is given or waived.

    Raises: DataError for an FX symbol that is in no table and has no grid.
    """
    symbol = options.symbol or file.symbol
    if file.zone == EQUITY_ZONE:
        default = Instrument(
            file.symbol, Decimal("0.01"), Decimal(1), calendar="XNYS", time_zone=EQUITY_ZONE
        )
    else:
        currency = file.symbol[3:6] or "USD"
        default = Instrument(
            file.symbol, Decimal("0.00001"), Decimal(1000), currency=currency, calendar="FX"
        )
        if not {symbol, f"{options.format}:{symbol}"} & set(options.instruments):
            options.must_guess(symbol, str(file.path))
            for step, given in (("tick", options.tick), ("lot", options.lot)):
                note = f"{step} {getattr(default, step)}, as is usual for FX"
                findings.add(f"guessed_{step}", int(given is None), 1, note)
    return replace(options.instrument(symbol, default))


def _midnight_ns(file: _File) -> int:
    """Local midnight in UTC, with the offset that holds at noon (clocks change in the night)."""
    try:
        day = datetime.strptime(file.day, "%Y%m%d")
        noon = (day + timedelta(hours=12)).replace(tzinfo=ZoneInfo(file.zone))
    except (ValueError, ZoneInfoNotFoundError) as error:
        raise DataError(f"{file.path}: {error}") from None
    return (int(noon.timestamp()) - 12 * 3600) * 1_000_000_000


def _text(path: Path) -> bytes:
    """The member of a zip, inflated by the fastest inflater there is and checked by its CRC."""
    try:
        packed = path.read_bytes()
        with zipfile.ZipFile(path) as archive:
            info = archive.infolist()[0]
            if info.compress_type != zipfile.ZIP_DEFLATED or info.flag_bits & 1:
                return archive.read(info)
        name, extra = struct.unpack_from("<HH", packed, info.header_offset + 26)
        start = info.header_offset + 30 + name + extra
        text: bytes = isal_zlib.decompress(
            packed[start : start + info.compress_size],
            -15,
            min(max(info.file_size, 1), BUFFER_BYTES_MAX),
        )
    except TORN as error:
        raise DataError(f"{path}: the zip is cut short or corrupt ({error})") from None
    if len(text) != info.file_size or isal_zlib.crc32(text) != info.CRC:
        raise DataError(f"{path}: the zip is corrupt (its checksum does not match)")
    return text


def _plan(columns: int, instrument: Instrument) -> np.ndarray:
    """Where each number of a line goes and on which grid it is read."""
    scaled = 0 if columns == FX_COLUMNS else EQUITY_PRICE_DECIMALS
    decimals, units = step_units(instrument.tick, scaled)
    price = (decimals - scaled, units)
    lots = step_units(instrument.lot)
    fields = [(TIME, MILLISECOND_DECIMALS, 1), (BID, *price)]
    if columns == FX_COLUMNS:
        fields.append((ASK, *price))
    else:
        fields.append((BID_QTY, *lots))
    if columns == QUOTE_COLUMNS:
        fields += [(ASK, *price), (ASK_QTY, *lots)]
    plan = [
        (target, decimals, units, 10**decimals, DIGITS_MAX - decimals)
        for target, decimals, units in fields
    ]
    return np.array(plan, np.int64)


def _read(file: _File, instrument: Instrument, findings: Findings) -> np.ndarray:
    """The rows of one file. Raises: DataError naming file, line and what was expected."""
    text = _text(file.path)
    if not text.strip():
        return NO_ROWS
    columns = _columns(text[:512])
    if not columns and BARS.match(text[:512]):
        raise DataError(
            f"{file.path}: holds bars, which have no book to replay: give the tick files; bars are "
            "for research (`hft data report`, `hft data features`)"
        )
    if not columns or (columns == TRADE_COLUMNS) != (file.kind == "trade"):
        raise DataError(
            f"{file.path}: line 1: expected the columns of a Lean {file.kind} file, "
            f"not {text[:60].splitlines()[0].decode(errors='replace')!r}"
        )
    if not text.endswith(b"\n"):
        text += b"\n"
    state: Any = np.zeros(1, STATE)[0]
    buffer = np.frombuffer(text, np.uint8)
    table = np.zeros((len(text) // (2 * columns) + 1, ROW_WIDTH), np.int64)
    at = read_rows(buffer, columns, _plan(columns, instrument), table, state)
    if state["error"]:
        place = int(state["error_at"]) - at + 1
        raise DataError(
            f"{file.path}: line {int(state['line'])}, character {place}: "
            f"expected {EXPECTED[int(state['error'])]}"
        )
    for name, slot in (
        ("off_grid", "off_grid"),
        ("suspicious", "suspicious"),
        ("zero_qty", "empty"),
    ):
        count, line = int(state[slot]), int(state[f"{slot}_line"])
        findings.add(name, count, line, f"line {line} of {file.path.name}")
    rows = table[: int(state["rows"])]
    if columns == FX_COLUMNS:
        rows[:, (BID_QTY, ASK_QTY)] = 1
    return rows


def _decode_symbol(files: list[_File], options: DecodeOptions) -> Feed:
    days = sorted({file.day for file in files})
    total = sum(file.path.stat().st_size for file in files)
    findings = Findings()
    instrument = _instrument(files[0], options, findings)
    merge: Any = np.zeros(1, MERGE)[0]
    merge["last_side"] = 2
    parts: list[Columns] = []
    done = rows_in = rows_out = 0
    for day in days:
        of_day = [file for file in files if file.day == day]
        rows = {"quote": NO_ROWS, "trade": NO_ROWS}
        for file in of_day:
            if len(rows[file.kind]):
                raise DataError(f"{file.path}: a second {file.kind} file of {day}")
            rows[file.kind] = _read(file, instrument, findings)
            rows_in += len(rows[file.kind])
            done += file.path.stat().st_size
            options.report(done, total, rows_in)
        parts.append(_merge(of_day, rows["quote"], rows["trade"], merge, findings))
        rows_out += len(parts[-1].kind)
    columns = Columns(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))
    findings.add("assumed_clock", rows_out, 1, "receive time taken as the exchange time")
    source = {
        "format": "lean",
        "file": files[0].path.name,
        "files": [f"{file.symbol.lower()}/{file.path.name}" for file in _in_order(files)],
        "days": days,
        "lines": rows_in,
        "time_zone": files[0].zone,
        "receive_time": "not recorded; equal to the exchange time",
        "sides_by_tick_rule": int(merge["by_tick_rule"]),
        "prints_outside_continuous_trading": int(merge["outside"]),
    }
    if files[0].zone != EQUITY_ZONE:
        source["sizes"] = "not recorded; one lot a quote"
    return Feed(instrument, columns, findings.sorted(), source)


def _in_order(files: list[_File]) -> list[_File]:
    return sorted(files, key=lambda file: (file.day, file.kind))


def _merge(
    files: list[_File], quotes: np.ndarray, trades: np.ndarray, merge: Any, findings: Findings
) -> Columns:
    """One day as rows; the best quote does not outlive the day."""
    for field in MERGE.names or ():
        if not field.startswith("last_") and field not in ("by_tick_rule", "outside"):
            merge[field] = 0
    if not len(quotes) and not len(trades):
        return Columns.empty(0)
    out = Columns.empty(2 * len(quotes) + len(trades) + 1)
    merge_day(out, quotes, trades, _midnight_ns(files[0]), merge)
    name = f"{files[0].symbol.lower()} {files[0].day}"
    for finding, slot in (
        ("crossed_book", "crossed"),
        ("locked_book", "locked"),
        ("unknown_side", "unknown_side"),
    ):
        line = int(merge[f"{slot}_line"])
        findings.add(finding, int(merge[slot]), line, f"line {line} of {name}")
    return Columns(*(column[: int(merge["rows"])] for column in out))
