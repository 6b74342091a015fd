"""Is a candidate news to the pool: correlation, tail correlation, VIF, spanning, orthogonal IC.

Quiet days flatter: the tail correlation looks at an incumbent's worst days only. The spanning
regression asks whether the pool could have earned the candidate's mean; its intercept is judged by
a HAC t.
Source: Treynor and Black (1973); Gibbons, Ross and Shanken (1989); governance reference, 12.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hft.statistics.hac import hac_line
from hft.statistics.information import Ic, IcSeries, ic, ic_by_date, pearson
from hft.statistics.series import panel, series

# A tail thinner than this has no correlation worth showing.
FEWEST_TAIL = 20


@dataclass(frozen=True, slots=True)
class Overlap:
    """The closest incumbent of a candidate, by |correlation|; None against an empty pool."""

    correlation: float | None
    against: int | None  # column of the pool
    all: tuple[float | None, ...]

    @property
    def magnitude(self) -> float | None:
        """|correlation|."""
        return None if self.correlation is None else abs(self.correlation)


@dataclass(frozen=True, slots=True)
class Spanning:
    """The candidate on the pool: what is left (alpha per period) and how sure."""

    alpha: float
    t: float | None
    betas: np.ndarray
    r_squared: float | None
    information: float | None  # per-period alpha over the sd of the residual
    lags: int


def correlations(candidate: ArrayLike, pool: ArrayLike) -> Overlap:
    """Pearson against every column of the pool (T x K, K may be 0)."""
    own, others = _aligned(candidate, pool)
    return _closest([pearson(own, others[:, k]) for k in range(others.shape[1])])


def tail_correlations(candidate: ArrayLike, pool: ArrayLike, tail: float = 0.10) -> Overlap:
    """Pearson on the worst `tail` of each incumbent's days; None below 20 such days."""
    own, others = _aligned(candidate, pool)
    found: list[float | None] = []
    for k in range(others.shape[1]):
        worst = others[:, k] <= np.quantile(others[:, k], tail)
        enough = int(worst.sum()) >= FEWEST_TAIL
        found.append(pearson(own[worst], others[worst, k]) if enough else None)
    return _closest(found)


def vif(candidate: ArrayLike, pool: ArrayLike) -> float | None:
    """1 / (1 - R^2) of the candidate on the pool; 1 for an empty pool, None when it is spanned."""
    own, others = _aligned(candidate, pool)
    if others.shape[1] == 0:
        return 1.0
    square = _r_squared(own, _residual(own, others))
    return None if square is None or square >= 1.0 - 1e-12 else 1.0 / (1.0 - square)


def spanning(candidate: ArrayLike, pool: ArrayLike, lags: int | None = None) -> Spanning:
    """Regress the candidate on the pool and judge the intercept by its HAC t.

    Raises: ValueError when the pool is collinear (leave out duplicates first) or empty.
    """
    own, others = _aligned(candidate, pool)
    line = hac_line(own, others, lags)
    error = float(line.errors[0])
    alpha = float(line.coefficients[0])
    noise = float(line.residuals.std(ddof=others.shape[1] + 1))
    flat = noise <= 1e-12 * max(float(np.abs(own).max()), 1e-300)
    return Spanning(
        alpha=alpha,
        t=None if flat or error <= 0.0 else alpha / error,
        betas=line.coefficients[1:],
        r_squared=_r_squared(own, line.residuals),
        information=None if flat else alpha / noise,
        lags=line.lags,
    )


def orthogonal_ic(candidate: ArrayLike, pool: ArrayLike, label: ArrayLike) -> Ic:
    """IC of what the candidate's signal says beyond the pool's signals, over time."""
    own, others = _aligned(candidate, pool)
    return ic(_residual(own, others), label)


def orthogonal_ic_by_date(
    dates: ArrayLike,
    candidate: ArrayLike,
    pool: ArrayLike,
    label: ArrayLike,
    *,
    min_names: int = 5,
    horizon: int = 1,
) -> IcSeries:
    """The same across names, the residual taken within each date.

    A date needs as many names as the pool has alphas and `min_names` more.
    """
    own, others = _aligned(candidate, pool)
    day = np.asarray(dates)
    need = min_names + others.shape[1]
    residual = np.full(own.size, np.nan)
    for value in np.unique(day):
        rows = np.flatnonzero(day == value)
        if rows.size >= need:
            residual[rows] = _residual(own[rows], others[rows])
    return ic_by_date(day, residual, label, min_names=need, horizon=horizon)


def marginal_sharpe(pool: float, candidate: float, rho: float) -> float | None:
    """Best per-period Sharpe of pool and candidate together; None at |rho| = 1.

    It equals the pool's exactly when candidate = rho x pool, and is never below it in sample, so it
    is shown and never gated on.
    """
    if not -1.0 < rho < 1.0:
        return None
    square = pool**2 + (candidate - rho * pool) ** 2 / (1.0 - rho**2)
    return float(np.sqrt(square))


def _aligned(candidate: ArrayLike, pool: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    own = series(candidate, minimum=3, name="candidate")
    others = panel(pool, rows=0, columns=0, name="the pool") if np.size(pool) else None
    if others is None:
        return own, np.zeros((own.size, 0))
    if others.shape[0] != own.size:
        raise ValueError(
            f"candidate has {own.size} rows and the pool {others.shape[0]}: align them"
        )
    return own, others


def _closest(found: list[float | None]) -> Overlap:
    known = [(abs(value), -k) for k, value in enumerate(found) if value is not None]
    if not known:
        return Overlap(None, None, tuple(found))
    at = -max(known)[1]
    return Overlap(found[at], at, tuple(found))


def _residual(own: np.ndarray, others: np.ndarray) -> np.ndarray:
    design = np.column_stack([np.ones(own.size), others])
    solution, *_ = np.linalg.lstsq(design, own, rcond=None)
    left = own - design @ solution
    # Rounding of a spanned candidate must not pass for a signal.
    floor = 1e-12 * max(float(np.abs(own).max()), 1e-300) * design.shape[1]
    return np.where(np.abs(left) <= floor, 0.0, left)


def _r_squared(own: np.ndarray, residual: np.ndarray) -> float | None:
    centred = own - own.mean()
    total = float(centred @ centred)
    return None if total <= 0.0 else 1.0 - float(residual @ residual) / total
