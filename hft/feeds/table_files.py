"""A user's CSV or Parquet file as a frame, or one sentence about what is wrong with it."""

import io
from pathlib import Path

import polars as pl

from hft.core.errors import DataError
from hft.feeds.files import peek, read_bytes


def read_frame(path: Path) -> tuple[pl.DataFrame, int]:
    """The frame of a file and the 1-based file row of its first item."""
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    if peek(path, 4) == b"PAR1":
        try:
            return pl.read_parquet(path), 1
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
            reason = (str(error).splitlines() or ["damaged"])[0]
            raise DataError(f"{path}: the Parquet file cannot be read: {reason}") from None
    data = read_bytes(path)
    try:
        return pl.read_csv(io.BytesIO(data), infer_schema_length=10_000), 2
    except pl.exceptions.NoDataError:
        raise DataError(f"{path}: the file has no rows") from None
    except pl.exceptions.PolarsError:
        return _read_as_text(path, data), 2


def _read_as_text(path: Path, data: bytes) -> pl.DataFrame:
    """Every column as text, so that the first cell that is no number can be named."""
    try:
        return pl.read_csv(io.BytesIO(data), infer_schema=False)
    except pl.exceptions.PolarsError as error:
        lines = data.split(b"\n")
        width = lines[0].count(b",")
        rows = (i + 1 for i, line in enumerate(lines) if line and line.count(b",") != width)
        raise DataError(
            f"{path}, row {next(rows, 1)}: the CSV cannot be read: {str(error).splitlines()[0]}"
        ) from None
