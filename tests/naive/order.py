"""Tape order by the rule as it is told: late rows are split, copies go where their time belongs."""

from typing import NamedTuple


class Row(NamedTuple):
    """One row by the name it had in the source, and who sees it."""

    exch_ts: int
    local_ts: int
    name: int
    venue: bool
    view: bool


def naive_order(times: list[tuple[int, int]]) -> list[Row]:
    """Rows of (exchange time, receive time) in tape order."""
    received = sorted(range(len(times)), key=lambda i: times[i][1])
    tape: list[Row] = []
    late: list[Row] = []
    for name in received:
        exch_ts, local_ts = times[name]
        if any(row.exch_ts > exch_ts for row in tape if row.venue):
            tape.append(Row(exch_ts, local_ts, name, venue=False, view=True))
            late.append(Row(exch_ts, local_ts, name, venue=True, view=False))
        else:
            tape.append(Row(exch_ts, local_ts, name, venue=True, view=True))
    for copy in late:
        later = [i for i, row in enumerate(tape) if row.venue and row.exch_ts > copy.exch_ts]
        tape.insert(later[0], copy)
    return tape
