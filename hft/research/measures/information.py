"""Does the signal know something: rank correlation with what follows, its decay, its null.

For one name the coefficient over time, in parts of a session each (for a panel one of each date
across names), so that intraday rows are not counted as independent evidence. Where sessions are
few, chunks take their place.
"""

from dataclasses import dataclass

import numpy as np

from hft.research.data.dataset import ResearchData
from hft.statistics.decay import Decay, half_life
from hft.statistics.information import IcSeries, ic_by_chunk, ic_by_date, ic_over_time
from hft.statistics.permutation import circular_p, panel_circular_p

SESSIONS_MIN, PER_SESSION_MIN = 20, 8
STEPS = (1, 2, 3, 5, 8, 13, 21, 34)  # multiples of the declared horizon


@dataclass(frozen=True, eq=False)
class Information:
    """Coefficients at the declared horizon, by chunk and by session, and over longer horizons."""

    chunks: IcSeries | None
    days: IcSeries | None
    horizons_ns: tuple[int, ...]
    curve: tuple[float | None, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]
    decay: Decay | None
    permutation_p: float | None
    draws: int

    @property
    def half_life_ns(self) -> float | None:
        """Time in which the edge halves; None when the curve shows none."""
        return None if self.decay is None else self.decay.half_life

    @property
    def lasting(self) -> bool:
        """Does the edge stand at the longest horizon tried, so that a half-life is not seen?"""
        known = [value for value in self.curve if value is not None]
        return len(known) > 1 and known[0] > 0 and known[-1] > known[0] / 2


def information(
    data: ResearchData, signal: np.ndarray, horizon_ns: int, draws: int, seed: int
) -> Information:
    """Everything the signal's ranks say about forward returns."""
    found = data.labels(horizon_ns)
    usable = np.isfinite(signal) & np.isfinite(found.value)
    if usable.sum() < PER_SESSION_MIN:
        return Information(None, None, (), (), (), (), None, None, 0)
    reach = _rows_ahead(found.steps[usable])
    chunks = ic_by_chunk(signal[usable], found.value[usable], horizon=reach)
    days = _enough(coefficients(data, signal, found.value, horizon_ns, reach))
    horizons, panels = _decay_panels(data, signal, horizon_ns)
    means = [None if panel is None else panel.mean for panel in panels]
    bounds = [_bounds(panel) for panel in panels]
    names = [rows[usable[rows]] for _, rows in data.groups()]
    p, done = _permutation(signal, found.value, names, reach, draws, seed)
    return Information(
        chunks,
        days,
        horizons,
        tuple(means),
        tuple(low for low, _ in bounds),
        tuple(high for _, high in bounds),
        _half_life(horizons, panels, seed),
        p,
        done,
    )


def _rows_ahead(steps: np.ndarray) -> int:
    """How many rows of its name a label reaches over, at least one."""
    return max(int(np.median(steps)), 1)


def coefficients(
    data: ResearchData, signal: np.ndarray, value: np.ndarray, horizon_ns: int, reach: int
) -> IcSeries:
    """A session's part of the coefficient, or a date's across names; its t is Gate C's `ic_t`.

    The labels of neighbours overlap: `reach` is over how many dates, which are rows of a name.
    """
    if data.panel:
        return ic_by_date(data.ts_ns, signal, value, horizon=reach)
    days = max(1, round(horizon_ns / 86_400_000_000_000))
    return ic_over_time(data.session, signal, value, horizon=days)


def at_horizon(data: ResearchData, signal: np.ndarray, horizon_ns: int) -> tuple[IcSeries, int]:
    """The coefficients at one horizon, and how many rows have signal and label."""
    found = data.labels(horizon_ns)
    usable = np.isfinite(signal) & np.isfinite(found.value)
    reach = _rows_ahead(found.steps[usable]) if usable.any() else 1
    return coefficients(data, signal, found.value, horizon_ns, reach), int(usable.sum())


def _enough(found: IcSeries) -> IcSeries | None:
    """None with too few sessions, or dates, to count as evidence."""
    return found if found.spearman.size >= SESSIONS_MIN else None


def _decay_panels(
    data: ResearchData, signal: np.ndarray, horizon_ns: int
) -> tuple[tuple[int, ...], list[IcSeries | None]]:
    """Coefficients at multiples of the horizon, as far as labels reach."""
    horizons, panels = [], []
    for step in STEPS:
        reach = data.labels(horizon_ns * step)
        usable = np.isfinite(signal) & np.isfinite(reach.value)
        if usable.sum() < max(PER_SESSION_MIN * SESSIONS_MIN, len(data) // 4):
            break
        rows = _rows_ahead(reach.steps[usable])
        found = _enough(coefficients(data, signal, reach.value, horizon_ns * step, rows))
        if found is None:
            found = ic_by_chunk(signal[usable], reach.value[usable], horizon=rows)
        horizons.append(horizon_ns * step)
        panels.append(found if found.spearman.size else None)
    return tuple(horizons), panels


def _bounds(panel: IcSeries | None) -> tuple[float | None, float | None]:
    """Mean plus and minus two HAC standard errors."""
    t = None if panel is None else panel.t
    if t is None or t.se is None:
        return None, None
    return t.mean - 2 * t.se, t.mean + 2 * t.se


def _half_life(horizons: tuple[int, ...], panels: list[IcSeries | None], seed: int) -> Decay | None:
    """The fitted half-life in ns, over the sessions that have a coefficient at every horizon."""
    whole = [panel for panel in panels if panel is not None]
    if len(whole) < 3 or len(whole) != len(panels):
        return None
    common = whole[0].at
    for panel in whole[1:]:
        common = np.intersect1d(common, panel.at)
    if len(common) < PER_SESSION_MIN:
        return None
    columns = [panel.spearman[np.isin(panel.at, common)] for panel in whole]
    return half_life(np.array(horizons, float), np.column_stack(columns), seed=seed)


def _permutation(
    signal: np.ndarray,
    value: np.ndarray,
    names: list[np.ndarray],
    reach: int,
    draws: int,
    seed: int,
) -> tuple[float | None, int]:
    """p against circular shifts of the labels, and how many shifts there were to draw from.

    All names are shifted by the same share of their rows, so that what they have in common stays.
    """
    kept = [rows for rows in names if len(rows) > 2 * reach + 2]
    if not kept:
        return None, 0
    if len(kept) == 1:
        one = kept[0]
        p = circular_p(signal[one], value[one], reps=draws, min_shift=reach, seed=seed)
        return p, min(draws, len(one) - 2 * reach)
    return panel_circular_p(
        [(signal[rows], value[rows]) for rows in kept], reps=draws, min_shift=reach, seed=seed
    ), min(draws, min(len(rows) for rows in kept) - 2 * reach)
