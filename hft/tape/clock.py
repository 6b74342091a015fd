"""When a timed clock ticks: inside open hours, beginning again at each session.

A row at t is of what was known at t, so the first tick is one interval after the open and the last
at the close or before; a session shorter than the interval ticks at its close alone. Where the
instrument's calendar is not known or never pauses, ticks are the whole multiples of the interval
within the UTC days that have rows.
"""

from collections.abc import Sequence

import numpy as np

from hft.tape.reader import Tape
from hft.tape.sessions import DAY_NS, Sessions, sessions_of


def ticks(run: Sequence[Tape], every_ns: int, first_ns: int, last_ns: int) -> np.ndarray:
    """The ticks of consecutive tapes of one instrument within [first_ns, last_ns], int64 ns."""
    found = sessions_of(run[0].instrument.calendar)
    if found is None or not found.covers(first_ns, last_ns):
        return _of_days(run, every_ns, first_ns, last_ns)
    spans = found.between(first_ns, last_ns)
    if not (spans.open_ns[1:] > spans.close_ns[:-1]).any() and len(spans) > 1:
        return _of_days(run, every_ns, first_ns, last_ns)
    return _of_spans(spans, every_ns, first_ns, last_ns)


def _of_spans(spans: Sessions, every_ns: int, first_ns: int, last_ns: int) -> np.ndarray:
    """Each span's ticks, by their number in the span."""
    length = spans.close_ns - spans.open_ns
    counts = np.maximum(length // every_ns, 1)
    last = np.cumsum(counts)
    span = np.repeat(np.arange(len(spans)), counts)
    number = np.arange(len(span)) - (last - counts)[span] + 1
    times = spans.open_ns[span] + np.minimum(number * every_ns, length[span])
    return times[(times >= first_ns) & (times <= last_ns)]


def _of_days(run: Sequence[Tape], every_ns: int, first_ns: int, last_ns: int) -> np.ndarray:
    """Whole multiples of the interval in the days, midnight to midnight, that a tape reaches."""
    begin = -(-first_ns // every_ns)
    times = np.arange(begin, last_ns // every_ns + 1, dtype=np.int64) * every_ns
    kept = np.zeros(len(times), bool)
    for tape in run:
        low, high = (edge // DAY_NS for edge in tape.span)
        kept |= (times >= low * DAY_NS) & (times <= (high + 1) * DAY_NS)
    return times[kept]
