"""Does a column know how its session will end: its high, low, close, mean or totals?

Looked at in the first half of each session, and only where what is known by then is another value.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from hft.research.data.dataset import ResearchData
from hft.research.leakage.foresight import PARTIAL, Z_MIN, Foresight, is_price
from hft.research.leakage.likeness import ROWS_MIN, correlation, fisher, unexplained

SESSIONS_MIN, ROWS_A_SESSION = 10, 8
EXACT, NEARLY = 0.9, 1e-9
COLUMNS_MOST = 24

Run = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class _Sessions:
    """First and last row (behind it) of each session that is long enough."""

    begin: np.ndarray
    end: np.ndarray

    @classmethod
    def of(cls, session: np.ndarray) -> "_Sessions":
        turns = np.flatnonzero(np.append(True, session[1:] != session[:-1]))
        stops = np.append(turns[1:], len(session))
        long = stops - turns >= ROWS_A_SESSION
        return cls(turns[long], stops[long])


def ends(session: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The first and last rows of all sessions in turn, once to ask the first and once the last;
    nothing where there are few sessions, or daily rows."""
    found = _Sessions.of(session)
    if len(found.begin) >= ROWS_MIN:
        rows = np.column_stack([found.begin, found.end - 1]).ravel()
        first = np.arange(len(rows)) % 2 == 0
        yield rows, first
        yield rows, ~first


def outcome(
    values: np.ndarray, price: np.ndarray, data: ResearchData, name: str
) -> Foresight | None:
    """The first outcome of a session that the column knows in its first half."""
    spans = _Sessions.of(data.session)
    if len(spans.begin) < SESSIONS_MIN:
        return None
    if is_price(values, price):
        for word, run in (
            ("high", np.maximum.accumulate),
            ("low", np.minimum.accumulate),
            ("close", lambda x: x),
            ("mean", lambda x: np.cumsum(x) / np.arange(1, len(x) + 1)),
        ):
            found = _known(values, price, spans, run, f"the {word} of its session", True)
            if found is not None:
                return found
        return None
    for column in _columns(data, name):
        other = np.nan_to_num(data.field(column))
        found = _known(values, other, spans, np.cumsum, f"the session's whole {column}", False)
        if found is not None:
            return found
    return None


def _columns(data: ResearchData, name: str) -> list[str]:
    """Columns that may be summed: amounts, never below zero, that are no prices."""
    kinds = data.frame.schema
    numbers = [one for one in data.columns if kinds[one].is_numeric() and one != name]
    return [one for one in numbers if _amount(data.field(one), data.price)][:COLUMNS_MOST]


def _amount(values: np.ndarray, price: np.ndarray) -> bool:
    return float(np.nanmin(values, initial=0.0)) >= 0.0 and not is_price(values, price)


def _known(
    values: np.ndarray, series: np.ndarray, spans: _Sessions, run: Run, words: str, relative: bool
) -> Foresight | None:
    """Is the last value of a running figure known before it is reached?"""
    said, truth, reached, now, before, where = [], [], [], [], [], []
    last = np.nan
    for begin, end in zip(spans.begin, spans.end, strict=True):
        so_far = run(series[begin:end])
        half = (end - begin) // 2
        for part in (half // 4, half // 2, half):
            said.append(values[begin + part])
            truth.append(so_far[-1])
            reached.append(so_far[part])
            now.append(series[begin + part])
            before.append(last)
            where.append(begin + part)
        last = so_far[-1]
    told, final, known, level, previous = map(np.asarray, (said, truth, reached, now, before))
    open_ = np.isfinite(told) & np.isfinite(final) & ~np.isclose(final, known, NEARLY, 0.0)
    if open_.sum() < SESSIONS_MIN or np.ptp(told[open_]) == 0.0:
        return None
    row, ahead = int(np.asarray(where)[open_][0]), int(np.median(spans.end - spans.begin))
    same = float(np.isclose(told[open_], final[open_], NEARLY, 0.0).mean())
    if same >= EXACT:
        return Foresight(f"how often it equals {words}", ahead, same, row, EXACT)
    if not relative:
        return None
    scale = level
    with np.errstate(invalid="ignore", divide="ignore"):
        x, y, z, w = (part[open_] / scale[open_] for part in (told, final, known, previous))
    left, right = (unexplained(one - 1.0, [z - 1.0, w - 1.0]) for one in (x, y))
    size = abs(correlation(left, right))
    if size >= PARTIAL and fisher(size, open_.sum() / 3) >= Z_MIN:
        return Foresight(
            f"correlation with {words} beyond what is reached", ahead, size, row, PARTIAL
        )
    return None
