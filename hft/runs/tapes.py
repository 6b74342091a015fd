"""The tapes that a run was made from: where they were, or wherever a folder has the same hash."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hft.core.errors import DataError
from hft.tape.reader import SUFFIX, Tape

Folders = str | Path | Sequence[str | Path] | None


def find_tapes(entries: Sequence[Mapping[str, Any]], folders: Folders = None) -> list[Tape]:
    """The tapes of a manifest, in its order; their names do not matter, their hashes do.

    Raises: DataError naming one that is neither where it was nor below `folders`.
    """
    found: dict[str, Tape] = {}
    unread = _tapes_below(folders)
    for entry in entries:
        sha256 = entry["sha256"]
        if sha256 not in found and (tape := _where_it_was(entry)) is not None:
            found[sha256] = tape
        while sha256 not in found and (tape := next(unread, None)) is not None:
            found.setdefault(tape.sha256, tape)
        if sha256 not in found:
            raise DataError(_missing(entry, folders))
    return [found[entry["sha256"]] for entry in entries]


def _where_it_was(entry: Mapping[str, Any]) -> Tape | None:
    path = Path(entry.get("path", ""))
    if not path.is_file():
        return None
    try:
        tape = Tape(path)
    except DataError:
        return None
    return tape if tape.sha256 == entry["sha256"] else None


def _tapes_below(folders: Folders) -> Iterator[Tape]:
    """Every tape below the folders that can be opened, by name."""
    given = [folders] if isinstance(folders, str | Path) else folders or ()
    for folder in map(Path, given):
        if not folder.is_dir():
            raise DataError(f"{folder}: no such folder of tapes")
        for path in sorted(folder.rglob(f"*{SUFFIX}")):
            try:
                yield Tape(path)
            except DataError:
                continue  # a damaged tape is none of those that are looked for


def _missing(entry: Mapping[str, Any], folders: Folders) -> str:
    sha256 = entry["sha256"][:16]
    path = entry.get("path", "")
    name = path or entry.get("file") or "a tape"
    if folders:
        return f"{name}: no tape below {folders} has its sha256 {sha256}"
    cure = "name the folder that holds it (--tapes DIR, tapes=)"
    if path and Path(path).is_file():
        return f"{path}: is not the tape the run was made from (sha256 {sha256}); {cure}"
    return f"{name}: the tape of sha256 {sha256} is not where it was; {cure}"
