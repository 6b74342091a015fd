"""The text of a CSV as people's tools leave it, made ready to be read; what is uneven is refused.

Decides what stands above the names, what parts the cells, and which names a file without any has
(the daily files of Binance). A row with fewer or more cells than the first line is refused with
its number: it is cut off, or every cell behind the missing one would be read as another.
"""

import io
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from hft.core.errors import DataError

SEPARATORS = ",;\t|"
WIDE = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}  # by byte order mark
MARK_8 = b"\xef\xbb\xbf"
QUOTED = re.compile(rb'"[^"]*"')
NUMBER, MOMENT, TRUTH = r"\d+(?:\.\d+)?", r"(?:\d{13}|\d{16})", r"(?:true|false)"
KLINES = (
    *("open_time", "open", "high", "low", "close", "volume", "close_time", "quote_volume"),
    *("count", "taker_buy_volume", "taker_buy_quote_volume", "ignore"),
)
AGGREGATES = ("agg_trade_id", "price", "qty", "first_trade_id", "last_trade_id", "transact_time")
TRADES = ("trade_id", "price", "qty", "quote_qty", "time")
MAKER = ("is_buyer_maker", "is_best_match")
TICKER = (
    *("update_id", "best_bid_price", "best_bid_qty", "best_ask_price", "best_ask_qty"),
    *("transaction_time", "event_time"),
)
# What a first line without names looks like in files that come without them.
NAMELESS: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = tuple(
    (re.compile(",".join(cells), re.IGNORECASE), names)
    for cells, names in (
        ((r"\d+", *[NUMBER] * 2, *[r"\d+"] * 2, MOMENT, TRUTH), (*AGGREGATES, MAKER[0])),
        ((r"\d+", *[NUMBER] * 2, *[r"\d+"] * 2, MOMENT, *[TRUTH] * 2), (*AGGREGATES, *MAKER)),
        ((r"\d+", *[NUMBER] * 3, MOMENT, TRUTH), (*TRADES, MAKER[0])),
        ((r"\d+", *[NUMBER] * 3, MOMENT, *[TRUTH] * 2), (*TRADES, *MAKER)),
        ((r"\d+", *[NUMBER] * 4, *[MOMENT] * 2), TICKER),
        ((MOMENT, *[NUMBER] * 5, MOMENT, NUMBER, r"\d+", *[NUMBER] * 3), KLINES),
    )
)
DECIMAL = r"^\s*[+-]?\d+(,\d+)?\s*$"  # of a decimal comma
GROUPED = r"^\s*[+-]?[1-9]\d{0,2}(,\d{3})+\s*$"  # which may as well part thousands


class Top(NamedTuple):
    """Where a text's first row of names or cells is, and what it says."""

    at: int  # its first byte
    lines: int  # above it
    mark: str  # what parts its cells
    names: tuple[str, ...]
    nameless: bool  # the names are ours: the line is a row of cells


def plain(data: bytes) -> bytes:
    """UTF-8 without a mark in front, lines ended by a line feed; the beginning of a text will do.

    Raises: ValueError for UTF-16 that is none.
    """
    if data[:2] in WIDE:
        data = data[: len(data) // 2 * 2].decode(WIDE[data[:2]]).encode()
    data = data.removeprefix(MARK_8)
    if b"\n" not in data:
        data = data.replace(b"\r", b"\n")
    return data


def separator(header: str) -> str:
    """What parts the names of a header line; a comma where nothing does."""
    return max(SEPARATORS, key=header.count)


def top_of(text: bytes) -> Top:
    """Past empty lines, comments (#) and Excel's `sep=;`: names, or the cells of a known file."""
    at = lines = 0
    mark = ""
    while True:
        end = text.find(b"\n", at)
        line = text[at : end if end >= 0 else len(text)].decode("utf-8", "replace").strip("\r")
        told = re.fullmatch(r"sep=(.)", line.strip(), re.IGNORECASE)
        above = not line.strip() or line.startswith("#") or told
        if not above or end < 0:
            break
        mark = told[1] if told else mark
        at, lines = end + 1, lines + 1
    mark = mark or separator(line)
    for shape, names in NAMELESS:
        if mark == "," and shape.fullmatch(line.strip()):
            return Top(at, lines, mark, names, True)
    return Top(at, lines, mark, tuple(_cells(line, mark)), False)


def _cells(line: str, mark: str) -> list[str]:
    """The cells of a line; a separator within quotes is part of one."""
    found = re.findall(rf'(?:^|{re.escape(mark)})("[^"]*"|[^{re.escape(mark)}]*)', line)
    return [cell.strip().strip('"') for cell in found]


def read_text(data: bytes, path: Path) -> tuple[pl.DataFrame, np.ndarray]:
    """The frame of a CSV and the 1-based file row of each item; empty lines are none.

    Raises: DataError naming file, row and what to do.
    """
    try:
        text = plain(data)
    except ValueError:
        raise DataError(f"{path}: is no whole UTF-16 text; save it as UTF-8") from None
    top = top_of(text)
    _refuse_doubles(top, path)
    text = text[top.at :] if top.at else text
    _refuse_uneven(text, top, path)
    frame = _parsed(text, top, path)
    rows = np.arange(frame.height) + top.lines + (1 if top.nameless else 2)
    if frame.width and all(series.null_count() for series in frame):  # empty lines, or commas alone
        said = ~frame.select(pl.all_horizontal(pl.all().is_null())).to_series()
        frame, rows = frame.filter(said), rows[said.to_numpy()]
    return (_with_points(frame) if top.mark != "," else frame), rows


def _refuse_doubles(top: Top, path: Path) -> None:
    places: dict[str, list[int]] = {}
    for place, name in enumerate(top.names, start=1):
        places.setdefault(name, []).append(place)
    for name, found in places.items():
        if name and len(found) > 1 and not _is_number(name):
            where = " and ".join(map(str, found))
            raise DataError(
                f"{path}, row {top.lines + 1}: column {name!r} stands {_times(len(found))} "
                f"(columns {where}); rename or remove all but one"
            )


def _times(count: int) -> str:
    return "twice" if count == 2 else f"{count} times"


def _is_number(text: str) -> bool:
    return re.fullmatch(rf"[+-]?{NUMBER}|{TRUTH}", text, re.IGNORECASE) is not None


def _refuse_uneven(text: bytes, top: Top, path: Path) -> None:
    """Raises: DataError at the first row with more or fewer cells than the first line."""
    mark, width = top.mark.encode(), len(top.names)
    cells = QUOTED.sub(b"", text) if b'"' in text else text
    lines = cells.count(b"\n") + (not cells.endswith(b"\n"))
    if width < 2 or cells.count(mark) == (width - 1) * lines:
        return
    rows = cells.rstrip().split(b"\n")
    for row, line in enumerate(rows):
        count = line.count(mark) + 1
        if count == width or not line.strip():
            continue
        last = ": it is the last one, the file may be cut off" if row == len(rows) - 1 else ""
        raise DataError(
            f"{path}, row {row + top.lines + 1}: the row has {count} "
            f"{'cell' if count == 1 else 'cells'}, the first line {width}{last}; correct or remove "
            "the row"
        )


def _parsed(text: bytes, top: Top, path: Path) -> pl.DataFrame:
    how = {"separator": top.mark, "has_header": not top.nameless}
    if top.nameless:
        how["new_columns"] = list(top.names)
    for looked_at in (10_000, None):  # a column of whole numbers may have others far below
        try:
            return pl.read_csv(io.BytesIO(text), infer_schema_length=looked_at, **how)  # type: ignore[arg-type]
        except pl.exceptions.NoDataError:
            raise DataError(f"{path}: the file has no rows") from None
        except pl.exceptions.PolarsError:
            continue
    try:  # every column as text, so that the first cell that is no number can be named
        return pl.read_csv(io.BytesIO(text), infer_schema=False, **how)  # type: ignore[arg-type]
    except pl.exceptions.PolarsError as error:
        row, why = 1, str(error).splitlines()[0]
        if b'"' in text:
            odd = (n for n, line in enumerate(text.split(b"\n"), 1) if line.count(b'"') % 2)
            row, why = next(odd, 1), 'a quotation mark (") in the row has no other half; remove it'
        try:
            text.decode()
        except UnicodeDecodeError as broken:
            row, why = (
                text.count(b"\n", 0, broken.start) + 1,
                "it is no UTF-8 text; save it as such",
            )
        raise DataError(f"{path}, row {row + top.lines}: the CSV cannot be read: {why}") from None


def _with_points(frame: pl.DataFrame) -> pl.DataFrame:
    """Numbers with a decimal comma as numbers; text where all commas may part thousands."""
    written: list[str] = []
    sure = False
    for series in frame:
        if series.dtype != pl.String:
            continue
        texts = series.drop_nulls()
        commas = texts.filter(texts.str.contains(",", literal=True))
        if len(commas) and texts.str.contains(DECIMAL).all():
            written.append(series.name)
            sure = sure or not commas.str.contains(GROUPED).all()
    if not sure:
        return frame
    points = pl.col(written).str.strip_chars().str.replace(",", ".", literal=True)
    return frame.with_columns(points.cast(pl.Float64))
