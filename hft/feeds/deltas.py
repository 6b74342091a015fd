"""A book taken as whole after enough updates, where a recording has no snapshot: a labelled choice.

After a CLEAR a replay waits for a snapshot; where none follows, nobody can ever trade. Asked for
(`--book-from-deltas N`), the update that brings the Nth level of the poorer side counts as the end
of a snapshot. Deeper levels that no update has touched are missing, which the finding says.
"""

import numpy as np

from hft.core.codes import EventKind, Flag
from hft.feeds.findings import Findings
from hft.feeds.order import take
from hft.tape.schema import Columns

LEVEL, CLEAR, SNAPSHOT = EventKind.LEVEL.value, EventKind.CLEAR.value, EventKind.SNAPSHOT.value
LAST = Flag.LAST.value


def whole_after(columns: Columns, levels: int, findings: Findings) -> Columns:
    """The rows with the book whole once each side has `levels` levels of updates since a CLEAR.

    Rows of a clear that a snapshot follows first stay as they are. The same object comes back
    where nothing had to be done.
    """
    kind = columns.kind
    clears = np.flatnonzero(kind == CLEAR)
    if not len(clears):
        return columns
    ends = [*clears[1:].tolist(), len(kind)]
    marked = [
        row
        for clear, end in zip(clears.tolist(), ends, strict=True)
        if (row := _enough(columns, clear, end, levels)) is not None
    ]
    if not marked:
        return columns
    out = take(columns, np.arange(len(kind)))
    out.kind[marked] = SNAPSHOT
    out.flags[marked] |= LAST
    note = f"whole after {levels} levels a side, first at tape row {marked[0] + 1}"
    when = columns.local_ts[marked]
    findings.add("book_from_deltas", len(marked), marked[0] + 1, note, when, "tape")
    return out


def _enough(columns: Columns, clear: int, end: int, levels: int) -> int | None:
    """The row that ends the group with the last level needed; None where a snapshot comes first."""
    if columns.flags[clear] & LAST:
        return None
    quoted: tuple[set[int], set[int]] = (set(), set())
    whole = False
    for row in range(clear + 1, end):
        kind, side = int(columns.kind[row]), int(columns.side[row])
        if kind == SNAPSHOT:
            return None
        if kind != LEVEL or side > 1:
            continue
        if columns.qty[row] > 0:
            quoted[side].add(int(columns.price[row]))
        else:
            quoted[side].discard(int(columns.price[row]))
        whole = whole or min(len(quoted[0]), len(quoted[1])) >= levels
        if whole and columns.flags[row] & LAST:
            return row
    return None
