"""Does a column hold to a total that only the finished session, or sample, can know?

Ranks over a day, shares of a day's volume and scores by a day's mean add up: their mean, their
largest or their smallest value is the same in every session, though half way through it is not.
Nobody who knows the past alone can make it so. Of the whole sample there is one total only; there a
column has to be another one, to the last digits, with mean 0 and deviation 1, or from 0 to 1.
A column made of means over groups of rows, of what followed in those rows, fits its own future
better than the noise of those means allows.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from hft.research.data.dataset import ResearchData
from hft.research.leakage.foresight import Foresight
from hft.research.leakage.likeness import ahead, correlation, has_news, ranks

SESSIONS_MIN, ROWS_A_SESSION = 8, 8
ALIKE, OPEN = 1e-9, 1e-3  # of the column's spread: the same total; still another one
NEARLY_ALL = 0.9  # of the sessions
EXACT = 1e-6  # of a column's spread that another one leaves
DISTINCT_MIN = 50
GROUPS_MIN, MEMBERS_MIN, FITS, Z_FITS = 25, 4, 0.9, 6.0

FIGURES: dict[str, Callable[[np.ndarray], float]] = {
    "mean": lambda x: float(np.mean(x)),
    "sum": lambda x: float(np.sum(x)),
    "largest value": lambda x: float(np.max(x)),
    "smallest value": lambda x: float(np.min(x)),
}


def adds_up(values: np.ndarray, data: ResearchData) -> Foresight | None:
    """A total that is the same in every session, and was not yet at half of it."""
    turns = np.flatnonzero(np.append(True, data.session[1:] != data.session[:-1]))
    spans = [
        (begin, end)
        for begin, end in zip(turns, np.append(turns[1:], len(values)), strict=True)
        if end - begin >= ROWS_A_SESSION
    ]
    if len(spans) < SESSIONS_MIN or not has_news(values, data.session):
        return None
    parts = [values[b:e][np.isfinite(values[b:e])] for b, e in spans]
    halves = [values[b : (b + e) // 2][np.isfinite(values[b : (b + e) // 2])] for b, e in spans]
    if min(len(one) for one in halves) < ROWS_A_SESSION // 2 or min(map(np.ptp, halves)) == 0.0:
        return None
    width = float(np.median([np.std(one) for one in parts]))
    for word, figure in FIGURES.items():
        final, half = (np.array([figure(one) for one in some]) for some in (parts, halves))
        usual = float(np.median(final))
        same = float(np.mean(np.abs(final - usual) <= ALIKE * max(width, abs(usual))))
        still = float(np.mean(np.abs(half - usual) > OPEN * width))
        if "value" in word:  # what is bounded comes to its bound often
            once = [np.sum(np.abs(one - usual) <= ALIKE * max(width, abs(usual))) for one in parts]
            same = min(same, float(np.mean(np.array(once) == 1)))
        if same >= NEARLY_ALL and still >= _open_least(word):
            length = int(np.median([e - b for b, e in spans]))
            how = f"its {word} is {usual:.6g} in all sessions and not yet at their half; the share"
            return Foresight(how, length // 2, same, int(spans[0][0]), NEARLY_ALL)
    return None


def _open_least(word: str) -> float:
    """Extremes are reached in the first half of every other session."""
    return 0.25 if "value" in word else NEARLY_ALL


def of_the_sample(values: np.ndarray, data: ResearchData, name: str) -> Foresight | None:
    """A column that is another one, standardised, spread from 0 to 1, or ranked over all rows."""
    fine = np.isfinite(values)
    x = values[fine]
    long = len(x) >= 2 * ROWS_A_SESSION and has_news(values, data.session)
    word = _normed(x) if long else None
    if word is None:
        return None
    for column, series in _others(data, name):
        both = fine & np.isfinite(series)
        if both.sum() < 0.9 * fine.sum():
            continue
        x, y = values[both], series[both]
        if word == "ranked":
            x, y = ranks(x), ranks(y)
        if 1.0 - abs(correlation(x, y)) <= EXACT:
            how = f"likeness of its values with {column} {word} over all rows"
            row = int(np.flatnonzero(both)[0])
            return Foresight(how, len(values) - 1 - row, abs(correlation(x, y)), row, 1.0)
    return None


def _normed(x: np.ndarray) -> str | None:
    width = float(np.std(x))
    different = len(np.unique(x))
    if width == 0.0 or different < DISTINCT_MIN:
        return None
    if abs(float(np.mean(x))) <= ALIKE * width and abs(width - 1.0) < 2.0 / len(x):
        return "standardised"
    if (float(np.min(x)), float(np.max(x))) in ((0.0, 1.0), (-1.0, 1.0), (-0.5, 0.5)):
        return "spread over its range"
    steps = np.diff(np.sort(x))
    apart = steps[steps > EXACT * width]
    even = different > 0.9 * len(x) and np.ptp(apart) <= 2 * float(np.median(apart))
    return "ranked" if even else None


def _others(data: ResearchData, name: str) -> Iterator[tuple[str, np.ndarray]]:
    yield "the price", data.price
    yield "the logarithm of the price", np.log(np.where(data.price > 0, data.price, np.nan))
    for column in data.columns:
        if column != name and data.frame.schema[column].is_numeric():
            yield f"column {column!r}", data.field(column)


def own_means(values: np.ndarray, data: ResearchData, steps: Sequence[int]) -> Foresight | None:
    """A column of few values, each the mean of what followed in its rows, as they turned out.

    Such a mean has noise of its own, by which whoever fitted them elsewhere is off. What followed
    may have been taken with the side that another column says.
    """
    rows, code = _members(values)
    if rows is None:
        return None
    for side in _sides(data):
        found = _own_means(values, side, data, steps, rows, code)
        if found is not None:
            return found
    return None


def _sides(data: ResearchData) -> Iterator[np.ndarray]:
    """The moves as they are, and by each column that is a side: two or three values, both signs."""
    yield np.ones(len(data))
    for column in data.columns:
        if data.frame.schema[column].is_numeric():
            series = data.field(column)
            few = np.unique(series[np.isfinite(series)][:1000])
            if len(few) in (2, 3) and few[0] < 0.0 < few[-1] and np.nanmax(np.abs(series)) <= 1.0:
                yield series


def _own_means(
    values: np.ndarray,
    side: np.ndarray,
    data: ResearchData,
    steps: Sequence[int],
    rows: np.ndarray,
    code: np.ndarray,
) -> Foresight | None:
    level = values[rows]
    for step in steps:
        later = (side * ahead(data.price, step))[rows]
        fine = np.isfinite(later)
        counts = np.bincount(code[fine], minlength=code.max() + 1)
        kept = np.flatnonzero(counts >= MEMBERS_MIN)
        if len(kept) // step < GROUPS_MIN:
            continue
        mean = np.bincount(code[fine], later[fine], minlength=len(counts)) / np.maximum(counts, 1)
        noise = float(np.sum((later[fine] - mean[code[fine]]) ** 2)) / max(
            int(fine.sum() - len(kept)), 1
        )
        at = np.bincount(code, level, minlength=len(counts)) / np.maximum(np.bincount(code), 1)
        weight, x, y = counts[kept].astype(float), at[kept], mean[kept]
        a, b = x - np.average(x, weights=weight), y - np.average(y, weights=weight)
        slope = float((weight * a) @ b / ((weight * a) @ a))
        off = float(weight @ (b - slope * a) ** 2) / noise / (len(kept) - 2)
        size = float(abs((weight * a) @ b) / np.sqrt((weight @ a**2) * (weight @ b**2)))
        if size >= FITS and _too_well(off, len(kept) // step):
            how = (
                f"likeness of its {len(kept)} values with the mean of the moves after their rows "
                f"(which are {off:.3f} of luck apart, where 1 is honest)"
            )
            return Foresight(how, step, size, int(rows[0]), FITS)
    return None


def _members(values: np.ndarray) -> tuple[np.ndarray | None, np.ndarray]:
    """Rows of each value that repeats, one of each run of it."""
    fine = np.isfinite(values) & np.append(True, values[1:] != values[:-1])
    rows = np.flatnonzero(fine)
    _, code, counts = np.unique(values[rows], return_inverse=True, return_counts=True)
    often = counts >= MEMBERS_MIN
    if often.sum() < GROUPS_MIN or counts[often].sum() < 0.5 * len(rows):
        return None, code
    kept = often[code]
    return rows[kept], np.unique(code[kept], return_inverse=True)[1]


def _too_well(off: float, free: int) -> bool:
    """Is a sum of squares over its freedom smaller than luck makes it? By Wilson and Hilferty."""
    mean, width = 1.0 - 2.0 / (9.0 * free), np.sqrt(2.0 / (9.0 * free))
    return bool((mean - off ** (1.0 / 3.0)) / width >= Z_FITS)
