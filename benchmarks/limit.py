"""What no replay of two books can pass: both fed from the rows of a tape, and nothing else.

No clock, no messages, no gateway, no digest: each row goes into the venue's book and into the
view's. A share of this is what the rest of a replay leaves of it.
"""

from typing import Any

import numpy as np

from benchmarks.worker import stopwatch, timed
from hft.core.arena import Arena, opener
from hft.core.codes import EventKind
from hft.core.jit import kernel
from hft.market.book import apply_row, new_books, set_level
from hft.replay.batch import columns_of
from hft.replay.state import BATCH

_LEVEL = EventKind.LEVEL.value
_TRADE = EventKind.TRADE.value
_STATUS = EventKind.STATUS.value


_open_books = opener(new_books([(1, 64)]))


@kernel(cache=False)
def feed(address: int, batch: Any) -> None:
    """Apply every row of a batch to both books. Mutates: the books at the address."""
    books = _open_books(address)
    kind, side, price, qty, _, _, flags = columns_of(batch)
    venue, view = books.heads[0], books.heads[1]
    for row in range(batch["rows"]):
        what, own, tick, lots = np.int64(kind[row]), np.int64(side[row]), price[row], qty[row]
        if what == _LEVEL:
            set_level(books, venue, own, tick, lots)
            set_level(books, view, own, tick, lots)
        elif what < _STATUS and what != _TRADE:
            flag = np.int64(flags[row])
            apply_row(books, venue, what, own, tick, lots, flag)
            apply_row(books, view, what, own, tick, lots, flag)


def feed_both(tapes: Any, crossed: str, at_least_s: float) -> dict[str, Any]:
    """Seconds that both books of the first tape take, new ones each time."""
    batches = list(tapes.tapes[0].batches())
    table = np.zeros(len(batches), BATCH)
    for row, batch in zip(table, batches, strict=True):
        row["rows"] = len(batch.kind)
        for name in batch._fields:
            row[name] = getattr(batch, name).ctypes.data
    prices = [batch.price[batch.kind == _LEVEL] for batch in batches]
    low = min(int(price.min()) for price in prices if len(price))
    high = max(int(price.max()) for price in prices if len(price))

    def once() -> tuple[float, Arena]:
        arena = Arena(new_books([(low, high)], crossed))
        return stopwatch(lambda: _feed_all(arena, table))[0], arena

    once()  # compiles
    seconds, runs, _ = timed(once, at_least_s)
    return {"seconds": seconds, "runs": runs, "events": int(tapes.rows)}


def _feed_all(arena: Arena, table: np.ndarray) -> None:
    for batch in table:
        feed(arena.handle, batch)
