"""LOBSTER message files (NASDAQ, order by order) to tapes.

Decides what each message type means: 1 ADD, 2 CANCEL of a part, 3 CANCEL, 4 EXECUTE (it takes its
shares off the book and is the print: no TRADE repeats it), 5 TRADE of the aggressor's side against
hidden shares, 6 TRADE of an auction, 7 STATUS. Hidden prints between two ticks have no place on a
tape and are left out. A file has no opening book: it begins with CLEAR, the book becomes valid
(LAST) once orders of the file rest on both sides, and orders from before are unknown: their cancels
are left out, their executions are TRADE rows, since they must not take lots of others. One clock:
exchange time is receive time. Symbol and day come from the file's name, times are seconds after
midnight in New York.
"""

import io
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from hft.core.codes import EventKind, Flag, Side, StatusCode
from hft.core.errors import DataError
from hft.core.instruments import Instrument
from hft.feeds.base import DecodeOptions, to_ticks
from hft.feeds.files import read_bytes
from hft.feeds.findings import Findings
from hft.tape.schema import Columns, Feed

NAMES = ("lobster",)
DESCRIPTION = "LOBSTER message files (SYMBOL_YYYY-MM-DD_..._message_N.csv), order by order"

FILE_NAME = re.compile(
    r"(?P<symbol>[A-Z.]+)_(?P<day>\d{4}-\d\d-\d\d)_\d+_\d+_(?P<what>message|orderbook)_\d+\.csv"
)
LINE = re.compile(rb"\d+(\.\d+)?,[1-7],\d+,\d+,-?\d+,(1|-1)\s*")
DAY_S = 86_400
FIELDS = ("time", "type", "order id", "size", "price", "direction")
PRICE_SCALE = 10_000
ZONE = ZoneInfo("America/New_York")
NEW, PARTLY, DELETED, EXECUTED, HIDDEN, CROSS, HALT = range(1, 8)
KIND_OF = {
    NEW: EventKind.ADD,
    PARTLY: EventKind.CANCEL,
    DELETED: EventKind.CANCEL,
    EXECUTED: EventKind.EXECUTE,
    HIDDEN: EventKind.TRADE,
    CROSS: EventKind.TRADE,
    HALT: EventKind.STATUS,
}
# The price of a type 7 message says what happens: -1 halt, 0 quotes only, 1 trading again.
STATUS_OF = {-1: StatusCode.HALT, 0: StatusCode.AUCTION, 1: StatusCode.OPEN}


def sniff(head: bytes, path: Path) -> str | None:
    """The format's name when name and first line are LOBSTER's."""
    name = FILE_NAME.search(path.name)
    if name is None:
        return None
    first = head.split(b"\n", 1)[0]
    return NAMES[0] if name["what"] == "orderbook" or LINE.fullmatch(first) else None


def decode(paths: Sequence[Path], options: DecodeOptions) -> list[Feed]:
    """One feed per message file; orderbook files, which repeat what messages say, are passed over.

    Raises: DataError naming file, row and field.
    """
    found = [(Path(path), _named(Path(path))) for path in paths]
    messages = [(path, name) for path, name in found if name["what"] == "message"]
    if found and not messages:
        raise DataError(f"{found[0][0]}: an orderbook file has no orders: give its message file")
    feeds = []
    rows = 0
    for done, (path, name) in enumerate(messages, start=1):
        feeds.append(_feed(path, name["symbol"], date.fromisoformat(name["day"]), options))
        rows += len(feeds[-1].columns.kind)
        options.report(done, len(messages), rows)
    return feeds


def _named(path: Path) -> re.Match[str]:
    name = FILE_NAME.search(path.name)
    if name is None:
        raise DataError(
            f"{path}: the name gives no symbol and day: call it like "
            "AAPL_2012-06-21_34200000_57600000_message_10.csv"
        )
    return name


def _feed(path: Path, symbol: str, day: date, options: DecodeOptions) -> Feed:
    default = Instrument(
        symbol=symbol,
        tick=Decimal("0.01"),
        lot=Decimal(1),
        venue="NASDAQ",
        calendar="XNAS",
        time_zone=ZONE.key,
    )
    instrument = options.instrument(options.symbol or symbol, default)
    seconds, *numbers = _parse(path)
    what, order_id, size, price, direction = numbers
    findings = Findings()
    known, again = _known(what, order_id, findings)
    resting = np.where(direction == 1, Side.BUY.value, Side.SELL.value)
    columns = Columns.empty(len(what))
    columns.exch_ts[:] = _midnight_ns(day) + np.rint(seconds * 1e9).astype(np.int64)
    columns.local_ts[:] = columns.exch_ts
    columns.kind[:] = _translated(KIND_OF, what)
    columns.side[:] = np.where(what == HIDDEN, 1 - resting, np.where(what >= CROSS, 2, resting))
    columns.order_id[:] = np.where(what <= EXECUTED, order_id, 0)
    columns.flags[:] = np.select(
        [what == HIDDEN, what == CROSS], [Flag.HIDDEN.value, Flag.AUCTION.value]
    )
    status = what == HALT
    _check_status(path, price, status)
    columns.qty[:] = np.where(status, _translated(STATUS_OF, price), size)
    _set_prices(columns, price, what, instrument, findings)
    _set_unknown(columns, what, known)
    columns.kind[again] = -1
    _make_valid(columns, what, known)
    columns = _usable(columns, findings)
    findings.add("missing_snapshot", 1, 1, "orders from before the first message are not known")
    findings.add("assumed_clock", len(what), 1, "receive time is the exchange time")
    source = {"format": NAMES[0], "file": str(path), "day": day.strftime("%Y%m%d")}
    return Feed(instrument, _with_clear(columns), findings.sorted(), source)


def _parse(path: Path) -> list[np.ndarray]:
    """The six columns. Raises: DataError with the first row that is not a message."""
    import polars as pl

    data = read_bytes(path)
    types = [pl.Float64, *[pl.Int64] * (len(FIELDS) - 1)]
    schema = dict(zip(FIELDS, types, strict=True))
    try:
        frame = pl.read_csv(io.BytesIO(data), has_header=False, schema=schema)
    except pl.exceptions.PolarsError:
        raise _bad_row(path, data) from None
    what, direction = frame["type"], frame["direction"]
    fine = what.is_between(NEW, HALT) & direction.is_in([1, -1]) & (frame["size"] >= 0)
    if any(frame.null_count().row(0)) or not fine.all():
        raise _bad_row(path, data)
    outside = ~frame["time"].is_between(0, DAY_S)
    if outside.any():
        row = int(outside.arg_true()[0])
        raise DataError(
            f"{path}, row {row + 1}: {frame['time'][row]} is no time of a day in seconds"
        )
    return [frame[name].to_numpy() for name in FIELDS]


def _bad_row(path: Path, data: bytes) -> DataError:
    for row, line in enumerate(data.splitlines(), start=1):
        if not LINE.fullmatch(line):
            text = line[:60].decode("utf-8", "replace")
            return DataError(
                f"{path}, row {row}: {text!r} is not {', '.join(FIELDS)} (type 1 to 7, direction 1 "
                "or -1)"
            )
    return DataError(f"{path}: a number is out of range")


def _midnight_ns(day: date) -> int:
    """Midnight in New York; the offset is noon's, since no session spans a clock change."""
    noon = datetime.combine(day, time(12), ZONE)
    midnight = noon.astimezone(UTC) - timedelta(hours=12)
    return int(midnight.timestamp()) * 1_000_000_000


def _translated(names: dict, codes: np.ndarray) -> np.ndarray:
    """Each code's value in a small table; 0 where it has none."""
    out = np.zeros(len(codes), np.int64)
    for code, value in names.items():
        out[codes == code] = int(value)
    return out


def _check_status(path: Path, price: np.ndarray, status: np.ndarray) -> None:
    unknown = status & ~np.isin(price, list(STATUS_OF))
    if unknown.any():
        row = int(np.argmax(unknown))
        raise DataError(f"{path}, row {row + 1}: price {price[row]} of a halt is none of -1, 0, 1")


def _known(
    what: np.ndarray, order_id: np.ndarray, findings: Findings
) -> tuple[np.ndarray, np.ndarray]:
    """Which rows name an order that was added before them, and which add one again."""
    added_rows = np.flatnonzero(what == NEW)
    ids, first = np.unique(order_id[added_rows], return_index=True)
    again = what == NEW
    again[added_rows[first]] = False
    findings.mask("duplicate", again, 1, "an order id is added twice")
    if not len(ids):
        return again, again
    at = np.minimum(np.searchsorted(ids, order_id), len(ids) - 1)
    known = (ids[at] == order_id) & (added_rows[first][at] <= np.arange(len(what)))
    names_order = (what >= PARTLY) & (what <= EXECUTED)
    note = "it rested before the first message, or entered beyond the levels of the file"
    findings.mask("unknown_order_id", names_order & ~known, 1, note)
    return known, again


def _set_unknown(columns: Columns, what: np.ndarray, known: np.ndarray) -> None:
    """Events of unknown orders: an execution is a print only, a cancel gets kind -1: left out."""
    cancelled = ((what == PARTLY) | (what == DELETED)) & ~known
    executed = (what == EXECUTED) & ~known
    columns.kind[cancelled] = -1
    columns.kind[executed] = EventKind.TRADE.value
    columns.side[executed] = 1 - columns.side[executed]
    columns.order_id[executed] = 0


def _set_prices(
    columns: Columns,
    price: np.ndarray,
    what: np.ndarray,
    instrument: Instrument,
    findings: Findings,
) -> None:
    """Prices in ticks; a hidden print between two ticks gets kind -1: left out."""
    hidden, status = what == HIDDEN, what == HALT
    step = int(instrument.tick * PRICE_SCALE)
    between = hidden & (price % step != 0)
    real = np.where(status | between, 0, price)
    columns.price[:] = to_ticks(real, instrument.tick, findings, scale=PRICE_SCALE)
    note = "hidden executions at prices between two ticks"
    findings.mask("skipped", between, 1, note)
    columns.kind[between] = -1


def _make_valid(columns: Columns, what: np.ndarray, known: np.ndarray) -> None:
    """LAST on the row that puts orders on both sides, and on every row from there on."""
    change = np.where((what == NEW) & (columns.kind != -1), columns.qty, 0)
    gone = (what >= PARTLY) & (what <= EXECUTED) & known
    change = np.where(gone, -columns.qty, change)
    both = np.ones(len(what), bool)
    for side in (Side.BUY.value, Side.SELL.value):
        both &= np.cumsum(np.where(columns.side == side, change, 0)) > 0
    if both.any():
        columns.flags[int(np.argmax(both)) :] |= Flag.LAST.value


def _usable(columns: Columns, findings: Findings) -> Columns:
    """Without the rows that are left out; orders and prints of size zero are among them."""
    nothing = (columns.qty == 0) & (columns.kind != EventKind.STATUS)
    findings.mask("zero_qty", nothing, 1)
    leave = (columns.kind == -1) | nothing
    return Columns(*(column[~leave] for column in columns)) if leave.any() else columns


def _with_clear(columns: Columns) -> Columns:
    """The rows behind a CLEAR at the time of the first."""
    first = Columns.empty(min(1, len(columns.kind)))
    first.exch_ts[:] = columns.exch_ts[:1]
    first.local_ts[:] = columns.local_ts[:1]
    first.kind[:] = EventKind.CLEAR.value
    first.side[:] = 2
    return Columns(*(np.concatenate(pair) for pair in zip(first, columns, strict=True)))
