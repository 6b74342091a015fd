"""What is left of an alpha when costs, delay or its threshold are worse than planned."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hft.research.backtest import Backtest, Rules, annual_sharpe, run
from hft.research.data.dataset import ResearchData

# The neighbourhood of a threshold, as multiples of it.
BESIDE = (0.6, 0.8, 1.2, 1.4)
COSTS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0)
LAGS = (0, 1, 2, 3, 5, 8)


@dataclass(frozen=True)
class Case:
    """One variant: what was changed, and the figures out of sample."""

    name: str
    sharpe: float | None
    drawdown: float
    turnover: float
    at_capital: float = 0.0  # the drawdown at the target capital


@dataclass(frozen=True)
class Neighbour:
    """A threshold beside the alpha's own, `factor` times it, over the whole period.

    `same`: it takes the very same positions, and says nothing.
    """

    factor: float
    sharpe: float | None
    same: bool


@dataclass(frozen=True)
class Stresses:
    """All variants; `cost` and `lag` are curves of the whole period's Sharpe ratio."""

    base: Case
    stressed: Case
    lower: Case  # threshold x 0.8
    upper: Case  # threshold x 1.2
    cost: tuple[tuple[float, float | None], ...]
    lag: tuple[tuple[int, float | None], ...]
    latency_rows: int  # rows by which the stressed latency delays a fill beyond the plain one
    neighbours: tuple[Neighbour, ...] = ()

    def plateau(self, keep: float) -> float | None:
        """Share of the neighbourhood that keeps so much of the alpha's own Sharpe ratio.

        Neighbours with the same positions say nothing. None where no neighbour differs, or where
        the alpha itself gains nothing that could be kept.
        """
        own, others = self.at_cost(1.0), self.differing
        if own is None or own <= 0 or not others:
            return None
        kept = [one for one in others if one.sharpe is not None and one.sharpe >= keep * own]
        return len(kept) / len(others)

    @property
    def differing(self) -> tuple[Neighbour, ...]:
        """The neighbours that take other positions than the alpha."""
        return tuple(one for one in self.neighbours if not one.same)

    @property
    def busiest(self) -> float:
        """The turnover of the threshold beside, a fifth off, that trades most."""
        return max(self.lower.turnover, self.upper.turnover)

    @property
    def deepest(self) -> float:
        """The deepest fall of the thresholds a fifth off; 0 or less."""
        return min(self.lower.drawdown, self.upper.drawdown)

    def at_cost(self, multiple: float) -> float | None:
        """Sharpe ratio at a multiple of the fees."""
        return dict(self.cost)[multiple]

    @property
    def lag1_retention(self) -> float | None:
        """Share of the Sharpe ratio that is left when every fill is one row later."""
        now, later = dict(self.lag)[0], dict(self.lag)[1]
        return later / now if now is not None and later is not None and now > 0 else None


def stresses(
    data: ResearchData,
    signal: np.ndarray,
    rules: Rules,
    begin: int,
    basis: str,
    factor: float,
    latency_ns: int,
    capital: float,
) -> Stresses:
    """Variants of the base rules. Units: `latency_ns` decision to fill; `capital` in points."""
    rows_late = late_rows(data, latency_ns, factor)

    def outside(name: str, **changes: Any) -> Case:
        test = run(data, signal, replace(rules, **changes)).part(slice(begin, None))
        return case(name, test, basis, capital)

    def whole(**changes: Any) -> float | None:
        return annual_sharpe(run(data, signal, replace(rules, **changes)).returns(basis), basis)

    own = run(data, signal, rules)

    def beside(by: float) -> Neighbour:
        test = run(data, signal, replace(rules, threshold=rules.threshold * by))
        return neighbour(by, test, own, basis)

    return Stresses(
        outside("base"),
        outside("stressed", cost=factor, lag=rows_late),
        outside("lower", threshold=rules.threshold * 0.8),
        outside("upper", threshold=rules.threshold * 1.2),
        tuple((cost, whole(cost=cost)) for cost in COSTS),
        tuple((lag, whole(lag=lag)) for lag in LAGS),
        rows_late,
        tuple(beside(by) for by in BESIDE),
    )


def neighbour(by: float, test: Backtest, own: Backtest, basis: str) -> Neighbour:
    """What another threshold earned over the whole period, beside the alpha's own."""
    sharpe = annual_sharpe(test.returns(basis), basis)
    return Neighbour(by, sharpe, bool(np.array_equal(test.position, own.position)))


def late_rows(data: ResearchData, latency_ns: int, factor: float) -> int:
    """Whole rows of delay that the longer latency adds; 0 where rows are far apart."""
    gaps = np.diff(data.ts_ns)
    gaps = gaps[gaps > 0]
    if not len(gaps):
        return 0
    spacing = float(np.median(gaps))
    return int(latency_ns * factor // spacing) - int(latency_ns // spacing)


def case(name: str, test: Backtest, basis: str, capital: float) -> Case:
    """The figures of a variant, of its rows out of sample."""
    sharpe = annual_sharpe(test.returns(basis), basis)
    return Case(name, sharpe, test.drawdown, test.turnover, test.drawdown_at(capital))
