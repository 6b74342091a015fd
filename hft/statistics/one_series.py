"""Four tests of one series: is its mean, or its median, above zero?

They look at the same numbers, so that their p-values are no independent evidence and a correction
over them says nothing of how often an alpha was tried. Advice beside the deflated Sharpe ratio,
never instead of it.
Source: Student's t; Wilcoxon (1945); the sign test; the bootstrap of Politis and Romano (1994).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hft.statistics.bootstrap import block_length, resample
from hft.statistics.dependence import Bds, bds
from hft.statistics.multiplicity import Method, adjust
from hft.statistics.series import is_flat, series

LEAST = 10  # values
LOW = 0.05  # the bootstrapped mean's lower quantile, which must lie above zero


@dataclass(frozen=True, slots=True)
class OneTest:
    """One test; `p` is one-sided, `adjusted` after the correction.

    Both are None where the test cannot be made, and `reason` says why; `reason` also says what else
    kept it from surviving.
    """

    name: str
    p: float | None
    adjusted: float | None
    survives: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Battery:
    """The tests of one series, and whether its values depend on each other."""

    tests: tuple[OneTest, ...]
    method: Method
    level: float
    observations: int
    independence: Bds | None

    @property
    def survivors(self) -> int:
        """How many nulls fell after the correction."""
        return sum(one.survives for one in self.tests)


def battery(
    values: ArrayLike,
    method: Method = "bh",
    *,
    level: float = 0.1,
    draws: int = 1000,
    nonzero: int = 10,
    seed: int = 42,
) -> Battery | None:
    """One-sided t, Wilcoxon (from `nonzero` values that are not 0), sign and bootstrapped mean.

    None for a series that does not vary. Raises: ValueError for fewer than `LEAST` values.
    """
    x = series(values, minimum=LEAST)
    if is_flat(float(x.mean()), float(x.std())):
        return None
    mean_p, low = _bootstrap(x, draws, seed)
    found = {
        "t": _t(x),
        "wilcoxon": _wilcoxon(x, nonzero),
        "sign": _sign(x),
        "bootstrap": mean_p,
    }
    known = {name: p for name, p in found.items() if p is not None}
    adjusted = dict(zip(known, adjust(list(known.values()), method), strict=True))
    held = "" if low > 0.0 else f"the {LOW:.0%} quantile of the mean is {low:.3g}, not above 0"
    zeros = f"{int((x != 0).sum())} values are not 0, {nonzero} are needed"
    tests = []
    for name, p in found.items():
        if p is None:
            tests.append(OneTest(name, None, None, False, zeros))
            continue
        reason = held if name == "bootstrap" else ""
        after = float(adjusted[name])
        tests.append(OneTest(name, p, after, after <= level and not reason, reason))
    return Battery(tuple(tests), method, level, x.size, bds(x))


def _t(x: np.ndarray) -> float:
    from scipy.stats import ttest_1samp

    return float(ttest_1samp(x, 0.0, alternative="greater").pvalue)


def _wilcoxon(x: np.ndarray, nonzero: int) -> float | None:
    from scipy.stats import wilcoxon

    moved = x[x != 0.0]
    if moved.size < nonzero:
        return None
    return float(wilcoxon(moved, alternative="greater").pvalue)


def _sign(x: np.ndarray) -> float:
    from scipy.stats import binomtest

    moved = int((x != 0.0).sum())
    return float(binomtest(int((x > 0.0).sum()), moved, 0.5, alternative="greater").pvalue)


def _bootstrap(x: np.ndarray, draws: int, seed: int) -> tuple[float, float]:
    """The share of resampled means that are not above 0, and their lower quantile."""
    means = resample(
        x, lambda rows: rows.mean(axis=1), reps=draws, block=block_length(x), seed=seed
    )
    return (1.0 + float((means <= 0.0).sum())) / (1.0 + draws), float(np.quantile(means, LOW))
