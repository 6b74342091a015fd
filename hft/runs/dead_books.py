"""What a run says first of a tape on which nothing can be traded, and why that is so."""

from hft.tape.dataset import Tapes


def dead_books(tapes: Tapes) -> list[str]:
    """One sentence a tape whose book was never whole, with the cause that ingest found."""
    return [
        f"{tapes.key(tape)} {tape.day}: nothing can be traded, the book is never whole: "
        f"{finding.note}"
        for tape in tapes
        for finding in tape.findings
        if finding.name == "book_never_valid"
    ]
