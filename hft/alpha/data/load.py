"""Loading research data: files, folders, globs, tapes, feature folders or frames in memory.

It decides which rows there are and in which order, and gives the dataset its identity. A row
without a time refuses the file; a row without a price is dropped and counted, since nothing can be
marked at it; the same row twice is one row; infinities become NaN. All of it is counted.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from hft.alpha.data import aliases, clocks, sidecars, sources
from hft.alpha.data.research import WHOLE, ResearchData, content_sha256
from hft.alpha.data.splits import Splits, of_column
from hft.core.errors import DataError

MANIFEST = "manifest.json"
FEATURES = "features"


def load(
    paths: Any,
    *,
    fields: Sequence[str] = (),
    horizon_ns: int = 0,
    split: str | None = None,
    tapes: Any = None,
) -> ResearchData:
    """The rows of files or frames, checked for the fields, in a split (None: all of them).

    Raises: DataError for a file that cannot be read, ValidationError for a field or a price that
    is missing.
    """
    if isinstance(paths, ResearchData):
        data = paths
    elif sources.is_frame(paths):
        data = assemble({"the frame": sources.from_frame(paths)}, {}, "the frame")
    else:
        data = _from_files(paths)
    data = _with(_as_told(data), horizon_ns, tapes)
    data.require(fields)
    if split is not None:
        data = data.select(split)
    if not len(data):
        raise DataError(f"{data.source}: there are no rows{_where(split)}")
    return data


def _where(split: str | None) -> str:
    return "" if split in (None, WHOLE) else f" in the split {split}"


def _with(data: ResearchData, horizon_ns: int, tapes: Any) -> ResearchData:
    kind = "tapes" if tapes is not None else data.kind
    return replace(data, horizon_ns=int(horizon_ns), tapes=tapes or data.tapes, kind=kind)


def _from_files(paths: Any) -> ResearchData:
    found = sources.expand(paths)
    tapes = [path for path in found if path.name.endswith(sources.TAPE)]
    if tapes:
        others = [path for path in found if path not in tapes]
        if others:
            raise DataError(f"{others[0]}: is no tape, but {tapes[0].name} is; load them apart")
        return _from_tapes(tapes)
    named = sources.symbols(found)
    frames = {str(path): sources.read(path) for path in found}
    names = {str(path): named[path] for path in found}
    manifest = _manifest(found)
    several = sources.distinct(names.values()) > 1
    data = assemble(frames, names if several else {}, _source(paths, found))
    data = replace(data, metadata=sidecars.read(found))
    return _as_made(data, manifest) if manifest else data


def _as_told(data: ResearchData) -> ResearchData:
    """Splits that stand in a column `split`, as `hft.features` gives it, hold without a file."""
    if data.splits is not None or data.frame.schema.get("split") != pl.String:
        return data
    words = data.frame["split"].fill_null("").to_numpy()
    return replace(data, splits=of_column(data.ts_ns, data.session, words))


def _source(paths: Any, found: Sequence[Path]) -> str:
    """How messages name the data: as it was asked for."""
    given = [paths] if isinstance(paths, str | Path) else list(paths)
    if len(given) == 1:
        return str(given[0])
    return str(found[0]) if len(found) == 1 else f"{found[0]} and {len(found) - 1} more"


def _manifest(found: Sequence[Path]) -> tuple[Path, dict[str, Any]] | None:
    """The manifest of a folder that `hft data features` made, when all files are of it."""
    folders = sorted({path.parent for path in found})
    path = folders[0] / MANIFEST
    if len(folders) > 1:
        made = [folder for folder in folders if (folder / MANIFEST).is_file()]
        if made:
            raise DataError(
                f"{made[0]}: is a dataset with splits of its own; load one dataset at a time"
            )
        return None
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise DataError(f"{path}: cannot be read; make the features again") from None
    return (path, content) if content.get("kind") == FEATURES else None


def _as_made(data: ResearchData, manifest: tuple[Path, dict[str, Any]]) -> ResearchData:
    """The splits and the pinned hash of a feature folder. Raises: DataError when it was changed."""
    path, content = manifest
    if content.get("content_sha256") != data.content:
        raise DataError(
            f"{path.parent}: the rows are not those that {MANIFEST} pins; make the features again"
        )
    splits = content.get("splits")
    tapes, note = None, ""
    if content.get("tapes"):
        from hft.alpha.data.behind import tapes_behind

        tapes, note = tapes_behind(path.parent, content)
    return replace(
        data,
        splits=None if splits is None else Splits.from_dict(splits, str(path)),
        clock=content.get("clock"),
        tapes=tapes,
        made_of_tapes=bool(content.get("tapes")),
        notes=(*data.notes, *([note] if note else [])),
    )


def _from_tapes(paths: Sequence[Path]) -> ResearchData:
    from hft.alpha.data.of_tapes import from_tapes
    from hft.runs.ingest import open_tapes

    return from_tapes(open_tapes([str(path) for path in paths]))


def assemble(
    frames: Mapping[str, pl.DataFrame], symbols: Mapping[str, str], source: str
) -> ResearchData:
    """Tables by file name, and the symbols of a panel's files, as one dataset."""
    parts, notes, files = [], [], {}
    for name, frame in frames.items():
        if not frame.height:
            continue
        aliases.text_price(frame, name)
        found = clocks.clocked(frame, name)
        table = found.frame
        if found.day is not None:
            table = table.with_columns(found.day.cast(pl.String).alias("session"))
        if symbols:
            table = table.with_columns(pl.lit(symbols[name]).alias("symbol"))
        notes += [found.note] if found.note else []
        files[name] = tuple(frame.columns)
        parts.append(_numbers(table))
    if not parts:
        raise DataError(f"{source}: there are no rows")
    try:
        whole = pl.concat(parts, how="diagonal_relaxed")
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{source}: columns differ in type between files: {error}") from None
    return _canonical(whole, tuple(dict.fromkeys(notes)), files, source)


def _numbers(table: pl.DataFrame) -> pl.DataFrame:
    """Numbers and truth values as Float64, infinities as NaN, null as NaN; text as it is."""
    names = [
        name
        for name, kind in table.schema.items()
        if name not in ("ts", "session", "symbol") and (kind.is_numeric() or kind == pl.Boolean)
    ]
    real = [pl.col(name).cast(pl.Float64).alias(name) for name in names]
    return table.with_columns(real)


def _canonical(
    whole: pl.DataFrame, notes: tuple[str, ...], files: dict[str, tuple[str, ...]], source: str
) -> ResearchData:
    counts = {"read": whole.height}
    if "symbol" in whole.columns and whole["symbol"].n_unique() == 1:
        whole = whole.drop("symbol")
    whole = whole.drop(
        [n for n in whole.columns if n not in ("ts", "session", "symbol") and _odd(whole[n])]
    )
    floats = [name for name, kind in whole.schema.items() if kind == pl.Float64]
    infinite = sum(int(whole[name].is_infinite().sum() or 0) for name in floats)
    counts["infinite"] = infinite
    whole = whole.with_columns(
        pl.when(pl.col(name).is_finite()).then(pl.col(name)).otherwise(float("nan")).alias(name)
        for name in floats
    )
    before = whole.height
    whole = whole.unique(maintain_order=True)
    counts["repeated"] = before - whole.height
    price = aliases.price_of(
        [name for name in whole.columns if name in floats], lambda n: whole[n].to_numpy(), source
    )
    priced = pl.Series(price).is_finite()
    counts["no_price"] = int((~priced).sum())
    whole = whole.filter(priced)
    keys = ["ts", *(["symbol"] if "symbol" in whole.columns else [])]
    rest = sorted(name for name in whole.columns if name not in keys)
    counts["disordered"] = int((whole["ts"].diff().dt.total_nanoseconds() < 0).sum() or 0)
    whole = whole.sort([*keys, *rest], nulls_last=True)
    day = whole["session"] if "session" in whole.columns else None
    named = clocks.sessions(whole["ts"].dt.epoch("ns").to_numpy(), day)
    whole = whole.with_columns(pl.Series("session", named))
    first = [*keys[:1], "session", *keys[1:]]
    whole = whole.select(*first, *sorted(name for name in whole.columns if name not in first))
    content = content_sha256(whole)
    return ResearchData(whole, content, source, files, notes=notes, counts=counts)


def _odd(column: pl.Series) -> bool:
    """Columns that are neither numbers, text nor times cannot be hashed or read by an alpha."""
    kind = column.dtype
    return not (kind == pl.Float64 or kind == pl.String or isinstance(kind, pl.Datetime))
