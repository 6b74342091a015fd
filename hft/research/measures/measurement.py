"""All figures of one alpha on one dataset, before anybody asks how often it was tried.

The same data, signal and options give the same figures in any process; `digest` is what Gate B
compares between fresh ones.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import sqrt
from typing import Any

import numpy as np

from hft.research.backtest import (
    DAYS_A_YEAR,
    Backtest,
    Rules,
    annual_sharpe,
    capital_of,
    split_rows,
)
from hft.research.data.aliases import provides
from hft.research.data.dataset import ResearchData
from hft.research.measures import folds
from hft.research.measures.information import Information, information
from hft.research.measures.stress import Stresses, stresses
from hft.research.measures.sweep import GRID, Config, Sweep, sweep
from hft.statistics.drawdown import DrawdownTest, drawdown_test
from hft.statistics.information import ic
from hft.statistics.sharpe import effective_length, moments, sharpe_se
from hft.storage.chain import canonical

DIGITS = 12
DAY_NS = 86_400_000_000_000
REGIME_MIN = 4


@dataclass(frozen=True)
class Options:
    """What a validation may be told; part of the configuration's hash.

    `execution` "maker" and "quotes" have the figures of replays that quote; its fields count only
    then. A policy that quotes has no threshold, and nothing is swept; nor is one that the manifest
    declared (`declared`).
    """

    rules: Rules = field(default_factory=Rules)
    horizon_ns: int = 0
    is_oos_split: float = 0.7
    walk_forward_folds: int = 5
    cpcv_folds: int = 10
    cpcv_test_folds: int = 2
    stress_factor: float = 1.5
    latency_ns: int = 0  # decision to fill
    permutation_draws: int = 999
    seed: int = 42
    execution: str = "taker"
    maker_bps: float = -0.2
    declared: bool = False
    capital: float | None = None  # of a contract, in points of price; None: its own price
    reentry: int = 0  # rollbacks of the alpha before: the same rows after one are another try

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        without = {"rules"} | ({"execution", "maker_bps"} if self.execution == "taker" else set())
        without |= set() if self.declared else {"declared"}
        without |= {"capital"} if self.capital is None else set()
        without |= set() if self.reentry else {"reentry"}
        plain = {name: value for name, value in self.__dict__.items() if name not in without}
        return plain | {"rules": self.rules.to_dict()}

    @property
    def levels(self) -> list[float]:
        """The thresholds that a validation tries, its own among them."""
        grid = () if self.execution == "quotes" or self.declared else GRID
        return sorted({*grid, self.rules.threshold})

    @property
    def hash(self) -> str:
        """First 16 hex digits of the SHA-256 of the options."""
        return hashlib.sha256(canonical(self.to_dict())).hexdigest()[:16]


@dataclass(frozen=True, eq=False)
class Measured:
    """The parts; each is None where the data cannot carry it."""

    options: Options
    data: ResearchData
    signal: np.ndarray
    sweep: Sweep
    split: tuple[int, int]
    paths: folds.Paths | None
    anchored: folds.Walk | None
    rolling: folds.Walk | None
    stress: Stresses
    information: Information
    drawdowns: DrawdownTest | None
    horizon_days: int

    @property
    def config(self) -> Config:
        """The alpha's own configuration."""
        return self.sweep.configs[self.sweep.base]

    @property
    def test(self) -> Backtest:
        """What the alpha's own configuration earned over the whole period."""
        return self.config.test

    @property
    def basis(self) -> str:
        """ "daily" or "step"."""
        return self.sweep.basis

    @cached_property
    def capital(self) -> float:
        """What the full position stands on, in points of price."""
        return capital_of(self.data, self.options.rules, self.options.capital)

    @cached_property
    def drawdown(self) -> float:
        """The deepest fall out of sample, at the target capital; `config.drawdown` is a contract's
        on 1 000 000."""
        return self.test.part(slice(self.split[1], None)).drawdown_at(self.capital)

    @property
    def returns(self) -> np.ndarray:
        """Net returns of the whole period, a value a period."""
        return self.test.returns(self.basis)

    @cached_property
    def oos_points(self) -> int:
        """Periods out of sample."""
        rows = self.test.part(slice(self.split[1], None))
        return len(rows.returns(self.basis))

    @cached_property
    def gap(self) -> float | None:
        """How far the Sharpe ratio out of sample is below that in sample, in standard errors."""
        if self.basis != "daily":
            return None
        end, begin = self.split
        parts = (self.test.part(rows).daily for rows in (slice(0, end), slice(begin, None)))
        inside, outside = (_ratio_and_variance(part) for part in parts)
        if inside is None or outside is None:
            return None
        return (inside[0] - outside[0]) / sqrt(inside[1] + outside[1])

    @cached_property
    def volume_share(self) -> float | None:
        """95 % quantile of traded contracts over the volume of the row; None without volume."""
        if not provides("trade_vol", self.data.columns):
            return None
        volume = np.maximum(np.nan_to_num(self.data.field("trade_vol")), 1.0)
        return float(np.quantile(self.test.traded / volume, 0.95))

    @cached_property
    def worst_year(self) -> float | None:
        """The worst calendar year's return in planned annual standard deviations."""
        if self.basis != "daily":
            return None
        sd = float(np.std(self.returns, ddof=1)) * float(np.sqrt(DAYS_A_YEAR))
        years = self.test.days // 10_000
        sums = [float(self.returns[years == year].sum()) for year in np.unique(years)]
        return min(sums) / sd if sd > 0 and sums else None

    @cached_property
    def regimes(self) -> dict[str, dict[str, float | None]]:
        """Sharpe ratio and IC of rows whose forward return is large, and of the others."""
        forward = self.data.labels(self.options.horizon_ns).value
        known = np.isfinite(forward)
        if not known.any():
            return {"sharpe": {}, "ic": {}}
        high = np.abs(forward) >= np.median(np.abs(forward[known]))
        found: dict[str, dict[str, float | None]] = {"sharpe": {}, "ic": {}}
        for name, rows in (("high_vol", known & high), ("low_vol", known & ~high)):
            if rows.sum() < REGIME_MIN:
                continue
            step = self.test.net[rows] / self.test.initial_equity
            usable = rows & np.isfinite(self.signal)
            found["sharpe"][name] = annual_sharpe(step, "step")
            found["ic"][name] = ic(self.signal[usable], forward[usable]).pearson
        return found

    @cached_property
    def figures(self) -> dict[str, Any]:
        """Every figure, rounded to 12 significant digits: what must be equal everywhere."""
        walk, info = self.anchored, self.information
        return rounded(
            {
                "n_rows": len(self.data),
                "sharpe_basis": self.basis,
                "sharpe_is": self.config.sharpe_is,
                "sharpe_oos": self.config.sharpe_oos,
                "sharpe": annual_sharpe(self.returns, self.basis),
                "oos_points": self.oos_points,
                "ic_mean": info.chunks.pearson_mean if info.chunks else None,
                "ic_std": info.chunks.pearson_sd if info.chunks else None,
                "ic_spearman_mean": info.chunks.mean if info.chunks else None,
                "ic_curve": list(info.curve),
                "half_life_ns": info.half_life_ns,
                "permutation_p": info.permutation_p,
                "turnover": self.config.turnover,
                "max_drawdown": self.drawdown,
                "max_drawdown_contract": self.config.drawdown,
                "capital": self.capital,
                "drawdown_percentile": self.drawdowns.percentile if self.drawdowns else None,
                "regime_sharpe": self.regimes["sharpe"],
                "regime_ic": self.regimes["ic"],
                "capacity_estimate": 0.02 / self.volume_share if self.volume_share else None,
                "walk_forward_sharpe_mean": walk.mean if walk else None,
                "walk_forward_sharpe_std": walk.spread if walk else None,
                "walk_forward_sharpe_min": walk.worst if walk else None,
                "walk_forward_consistency_pct": walk.consistency if walk else None,
                "walk_forward_ratio": walk.ratio if walk else None,
                "rolling_ratio": self.rolling.ratio if self.rolling else None,
                "cpcv_median": self.paths.median if self.paths else None,
                "cpcv_low": self.paths.low if self.paths else None,
                "worst_year": self.worst_year,
                "cost": [list(pair) for pair in self.stress.cost],
                "lag": [list(pair) for pair in self.stress.lag],
                "sweep": [one.objective for one in self.sweep.configs],
                "is_oos_gap": self.gap,
                "neighbours": [[one.factor, one.sharpe] for one in self.stress.neighbours],
                "returns_sha256": hashlib.sha256(
                    np.ascontiguousarray(np.round(self.returns, 15), "<f8").tobytes()
                ).hexdigest(),
            }
        )

    @property
    def digest(self) -> str:
        """SHA-256 of the figures and of what they were computed from."""
        content = {
            "figures": self.figures,
            "options": self.options.to_dict(),
            "data": self.data.fingerprint,
        }
        return hashlib.sha256(canonical(content)).hexdigest()


def measure(data: ResearchData, signal: np.ndarray, options: Options) -> Measured:
    """Everything at once; the signal may hold NaN where the alpha has no opinion."""
    rules, horizon_ns = options.rules, options.horizon_ns
    split = split_rows(data, options.is_oos_split, horizon_ns)
    basis = "daily" if len(data.sessions) >= 20 else "step"
    swept = sweep(data, signal, rules, split, basis, options.levels)
    config = swept.configs[swept.base]
    days = max(1, -(-horizon_ns // DAY_NS))
    paths, anchored, rolling = folded(data, swept, options)
    return Measured(
        options,
        data,
        signal,
        swept,
        split,
        paths,
        anchored,
        rolling,
        stresses(
            data,
            signal,
            rules,
            split[1],
            basis,
            options.stress_factor,
            options.latency_ns,
            capital_of(data, rules, options.capital),
        ),
        information(data, signal, horizon_ns, options.permutation_draws, options.seed),
        fallen(config.test, basis, options.seed),
        days,
    )


def folded(
    data: ResearchData, swept: Sweep, options: Options
) -> tuple[folds.Paths | None, folds.Walk | None, folds.Walk | None]:
    """Combinatorial paths, walking forward anchored and rolling; None with too few sessions."""
    if swept.basis != "daily":
        return None, None, None
    start, end = folds.intervals(data, options.horizon_ns)
    count = options.walk_forward_folds
    return (
        folds.paths(swept.matrix, start, end, options.cpcv_folds, options.cpcv_test_folds),
        folds.walk(swept.matrix, start, end, count),
        folds.walk(swept.matrix, start, end, count, anchored=False),
    )


def fallen(test: Backtest, basis: str, seed: int) -> DrawdownTest | None:
    """The fall that happened among those that could have; None without days that vary."""
    returns = test.returns(basis)
    if basis != "daily" or len(returns) <= 8 or float(np.std(returns)) <= 0:
        return None
    return drawdown_test(returns, seed=seed, kind="simple")


def _ratio_and_variance(returns: np.ndarray) -> tuple[float, float] | None:
    """The Sharpe ratio of days and the variance of its estimate; None where it has none."""
    if len(returns) < 3:
        return None
    m = moments(returns)
    se = sharpe_se(m.sharpe, effective_length(returns), m.skew, m.kurtosis)
    return None if m.sharpe is None or se is None else (m.sharpe, se**2)


def rounded(value: Any) -> Any:
    """Floats to 12 significant digits, what is not a number to null; for hashes and JSON."""
    if isinstance(value, Mapping):
        return {name: rounded(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if np.isfinite(value) else None
    return value
