"""Are the files that rows name by hash still what they were: bundles, memos, reports, pages.

A file that is there and has another hash was changed. One that is not there is absent and no more:
reports lie in folders that git does not keep, and cleaning them up is nobody's guilt.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from hft.audit.walk import Finding

CHANGED = "ARTIFACT_CHANGED"
MISSING = "ARTIFACT_MISSING"
CANARY = "alpha_canary_log"
TOLD_IN = {"alpha_gate_log": "details", CANARY: "checks"}
FILES = "files"  # in the details of a row: hash by path below the workspace
NAMED = 3


@dataclass(frozen=True)
class Artifact:
    """A file by its path below the workspace, the hash it must have, and the row that says so."""

    path: str
    sha256: str
    seq: int = 0
    said_by: str = ""  # where no row does
    needed: bool = False  # git keeps it: gone is a finding, too


def of_rows(rows: Iterable[Mapping[str, Any]]) -> Iterator[Artifact]:
    """What rows of gates and canaries say of the reports and pages that were written with them.

    A page that was written again for a later row is what that row says.
    """
    newest: dict[str, Artifact] = {}
    several: list[Artifact] = []
    for row in rows:
        if row["table"] not in TOLD_IN:
            continue
        try:
            given = json.loads(row["row"].get(TOLD_IN[row["table"]]) or "{}").get(FILES, {})
            named = [(str(path), str(digest)) for path, digest in given.items()]
        except (ValueError, AttributeError):
            continue  # details are whatever a gate said; its row is checked elsewhere
        for path, digest in named:
            one = Artifact(path, digest, int(row["seq"]))
            if row["table"] == CANARY:
                newest[path] = one
            else:
                several.append(one)
    yield from several
    yield from newest.values()


def hashes_of(folder: Path, root: Path, names: Iterable[str] = ()) -> dict[str, str]:
    """What a row says of files just written: their hashes by path; {} outside the workspace.

    `names`: in the folder; every file of it when none is given.
    """
    if not folder.is_relative_to(root):
        return {}
    names = tuple(names) or [path.name for path in folder.iterdir() if path.is_file()]
    place = folder.relative_to(root).as_posix()
    return {
        f"{place}/{name}": hashlib.sha256((folder / name).read_bytes()).hexdigest()
        for name in sorted(names)
    }


def check(artifacts: Iterable[Artifact], root: Path) -> tuple[list[Finding], list[str]]:
    """A finding for each changed file, and one note of those that are absent."""
    findings, absent = [], []
    for one in dict.fromkeys(artifacts):
        found = _hash(root, one.path)
        if found is None and one.needed:
            words = f"{one.path}: is gone, row {one.seq} put it there"
            findings.append(Finding(MISSING, one.path, one.seq, "", words))
        elif found is None:
            absent.append(one.path)
        elif found != one.sha256:
            by = f"row {one.seq}" if one.seq else one.said_by
            words = f"{one.path}: was changed: its hash is {found[:12]}, {by} says "
            words += one.sha256[:12]
            findings.append(Finding(CHANGED, one.path, one.seq, "", words))
    return findings, _note(list(dict.fromkeys(absent)))


def _hash(root: Path, path: str) -> str | None:
    """Of a file below the root; None for one that is not there."""
    if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        return None
    try:
        return hashlib.sha256((root / path).read_bytes()).hexdigest()
    except OSError:
        return None


def _note(absent: Sequence[str]) -> list[str]:
    if not absent:
        return []
    more = f" and {len(absent) - NAMED} more" if len(absent) > NAMED else ""
    return [
        f"absent, so that nobody can say whether it was changed: {', '.join(absent[:NAMED])}{more}"
    ]
