"""The touch of a run's tapes, every extreme of it, as the venue had it by its own clock.

The tapes are read a batch at a time, and no more is held than a page could show. It decides nothing
about fills; the replay's book is another.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from hft.core.codes import Flag
from hft.reports.track import STEPS_HELD, Market, joined, track
from hft.tape.reader import Tape
from hft.tape.schema import Columns
from hft.tape.summary import BOOK_KINDS, frozen
from hft.tape.touch import ASK, BID, QUOTES, ROW, WINDOW_LEVELS_MAX, Touch, make_touch, walk_all

VIEW_ONLY, VENUE_ONLY = Flag.VIEW_ONLY.value, Flag.VENUE_ONLY.value


def market(tapes: Sequence[Tape], span: tuple[int, int]) -> Market | None:
    """The touch over a span of time; None where the tapes have no two sides in it.

    `tapes` are of one instrument, in order of time.
    """
    window = _window(tapes)
    if window is None:
        return None
    tick = float(tapes[0].instrument.tick)
    held: Market | None = None
    for ts_ns, bid, ask in _cut(_touches(tapes, window), span):
        part = Market(
            track(ts_ns, bid, tick, most=STEPS_HELD),
            track(ts_ns, ask, tick, most=STEPS_HELD),
            track(ts_ns, ask - bid, 1.0, most=STEPS_HELD),
        )
        pairs = zip(held or part, part, strict=True)
        held = part if held is None else Market(*(joined(pair, STEPS_HELD) for pair in pairs))
    return held


def _window(tapes: Sequence[Tape]) -> tuple[int, int] | None:
    """The ticks that the book covers: all prices, or those around the first where they are many."""
    found = [tape.summary for tape in tapes]
    ranges = [one[f"{side}_price_range"] for one in found for side in ("bid", "ask")]
    known = [pair for pair in ranges if pair is not None]
    if not known:
        return None
    low, high = min(pair[0] for pair in known), max(pair[1] for pair in known)
    if high - low < WINDOW_LEVELS_MAX:
        return low, high
    mids = [one["first_mid"] for one in found if one["first_mid"] is not None]
    low = max(low, int(mids[0] if mids else low) - WINDOW_LEVELS_MAX // 2)
    return low, low + WINDOW_LEVELS_MAX - 1


Quotes = tuple[np.ndarray, np.ndarray, np.ndarray]


def _touches(tapes: Sequence[Tape], window: tuple[int, int]) -> Iterator[Quotes]:
    """Times, bids and asks in ticks at each change of the touch, a part of a tape at a time."""
    kinds = [tape.summary["kinds"] for tape in tapes]
    l1 = not any(one[kind.name.lower()] for one in kinds for kind in BOOK_KINDS)
    touch: Touch | None = None
    for columns in _moments(tapes):
        rows = len(columns.kind)
        if touch is None:
            touch = make_touch(*window, l1=l1)
        if len(touch.quotes) < rows:
            touch.quotes = np.zeros((rows, 5), np.int64)
        touch.arena[QUOTES] = 0
        quotes = walk_all(touch, columns).quotes[: int(touch.arena[QUOTES])]
        if len(quotes):
            yield columns.local_ts[quotes[:, ROW]], quotes[:, BID].copy(), quotes[:, ASK].copy()


def _moments(tapes: Sequence[Tape]) -> Iterator[Columns]:
    """The rows that the venue sees, by its clock, cut between moments and never within one."""
    rest: Columns | None = None
    for batch in (batch for tape in tapes for batch in tape.batches()):
        seen = (batch.flags & VIEW_ONLY) == 0
        rows = Columns(*(column[seen] for column in batch))
        rows = rows._replace(local_ts=rows.exch_ts, flags=rows.flags & ~VENUE_ONLY)
        if rest is not None:
            rows = Columns(*(np.concatenate(pair) for pair in zip(rest, rows, strict=True)))
        if len(rows.kind) == 0:
            continue
        cut = int(np.searchsorted(rows.local_ts, rows.local_ts[-1]))
        rest = Columns(*(column[cut:] for column in rows))
        if cut:
            yield frozen(Columns(*(column[:cut] for column in rows)))
    if rest is not None:
        yield frozen(rest)


def _cut(touches: Iterator[Quotes], span: tuple[int, int]) -> Iterator[Quotes]:
    """What lies in the span, with the touch that stood when it began."""
    start_ns, end_ns = span
    before: tuple[int, int] | None = None
    for ts_ns, bid, ask in touches:
        low = int(np.searchsorted(ts_ns, start_ns, side="right"))
        high = int(np.searchsorted(ts_ns, end_ns, side="right"))
        if low:
            before = int(bid[low - 1]), int(ask[low - 1])
        if low == len(ts_ns):
            continue
        if before is not None:
            yield np.array([start_ns]), np.array([before[0]]), np.array([before[1]])
            before = None
        if high > low:
            yield ts_ns[low:high], bid[low:high], ask[low:high]
        if high < len(ts_ns):
            return
    if before is not None:
        yield np.array([start_ns]), np.array([before[0]]), np.array([before[1]])
