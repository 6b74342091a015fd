"""Is the best of several better than the incumbent at all: SPA, Reality Check, StepM, and MCS.

All come from arch, the reference implementation, imported only here; without it the answer is
`NotInstalled`, which a gate shows as INSUFFICIENT with the command that helps. Callers pass
returns; losses are made here (negated), because a mixed-up sign passes every noise alpha.
Source: White (2000); Hansen (2005); Romano and Wolf (2005); Hansen, Lunde and Nason (2011).
"""

from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import ArrayLike

from hft.statistics.bootstrap import block_length
from hft.statistics.series import generator, panel, series


@dataclass(frozen=True, slots=True)
class NotInstalled:
    """A statistic whose library is absent; `fix` is the command that brings it."""

    package: str = "arch"
    fix: str = "pip install arch"

    @property
    def sentence(self) -> str:
        """For the shopping list."""
        return f"{self.package} is not installed: {self.fix}"


@dataclass(frozen=True, slots=True)
class Spa:
    """Three p-values of "no candidate beats the benchmark"; decide by the consistent one.

    Each is (1 + exceedances) / (1 + reps), so never 0.
    """

    p_lower: float
    p_consistent: float
    p_upper: float
    reps: int
    block: int
    n_models: int


def spa(
    returns: ArrayLike,
    benchmark: ArrayLike | None = None,
    *,
    block: int | None = None,
    reps: int = 1000,
    seed: int = 42,
) -> Spa | NotInstalled:
    """SPA of T x K returns against a benchmark series (cash, that is zero, by default).

    The mean block length is the longest any column asks for.
    """
    models, base = _sides(returns, benchmark)
    try:
        from arch.bootstrap import SPA
    except ImportError:
        return NotInstalled()
    length = _block(models, base) if block is None else block
    test = SPA(-base, -models, block_size=length, reps=reps, seed=generator(seed, 4))
    test.compute()
    lower, consistent, upper = (_counted(float(p), reps) for p in test.pvalues.to_numpy())
    return Spa(lower, consistent, upper, reps, length, models.shape[1])


def stepm(
    returns: ArrayLike,
    benchmark: ArrayLike | None = None,
    *,
    size: float = 0.05,
    block: int | None = None,
    reps: int = 1000,
    seed: int = 42,
) -> tuple[int, ...] | NotInstalled:
    """Columns that beat the benchmark with family-wise error at most `size`."""
    models, base = _sides(returns, benchmark)
    try:
        from arch.bootstrap import StepM
    except ImportError:
        return NotInstalled()
    length = _block(models, base) if block is None else block
    test = StepM(-base, -models, size, block_size=length, reps=reps, seed=generator(seed, 5))
    test.compute()
    return tuple(sorted(int(str(column)) for column in test.superior_models))


def reality_check(
    returns: ArrayLike,
    benchmark: ArrayLike | None = None,
    *,
    block: int | None = None,
    reps: int = 1000,
    seed: int = 42,
) -> float | NotInstalled:
    """White's p: not studentised, all recentred; poor candidates weaken it, so SPA decides."""
    models, base = _sides(returns, benchmark)
    try:
        from arch.bootstrap import RealityCheck
    except ImportError:
        return NotInstalled()
    length = _block(models, base) if block is None else block
    test = RealityCheck(
        -base,
        -models,
        block_size=length,
        reps=reps,
        studentize=False,
        seed=generator(seed, 8),
    )
    test.compute()
    return _counted(float(test.pvalues.to_numpy()[2]), reps)


def confidence_set(
    returns: ArrayLike,
    *,
    size: float = 0.10,
    block: int | None = None,
    reps: int = 1000,
    seed: int = 42,
) -> tuple[int, ...] | NotInstalled:
    """MCS: columns that are not worse than the best one, with error at most `size`."""
    models = panel(returns, rows=10, columns=2)
    try:
        from arch.bootstrap import MCS
    except ImportError:
        return NotInstalled()
    length = _block(models, np.zeros(len(models))) if block is None else block
    test = MCS(-models, size, reps=reps, block_size=length, seed=generator(seed, 9))
    test.compute()
    return tuple(sorted(int(str(column)) for column in test.included))


def _sides(returns: ArrayLike, benchmark: ArrayLike | None) -> tuple[np.ndarray, np.ndarray]:
    models = panel(returns, rows=10)
    if benchmark is None:
        return models, np.zeros(len(models))
    base = series(benchmark, minimum=10, name="benchmark")
    if base.size != len(models):
        raise ValueError(f"benchmark has {base.size} rows and the candidates {len(models)}")
    return models, base


def _block(models: np.ndarray, base: np.ndarray) -> int:
    gaps = models - base[:, None]
    return ceil(max(block_length(gaps[:, k]) for k in range(gaps.shape[1])))


def _counted(share: float, reps: int) -> float:
    return (1.0 + round(share * reps)) / (1.0 + reps)
