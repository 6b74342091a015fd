"""Gate D by replay: what the gateway and the book let through at size, and under worse conditions.

Where tapes stand behind the data, the alpha is replayed with more lots a position until it stops
earning or the venue fills no more, and with a wider spread, longer latency and a silent feed. The
square-root law stands beside it; the smaller capacity decides. Nothing here judges.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hft.governance.gates.d import Portfolio
from hft.research.backtest import Backtest
from hft.research.data.dataset import ResearchData
from hft.research.execution.simulation import Replayed, Stress

Engine = Callable[[int, Stress], Replayed]

SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
SATURATED = 1.1  # a larger size that fills less than so many times the lots is the last one tried
WINDOWS = 20  # silences tried where sessions are fewer


@dataclass(frozen=True)
class AtSize:
    """One size: `lots` filled a day, `net` in points times lots, and what was refused."""

    unit_lots: int
    lots: float
    net: float
    refused_share: float | None

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return dict(self.__dict__)


def curve(engine: Engine) -> tuple[AtSize, ...]:
    """Sizes upward until nothing is earned, or hardly more is filled."""
    found: list[AtSize] = []
    for size in SIZES:
        done = engine(size, Stress())
        days = max(len(done.backtest.days), 1)
        found.append(AtSize(size, done.traded * size / days, done.net * size, done.refused_share))
        if found[-1].net <= 0:
            break
        if len(found) > 1 and found[-1].lots < SATURATED * found[-2].lots:
            break
    return tuple(found)


def capacity(sizes: tuple[AtSize, ...]) -> float:
    """Lots a day at the largest size that still earns; 0 where none does."""
    return max((one.lots for one in sizes if one.net > 0), default=0.0)


def carried(
    found: Portfolio,
    data: ResearchData,
    engine: Engine,
    launch_lots: float,
    factors: Mapping[str, float],
    bound: float,
    gross_sharpe: float | None,
    capital: float,
) -> Portfolio:
    """The figures of Gate D that a replay knows better. `launch_lots` are traded a day at launch,
    `bound` is the largest position that the rules allow, `gross_sharpe` is before all costs, and
    losses are shares of `capital`.
    Raises: DataError, ConfigError.
    """
    base = engine(1, Stress())
    sizes = curve(engine)
    multiple = capacity(sizes) / launch_lots if launch_lots > 0 else None
    stressed = {
        "spread": engine(1, Stress(spread=factors["spread"])).backtest,
        "latency": engine(1, Stress(latency=factors["latency"])).backtest,
        "gap": engine(1, Stress(gap_ns=worst_silence(data, base.backtest))).backtest,
    }
    known = [one for one in (found.capacity_multiple, multiple) if one is not None]
    unbounded = [name for name in found.unbounded if name not in stressed]
    unbounded += [name for name, one in stressed.items() if _largest(one) > bound + 1e-9]
    notes = {k: v for k, v in found.notes.items() if k != "stress_spread_basis"}
    if multiple is not None:
        notes.pop("capacity_multiple", None)
    return replace(
        found,
        capacity_multiple=min(known, default=None),
        capacity_by={"square_root": found.capacity_multiple, "replay": multiple},
        capacity_curve=tuple(one.to_dict() for one in sizes),
        turnover=base.backtest.turnover,
        cost_retention=_retained(found, base.backtest.sharpe(), gross_sharpe),
        stress_loss={
            **found.stress_loss,
            **{name: abs(one.drawdown_at(capital)) for name, one in stressed.items()},
        },
        unbounded=tuple(unbounded),
        replay_digest=base.digest,
        notes=notes,
    )


def worst_silence(data: ResearchData, test: Backtest) -> tuple[int, int]:
    """The session, or part of a short history, in which holding on would have cost most."""
    edges = _edges(data)
    costs = [_holding(data, test, first, last) for first, last in edges]
    first, last = edges[int(np.argmin(costs))]
    return int(data.ts_ns[first]), int(data.ts_ns[last])


def _edges(data: ResearchData) -> list[tuple[int, int]]:
    """First and last row of each silence that is tried."""
    if len(data.sessions) >= WINDOWS:
        starts = np.flatnonzero(np.diff(data.session, prepend=-1))
    else:
        starts = np.unique(np.linspace(0, len(data) - 1, WINDOWS + 1).astype(int)[:-1])
    ends = np.append(starts[1:], len(data)) - 1
    lasting = [
        (first, last)
        for first, last in zip(starts.tolist(), ends.tolist(), strict=True)
        if data.ts_ns[last] > data.ts_ns[first]
    ]
    return lasting or [(0, len(data) - 1)]


def _holding(data: ResearchData, test: Backtest, first: int, last: int) -> float:
    """What holding from row to row would earn beyond what was earned."""
    change = -float(test.net[first + 1 : last + 1].sum())
    for _, rows in data.groups():
        inside = rows[(rows >= first) & (rows <= last)]
        if len(inside):
            move = data.price[inside[-1]] - data.price[inside[0]]
            change += float(test.position[inside[0]] * move)
    return change


def _retained(found: Portfolio, net: float | None, gross: float | None) -> float | None:
    """Net Sharpe ratio of the replay over the gross one; the vector engine's where undefined."""
    if net is None or gross is None or gross <= 0:
        return found.cost_retention
    return net / gross


def _largest(test: Backtest) -> float:
    return float(np.abs(test.position).max(initial=0.0))
