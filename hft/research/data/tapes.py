"""Research data computed from tapes at a clock: the columns of `hft.features`, kind "tapes".

The tapes stay attached, so that a signal found on the rows can be replayed through the gateway.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from hft.microstructure.columns import frame_of, names_of
from hft.research.data.assembly import assemble
from hft.research.data.dataset import ResearchData
from hft.tape.dataset import Tapes

CLOCK = "1s"
# What alphas ask for most; the other analytics are made by `hft data features`.
BOOK_COLUMNS = ("mid", "bid_px", "ask_px", "microprice", "quoted_spread")


def from_tapes(
    tapes: Tapes, clock: str = CLOCK, columns: Sequence[str] | str | None = None
) -> ResearchData:
    """A row for each tick of the clock and symbol, while the book is valid."""
    names = (*names_of(columns), *BOOK_COLUMNS)
    frame = frame_of(tapes, tuple(dict.fromkeys(names)), clock, session=True).collect()
    data = assemble({"tapes": frame}, {}, ", ".join(tapes.symbols))
    return replace(data, kind="tapes", tapes=tapes, content=identity(data, tapes), clock=clock)


def identity(data: ResearchData, tapes: Tapes) -> str:
    """The hash of the rows and of the tapes behind them."""
    behind = "".join(sorted(tape.sha256 for tape in tapes))
    return hashlib.sha256(f"{data.content}{behind}".encode()).hexdigest()
