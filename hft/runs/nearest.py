"""The name that was probably meant, for the end of a sentence about one that is not there."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: object, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` of the closest name, or nothing when none is close."""
    close = get_close_matches(str(name), list(known), 1, 0.6)
    return f"; did you mean {close[0]!r}?" if close else ""
