"""What a run says first of tapes whose book is not whole, and why that is so."""

import json
from contextlib import suppress

from hft.core.codes import EventKind
from hft.tape.dataset import MANIFEST, Tapes
from hft.tape.reader import Tape
from hft.tape.summary import BOOK_KINDS


def book_warnings(tapes: Tapes) -> list[str]:
    """What a run's card says of the books of its tapes."""
    return [*dead_books(tapes), *cut_books(tapes)]


def dead_books(tapes: Tapes) -> list[str]:
    """One sentence a tape whose book was never whole, with the cause that ingest found."""
    return [
        f"{tapes.key(tape)} {tape.day}: nothing can be traded, the book is never whole: "
        f"{finding.note}"
        for tape in tapes
        for finding in tape.findings
        if finding.name == "book_never_valid"
    ]


def cut_books(tapes: Tapes) -> list[str]:
    """One sentence a tape that goes on from the book of a tape which is not among them."""
    there = {tape.sha256 for tape in tapes}
    return [
        f"{tapes.key(tape)} {tape.day}: the tape goes on from the book of the tape before it"
        f"{_name(tape)}, which is not in this run: levels from before are missing until an update "
        "touches them; replay both for the whole book"
        for tape in tapes
        if tape.continues is not None and tape.continues not in there and _has_levels(tape)
    ]


def _has_levels(tape: Tape) -> bool:
    """A tape of best prices alone has its whole book with its first quotes."""
    return any(tape.summary["kinds"][EventKind(kind).name.lower()] for kind in BOOK_KINDS)


def _name(tape: Tape) -> str:
    """The file of the tape before, where it lies beside this one."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        beside = json.loads((tape.path.parent / MANIFEST).read_text())["tapes"]
        for entry in beside:
            if entry["sha256"] == tape.continues:
                return f" ({entry['file']})"
    return ""
