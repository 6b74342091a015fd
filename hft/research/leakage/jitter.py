"""Does an alpha earn by its inputs, or by knowing which rows these are?

Whoever has the answers written down finds them by the row's time, its numbers, or by how many came
before. So a few of the first sessions are left out, and the same rows are shown as of 28 years
before (the same weekdays and days of the year) with numbers moved
by a little, in ways that leave order, ties and signs as they are: all of them a hair larger; a hair
smaller; prices some ticks higher. An honest alpha may stand on an exact spread or a round price, so
it is stopped only where it loses in each of the three; and where it loses twice without sessions.
"""

from collections.abc import Callable, Sequence
from random import SystemRandom

import numpy as np
import polars as pl

from hft.core.errors import ValidationError
from hft.research.data.aliases import CLOCK_FIELDS
from hft.research.data.dataset import ResearchData
from hft.research.leakage.cuts import earned
from hft.research.leakage.foresight import is_price
from hft.research.leakage.report import Violation

YEARS, YEARS_NS = 28, 10_227 * 86_400_000_000_000
BEFORE_1998_NS = 883_612_800_000_000_000
SCALE, TICKS, AMOUNT = 3e-4, 7, 1e-3
FEW_VALUES, SAMPLE = 16, 5_000
LOST, SURE, WORTH = 1 / 3, 4.0, 3.0
BLOCKS, SESSIONS_MIN = 20, 10
WAYS = ("larger", "smaller", "ticks")
FIRST, LEFT_OUT = 0.2, (1, 3)  # of the first fifth of all sessions, so many are left out

Evaluate = Callable[[ResearchData], np.ndarray]


def by_heart(
    evaluate: Evaluate, data: ResearchData, fields: Sequence[str], whole: np.ndarray
) -> list[Violation]:
    """A violation where what the alpha earns is gone with other dates and moved numbers."""
    base = _by_block(earned(whole, data), data)
    if _t(base) < WORTH or base.sum() <= 0.0:
        return []  # it earns nothing that could be lost
    if (left := _by_count(evaluate, data, whole)) is not None:
        return [_counting(data, fields, left)]
    numbers = [name for name in fields if name not in CLOCK_FIELDS]
    ways = WAYS if numbers else WAYS[:1]
    kept = []
    for way in ways:
        left = _left(evaluate, _shifted(_moved(data, numbers, way)), data, base)
        if left is None:
            return []
        kept.append(left)
    by_date = _left(evaluate, _shifted(data), data, base)
    return [_violation(data, fields, max(kept), by_date is not None)]


def _by_count(evaluate: Evaluate, data: ResearchData, whole: np.ndarray) -> float | None:
    """The share that is left where surely much is lost when some of the first sessions are left
    out, whichever they are; None where it is not, and for too few sessions."""
    days = np.array(data.sessions)
    first = int(len(days) * FIRST)
    if len(days) < 2 * SESSIONS_MIN or first <= max(LEFT_OUT):
        return None
    shares, random = [], SystemRandom()
    for count in LEFT_OUT:
        gone = random.sample(range(first), count)
        rows = np.flatnonzero(~np.isin(data.session, days[gone]) & (data.session >= days[first]))
        kept = np.flatnonzero(~np.isin(data.session, days[gone]))
        signal = np.full(len(data), np.nan)
        try:
            signal[kept] = evaluate(data.with_frame(data.frame[kept]))
        except ValidationError:
            return None
        later = data.with_frame(data.frame[rows])
        base, now = (_by_block(earned(one[rows], later), later) for one in (whole, signal))
        if base.sum() <= 0.0 or _t(base - now) < SURE:
            return None
        shares.append(float(now.sum() / base.sum()))
    return max(shares) if max(shares) < 1.0 - LOST else None


def _left(
    evaluate: Evaluate, other: ResearchData, data: ResearchData, base: np.ndarray
) -> float | None:
    """The share of the earnings that is left where surely much is lost; None where it is not."""
    try:
        signal = evaluate(other)
    except ValidationError:
        return None  # it does not take such numbers
    now = _by_block(earned(signal, data), data)
    left = float(now.sum() / base.sum())
    return left if left < 1.0 - LOST and _t(base - now) >= SURE else None


def _by_block(values: np.ndarray, data: ResearchData) -> np.ndarray:
    names, at = np.unique(data.session, return_inverse=True)
    if len(names) < SESSIONS_MIN:
        at = np.arange(len(values)) * BLOCKS // max(len(values), 1)
    return np.bincount(at, values)


def _t(values: np.ndarray) -> float:
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    return float(np.mean(values)) / spread * float(np.sqrt(len(values))) if spread > 0 else 0.0


def _shifted(data: ResearchData) -> ResearchData:
    """The same rows 28 years before, or later where there is no such time."""
    way = 1 if len(data) and int(data.ts_ns[0]) < BEFORE_1998_NS else -1
    ts = pl.Series("ts", data.ts_ns + way * YEARS_NS).cast(data.frame.schema["ts"])
    day = pl.Series("session", data.session + way * YEARS * 10_000)
    return data.with_frame(data.frame.with_columns(ts, day))


def _moved(data: ResearchData, names: Sequence[str], way: str) -> ResearchData:
    columns = [pl.Series(name, _number(data.field(name), data.price, way)) for name in names]
    return data.with_frame(data.frame.with_columns(columns))


def _number(values: np.ndarray, price: np.ndarray, way: str) -> np.ndarray:
    """Values moved so that equal ones stay equal; flags and classes stay as they are."""
    some = values[:: max(len(values) // SAMPLE, 1)]
    some = some[np.isfinite(some)]
    different = np.unique(some)
    if len(different) <= FEW_VALUES:
        return values
    if way == "larger":
        return values * (1.0 + SCALE)
    if way == "smaller":
        return values * (1.0 - SCALE)
    if not is_price(values, price):
        return values * (1.0 + AMOUNT)
    return values + TICKS * _tick(price)


def _tick(price: np.ndarray) -> float:
    """The smallest usual step of the price: of a grid its tick, else a tenth of its median step."""
    steps = np.abs(np.diff(price))
    steps = steps[steps > 0]
    if not len(steps):
        return 0.0
    least = float(np.quantile(steps, 0.01))
    on_grid = np.abs(steps / least - np.round(steps / least)) < 1e-3
    return least if on_grid.mean() > 0.9 else float(np.median(steps)) / 10


def _counting(data: ResearchData, fields: Sequence[str], left: float) -> Violation:
    said = (
        f"without a few of the first sessions the signal keeps {max(left, 0.0):.0%} of what it "
        "earns on those after them: it knows the rows by how many came before, and what came after "
        "them; make the signal of what its inputs mean, not of which row they are"
    )
    return Violation("jitter", said, 0, int(data.ts_ns[0]), fields[0] if fields else "", known=left)


def _violation(data: ResearchData, fields: Sequence[str], left: float, by_date: bool) -> Violation:
    aware = [name for name in fields if name in CLOCK_FIELDS]
    what = (
        f"the same rows dated {YEARS} years earlier"
        if by_date
        else "the same rows with numbers moved by a few ten thousandths"
    )
    cure = (
        "bring days of events as a column of the data, with known_at"
        if by_date and aware
        else "make the signal of what its inputs mean, not of which row they are"
    )
    said = (
        f"with {what} the signal keeps {max(left, 0.0):.0%} of what it earns: it knows the rows by "
        f"{'their time' if by_date else 'their numbers'}, and what came after them; {cure}"
    )
    return Violation("jitter", said, 0, int(data.ts_ns[0]), fields[0] if fields else "", known=left)
