"""Databento Binary Encoding: the header and the fixed-size records, as numpy dtypes.

Decides what the bytes of a DBN file are; what they mean for a tape is `databento`'s. Market records
are laid out alike in versions 1 to 3, definitions are not. 64-bit unsigned fields are declared
signed (same bits): no time or id in use reaches 2^63, and the "undefined" time reads -1.
It never interprets a record it has no dtype for: such a file is refused.
Source: the public description of DBN (databento.com, "Databento Binary Encoding").
"""

import mmap
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from hft.core.errors import DataError
from hft.feeds.files import read_bytes
from hft.storage.zstd import unpack

MAGIC = b"DBN"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
VERSIONS = (1, 2, 3)
Buffer = bytes | memoryview | mmap.mmap
MIXED_SCHEMA = 0xFFFF
SYMBOL_BYTES_V1 = 22
UNDEFINED_PRICE = np.iinfo(np.int64).max
PRICE_SCALE = 1_000_000_000

FLAG_LAST, FLAG_SNAPSHOT, FLAG_MAYBE_BAD_BOOK = 128, 32, 4

MBO, MBP_1, MBP_10, TRADES, DEFINITION = "mbo", "mbp-1", "mbp-10", "trades", "definition"
SCHEMAS = {0: MBO, 1: MBP_1, 2: MBP_10, 4: TRADES, 9: DEFINITION}
RTYPES = {MBO: 0xA0, MBP_1: 0x01, MBP_10: 0x0A, TRADES: 0x00, DEFINITION: 0x13}

_HEADER: list[tuple] = [
    ("length", "u1"),  # in words of 4 bytes
    ("rtype", "u1"),
    ("publisher_id", "<u2"),
    ("instrument_id", "<u4"),
    ("ts_event", "<i8"),
]
_RECEIVED: list[tuple] = [("ts_recv", "<i8"), ("ts_in_delta", "<i4"), ("sequence", "<u4")]
LEVEL = np.dtype(
    [
        ("bid_px", "<i8"),
        ("ask_px", "<i8"),
        ("bid_sz", "<u4"),
        ("ask_sz", "<u4"),
        ("bid_ct", "<u4"),
        ("ask_ct", "<u4"),
    ]
)
_TRADE: list[tuple] = [
    *_HEADER,
    ("price", "<i8"),
    ("size", "<u4"),
    ("action", "u1"),
    ("side", "u1"),
    ("flags", "u1"),
    ("depth", "u1"),
    *_RECEIVED,
]
MBO_RECORD = np.dtype(
    [
        *_HEADER,
        ("order_id", "<i8"),
        ("price", "<i8"),
        ("size", "<u4"),
        ("flags", "u1"),
        ("channel_id", "u1"),
        ("action", "u1"),
        ("side", "u1"),
        *_RECEIVED,
    ]
)
_DEFINITION_PRICES = (
    "high_limit_price",
    "low_limit_price",
    "max_price_variation",
    "trading_reference_price",
    "unit_of_measure_qty",
    "min_price_increment_amount",
    "price_ratio",
)
DEFINITION_V1 = np.dtype(
    [
        *_HEADER,
        ("ts_recv", "<i8"),
        ("min_price_increment", "<i8"),
        ("display_factor", "<i8"),
        ("expiration", "<i8"),
        ("activation", "<i8"),
        *((name, "<i8") for name in _DEFINITION_PRICES),
        ("inst_attrib_value", "<i4"),
        ("underlying_id", "<u4"),
        ("raw_instrument_id", "<u4"),
        ("market_depth_implied", "<i4"),
        ("market_depth", "<i4"),
        ("market_segment_id", "<u4"),
        ("max_trade_vol", "<u4"),
        ("min_lot_size", "<i4"),
        ("min_lot_size_block", "<i4"),
        ("min_lot_size_round_lot", "<i4"),
        ("min_trade_vol", "<u4"),
        ("reserved_2", "V4"),
        ("contract_multiplier", "<i4"),
        ("decay_quantity", "<i4"),
        ("original_contract_size", "<i4"),
        ("reserved_3", "V4"),
        ("trading_reference_date", "<u2"),
        ("appl_id", "<i2"),
        ("maturity_year", "<u2"),
        ("decay_start_date", "<u2"),
        ("channel_id", "<u2"),
        ("currency", "S4"),
        ("settl_currency", "S4"),
        ("secsubtype", "S6"),
        ("raw_symbol", "S22"),
        ("group", "S21"),
        ("exchange", "S5"),
        ("asset", "S7"),
        ("cfi", "S7"),
        ("security_type", "S7"),
        ("unit_of_measure", "S31"),
        ("underlying", "S21"),
        ("strike_price_currency", "S4"),
        ("instrument_class", "S1"),
        ("reserved_4", "V2"),
        ("strike_price", "<i8"),
        ("reserved_5", "V6"),
        ("match_algorithm", "S1"),
        ("md_security_trading_status", "u1"),
        ("main_fraction", "u1"),
        ("price_display_format", "u1"),
        ("settl_price_type", "u1"),
        ("sub_fraction", "u1"),
        ("underlying_product", "u1"),
        ("security_update_action", "S1"),
        ("maturity_month", "u1"),
        ("maturity_day", "u1"),
        ("maturity_week", "u1"),
        ("user_defined_instrument", "S1"),
        ("contract_multiplier_unit", "i1"),
        ("flow_schedule_type", "i1"),
        ("tick_rule", "u1"),
        ("reserved_6", "V3"),
    ]
)


def _definition(size: int, symbol_at: int, places: dict[str, tuple[str, int]]) -> np.dtype:
    """What we need of a later definition record: the header's fields, then those at `places`."""
    names = {"raw_symbol": ("S71", symbol_at), **places}
    names |= {"min_price_increment": ("<i8", 24), "expiration": ("<i8", 40)}
    at = 0
    for name, form in _HEADER:
        names[name] = (form, at)
        at += np.dtype(form).itemsize
    columns = {
        "names": list(names),
        "formats": [form for form, _ in names.values()],
        "offsets": [offset for _, offset in names.values()],
        "itemsize": size,
    }
    return np.dtype(columns)  # type: ignore[call-overload]


DEFINITIONS = {
    1: DEFINITION_V1,
    2: _definition(
        400,
        200,
        {
            "unit_of_measure_qty": ("<i8", 88),
            "contract_multiplier": ("<i4", 164),
            "currency": ("S4", 186),
            "exchange": ("S5", 292),
        },
    ),
    3: _definition(
        520,
        238,
        {
            "unit_of_measure_qty": ("<i8", 80),
            "contract_multiplier": ("<i4", 176),
            "currency": ("S4", 224),
            "exchange": ("S5", 330),
        },
    ),
}
RECORDS: dict[str, np.dtype] = {
    MBO: MBO_RECORD,
    TRADES: np.dtype(_TRADE),
    MBP_1: np.dtype([*_TRADE, ("levels", LEVEL, (1,))]),
    MBP_10: np.dtype([*_TRADE, ("levels", LEVEL, (10,))]),
}


def head(dtype: np.dtype) -> np.dtype:
    """Length, type, publisher and instrument of a record as one number, to compare at once."""
    fields = {"names": ["head"], "formats": ["<u8"], "offsets": [0], "itemsize": dtype.itemsize}
    return np.dtype(fields)  # type: ignore[call-overload]


@dataclass(frozen=True)
class DbnFile:
    """One file: what its header says and its records, not copied."""

    path: Path
    version: int
    dataset: str
    schema: str
    start_ns: int
    symbols: dict[int, str]  # instrument id -> raw symbol
    records: np.ndarray


def read(path: Path) -> DbnFile:
    """A DBN file, compressed or not; plain ones are mapped, not read.

    Raises: DataError naming file and what is wrong: not DBN, a version or schema we do not read, a
    header or record that is cut short or has another size than its schema.
    """
    data = _content(path)
    if len(data) < 8 or data[:3] != MAGIC:
        raise DataError(f"{path}: not a DBN file: it does not begin with 'DBN'")
    version, length = data[3], struct.unpack_from("<I", data, 4)[0]
    if version not in VERSIONS:
        raise DataError(f"{path}: DBN version {version} is not supported (1, 2 and 3 are)")
    if len(data) < 8 + length:
        raise DataError(f"{path}: the header is cut short: {len(data) - 8} of {length} bytes")
    try:
        header = _Header(bytes(data[8 : 8 + length]), version)
    except (struct.error, IndexError, ValueError, OverflowError) as error:
        raise DataError(f"{path}: the header is damaged ({error})") from None
    if header.ts_out:
        raise DataError(f"{path}: send times are appended to the records; such files are not read")
    schema = _schema(path, header.schema, data, 8 + length)
    records = _records(path, data, 8 + length, schema, version)
    return DbnFile(path, version, header.dataset, schema, header.start_ns, header.symbols, records)


def _content(path: Path) -> Buffer:
    try:
        with path.open("rb") as file:
            head = file.read(4)
            if head[:3] == MAGIC:
                return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            if head != ZSTD_MAGIC:
                return read_bytes(path)
            return unpack(head + file.read())
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    except (EOFError, ValueError) as error:
        raise DataError(f"{path}: the compressed file is cut short or corrupt ({error})") from None


def _schema(path: Path, code: int, data: Buffer, start: int) -> str:
    if code in SCHEMAS:
        return SCHEMAS[code]
    if code != MIXED_SCHEMA:
        raise DataError(
            f"{path}: DBN schema {code} is not supported; get {', '.join(SCHEMAS.values())}"
        )
    rtype = data[start + 1] if len(data) > start + 1 else None
    for name, known in RTYPES.items():
        if known == rtype:
            return name
    raise DataError(
        f"{path}: its header names no schema and the first record is of an unknown type"
    )


def _records(path: Path, data: Buffer, start: int, schema: str, version: int) -> np.ndarray:
    dtype = DEFINITIONS[version] if schema == DEFINITION else RECORDS[schema]
    size = len(data) - start
    if size == 0:
        raise DataError(f"{path}: no records")
    if size == 1:
        raise DataError(f"{path}, record 1: cut short after 1 of {dtype.itemsize} bytes")
    first = data[start] * 4
    if first != dtype.itemsize or data[start + 1] != RTYPES[schema]:
        raise DataError(
            f"{path}, record 1: {first} bytes of type {data[start + 1]:#04x} where schema {schema} "
            f"has {dtype.itemsize} of type {RTYPES[schema]:#04x}"
        )
    if size % dtype.itemsize:
        raise DataError(
            f"{path}, record {size // dtype.itemsize + 1}: cut short after "
            f"{size % dtype.itemsize} of {dtype.itemsize} bytes"
        )
    return np.frombuffer(data, dtype, offset=start)


class _Header:
    """The metadata block behind magic, version and length."""

    def __init__(self, data: bytes, version: int) -> None:
        self.dataset = _text(data[:16])
        self.schema, self.start_ns = struct.unpack_from("<HQ", data, 16)
        # Version 1 has a record count here, later versions the length of a symbol further on.
        codes = 50 if version == 1 else 42
        self.ts_out = bool(data[codes + 2])
        self._symbol_bytes = SYMBOL_BYTES_V1
        if version > 1:
            (self._symbol_bytes,) = struct.unpack_from("<H", data, codes + 3)
        self._data, self._at = data, 100
        self._at += 4 + self._count()  # an embedded schema definition, unused so far
        for _ in ("symbols", "partial", "not_found"):
            names = self._count_next()
            self._at += self._symbol_bytes * names
        self.symbols = dict(pair for _ in range(self._count_next()) for pair in self._mapping())

    def _count(self) -> int:
        (count,) = struct.unpack_from("<I", self._data, self._at)
        if count > len(self._data):
            raise ValueError(f"a count of {count}")
        return int(count)

    def _count_next(self) -> int:
        count = self._count()
        self._at += 4
        return count

    def _symbol(self) -> str:
        raw = self._data[self._at : self._at + self._symbol_bytes]
        if len(raw) < self._symbol_bytes:
            raise ValueError("a symbol is cut short")
        self._at += self._symbol_bytes
        return _text(raw)

    def _mapping(self) -> list[tuple[int, str]]:
        """(instrument id, raw symbol) of one requested symbol, whichever way it was asked for."""
        name, pairs = self._symbol(), []
        for _ in range(self._count_next()):
            self._at += 8  # first and last date: a file of ours spans one mapping
            resolved = self._symbol()
            if resolved.isdigit():
                pairs.append((int(resolved), name))
            elif name.isdigit():
                pairs.append((int(name), resolved))
        return pairs


def _text(raw: bytes) -> str:
    return raw.split(b"\0", 1)[0].decode("utf-8")


def day_of(ts_ns: int) -> str:
    """The UTC date of a time as YYYYMMDD."""
    moment = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=ts_ns // 1000)
    return moment.strftime("%Y%m%d")
