"""Files to tables: parquet, Arrow, CSV (packed or not), npy, npz, LEAN hour bars, own frames.

Each file becomes one table as it stands; what its columns mean is decided by `clocks` and
`aliases`. Listings are sorted, so that the order in which a shell expands a glob changes nothing.
"""

import glob
import io
import re
import zipfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from hft.core.errors import DataError
from hft.feeds.files import read_bytes

TABLES = (".parquet", ".pq", ".feather", ".arrow", ".ipc", ".npy", ".npz", ".csv", ".tsv")
PACKED = (".gz", ".xz", ".zst", ".zip")
TAPE = ".tape.arrow"
_LEAN = re.compile(rb"^\d{8} \d\d:\d\d,\d+,\d+,\d+,\d+,\d+")
_DATES = re.compile(r"(?<!\d)(?:\d{8}|\d{6}|\d{4}[-_.]\d{2}(?:[-_.]\d{2})?)(?!\d)")
_STEP = re.compile(r"^\d+(?:ms|s|m|min|h|d)$", re.IGNORECASE)


def expand(paths: Any) -> list[Path]:
    """The files of paths, folders and globs, sorted, each once. Raises: DataError naming one."""
    given = [paths] if isinstance(paths, str | Path) else list(paths)
    found: dict[str, Path] = {}
    for one in given:
        for path in _matching(Path(one)):
            found.setdefault(str(path.resolve()), path)
    if not found:
        raise DataError("data: no file is named; give --data FILE, FOLDER or a quoted glob")
    return sorted(found.values(), key=str)


def _matching(path: Path) -> list[Path]:
    if path.is_dir():
        files = [file for file in sorted(path.rglob("*")) if is_table(file)]
        if not files:
            raise DataError(f"{path}: holds no table ({', '.join(TABLES)}) and no tape")
        return files
    if path.is_file():
        return [path]
    files = [Path(name) for name in sorted(glob.glob(str(path), recursive=True))]
    tables = [file for file in files if is_table(file)]
    tables += [file for folder in files if folder.is_dir() for file in _matching(folder)]
    if not tables:
        raise DataError(f"{path}: no such file or folder, and no file matches it")
    return tables


def is_table(path: Path) -> bool:
    """Is this a file that can be read as a table or a tape?"""
    if not path.is_file() or path.name.startswith("."):
        return False
    suffixes = path.suffixes[-2:]
    if suffixes and suffixes[-1] in PACKED:
        return suffixes[-1] == ".zip" or suffixes[0] in (".csv", ".tsv")
    return path.suffix.lower() in TABLES


def read(path: Path) -> pl.DataFrame:
    """One file as a table. Raises: DataError naming the file and the reason."""
    suffix = path.suffix.lower()
    try:
        if suffix in (".parquet", ".pq"):
            return pl.read_parquet(path)
        if suffix in (".feather", ".arrow", ".ipc"):
            return pl.read_ipc(path)
        if suffix in (".npy", ".npz"):
            return _arrays(path)
        return _text(_unpacked(path), path)
    except DataError:
        raise
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: cannot be read as {suffix[1:]}: {_first_line(error)}") from None
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{path}: cannot be read as {suffix[1:]}: {_first_line(error)}") from None


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:120]


def _arrays(path: Path) -> pl.DataFrame:
    """A structured array: `.npy`, or `.npz` with the key `data`."""
    loaded = np.load(io.BytesIO(path.read_bytes()), allow_pickle=False)
    if path.suffix.lower() == ".npz":
        with loaded:
            if "data" not in loaded:
                raise DataError(
                    f"{path}: has no array `data`; it has {', '.join(loaded) or 'none'}"
                )
            loaded = loaded["data"]
    if loaded.dtype.names is None:
        raise DataError(
            f"{path}: the array has no named columns; save a structured array with a time and a "
            "price field"
        )
    return pl.DataFrame({name: np.ascontiguousarray(loaded[name]) for name in loaded.dtype.names})


def _unpacked(path: Path) -> bytes:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
        if len(names) != 1:
            raise DataError(f"{path}: holds {len(names)} files; unpack the one that is meant")
    return read_bytes(path)


def _text(raw: bytes, path: Path) -> pl.DataFrame:
    if _LEAN.match(raw):
        return _lean_hours(raw)
    separator = "\t" if ".tsv" in path.suffixes else ","
    return pl.read_csv(
        raw, separator=separator, infer_schema_length=10_000, null_values=["", "NaN", "nan", "null"]
    )


def _lean_hours(raw: bytes) -> pl.DataFrame:
    """LEAN's hour bars: New York time of the bar's start, prices times 10 000."""
    names = ["start", "open", "high", "low", "close", "volume"]
    frame = pl.read_csv(
        raw, has_header=False, new_columns=names, schema_overrides={"column_1": pl.String}
    )
    begin = pl.col("start").str.to_datetime("%Y%m%d %H:%M", time_unit="ns")
    zoned = begin.dt.replace_time_zone("America/New_York", ambiguous="earliest")
    prices = [pl.col(name) / 10_000 for name in names[1:5]]
    end = zoned.dt.convert_time_zone("UTC") + pl.duration(hours=1)
    return frame.select(
        end.alias("ts"), pl.col("start").str.slice(0, 8).alias("session"), *prices, "volume"
    )


def from_frame(given: Any) -> pl.DataFrame:
    """A user's own frame as polars. Raises: DataError for anything that is none."""
    if isinstance(given, pl.LazyFrame):
        return given.collect()
    if isinstance(given, pl.DataFrame):
        return given
    if isinstance(given, np.ndarray) and given.dtype.names:
        return pl.DataFrame({name: np.ascontiguousarray(given[name]) for name in given.dtype.names})
    if type(given).__module__.split(".")[0] == "pandas":
        return pl.from_pandas(given if "ts" in given.columns else given.reset_index())
    raise DataError(f"data: {type(given).__name__} is no table; give files or a polars frame")


def is_frame(given: Any) -> bool:
    """Is this a table in memory rather than paths?"""
    if isinstance(given, pl.DataFrame | pl.LazyFrame):
        return True
    if isinstance(given, np.ndarray):
        return given.dtype.names is not None
    return type(given).__module__.split(".")[0] == "pandas"


def stem_of(path: Path) -> str:
    """A file's name without what tells its kind."""
    stem = path.name
    for suffix in (*PACKED, *TABLES):
        stem = stem.removesuffix(suffix)
    return stem


def symbol_of(path: Path) -> str:
    """What a file is about, from its name without dates, steps and part numbers; else its folder.

    `SPY/2006-12.parquet` is SPY, `ADA_BTC-5m.feather` ADA_BTC, `part-003.parquet` part.
    """
    parts = [part for part in re.split(r"[-_. ]", _DATES.sub("", stem_of(path))) if part]
    words = [part for part in parts if not _STEP.match(part)]
    if any(not part.isdigit() for part in words):
        words = [part for part in words if not part.isdigit()]
    return "_".join(words) or path.resolve().parent.name


def symbols(
    paths: Sequence[Path], beside: Callable[[Path, Path], bool] = lambda one, other: False
) -> dict[Path, str]:
    """The names of files; all one name where the files differ by nothing but dates and parts.

    Numbered files of one name of which the first two lie `beside` each other, at the same times,
    are no parts: each is a name of its own.
    """
    named = {path: symbol_of(path) for path in paths}
    alike: dict[str, list[Path]] = {}
    for path, name in named.items():
        alike.setdefault(name, []).append(path)
    for some in alike.values():
        numbered = {_DATES.sub("", stem_of(path)) for path in some}
        if len(numbered) > 1 and beside(some[0], some[1]):
            named |= {path: stem_of(path) for path in some}
    return named


def distinct(names: Iterable[str]) -> int:
    """How many different names there are."""
    return len(set(names))
