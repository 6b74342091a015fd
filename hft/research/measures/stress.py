"""What is left of an alpha when costs, delay or its threshold are worse than planned."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hft.research.backtest import Backtest, Rules, annual_sharpe, run
from hft.research.data.dataset import ResearchData

COSTS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0)
LAGS = (0, 1, 2, 3, 5, 8)


@dataclass(frozen=True)
class Case:
    """One variant: what was changed, and the figures out of sample."""

    name: str
    sharpe: float | None
    drawdown: float
    turnover: float


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

    @property
    def robust(self) -> dict[str, bool | None]:
        """Each fault of the neighbourhood, by name; None when undefined."""
        faults: dict[str, bool | None] = dict.fromkeys(("cliff", "sign", "turnover", "drawdown"))
        base = self.base.sharpe
        for case in (self.lower, self.upper):
            if base is not None and case.sharpe is not None:
                drop = base - case.sharpe
                _note(faults, "cliff", drop > max(0.25, 0.6 * abs(base)))
                _note(faults, "sign", base > 0 > case.sharpe)
            more = case.turnover > max(2 * self.base.turnover, self.base.turnover + 0.5)
            _note(faults, "turnover", more)
            mine, theirs = abs(self.base.drawdown), abs(case.drawdown)
            _note(faults, "drawdown", theirs > max(1.5 * mine, mine + 0.05))
        return faults

    def at_cost(self, multiple: float) -> float | None:
        """Sharpe ratio at a multiple of the fees."""
        return dict(self.cost)[multiple]

    @property
    def lag1_retention(self) -> float | None:
        """Share of the Sharpe ratio that is left when every fill is one row later."""
        now, later = dict(self.lag)[0], dict(self.lag)[1]
        return later / now if now is not None and later is not None and now > 0 else None


def _note(faults: dict[str, bool | None], name: str, found: bool) -> None:
    faults[name] = bool(faults[name]) or found


def stresses(
    data: ResearchData,
    signal: np.ndarray,
    rules: Rules,
    begin: int,
    basis: str,
    factor: float,
    latency_ns: int,
) -> Stresses:
    """Every variant of the base rules. Units: `latency_ns` decision to fill."""
    rows_late = late_rows(data, latency_ns, factor)

    def outside(name: str, **changes: Any) -> Case:
        return case(
            name, run(data, signal, replace(rules, **changes)).part(slice(begin, None)), basis
        )

    def whole(**changes: Any) -> float | None:
        return annual_sharpe(run(data, signal, replace(rules, **changes)).returns(basis), basis)

    return Stresses(
        outside("base"),
        outside("stressed", cost=factor, lag=rows_late),
        outside("lower", threshold=rules.threshold * 0.8),
        outside("upper", threshold=rules.threshold * 1.2),
        tuple((cost, whole(cost=cost)) for cost in COSTS),
        tuple((lag, whole(lag=lag)) for lag in LAGS),
        rows_late,
    )


def late_rows(data: ResearchData, latency_ns: int, factor: float) -> int:
    """Whole rows of delay that the longer latency adds; 0 where rows are far apart."""
    gaps = np.diff(data.ts_ns)
    gaps = gaps[gaps > 0]
    if not len(gaps):
        return 0
    spacing = float(np.median(gaps))
    return int(latency_ns * factor // spacing) - int(latency_ns // spacing)


def case(name: str, test: Backtest, basis: str) -> Case:
    """The figures of a variant, of its rows out of sample."""
    sharpe = annual_sharpe(test.returns(basis), basis)
    return Case(name, sharpe, test.drawdown, test.turnover)
