"""The threshold sweep: twelve configurations of one alpha, what each earned, how flat the top is.

Every configuration is a trial. A peak at the edge of the grid, alone among its neighbours or far
below what it showed in sample is a property of the search, not of the market.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from hft.research.backtest import Backtest, Rules, annual_sharpe, run
from hft.research.data.dataset import ResearchData
from hft.statistics.deflated import expected_maximum

GRID = tuple(float(x) for x in np.round(np.linspace(0.05, 0.6, 11), 3))


@dataclass(frozen=True, eq=False)
class Config:
    """One configuration: its rules and what it earned."""

    rules: Rules
    test: Backtest
    sharpe_is: float | None
    sharpe_oos: float | None
    drawdown: float
    turnover: float

    @property
    def objective(self) -> float | None:
        """Sharpe out of sample, less penalties for a deep fall and for much trading."""
        if self.sharpe_oos is None:
            return None
        deep = 2.0 * max(0.0, abs(self.drawdown) - 0.10)
        return self.sharpe_oos - deep - 0.25 * max(0.0, self.turnover - 1.0)


@dataclass(frozen=True, eq=False)
class Sweep:
    """The configurations by rising threshold; `base` is the position of the alpha's own."""

    configs: tuple[Config, ...]
    base: int
    basis: str

    @cached_property
    def matrix(self) -> np.ndarray:
        """Net returns, a row a period, a column a configuration."""
        return np.column_stack([one.test.returns(self.basis) for one in self.configs])

    @cached_property
    def distinct(self) -> tuple[int, ...]:
        """The first configuration of each behaviour: where nothing differs, nothing was swept."""
        seen: dict[bytes, int] = {}
        for k in range(len(self.configs)):
            seen.setdefault(self.configs[k].test.position.tobytes(), k)
        return tuple(sorted(seen.values()))

    @property
    def best(self) -> int | None:
        """Where the objective is highest; None when it is nowhere defined."""
        scores = [one.objective for one in self.configs]
        known = [k for k, score in enumerate(scores) if score is not None]
        return max(known, key=lambda k: (scores[k], -k)) if known else None

    def neighbours(self) -> list[float]:
        """The objectives beside the best one."""
        best = self.best
        if best is None:
            return []
        beside = [k for k in (best - 1, best + 1) if 0 <= k < len(self.configs)]
        return [score for k in beside if (score := self.configs[k].objective) is not None]

    @property
    def on_boundary(self) -> bool | None:
        """Does the best configuration stand at an edge of the grid?"""
        best = self.best
        return None if best is None else best in (0, len(self.configs) - 1)

    @property
    def gap(self) -> float | None:
        """How much better the best configuration is in sample than out of it."""
        best = self.best
        if best is None or self.configs[best].sharpe_is is None:
            return None
        inside, outside = self.configs[best].sharpe_is, self.configs[best].sharpe_oos
        return None if inside is None or outside is None else inside - outside

    @property
    def neighbour_ratio(self) -> float | None:
        """The worse neighbour's objective as a share of the best; None when the best is not > 0."""
        best = self.best
        beside = self.neighbours()
        top = None if best is None else self.configs[best].objective
        return min(beside) / top if beside and top is not None and top > 0 else None

    @property
    def sign_flip(self) -> bool | None:
        """Does a neighbour of the best lose?"""
        best = self.best
        top = None if best is None else self.configs[best].objective
        if top is None:
            return None
        return top > 0 and any(score < 0 for score in self.neighbours())

    @property
    def deflated(self) -> float | None:
        """Annual Sharpe out of sample of the best less what so many worthless ones would show."""
        best = self.best
        if best is None:
            return None
        sharpes = [one.sharpe_oos for one in self.configs if one.sharpe_oos is not None]
        spread = float(np.std(sharpes, ddof=1)) if len(sharpes) > 1 else 0.0
        top = self.configs[best].sharpe_oos
        return None if top is None else top - spread * expected_maximum(max(len(self.distinct), 1))


def sweep(
    data: ResearchData,
    signal: np.ndarray,
    rules: Rules,
    split: tuple[int, int],
    basis: str,
    levels: Sequence[float],
) -> Sweep:
    """Each of these thresholds, the alpha's own among them."""
    configs = tuple(
        config(data, signal, replace(rules, threshold=level), split, basis) for level in levels
    )
    return Sweep(configs, list(levels).index(rules.threshold), basis)


def config(
    data: ResearchData, signal: np.ndarray, rules: Rules, split: tuple[int, int], basis: str
) -> Config:
    """One configuration, in and out of sample."""
    return judged(run(data, signal, rules), rules, split, basis)


def judged(test: Backtest, rules: Rules, split: tuple[int, int], basis: str) -> Config:
    """What a run of some rules earned, in and out of sample."""
    end, begin = split
    inside, outside = test.part(slice(0, end)), test.part(slice(begin, None))
    return Config(
        rules,
        test,
        annual_sharpe(inside.returns(basis), basis),
        annual_sharpe(outside.returns(basis), basis),
        outside.drawdown,
        outside.turnover,
    )
