"""The threshold sweep: twelve configurations of one alpha, and what each earned.

Every configuration is a trial. A threshold that the manifest declares is the only one. How flat the
top is, is asked of the thresholds beside the alpha's own (`stress`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from hft.research.backtest import Backtest, Rules, annual_sharpe, run
from hft.research.data.dataset import ResearchData

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
