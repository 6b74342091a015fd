"""The vector engine: what a signal earns by the position rule, before latency and queue.

A signal above the threshold wants one unit long, below its negative one unit short, anything else
holds. A position taken on the price of a row earns from that row to the next. Costs are a share of
the traded value. One definition for validation, search and pool; the replay engine applies the
same rule through the gateway.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from hft.core.errors import ConfigError
from hft.research.data.dataset import ResearchData
from hft.statistics.sharpe import ratio

INITIAL_EQUITY = 1_000_000.0
DAYS_A_YEAR = 252
DAYS_MIN = 20  # fewer sessions: figures are of steps


@dataclass(frozen=True)
class Rules:
    """How a signal becomes positions and what trading costs. Raises: ConfigError naming the field.

    Units: `threshold` in the signal's unit, `unit` and `max_position` in contracts, fees in bps of
    the traded value; `lag` rows between decision and fill, `cost` a multiple of the fees.
    """

    threshold: float = 0.3
    unit: float = 1.0
    max_position: float = 5.0
    taker_bps: float = 0.2
    lag: int = 0
    cost: float = 1.0

    def __post_init__(self) -> None:
        for name in ("threshold", "unit", "max_position", "taker_bps", "cost"):
            value = getattr(self, name)
            if not np.isfinite(value) or (value < 0 and name != "taker_bps"):
                raise ConfigError(
                    f"{name}: {value!r} cannot be used; write a finite number, 0 or more"
                )
        if self.lag < 0:
            raise ConfigError(f"lag: {self.lag!r} rows would be a fill before the decision")

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "threshold": self.threshold,
            "unit": self.unit,
            "max_position": self.max_position,
            "taker_bps": self.taker_bps,
            "lag": self.lag,
            "cost": self.cost,
        }


@dataclass(frozen=True, eq=False)
class Backtest:
    """What was held and earned, a value a row of the data; money in points of the price.

    `gross[t]` is earned from the row before to row t of the same name, `fee[t]` paid at row t.
    """

    position: np.ndarray
    gross: np.ndarray
    fee: np.ndarray
    traded: np.ndarray  # contracts
    session: np.ndarray
    ts_ns: np.ndarray
    initial_equity: float = INITIAL_EQUITY

    @cached_property
    def net(self) -> np.ndarray:
        """Gross less fees."""
        return self.gross - self.fee

    @cached_property
    def equity(self) -> np.ndarray:
        """Initial equity and all that was earned until the row."""
        return self.initial_equity + np.cumsum(self.net)

    def part(self, rows: slice | np.ndarray) -> "Backtest":
        """Some of the rows; equity starts anew."""
        return replace(
            self,
            position=self.position[rows],
            gross=self.gross[rows],
            fee=self.fee[rows],
            traded=self.traded[rows],
            session=self.session[rows],
            ts_ns=self.ts_ns[rows],
        )

    @cached_property
    def days(self) -> np.ndarray:
        """The sessions there are."""
        return np.unique(self.session)

    @cached_property
    def daily(self) -> np.ndarray:
        """Net return of each session, a share of the initial equity."""
        return self._by_day(self.net)

    @cached_property
    def daily_gross(self) -> np.ndarray:
        """Gross return of each session."""
        return self._by_day(self.gross)

    @property
    def turnover(self) -> float:
        """Mean absolute change of position a row."""
        return float(np.mean(self.traded)) if len(self.traded) else 0.0

    @cached_property
    def drawdown(self) -> float:
        """The deepest fall of equity from a peak as a share of that peak, 0 or less.

        Equity is the initial one (1 000 000, the first peak) and the net P&L of the contracts held:
        a share of capital, not of a contract's price.
        """
        return float(self.drawdowns.min(initial=0.0))

    def drawdown_at(self, capital: float) -> float:
        """The deepest fall where the contracts stand on another capital."""
        return replace(self, initial_equity=capital).drawdown

    @cached_property
    def drawdowns(self) -> np.ndarray:
        """The fall from the peak so far, at each row."""
        peak = np.maximum(np.maximum.accumulate(self.equity), self.initial_equity)
        return (self.equity - peak) / peak

    @property
    def basis(self) -> str:
        """Are figures of days, or of steps because there are too few days?"""
        return "daily" if len(self.days) >= DAYS_MIN else "step"

    def returns(self, basis: str) -> np.ndarray:
        """The net returns that figures of a basis are computed from."""
        return self.daily if basis == "daily" else self.net / self.initial_equity

    def sharpe(self, basis: str | None = None) -> float | None:
        """The annual Sharpe ratio; None without variance."""
        chosen = basis or self.basis
        return annual_sharpe(self.returns(chosen), chosen)

    def _by_day(self, values: np.ndarray) -> np.ndarray:
        _, at = np.unique(self.session, return_inverse=True)
        return np.bincount(at, values, len(self.days)) / self.initial_equity


def annual_sharpe(returns: np.ndarray, basis: str = "daily") -> float | None:
    """Mean over standard deviation (of steps: the population's), times the root of 252."""
    ddof = 1 if basis == "daily" else 0
    if len(returns) < 2:
        return None
    found = ratio(float(np.mean(returns)), float(np.std(returns, ddof=ddof)))
    return None if found is None else found * float(np.sqrt(DAYS_A_YEAR))


def held(signal: np.ndarray, rules: Rules) -> np.ndarray:
    """The position after each row, by the rule; one name in time order."""
    size = min(rules.unit, rules.max_position)
    with np.errstate(invalid="ignore"):
        want = np.where(signal > rules.threshold, 1, np.where(signal < -rules.threshold, -1, 0))
    last = np.maximum.accumulate(np.where(want != 0, np.arange(1, len(want) + 1), 0))
    position = np.where(last > 0, want[last - 1], 0) * size if len(want) else np.zeros(0)
    if rules.lag and len(position):
        position = np.concatenate([np.zeros(rules.lag), position])[: len(position)]
    return position


def run(data: ResearchData, signal: np.ndarray, rules: Rules) -> Backtest:
    """The rule applied to every name of the data, and the sum of what they earn."""
    if len(signal) != len(data):
        raise ConfigError(f"signal: has {len(signal)} values for {len(data)} rows")
    shape = len(data)
    position, gross, fee, traded = (np.zeros(shape) for _ in range(4))
    for _, rows in data.groups():
        price = data.price[rows]
        mine = held(np.asarray(signal, float)[rows], rules)
        change = np.abs(np.diff(mine, prepend=0.0))
        earned = np.zeros(len(rows))
        earned[1:] = mine[:-1] * np.diff(price)
        position[rows], gross[rows], traded[rows] = mine, earned, change
        fee[rows] = change * np.abs(price) * rules.taker_bps * rules.cost / 10_000
    return Backtest(position, gross, fee, traded, data.session, data.ts_ns)


def capital_of(data: ResearchData, rules: Rules, a_contract: float | None = None) -> float:
    """What the full position of the rule stands on, in points of price: `a_contract` for each
    contract, else its own price (the median of each name), so that nothing is borrowed."""
    size = min(rules.unit, rules.max_position)
    if a_contract is not None:
        return size * a_contract
    priced = sum(float(np.median(np.abs(data.price[rows]))) for _, rows in data.groups())
    return size * priced if priced > 0 else INITIAL_EQUITY


Runner = Callable[[np.ndarray, Rules], Backtest]


def split_rows(data: ResearchData, share: float, horizon_ns: int) -> tuple[int, int]:
    """End of the in-sample rows and begin of those out of sample, purged by the horizon."""
    count = len(data)
    begin = min(max(int(count * share), 1), count - 1) if count > 1 else 0
    if begin == 0:
        return 0, 0
    until = data.ts_ns[begin] - horizon_ns
    end = int(np.searchsorted(data.ts_ns[:begin], until, side="left"))
    return max(end, 1), begin
