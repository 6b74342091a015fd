"""Which replay is run again today although its sealed run answers: each has its turn, by chance."""

import hashlib
from collections.abc import Sequence
from datetime import date


def drawn(names: Sequence[str], day: date) -> str:
    """The name that is drawn on a day; the same for everybody, whatever the order of the names."""
    word = f"{day.isoformat()} {' '.join(sorted(names))}"
    number = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big")
    return sorted(names)[number % len(names)]
