"""From a signal to a replay: checked rows, tapes that carry the signal, one job for the engine.

The joined tapes stand in a folder named by their content and are made once. Nothing is run here.
"""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from hft.core.errors import ConfigError, DataError
from hft.gateway.limits import Limits
from hft.research.backtest import Rules
from hft.research.execution.follower import follow
from hft.research.execution.latency import SIM_P95, LatencyProfile
from hft.research.rl.quotes import Quotes
from hft.runs.faults import FaultPlan
from hft.runs.ingest import open_tapes
from hft.runs.job import Job
from hft.runs.join import join
from hft.runs.venues import Venue
from hft.strategies.base import Strategy
from hft.tape.dataset import Tapes

LARGEST = 1e9  # a larger signal means the same to a threshold; a tape has nine decimals
EXECUTIONS = ("taker", "maker", "quotes")


@dataclass(frozen=True)
class How:
    """How positions are reached. Raises: ConfigError naming the field.

    `unit_lots` are the lots of a position of 1; `execution` "taker" buys at market, "maker" quotes
    at the touch and waits in the queue, "quotes" places the two `quotes` of the alpha's own policy,
    of whose lots `unit_lots` is a multiple.
    """

    unit_lots: int = 1
    execution: str = "taker"
    maker_bps: float = -0.2
    latency: LatencyProfile = SIM_P95
    queue: str = "risk_averse"
    seed: int = 0
    quotes: Quotes | None = None

    def __post_init__(self) -> None:
        if isinstance(self.unit_lots, bool) or self.unit_lots < 1:
            raise ConfigError(f"unit_lots: {self.unit_lots!r} is not a whole number >= 1")
        if self.execution not in EXECUTIONS:
            raise ConfigError(
                f"execution: {self.execution!r} is not one of {', '.join(EXECUTIONS)}"
            )
        if (self.execution == "quotes") != (self.quotes is not None):
            raise ConfigError(f"execution: {self.execution!r} and quotes do not go together")


@dataclass(frozen=True)
class Stress:
    """A replay that is worse than the base one: longer legs, higher fees, a wider spread, a gap.

    `spread` charges what crossing a spread that many times as wide costs more; `gap_ns` is a
    silence of the feed. A rebate is never enlarged by `fees`.
    """

    latency: float = 1.0
    fees: float = 1.0
    spread: float = 1.0
    gap_ns: tuple[int, int] = (0, 0)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "latency": self.latency,
            "fees": self.fees,
            "spread": self.spread,
            "gap_ns": list(self.gap_ns),
        }


@dataclass(frozen=True, eq=False)
class Rows:
    """A signal of one name: times that never go back, values without inf, prices filled."""

    ts_ns: np.ndarray
    signal: np.ndarray
    price: np.ndarray


def checked(ts_ns: Any, signal: Any, price: Any, tapes: Tapes) -> Rows:
    """The rows of one name on its tapes. Raises: DataError naming what does not fit."""
    times = np.asarray(ts_ns, np.int64)
    values, prices = np.asarray(signal, np.float64), np.asarray(price, np.float64)
    if not len(times) == len(values) == len(prices) or len(times) < 2:
        raise DataError(
            f"replay of a signal: {len(times)} times, {len(values)} values, {len(prices)} prices; "
            "give as many of each, two or more"
        )
    backward = np.flatnonzero(np.diff(times) < 0)
    if len(backward):
        raise DataError(f"replay of a signal: row {backward[0] + 2} is earlier than the one before")
    first, last = tapes.span
    if times[-1] < first or times[0] > last:
        raise DataError("replay of a signal: none of its times is in the span of the tapes")
    filled = pl.Series(prices).fill_nan(None).forward_fill().backward_fill()
    if filled.null_count():
        raise DataError("replay of a signal: there is no price in any row")
    return Rows(times, np.clip(values, -LARGEST, LARGEST), filled.to_numpy())


def joined(rows: Rows, tapes: Tapes, folder: Path) -> Tapes:
    """The tapes with the signal, made once per content."""
    digest = hashlib.sha256()
    for name, sha in sorted(tapes.sha256.items()):
        digest.update(f"{name}:{sha}\n".encode())
    digest.update(rows.ts_ns.tobytes())
    digest.update(rows.signal.tobytes())
    out = folder / "tapes" / digest.hexdigest()[:16]
    if (out / "manifest.json").is_file():
        return open_tapes(out)
    frame = pl.DataFrame({"ts": rows.ts_ns, "signal": rows.signal})
    return join(tapes, frame, ts="ts", columns="signal", out=out)


def job(rows: Rows, tapes: Tapes, rules: Rules, limits: Limits, how: How, stress: Stress) -> Job:
    """The replay of rows on tapes that carry their signal."""
    strategy, every_ns = _strategy(rows, rules, how)
    fees = {
        "maker_bps": _bps(how.maker_bps, stress),
        "taker_bps": _bps(rules.taker_bps * rules.cost, stress, _wider(stress, rows, tapes)),
    }
    legs = how.latency.legs(stress.latency)
    return Job(
        tapes,
        {"follow": strategy},
        Venue(legs, how.queue, fees, name=how.latency.name),
        limits,
        how.seed,
        start_ns=_start(rows, every_ns, tapes),
        end_ns=int(rows.ts_ns[-1]),
        faults=FaultPlan(gap_ns=stress.gap_ns),
    )


def clock_of(ts_ns: np.ndarray) -> int:
    """The period of rows that come by the clock, 0 for rows that come with events. Units: ns."""
    steps = np.diff(ts_ns)
    steps = steps[steps > 0]
    if not len(steps):
        return 0
    period = int(np.gcd.reduce(steps))
    return period if 4 * period >= int(np.median(steps)) else 0


def _strategy(rows: Rows, rules: Rules, how: How) -> tuple[Strategy, int]:
    """What places the orders, and the period of its clock, 0 where events wake it."""
    if how.quotes is not None:
        return how.quotes.strategy(how.unit_lots), how.quotes.every_ns
    every_ns = clock_of(rows.ts_ns)
    return _follower(rules, how, every_ns), every_ns


def _follower(rules: Rules, how: How, every_ns: int) -> Strategy:
    """Woken by its own clock where the rows have one, else at trades and changes of the book."""
    lots = _lots(rules, how)
    params = {
        "threshold": float(rules.threshold),
        "unit_lots": lots,
        "max_lots": lots,
        "passive": int(how.execution == "maker"),
    }
    made: Strategy = follow.with_params(params)
    wakes = made.wakes_on & 1 if every_ns else made.wakes_on & ~1
    return replace(made, every_ns=every_ns, wakes_on=wakes)


def _lots(rules: Rules, how: How) -> int:
    """The lots of a position, capped. Raises: ConfigError where they are no whole number."""
    wanted = min(rules.unit, rules.max_position) * how.unit_lots
    lots = round(wanted)
    if lots < 1 or abs(lots - wanted) > 1e-9 * wanted:
        raise ConfigError(
            f"unit: a position of {min(rules.unit, rules.max_position):g} is {wanted:g} lots at "
            f"unit_lots={how.unit_lots}; choose one that is a whole number of lots"
        )
    return lots


def _start(rows: Rows, every_ns: int, tapes: Tapes) -> int | None:
    """From where wake-ups fall on the times of rows: the first comes one period later."""
    if not every_ns:
        return None
    first_row, first_ns = int(rows.ts_ns[0]), tapes.span[0]
    periods = max(0, -(-(first_ns - first_row) // every_ns) + 1)
    return first_row + (periods - 1) * every_ns


def _bps(bps: float, stress: Stress, more: float = 0.0) -> str:
    """A fee under stress, as exact decimal text of at most four places."""
    charged = bps * stress.fees if bps > 0 else bps
    return f"{charged + more:.4f}"


def _wider(stress: Stress, rows: Rows, tapes: Tapes) -> float:
    """What crossing costs more on a wider spread: half of each further one, in bps of the price."""
    if stress.spread == 1.0:
        return 0.0
    spread = tapes[0].summary["spread_ticks_median"]
    if spread is None:
        raise DataError(f"{tapes[0].path}: shows no spread, so that it cannot be stressed")
    half = 0.5 * float(spread) * float(tapes[0].instrument.tick)
    return (stress.spread - 1.0) * half / float(np.median(rows.price)) * 1e4
