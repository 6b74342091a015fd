"""Binance websocket recordings (`<receive time> <JSON>` a line) to tapes.

Decides which files belong together and what an instrument is when nobody says: files of one symbol
are read in the order of their first receive time, and the book carries over from one to the next.
Rows keep receive order and recorded clocks. Book tickers are not put on the tape, because they say
nothing the depth does not: `read_tickers` returns them, as an oracle for the book.
Messages of other streams are not inspected.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from io import FileIO
from pathlib import Path
from typing import Any

import numpy as np
from isal import isal_zlib

from hft.core.errors import DataError
from hft.core.instruments import Instrument
from hft.feeds import files
from hft.feeds.base import DecodeOptions
from hft.feeds.binance_parse import scan_lines
from hft.feeds.binance_sequence import SEQUENCE, write_rows
from hft.feeds.binance_text import EXPECTED, FULL, LEVEL_ROW, MESSAGE, SNAPSHOT, STATE, TICKER
from hft.feeds.digits import step_units
from hft.feeds.findings import Findings
from hft.tape.schema import Columns, Feed

NAMES = ("binance-usdm", "binance-coinm", "binance-spot")
DESCRIPTION = "Binance websocket recordings: depth, trade and bookTicker streams with a snapshot"

CHUNK_BYTES = 1 << 20  # stays in the cache between reading it and reading its numbers
TORN: tuple[type[Exception], ...] = (EOFError, OSError, files.INFLATE_ERROR)
HEAD_BYTES = 1 << 18
LINE_BYTES_MAX = 64 << 20
GUESS_DECIMALS = 8
SYMBOL = re.compile(rb'"s(?:ymbol)?"\s*:\s*"([A-Z0-9_]{1,32})"')
STREAM = re.compile(rb'"stream"\s*:\s*"([a-z0-9_]{1,32})@')
LINE = re.compile(rb"\d{13,19} \s*\{")
STAMP_NS = {13: 1_000_000, 16: 1_000, 19: 1}


def sniff(head: bytes, path: Path) -> str | None:
    """Tell the three apart: spot updates carry no T, coin-margined ones a pair ("ps")."""
    if not LINE.match(head):
        return None
    if b'"ps"' in head or b'"pair"' in head:
        return "binance-coinm"
    for line in head.split(b"\n")[:-1]:
        if b'"depthUpdate"' in line:
            return "binance-usdm" if b'"pu"' in line else "binance-spot"
    return "binance-usdm" if b'"X"' in head or b'"T"' in head else "binance-spot"


def decode(paths: Sequence[Path], options: DecodeOptions) -> list[Feed]:
    """One feed for each symbol among the files, ordered by symbol.

    Raises: DataError naming file and line.
    """
    return [_decode_symbol(group, options) for group in _by_symbol(paths)]


def read_tickers(paths: Sequence[Path], instrument: Instrument) -> dict[str, np.ndarray]:
    """The book tickers of one instrument's files, in receive order, as arrays.

    Keys: file (index into `paths`), line, update_id, bid, bid_qty, ask, ask_qty (ticks and lots),
    event_ns, match_ns (-1 where absent) and local_ns.
    """
    reading = _Reading(_grid(instrument), wants_tickers=True)
    for path in paths:
        reading.read(path)
    messages = reading.messages[: reading.count]
    chosen = messages["type"] == TICKER
    tickers = messages[chosen]
    return {
        "file": reading.file_of(np.flatnonzero(chosen)),
        "line": tickers["line"],
        "update_id": tickers["last_id"],
        "bid": tickers["price"],
        "bid_qty": tickers["qty"],
        "ask": tickers["ask_price"],
        "ask_qty": tickers["ask_qty"],
        "event_ns": tickers["event_ns"],
        "match_ns": tickers["match_ns"],
        "local_ns": tickers["local_ns"],
    }


@dataclass(frozen=True)
class _Head:
    path: Path
    symbol: str
    first_ns: int


def _by_symbol(paths: Sequence[Path]) -> list[list[_Head]]:
    groups: dict[str, list[_Head]] = {}
    for path in paths:
        head = _head(path)
        groups.setdefault(head.symbol, []).append(head)
    return [
        sorted(groups[symbol], key=lambda head: (head.first_ns, str(head.path)))
        for symbol in sorted(groups)
    ]


def _head(path: Path) -> _Head:
    """Symbol and first receive time of a file, from its first decompressed bytes."""
    text = _first_bytes(path)
    stamp = re.match(rb"\d+", text)
    digits = stamp.group() if stamp else b""
    if len(digits) not in STAMP_NS:
        raise DataError(f"{path}: line 1: expected {EXPECTED[2]}")
    found = SYMBOL.search(text) or STREAM.search(text)
    if found is None:
        raise DataError(f"{path}: line 1: no symbol: expected a Binance depth or trade message")
    first_ns = int(digits) * STAMP_NS[len(digits)]
    return _Head(path, found.group(1).decode().upper(), first_ns)


def _first_bytes(path: Path) -> bytes:
    """What the first packed bytes hold; a file cut short is reported where it is read."""
    try:
        with path.open("rb") as file:
            packed = file.read(HEAD_BYTES)
    except OSError:
        packed = b""
    if not packed.startswith(files.GZIP):
        return files.peek(path, HEAD_BYTES)
    try:
        return bytes(isal_zlib.decompressobj(31).decompress(packed, HEAD_BYTES))
    except files.INFLATE_ERROR as error:
        raise DataError(
            f"{path}: the compressed file is corrupt ({error}): fetch it again"
        ) from None


def _instrument(symbol: str, options: DecodeOptions) -> Instrument | None:
    """The instrument the user named or the table knows; None when nobody knows it."""
    for key in (options.symbol, f"{options.format}:{symbol}", symbol):
        known = options.instruments.get(key) if key else None
        if key and known is not None and known.venue in ("", options.format):
            return replace(options.instrument(key), venue=options.format)
    if options.tick is None or options.lot is None:
        return None
    name = options.symbol or symbol
    return Instrument(name, options.tick, options.lot, **_contract(options.format, symbol))


def _contract(name: str, symbol: str) -> dict[str, Any]:
    """What a Binance contract settles in, by its market and symbol."""
    venue: dict[str, Any] = {"venue": name, "calendar": "24/7"}
    if name == "binance-coinm":
        usd = Decimal(100 if symbol.startswith("BTCUSD") else 10)
        return venue | {"kind": "inverse", "multiplier": usd, "currency": symbol.split("USD")[0]}
    for currency in ("USDT", "USDC", "FDUSD", "BUSD", "BTC", "ETH", "BNB", "EUR"):
        if symbol.endswith(currency) and symbol != currency:
            return venue | {"currency": currency}
    return venue


def _grid(instrument: Instrument) -> tuple[int, int, int, int]:
    return (*step_units(instrument.tick), *step_units(instrument.lot))


class _Reading:
    """Messages and levels of files read one after another; arrays grow as needed."""

    def __init__(self, grid: tuple[int, int, int, int], wants_tickers: bool = False) -> None:
        self.messages = np.empty(1 << 15, MESSAGE)
        self.levels = np.empty(1 << 18, LEVEL_ROW)
        self._store = np.zeros(1, STATE)
        self.state: Any = self._store[0]
        for field, value in zip(
            ("price_decimals", "price_units", "qty_decimals", "qty_units"), grid, strict=True
        ):
            self.state[field] = value
        self.state["wants_tickers"] = int(wants_tickers)
        self.starts: list[int] = []
        self.paths: list[Path] = []
        self.lines: list[int] = []

    @property
    def count(self) -> int:
        """Messages read so far."""
        return int(self.state["messages"])

    def file_of(self, message_idx: np.ndarray) -> np.ndarray:
        """Index of the file each message came from."""
        return np.searchsorted(np.array(self.starts), message_idx, side="right") - 1

    def read(self, path: Path, options: DecodeOptions | None = None) -> None:
        """Scan one file behind what is already there. Raises: DataError naming file and line."""
        self.starts.append(self.count)
        self.paths.append(path)
        self.state["line"] = 0
        pieces = _pieces(path)
        try:
            for text, done, total in pieces:
                self._scan(text, path)
                if options is not None:
                    options.report(done, total, int(self.state["levels"]))
        except TORN as error:
            line = int(self.state["line"])
            raise DataError(
                f"{path}: the compressed file is cut short or corrupt after line {line} ({error}): "
                "fetch it again"
            ) from None
        self.lines.append(int(self.state["line"]))

    def _scan(self, text: np.ndarray, path: Path) -> None:
        at = 0
        while at < len(text):
            at = scan_lines(text, at, self.messages, self.levels, self.state)
            error = int(self.state["error"])
            if error == FULL:
                self._grow()
            elif error:
                place = int(self.state["error_at"]) - at + 1
                raise DataError(
                    f"{path}: line {int(self.state['line'])}, character {place}: "
                    f"expected {EXPECTED[error]}"
                )

    def _grow(self) -> None:
        if self.count == len(self.messages):
            self.messages = np.concatenate((self.messages, np.empty_like(self.messages)))
        else:
            self.levels = np.concatenate((self.levels, np.empty_like(self.levels)))


def _pieces(path: Path) -> Iterator[tuple[np.ndarray, int, int]]:
    """Whole lines of a file, about a megabyte at a time, with the packed bytes done and in all.

    A piece is only good until the next one: its memory may be used again.
    Raises: EOFError when a gzip stream ends early, after its last whole line was handed out.
    """
    total = path.stat().st_size
    rest = b""
    for text, size, done in _unpacked(path):
        start, cut = text.find(b"\n", 0, size) + 1, text.rfind(b"\n", 0, size) + 1
        if cut == 0:
            rest += text[:size]
            if len(rest) > LINE_BYTES_MAX:
                raise DataError(f"{path}: a line is longer than {LINE_BYTES_MAX} bytes")
            continue
        if rest:
            yield np.frombuffer(rest + text[:start], np.uint8), done, total
        whole = np.frombuffer(text, np.uint8)[start if rest else 0 : cut]
        if len(whole):
            yield whole, done, total
        rest = bytes(text[cut:size])
    if rest.strip():
        yield np.frombuffer(rest + b"\n", np.uint8), total, total


def _unpacked(path: Path) -> Iterator[tuple[bytes | bytearray, int, int]]:
    """Decompressed text: a buffer, how much of it counts, and the packed bytes done."""
    with path.open("rb", buffering=0) as file:
        head = file.read(len(files.ZIP) + 2)
        file.seek(0)
        if head.startswith(files.GZIP):
            yield from _inflated(file)
        elif head.startswith((files.XZ, files.ZSTD, files.ZIP)):
            text = files.read_bytes(path)
            yield text, len(text), file.seek(0, 2)
        else:
            buffer = bytearray(CHUNK_BYTES)
            while size := file.readinto(buffer):
                yield buffer, size, file.tell()


def _inflated(file: FileIO) -> Iterator[tuple[bytes, int, int]]:
    """The members of a gzip file; whatever follows the last one is left alone."""
    left = file.read(CHUNK_BYTES)
    while left.startswith(files.GZIP):
        inflater = isal_zlib.decompressobj(31)
        while not inflater.eof:
            left = left or file.read(CHUNK_BYTES)
            more = bool(left)
            piece = inflater.decompress(left, CHUNK_BYTES)
            left = inflater.unconsumed_tail
            if not piece and not more and not inflater.eof:
                raise EOFError("the gzip stream has no end")
            yield piece, len(piece), file.tell() - len(left)
        left = inflater.unused_data
        if len(left) < len(files.GZIP):
            left += file.read(CHUNK_BYTES)


def _decode_symbol(heads: list[_Head], options: DecodeOptions) -> Feed:
    symbol = heads[0].symbol
    known = _instrument(symbol, options)
    if known is None:
        options.must_guess(options.symbol or symbol, str(heads[0].path))
    grid = _grid(known) if known is not None else (GUESS_DECIMALS, 1, GUESS_DECIMALS, 1)
    reading = _Reading(grid)
    for head in heads:
        reading.read(head.path, options)
    messages = reading.messages[: reading.count]
    levels = reading.levels[: int(reading.state["levels"])]
    findings = Findings()
    instrument = known
    if instrument is None:
        instrument = _guess(symbol, options, messages, levels, findings)
    columns, sequence = _rows(messages, levels)
    _note(reading, messages, sequence, findings)
    source = {
        "format": options.format or NAMES[0],
        "file": str(heads[0].path.name),
        "files": [head.path.name for head in heads],
        "lines": sum(reading.lines),
        "messages_skipped": int(reading.state["skipped"]),
        "updates_unused": int(sequence["unused"]),
        "snapshots_spare": int(sequence["spare_snapshots"]),
        "exchange_time": "T where the message has it, else E",
    }
    return Feed(instrument, columns, findings.sorted(), source)


def _rows(messages: np.ndarray, levels: np.ndarray) -> tuple[Columns, Any]:
    columns = Columns.empty(len(levels) + 2 * len(messages))
    sequence = np.zeros(1, SEQUENCE)[0]
    sequence["last_id"] = -1
    write_rows(columns, levels, messages, sequence)
    return Columns(*(column[: int(sequence["rows"])] for column in columns)), sequence


def _guess(
    symbol: str,
    options: DecodeOptions,
    messages: np.ndarray,
    levels: np.ndarray,
    findings: Findings,
) -> Instrument:
    """The coarsest grid that holds every number; the rows, read in 1e-8, are divided in place.

    A price or quantity at its unset value (-1) stays: only trades carry them.
    """
    steps: dict[str, Decimal] = {}
    for field, given in (("price", options.tick), ("qty", options.lot)):
        said = messages[field] >= 0
        numbers = np.concatenate((levels[field], messages[field][said]))
        step = int(np.gcd.reduce(numbers)) if len(numbers) else 1
        if given is not None:
            step = int(given.scaleb(GUESS_DECIMALS))
            off = numbers % max(step, 1) != 0
            findings.mask("off_grid", off, 1, f"{field} is not on the grid of {given}")
        step = max(step, 1)
        levels[field] = (levels[field] + step // 2) // step
        messages[field][said] = (messages[field][said] + step // 2) // step
        steps[field] = Decimal(step).scaleb(-GUESS_DECIMALS).normalize()
    if options.tick is None:
        findings.add("guessed_tick", 1, 1, f"tick {steps['price']:f}")
    if options.lot is None:
        findings.add("guessed_lot", 1, 1, f"lot {steps['qty']:f}")
    return Instrument(
        options.symbol or symbol,
        steps["price"],
        steps["qty"],
        **_contract(options.format, symbol),
    )


def _note(reading: _Reading, messages: np.ndarray, sequence: Any, findings: Findings) -> None:
    """Findings of the scan and of the sequence; rows are lines of the file the note names."""
    state = reading.state
    findings.add(
        "off_grid", int(state["off_grid"]), int(state["off_grid_line"]), "price or traded quantity"
    )
    findings.add(
        "off_lot", int(state["off_lot"]), int(state["off_lot_line"]), "quantity of a resting level"
    )
    for name, slot, note in (
        ("gap", "gap", "an update does not follow the one before; book invalid until a snapshot"),
        ("duplicate", "duplicate", "an update that was there already"),
        ("late_snapshot", "replayed", "updates received before the snapshot, applied after it"),
        ("skipped", "off_market", "prints outside the market (X is not MARKET)"),
    ):
        count_field = {"gap": "gaps", "duplicate": "duplicates"}.get(slot, slot)
        at = int(sequence[f"{slot}_message"])
        if int(sequence[count_field]):
            file = reading.paths[int(reading.file_of(np.array([at]))[0])].name
            line = int(messages["line"][at])
            findings.add(name, int(sequence[count_field]), line, f"{note} (line {line} of {file})")
    if len(messages) and not (messages["type"] == SNAPSHOT).any():
        findings.add("missing_snapshot", 1, 1, "levels are unknown until an update touches them")
