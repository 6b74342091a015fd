"""An alpha's signal replayed through the real gateway: what it earns after fees, latency and queue.

The signal is joined to the tapes as rows that arrive at their own time; a strategy follows it by
the position rule of the vector engine; each name is a sealed run whose digest names it. The result
is a `Backtest` in the same points, so that every figure has one definition. Nothing here counts
trials or judges; the caller does.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from hft.core.errors import ConfigError, DataError
from hft.core.instruments import Instrument
from hft.gateway.limits import Limits
from hft.research.backtest import Backtest, Rules, Runner
from hft.research.data.dataset import ResearchData
from hft.research.execution.job import How, Rows, Stress, checked, job, joined
from hft.runs.execute import execute
from hft.runs.result import Run, as_run
from hft.tape.dataset import Tapes

__all__ = ["How", "NameReplay", "Replayed", "Stress", "replay_alpha", "runner", "stressed"]

FLOWS = ("position", "gross", "fee", "traded")  # in the order of Backtest


@dataclass(frozen=True, eq=False)
class NameReplay:
    """The run of one name: what the gateway and the venue counted."""

    symbol: str
    path: Path
    digest: str
    fills: int
    orders: int
    refused: int
    refusals: Mapping[str, int]

    @property
    def run(self) -> Run:
        """The sealed run: fills, refusals, report, verify."""
        return Run.open(self.path)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; where the run lies is not part of it."""
        return {
            "symbol": self.symbol,
            "digest": self.digest,
            "fills": self.fills,
            "orders": self.orders,
            "refused": self.refused,
            "refusals": dict(sorted(self.refusals.items())),
        }


@dataclass(frozen=True, eq=False)
class Replayed:
    """What following the signal earned, and the runs that show it.

    In `backtest`, `position` is what was filled and known at each row, in contracts; `gross` has
    latency, spread and queue in it.
    """

    backtest: Backtest
    names: tuple[NameReplay, ...]
    stress: Stress = field(default_factory=Stress)

    @property
    def digest(self) -> str:
        """The digest of the run; of several names, the hash of theirs."""
        if len(self.names) == 1:
            return self.names[0].digest
        text = "".join(f"{one.symbol}:{one.digest}\n" for one in self.names)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def paths(self) -> tuple[Path, ...]:
        """The run folders."""
        return tuple(one.path for one in self.names)

    @property
    def net(self) -> float:
        """Points earned after fees."""
        return float(self.backtest.net.sum())

    @property
    def fees(self) -> float:
        """Points paid as fees."""
        return float(self.backtest.fee.sum())

    @property
    def traded(self) -> float:
        """Contracts traded."""
        return float(self.backtest.traded.sum())

    @property
    def fills(self) -> int:
        return sum(one.fills for one in self.names)

    @property
    def refused(self) -> int:
        return sum(one.refused for one in self.names)

    @property
    def refused_share(self) -> float | None:
        """Share of intents that the gateway refused; None when there was none."""
        asked = sum(one.orders for one in self.names) + self.refused
        return self.refused / asked if asked else None

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready figures; equal inputs give equal bytes wherever the runs lie."""
        return {
            "net": self.net,
            "gross": self.net + self.fees,
            "fees": self.fees,
            "traded": self.traded,
            "turnover": self.backtest.turnover,
            "fills": self.fills,
            "refused": self.refused,
            "rows": len(self.backtest.ts_ns),
            "sessions": len(self.backtest.days),
            "digest": self.digest,
            "stress": self.stress.to_dict(),
            "names": [one.to_dict() for one in self.names],
        }


def replay_alpha(
    data: ResearchData,
    signal: np.ndarray,
    rules: Rules,
    *,
    limits: Limits,
    folder: str | Path,
    how: How | None = None,
    stress: Stress | None = None,
    record: str = "summary",
) -> Replayed:
    """Follow `signal` (a value per row of `data`, NaN: nothing new) on the tapes behind the data.

    Each name of the data trades alone. Joined tapes and sealed runs stand in `folder`; the same
    call again opens them. Raises: DataError, ConfigError.
    """
    how, stress = how or How(), stress or Stress()
    tapes = _tapes(data, signal, rules)
    rows = len(data)
    arrays = {name: np.zeros(rows) for name in FLOWS}
    names = []
    for symbol, at in data.groups():
        mine = tapes.select(symbols=[symbol]) if symbol else tapes
        given = checked(data.ts_ns[at], np.asarray(signal)[at], data.price[at], mine)
        carried = joined(given, mine, Path(folder))
        run = as_run(
            execute,
            job(given, carried, rules, limits, how, stress),
            record=record,
            out=Path(folder) / "runs",
        )
        for name, values in _flows(given, run, how.unit_lots).items():
            arrays[name][at] = values
        names.append(_counted(symbol or mine.symbols[0], run))
    position, gross, fee, traded = (arrays[name] for name in FLOWS)
    backtest = Backtest(position, gross, fee, traded, data.session, data.ts_ns)
    return Replayed(backtest, tuple(names), stress)


def stressed(
    data: ResearchData,
    signal: np.ndarray,
    rules: Rules,
    stresses: Mapping[str, Stress],
    **given: Any,
) -> dict[str, Replayed]:
    """The same signal under each stress, by name; `given` are the keywords of `replay_alpha`."""
    return {
        name: replay_alpha(data, signal, rules, stress=stress, **given)
        for name, stress in stresses.items()
    }


def runner(data: ResearchData, **given: Any) -> Runner:
    """The engine as the vector engine's `Runner`: a signal and rules to a `Backtest`."""

    def run(signal: np.ndarray, rules: Rules) -> Backtest:
        return replay_alpha(data, signal, rules, **given).backtest

    return run


def _tapes(data: ResearchData, signal: np.ndarray, rules: Rules) -> Tapes:
    """The tapes behind the data. Raises: DataError, ConfigError."""
    if not isinstance(data.tapes, Tapes):
        raise DataError(f"{data.source}: no tapes stand behind these rows; use the vector engine")
    if len(signal) != len(data):
        raise DataError(f"signal: has {len(signal)} values for {len(data)} rows")
    if rules.lag:
        raise ConfigError("lag: a replay has its latency in time; leave the rows' lag at 0")
    if not data.panel and len(data.tapes.symbols) != 1:
        raise DataError(
            f"{data.source}: {len(data.tapes.symbols)} instruments stand behind rows of one name"
        )
    return data.tapes


def _flows(rows: Rows, run: Run, unit_lots: int) -> dict[str, np.ndarray]:
    """Position, gross, fees and contracts traded at each row; a fill belongs to the first row
    that knows it, one after the last row to the last.
    """
    fills, instrument = run.fills, run.names.instruments[0]
    n = len(rows.ts_ns)
    at = np.searchsorted(rows.ts_ns, fills["ts"].dt.epoch("ns").to_numpy(), side="left")
    at = np.minimum(at, n - 1)
    sign = np.where((fills["side"].cast(pl.String) == "BUY").to_numpy(), 1.0, -1.0)
    signed = sign * fills["lots"].to_numpy()
    paid = -signed * _value(fills["price"].to_numpy(), instrument)
    sums = (paid, fills["fee"].to_numpy(), signed, np.abs(signed))
    cash, fee, lots, traded = (np.bincount(at, weights, n) for weights in sums)
    held = np.cumsum(lots)
    worth = held * _value(rows.price, instrument)
    points = _points(rows, instrument) / unit_lots
    return {
        "position": held / unit_lots,
        "gross": (cash + np.diff(worth, prepend=0.0)) * points,
        "fee": fee * points,
        "traded": traded / unit_lots,
    }


def _value(price: np.ndarray, instrument: Instrument) -> np.ndarray:
    """What buying a lot at a price costs, in the currency of settlement; inverse: less of it the
    higher the price.
    """
    size = float(instrument.lot * instrument.multiplier)
    return np.asarray(-size / price if instrument.kind == "inverse" else size * price)


def _points(rows: Rows, instrument: Instrument) -> float:
    """Points of price per unit of currency and lot; inverse contracts at the first price."""
    size = float(instrument.lot * instrument.multiplier)
    return float(rows.price[0]) ** 2 / size if instrument.kind == "inverse" else 1.0 / size


def _counted(symbol: str, run: Run) -> NameReplay:
    totals, table = run.totals, run.refusals
    refusals = {str(row["reason"]): int(row["count"]) for row in table.iter_rows(named=True)}
    return NameReplay(
        symbol,
        run.path,
        run.digest,
        int(totals["fills"]),
        int(totals["orders"]),
        int(totals["refused"]),
        refusals,
    )
