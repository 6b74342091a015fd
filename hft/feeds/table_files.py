"""A user's CSV, Parquet or Arrow file as a frame, or one sentence about what is wrong with it."""

from pathlib import Path

import numpy as np
import polars as pl

from hft.core.errors import DataError
from hft.feeds.csv_text import read_text
from hft.feeds.files import peek, read_bytes
from hft.tape.reader import SUFFIX

INDEX = "__index_level_0__"  # what pandas calls an index without a name in a file


def read_frame(path: Path) -> tuple[pl.DataFrame, np.ndarray]:
    """The frame of a file and the 1-based file row of each item."""
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    magic = peek(path, 6)
    if magic[:4] == b"PAR1" or magic == b"ARROW1":
        frame = _read_columns(path, magic == b"ARROW1")
        return frame, np.arange(frame.height) + 1
    return read_text(read_bytes(path), path)


def _read_columns(path: Path, arrow: bool) -> pl.DataFrame:
    """A Parquet file, or an Arrow (feather) one."""
    if path.name.endswith(SUFFIX):
        raise DataError(f"{path}: is a tape already; open it with hft.tapes or replay it")
    try:
        return pl.read_ipc(path) if arrow else pl.read_parquet(path)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        reason = (str(error).splitlines() or ["damaged"])[0]
        kind = "Arrow" if arrow else "Parquet"
        raise DataError(f"{path}: the {kind} file cannot be read: {reason}") from None
