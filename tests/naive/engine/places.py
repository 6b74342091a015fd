"""Where an own order stands in its level: the queue models of docs/reference/venue.md.

Places are in 1e-6 lots; a quantity of lots above 2^40 counts as 2^40.
"""

from math import floor, log, sqrt

from tests.naive.engine.markets import Venue

MICRO = 1_000_000
UNKNOWN = 1 << 60
LOTS_MOST = 1 << 40


def micro(lots: int) -> int:
    return min(lots, LOTS_MOST) * MICRO


def _weight(venue: Venue, lots: float) -> float:
    if venue.queue == "prob_log":
        return log(1 + lots)
    return sqrt(lots) if venue.queue == "prob_sqrt" else lots**venue.power


def _share_behind(venue: Venue, ahead: int, behind: int) -> int:
    """The part of those who left that stood behind us, in 1e-6."""
    f, g = _weight(venue, max(ahead, 0) / MICRO), _weight(venue, max(behind, 0) / MICRO)
    return MICRO if f + g <= 0 else floor(g / (f + g) * MICRO + 0.5)


def moved(venue: Venue, ahead: int, before: int, after: int, traded: int) -> int:
    """The place after a level went from `before` to `after`; `traded` printed since the last."""
    before, after, traded = (min(lots, LOTS_MOST) for lots in (before, after, traded))
    if venue.queue == "risk_averse":
        return min(ahead, after * MICRO)
    if venue.queue == "own":
        gone = own_model(ahead, before, after, traded)
        return max(-UNKNOWN, min(gone, after * MICRO))
    left = before - after - traded
    if left >= 0:
        behind = before * MICRO - ahead
        p = _share_behind(venue, ahead, behind)
        ahead = ahead - left * (MICRO - p) + min(0, behind - left * p)
    return min(ahead, after * MICRO)


def own_model(ahead_micro: int, before: int, after: int, traded: int) -> int:
    """A user's model: every lot cancelled stood ahead of us."""
    cancelled = max(0, before - after - traded)
    return ahead_micro - cancelled * 1_000_000
