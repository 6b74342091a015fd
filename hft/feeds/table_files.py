"""A user's CSV, Parquet or Arrow file as a frame, or one sentence about what is wrong with it."""

import io
from pathlib import Path

import polars as pl

from hft.core.errors import DataError
from hft.feeds.files import peek, read_bytes
from hft.tape.reader import SUFFIX

SEPARATORS = ",;\t|"


def separator(header: str) -> str:
    """What parts the names of a header line; a comma where nothing does."""
    return max(SEPARATORS, key=header.count)


def read_frame(path: Path) -> tuple[pl.DataFrame, int]:
    """The frame of a file and the 1-based file row of its first item."""
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    magic = peek(path, 6)
    if magic[:4] == b"PAR1" or magic == b"ARROW1":
        return _read_columns(path, magic == b"ARROW1"), 1
    data = read_bytes(path)
    mark = separator(data[: data.find(b"\n") + 1].decode("utf-8", "replace"))
    try:
        return pl.read_csv(io.BytesIO(data), infer_schema_length=10_000, separator=mark), 2
    except pl.exceptions.NoDataError:
        raise DataError(f"{path}: the file has no rows") from None
    except pl.exceptions.PolarsError:
        return _read_as_text(path, data, mark), 2


def _read_columns(path: Path, arrow: bool) -> pl.DataFrame:
    """A Parquet file, or an Arrow (feather) one, whose pandas index is a column."""
    if path.name.endswith(SUFFIX):
        raise DataError(f"{path}: is a tape already; open it with hft.tapes or replay it")
    try:
        frame = pl.read_ipc(path) if arrow else pl.read_parquet(path)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        reason = (str(error).splitlines() or ["damaged"])[0]
        kind = "Arrow" if arrow else "Parquet"
        raise DataError(f"{path}: the {kind} file cannot be read: {reason}") from None
    return frame.rename({"__index_level_0__": "ts"}, strict=False)


def _read_as_text(path: Path, data: bytes, mark: str) -> pl.DataFrame:
    """Every column as text, so that the first cell that is no number can be named."""
    try:
        return pl.read_csv(io.BytesIO(data), infer_schema=False, separator=mark)
    except pl.exceptions.PolarsError as error:
        lines = data.split(b"\n")
        width = lines[0].count(mark.encode())
        rows = (
            i + 1 for i, line in enumerate(lines) if line and line.count(mark.encode()) != width
        )
        raise DataError(
            f"{path}, row {next(rows, 1)}: the CSV cannot be read: {str(error).splitlines()[0]}"
        ) from None
