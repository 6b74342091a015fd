"""Loading research data: files, folders, globs, tapes, feature folders or frames in memory.

It decides which rows there are and in which order, and gives the dataset its identity. A row
without a time refuses the file; a row without a price is dropped and counted, since nothing can be
marked at it; the same row twice is one row; infinities become NaN. All of it is counted.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from hft.core.errors import DataError
from hft.research.data import clocks, sidecars, sources
from hft.research.data.assembly import assemble
from hft.research.data.dataset import WHOLE, ResearchData
from hft.research.data.splits import Splits, of_column

BESIDE = 0.5  # of the times of two files are the same: files of two names
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
    frames = {str(path): sources.read(path) for path in found}
    named = sources.symbols(found, lambda one, other: _beside(frames[str(one)], frames[str(other)]))
    names = {str(path): named[path] for path in found}
    manifest = _manifest(found)
    several = sources.distinct(names.values()) > 1
    data = assemble(frames, names if several else {}, _source(paths, found))
    data = replace(data, metadata=sidecars.read(found))
    return _as_made(data, manifest) if manifest else data


def _beside(one: pl.DataFrame, other: pl.DataFrame) -> bool:
    """Do two tables tell of the same times, and of other things?"""
    if not one.height or not other.height or one.equals(other):
        return False
    try:
        first, second = (clocks.clocked(frame, "").frame["ts"].unique() for frame in (one, other))
    except DataError:
        return False  # said with the file's name when it is read as rows
    common = len(first.filter(first.is_in(second.implode())))
    return common > BESIDE * min(len(first), len(second))


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
        from hft.research.data.origin import tapes_behind

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
    from hft.research.data.tapes import from_tapes
    from hft.runs.ingest import open_tapes

    return from_tapes(open_tapes([str(path) for path in paths]))
