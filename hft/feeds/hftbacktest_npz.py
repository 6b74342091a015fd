"""hftbacktest event arrays (`data` in an npz) to tapes, in both codings, and tapes back to events.

Version 2 is a structured array with kinds and EXCH/LOCAL/BUY/SELL bits in `ev`; version 1 is
float64 N x 6 in microseconds where a time of -1 means "not seen on that side". Rows become rows
one to one, in their order; one-sided rows carry VENUE_ONLY or VIEW_ONLY. User-defined events are
left out. A clear up to a price (they clear from the touch to that price) clears the whole side
here: the levels beyond a snapshot's range are forgotten instead of kept.
"""

import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hft.core.codes import EventKind, Flag, Side
from hft.core.errors import DataError
from hft.core.instruments import Instrument
from hft.feeds.base import DecodeOptions, to_ticks
from hft.feeds.findings import Findings
from hft.feeds.grid import step_or_guess
from hft.tape.schema import Columns, Feed

NAMES = ("hftbacktest",)
DESCRIPTION = "hftbacktest npz event arrays, version 1 (float N x 6) and version 2 (structured)"

EXCH, LOCAL, BUY, SELL = (np.uint64(1 << bit) for bit in (31, 30, 29, 28))
KIND_MASK = np.uint64(0xFF)
MICROSECOND_NS = 1_000
EVENT = np.dtype(
    [
        ("ev", "u8"),
        ("exch_ts", "i8"),
        ("local_ts", "i8"),
        ("px", "f8"),
        ("qty", "f8"),
        ("order_id", "u8"),
        ("ival", "i8"),
        ("fval", "f8"),
    ],
    align=True,
)
V1_COLUMNS = 6
NOISE_DECIMALS = 9
FIELDS_NEEDED = ("ev", "exch_ts", "local_ts", "px", "qty")

KINDS = {
    1: EventKind.LEVEL,
    2: EventKind.TRADE,
    3: EventKind.CLEAR,
    4: EventKind.SNAPSHOT,
    5: EventKind.BBO,
    10: EventKind.ADD,
    11: EventKind.CANCEL,
    12: EventKind.MODIFY,
    13: EventKind.EXECUTE,
}
CODES = {kind: code for code, kind in KINDS.items()}
BOOK_KINDS = (EventKind.LEVEL, EventKind.CLEAR, EventKind.SNAPSHOT, EventKind.BBO)


def sniff(head: bytes, path: Path) -> str | None:
    """An npz whose first member is an array of events of either version."""
    if not head.startswith(b"\x93NUMPY"):
        return None
    header = head[:512]
    v2 = all(f"'{name}'".encode() in header for name in FIELDS_NEEDED)
    v1 = b"'<f8'" in header and b", 6)" in header
    return "hftbacktest" if v1 or v2 else None


def decode(paths: Sequence[Path], options: DecodeOptions) -> list[Feed]:
    """One feed for each symbol (the file name up to the first underscore), files in time order.

    Raises: DataError naming file, row and field.
    """
    groups: dict[str, list[tuple[Path, np.ndarray]]] = {}
    for path in paths:
        groups.setdefault(options.symbol or _symbol(path), []).append((path, _events(path)))
    feeds = []
    for symbol in sorted(groups):
        files = sorted(groups[symbol], key=lambda item: (_first_time(item[1]), str(item[0])))
        feeds.append(_decode_symbol(symbol, files, options))
    return feeds


def to_events(columns: Columns, instrument: Instrument) -> np.ndarray:
    """Version 2 events of a tape's rows, for hftbacktest; a CLEAR of both sides clears its book.

    Raises: DataError for a kind it has no event for (status, funding, signal).
    """
    kind = np.zeros(len(EventKind), np.uint64)
    for ours, code in CODES.items():
        kind[ours] = code
    ev = kind[columns.kind]
    if len(ev) and not ev.all():
        name = EventKind(int(columns.kind[int(np.argmin(ev != 0))])).name
        raise DataError(f"row {int(np.argmin(ev != 0)) + 1}: hftbacktest has no event for {name}")
    events = np.zeros(len(ev), EVENT)
    ev = ev | np.where(columns.side == Side.BUY, BUY, np.uint64(0))
    ev |= np.where(columns.side == Side.SELL, SELL, np.uint64(0))
    ev |= np.where(columns.flags & Flag.VIEW_ONLY, np.uint64(0), EXCH)
    ev |= np.where(columns.flags & Flag.VENUE_ONLY, np.uint64(0), LOCAL)
    events["ev"] = ev
    events["exch_ts"] = columns.exch_ts
    events["local_ts"] = columns.local_ts
    events["px"] = _real(columns.price, instrument.tick)
    events["qty"] = _real(columns.qty, instrument.lot)
    events["order_id"] = columns.order_id.astype(np.uint64)
    return events


def _real(steps: np.ndarray, step: Any) -> np.ndarray:
    """The doubles nearest to steps x step."""
    numerator, denominator = step.as_integer_ratio()
    return (steps * numerator).astype(np.float64) / float(denominator)


def _symbol(path: Path) -> str:
    """What stands before the date in names like btcusdt_20230404_mt.npz."""
    return re.split(r"_\d{8}|\.", path.name)[0].upper()


def _events(path: Path) -> np.ndarray:
    """The rows of one file as version 2 events with times in ns."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as archive:
            if "data" not in getattr(archive, "files", ()):
                raise DataError(f"{path}: expected an npz with the key 'data'")
            data = archive["data"]
    except DataError:
        raise
    except AttributeError:
        raise DataError(
            f"{path}: expected an npz with the key 'data', not a single array"
        ) from None
    except Exception as error:  # whatever zip, inflater and header parser find in damaged bytes
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{path}: not a readable npz ({reason})") from None
    if not isinstance(data, np.ndarray):
        raise DataError(f"{path}: the key 'data' is no array")
    if data.dtype.names:
        missing = [name for name in FIELDS_NEEDED if name not in data.dtype.names]
        if missing or data.ndim != 1:
            raise DataError(f"{path}: data lacks the field {(missing or ['?'])[0]!r} of an event")
        return _version_2(data)
    if data.ndim != 2 or data.shape[1] != V1_COLUMNS or data.dtype.kind != "f":
        raise DataError(
            f"{path}: data is {data.dtype} {data.shape}: expected events with the fields "
            f"{', '.join(FIELDS_NEEDED)} or float64 N x {V1_COLUMNS}"
        )
    return _version_1(data, path)


def _version_2(data: np.ndarray) -> np.ndarray:
    events = np.zeros(len(data), EVENT)
    for name in EVENT.names or ():
        if name in (data.dtype.names or ()):
            events[name] = data[name]
    return events


def _version_1(data: np.ndarray, path: Path) -> np.ndarray:
    """A row with one time has only that one; a snapshot file without receive times is for both."""
    code, exch, local, side = data[:, 0], data[:, 1], data[:, 2], data[:, 3]
    bad = ~np.isfinite(data[:, :4]).all(axis=1) | (code < 0) | (code > 255)
    if bad.any():
        row = int(np.argmax(bad)) + 1
        raise DataError(f"{path}: row {row}: event, times and side must be whole numbers")
    seen_exch, seen_local = exch > 0, local > 0
    if not seen_local.any():
        seen_local = seen_exch
    ev = code.astype(np.uint64)
    for mask, bit in (
        (seen_exch, EXCH),
        (seen_local, LOCAL),
        (side == 1, BUY),
        (side == -1, SELL),
    ):
        ev |= np.where(mask, bit, np.uint64(0))
    events = np.zeros(len(data), EVENT)
    events["ev"] = ev
    events["exch_ts"] = np.where(exch > 0, exch, local).astype(np.int64) * MICROSECOND_NS
    events["local_ts"] = np.where(local > 0, local, exch).astype(np.int64) * MICROSECOND_NS
    events["px"] = data[:, 4]
    events["qty"] = data[:, 5]
    return events


def _rounded(values: np.ndarray) -> np.ndarray:
    """Prices in such files are often index x tick in floats; their last bits are not data."""
    return np.round(values, NOISE_DECIMALS)


def _first_time(events: np.ndarray) -> int:
    seen = (events["ev"] & (EXCH | LOCAL)) != 0
    times = events["exch_ts"][seen]
    return int(times[0]) if len(times) else 0


def _decode_symbol(
    symbol: str, files: list[tuple[Path, np.ndarray]], options: DecodeOptions
) -> Feed:
    findings = Findings()
    events = np.concatenate([rows for _, rows in files])
    known = np.zeros(256, bool)
    known[list(KINDS)] = True
    code = (events["ev"] & KIND_MASK).astype(np.int64)
    seen = (events["ev"] & (EXCH | LOCAL)) != 0
    kept = known[code] & seen
    findings.mask("skipped", ~kept, 1, "user-defined events, or rows seen by neither side")
    rows = np.flatnonzero(kept)
    origin = files[0][0].name
    if not len(rows):
        raise DataError(f"{files[0][0]}: no event of a known kind")
    events, code = events[rows], code[rows]
    instrument = _instrument(symbol, events, code, options, findings, origin)
    columns = _columns(events, code, instrument, findings, int(rows[0]) + 1)
    source = {
        "format": "hftbacktest",
        "file": origin,
        "files": [path.name for path, _ in files],
        "lines": len(kept),
        "clears": "a clear up to a price clears the whole side",
    }
    return Feed(instrument, columns, findings.sorted(), source)


def _instrument(
    symbol: str,
    events: np.ndarray,
    code: np.ndarray,
    options: DecodeOptions,
    findings: Findings,
    origin: str,
) -> Instrument:
    if symbol in options.instruments or (options.tick is not None and options.lot is not None):
        return options.instrument(symbol)
    options.must_guess(symbol, origin)
    priced = code != CODES[EventKind.CLEAR]
    px, qty = _rounded(events["px"][priced]), _rounded(events["qty"][priced])
    tick = step_or_guess(options.tick, px, findings, "tick", origin)
    lot = step_or_guess(options.lot, qty, findings, "lot", origin)
    return Instrument(symbol, tick, lot)


def _columns(
    events: np.ndarray,
    code: np.ndarray,
    instrument: Instrument,
    findings: Findings,
    first_row: int,
) -> Columns:
    kinds = np.zeros(256, np.int8)
    for number, ours in KINDS.items():
        kinds[number] = ours
    kind = kinds[code]
    out = Columns.empty(len(events))
    out.kind[:] = kind
    out.exch_ts[:] = events["exch_ts"]
    out.local_ts[:] = events["local_ts"]
    buy, sell = (events["ev"] & BUY) != 0, (events["ev"] & SELL) != 0
    out.side[:] = np.where(buy & ~sell, Side.BUY, np.where(sell & ~buy, Side.SELL, 2))
    findings.mask("unknown_side", (kind == EventKind.TRADE) & (buy == sell), first_row)
    clear = kind == EventKind.CLEAR
    px, qty = (np.where(clear, 0.0, _rounded(events[name])) for name in ("px", "qty"))
    out.price[:] = to_ticks(px, instrument.tick, findings, "price", first_row=first_row)
    out.qty[:] = to_ticks(qty, instrument.lot, findings, "quantity", first_row=first_row)
    out.order_id[:] = events["order_id"].astype(np.int64)
    _flag(out, events["ev"])
    return out


def _flag(out: Columns, ev: np.ndarray) -> None:
    """View bits from EXCH and LOCAL; LAST where rows of one time, view and the book end."""
    views = np.where((ev & LOCAL) == 0, Flag.VENUE_ONLY, 0)
    views = views + np.where((ev & EXCH) == 0, Flag.VIEW_ONLY, 0)
    book = np.isin(out.kind, [int(kind) for kind in BOOK_KINDS])
    ends = np.ones(len(ev), bool)
    ends[:-1] = (
        (np.diff(out.exch_ts) != 0)
        | (np.diff(out.local_ts) != 0)
        | (np.diff(views) != 0)
        | (np.diff(book.astype(np.int8)) != 0)
    )
    orders = ~book & (out.kind != EventKind.TRADE)
    last = np.where(book & ends | orders, Flag.LAST, 0)
    no_book = np.where(out.kind == EventKind.EXECUTE, Flag.NO_BOOK, 0)
    out.flags[:] = (views + last + no_book).astype(np.int16)
