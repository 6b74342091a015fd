"""What people say about a data file beside it: `<file>.meta.json`, or `<folder>/.meta.json`.

Optional. `dataset_id source_type owner schema_version rows fields` are checked by Gate A where they
are given; `gaps`, a list of `after`, `before` (sessions, YYYYMMDD) and `reason`, explains sessions
that are missing; `calendar` is whose sessions they are. How much more is said is a tier, UL1 to
UL6.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hft.core.errors import DataError
from hft.core.json_text import spaced

SUFFIXES = (".meta.json", ".metadata.json")
SOURCE_TYPES = ("synthetic", "real")
REQUIRED = ("dataset_id", "source_type", "owner", "schema_version", "rows", "fields")

# UL1 to UL6: what each tier says besides all below it. A list may be empty: then there is none.
TIERS: tuple[tuple[str, ...], ...] = (
    ("dataset_id", "source_type", "owner", "schema_version"),  # what it is
    ("rows", "fields"),  # what is in it
    ("symbols", "start", "end"),  # of what, and from when to when
    (),  # where it comes from: ORIGIN
    ("made_from", "made_by"),  # the data and the command it was made with
    ("gaps", "limitations"),  # what is known to be wrong with it
)
ORIGIN = {"real": ("source", "license"), "synthetic": ("generator", "seed")}


def read(files: Sequence[Path]) -> dict[str, Mapping[str, Any]]:
    """The sidecars there are, by the file or folder they speak of. Raises: DataError."""
    found: dict[str, Mapping[str, Any]] = {}
    for file in files:
        for suffix in SUFFIXES:
            for path in (file.with_name(file.name + suffix), file.with_suffix(suffix)):
                _take(path, str(file), found)
    for folder in sorted({file.parent for file in files}):
        for suffix in SUFFIXES:
            _take(folder / suffix, str(folder), found)
    return found


def _take(path: Path, subject: str, found: dict[str, Mapping[str, Any]]) -> None:
    if subject in found or not path.is_file():
        return
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: is no JSON: {error}") from None
    if not isinstance(told, dict):
        raise DataError(f"{path}: holds no mapping; write the keys {', '.join(REQUIRED)}")
    for gap in told.get("gaps", ()):
        if not isinstance(gap, dict) or not {"after", "before", "reason"} <= set(gap):
            raise DataError(f"{path}: gaps: write after, before (YYYYMMDD) and reason for each")
    found[subject] = told


def cure(
    files: Sequence[str], known: Mapping[str, Mapping[str, Any]], after: int, before: int
) -> str:
    """What to do about sessions that are missing between two (YYYYMMDD).

    The folder's sidecar speaks of all its files and needs no other key.
    """
    entry = spaced({"after": after, "before": before, "reason": "not recorded"})
    folder = Path(files[0]).parent
    if not Path(files[0]).exists():
        return "bring them, or write the rows as files, beside which .meta.json explains gaps"
    names = [folder / suffix for suffix in SUFFIXES]
    there = next((path for path in names if path.is_file()), None)
    if str(folder) in known and there is not None:
        listed = f'add {entry} to "gaps" in {there}'
    else:
        listed = f'write {{"gaps": [{entry}]}} to {names[0]}'
    return f"bring them, or say why they are not there: {listed}"


def problems(told: Mapping[str, Any], rows: int | None, columns: Sequence[str]) -> list[str]:
    """What is wrong with one sidecar, a sentence each; `rows` None: not known for a folder."""
    found = [f"{name} is missing" for name in REQUIRED if name not in told]
    if told.get("source_type") not in (*SOURCE_TYPES, None):
        found.append(f"source_type {told['source_type']!r} is neither synthetic nor real")
    version = told.get("schema_version")
    if version is not None and not (isinstance(version, int) and version >= 1):
        found.append(f"schema_version {version!r} is not a whole number from 1")
    if rows is not None and told.get("rows") not in (rows, None):
        found.append(f"rows says {told['rows']}, the file has {rows}")
    absent = sorted(set(told.get("fields") or ()) - set(columns))
    if absent:
        found.append(f"fields names {absent[0]!r}, which the file lacks")
    return found


def tier(told: Mapping[str, Any]) -> int | None:
    """The highest tier that is whole, with all below it; None where not even the first is."""
    reached = 0
    for names in TIERS:
        wanted = names or ORIGIN.get(str(told.get("source_type")), ("source_type",))
        if any(told.get(name) in (None, "") for name in wanted):
            break
        reached += 1
    return reached or None
