"""From sums by session to a score: Sharpe out of sample, net of costs, less what needs no alpha.

What needs none is holding: the part of the Sharpe ratio that each judged block's mean position,
held all through the block, would have earned. It is counted in units of the candidate's own risk,
so that a few rows apart from always being long are worth next to nothing; where holding lost,
nothing is added. score = Sharpe - that part - 0.25 x max |correlation to the pool|; passed = Sharpe
less that part > 0.5 and correlation < 0.7 (contract 5.8, ADR 22). With 20 sessions or more figures
are of days, with fewer of steps. A candidate that never trades, or does not vary, has no score and
says why; a proxy never passes.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from hft.research.backtest import DAYS_A_YEAR, DAYS_MIN
from hft.research.search.folds import Fold, directions
from hft.research.search.trade import CROSS, FEE, GROSS, SQUARE
from hft.statistics.sharpe import ratio

PENALTY = 0.25
SHARPE_MIN, CORRELATION_MAX = 0.5, 0.7
TINY = 1e-12
DIGITS = 12  # figures are rounded before they are compared, ranked or written


@dataclass(frozen=True)
class Scored:
    """One candidate's figures; `net` is its return of each session, out of sample, net of fees."""

    score: float | None
    sharpe_oos: float | None
    sharpe_is: float | None
    sharpe_held: float | None  # of it, what holding the mean position earns
    correlation_pool_max: float
    passed: bool
    reason: str
    turnover: float
    net_total: float
    gross_total: float
    net: tuple[float, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


def rounded(value: float) -> float:
    """To 12 digits: what two orders of summing could make differ is cut off."""
    return float(f"{value:.{DIGITS}g}")


def score(
    sums: np.ndarray,
    holding: np.ndarray,
    rows: int,
    traded: float,
    correlation: float,
    folds: tuple[Fold, ...],
    proxy: bool,
) -> Scored:
    """The figures of one signal from its sums [session, 5] over so many rows.

    `holding` [session] is what the mean position of each session's block earned there.
    """
    gross, fee = sums[:, GROSS], sums[:, FEE]
    outside = directions(gross, folds)
    whole = np.full(len(gross), -1.0 if gross.sum() < 0 else 1.0)
    net = outside * gross - fee
    sharpe = _sharpe(net, sums, outside, rows)
    inside = _sharpe(whole * gross - fee, sums, whole, rows)
    held = None if sharpe is None else _sharpe(outside * holding, sums, outside, rows)
    own = None if sharpe is None else sharpe - max(0.0, held or 0.0)
    reason = ""
    if traded == 0.0:
        reason = "never trades"
    elif sharpe is None:
        reason = "its returns do not vary"
    elif sharpe > SHARPE_MIN and own is not None and own <= SHARPE_MIN:
        reason = "earns what holding its mean position earns"
    ranked = None if own is None else rounded(own - PENALTY * correlation)
    passed = own is not None and own > SHARPE_MIN and correlation < CORRELATION_MAX
    if passed and proxy:
        passed, reason = False, "proxy returns never pass; name a returns field"
    return Scored(
        score=ranked,
        sharpe_oos=sharpe,
        sharpe_is=inside,
        sharpe_held=held,
        correlation_pool_max=correlation,
        passed=passed,
        reason=reason,
        turnover=rounded(traded / max(rows, 1)),
        net_total=rounded(float(net.sum())),
        gross_total=rounded(float((outside * gross).sum())),
        net=() if traded == 0.0 else tuple(net.tolist()),
    )


def _sharpe(earned: np.ndarray, sums: np.ndarray, direction: np.ndarray, rows: int) -> float | None:
    """What was earned by session, annual, in units of the risk that the net returns had.

    Of days, or of steps where there are too few days; None where nothing varies.
    """
    net = direction * sums[:, GROSS] - sums[:, FEE]
    if len(net) >= DAYS_MIN:
        mean, sd = float(earned.mean()), float(net.std(ddof=1))
    else:
        # The square of a net step is g^2 + f^2 - 2 d g f for direction d.
        squares = float((sums[:, SQUARE] - 2.0 * direction * sums[:, CROSS]).sum())
        mean, typical = float(earned.sum()) / max(rows, 1), float(net.sum()) / max(rows, 1)
        sd = float(np.sqrt(max(0.0, squares / max(rows, 1) - typical * typical)))
    found = ratio(mean, sd)
    return None if found is None else rounded(found * float(np.sqrt(DAYS_A_YEAR)))


def pool_correlation(moments: np.ndarray, pool_sums: np.ndarray, rows: int) -> float:
    """Largest |Pearson| of a signal with the pool, from its sums; undefined counts as 0.

    `pool_sums` [alpha, 2] are the sum and the sum of squares of each pool signal.
    """
    if not len(pool_sums):
        return 0.0
    total, square, products = moments[0], moments[1], moments[2:]
    own = square - total * total / rows
    theirs = pool_sums[:, 1] - pool_sums[:, 0] ** 2 / rows
    cross = products - total * pool_sums[:, 0] / rows
    usable = (own > TINY) & (theirs > TINY)
    scale = np.sqrt(np.where(usable, own * theirs, 1.0))
    found = np.where(usable, np.abs(cross) / scale, 0.0)
    return round(float(min(1.0, np.nan_to_num(found, nan=0.0).max())), 9)
