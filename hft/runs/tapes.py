"""The tapes that a run was made from: where they were, or wherever a folder has the same hash."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hft.core.errors import DataError
from hft.core.json_text import spaced
from hft.tape.reader import SUFFIX, Tape

Folders = str | Path | Sequence[str | Path] | None


def find_tapes(entries: Sequence[Mapping[str, Any]], folders: Folders = None) -> list[Tape]:
    """The tapes of a manifest, in its order; their names do not matter, rows and instrument do.

    Raises: DataError naming one that is neither where it was nor below `folders`.
    """
    below: list[Tape] = []
    unread = _tapes_below(folders)
    found = []
    for entry in entries:
        tape = _where_it_was(entry) or next((one for one in below if _is(one, entry)), None)
        while tape is None and (one := next(unread, None)) is not None:
            below.append(one)
            tape = one if _is(one, entry) else None
        if tape is None:
            raise DataError(_missing(entry, folders))
        found.append(tape)
    return found


def _is(tape: Tape, entry: Mapping[str, Any]) -> bool:
    """Are rows, instrument and the tape before those of an entry? Older runs say rows alone."""
    if tape.sha256 != entry["sha256"] or tape.continues != entry.get("continues", tape.continues):
        return False
    told = entry.get("instrument")
    return told is None or spaced(told) == spaced(tape.instrument.to_dict())


def _where_it_was(entry: Mapping[str, Any]) -> Tape | None:
    tape = _at_its_path(entry)
    return tape if tape is not None and _is(tape, entry) else None


def _at_its_path(entry: Mapping[str, Any]) -> Tape | None:
    path = Path(entry.get("path", ""))
    if not path.is_file():
        return None
    try:
        return Tape(path)
    except DataError:
        return None


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
        return f"{name}: no tape below {folders} has its sha256 {sha256} and instrument"
    cure = "name the folder that holds it (--tapes DIR, tapes=)"
    if path and Path(path).is_file():
        what = f"is not the tape the run was made from (sha256 {sha256}{_changed(entry)})"
        return f"{path}: {what}; {cure}"
    return f"{name}: the tape of sha256 {sha256} is not where it was; {cure}"


def _changed(entry: Mapping[str, Any]) -> str:
    """What the instrument says now, or that it follows another tape, of the same rows."""
    tape, then = _at_its_path(entry), entry.get("instrument") or {}
    if tape is None or tape.sha256 != entry["sha256"] or not then:
        return ""
    if tape.continues != entry.get("continues", tape.continues):
        return "; it goes on from another tape's book"
    now = tape.instrument.to_dict()
    names = sorted(n for n in {*then, *now} if spaced(then.get(n)) != spaced(now.get(n)))
    return "".join(f"; its instrument's {n} was {then.get(n)}, is {now.get(n)}" for n in names)
