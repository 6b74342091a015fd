"""The alpha through the real gateway: latency, queue, limits and fees, wherever tapes exist.

A taker has the vector engine's figures and one replay beside them. A maker has no figures but
those of its replays, since what it earns is decided in the queue; nor has a policy that quotes.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from hft.core.errors import DataError
from hft.gateway.limits import Limits
from hft.governance.gates.c import ReplayFacts
from hft.governance.validation.request import Request
from hft.research.alphas.remote import RemoteAlpha
from hft.research.backtest import Backtest, Rules, annual_sharpe
from hft.research.data.dataset import ResearchData
from hft.research.execution.retention import prune
from hft.research.execution.simulation import How, Replayed, Stress, replay_alpha
from hft.research.measures.measurement import Measured, fallen, folded
from hft.research.measures.stress import (
    BESIDE,
    COSTS,
    LAGS,
    Case,
    Neighbour,
    Stresses,
    case,
    neighbour,
)
from hft.research.measures.sweep import Sweep, judged
from hft.research.rl.quotes import quotes_of

Play = Callable[[Rules, Stress], Replayed]


@dataclass(frozen=True)
class Replays:
    """The replay as planned, and the one with longer latencies and higher fees."""

    base: Replayed
    stressed: Replayed

    @property
    def facts(self) -> ReplayFacts:
        """The figures for Gate C."""
        test = self.base.backtest
        return ReplayFacts(
            sharpe=test.sharpe(),
            net=self.base.net,
            fills=self.base.fills,
            refused_share=self.base.refused_share,
            drawdown=test.drawdown,
            stressed_net=self.stressed.net,
            digest=self.base.digest,
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; where the runs lie is not part of it."""
        return {"base": self.base.to_dict(), "stressed": self.stressed.to_dict()}


def quoted(request: Request, alpha: RemoteAlpha) -> Request:
    """The request for this alpha: a policy that quotes is judged by replays of its quotes.

    Raises: DataError where the vector engine was asked for.
    """
    quotes = quotes_of(alpha)
    if quotes is None:
        return request
    if request.engine == "vector":
        raise DataError(
            f"alpha {alpha.alpha_id!r} quotes, and only a replay has a queue; "
            "leave out --engine vector"
        )
    return replace(request, execution="quotes", quotes=quotes)


def wanted(request: Request, data: ResearchData) -> bool:
    """Is there a replay? Raises: DataError where one was asked for and there are no tapes."""
    if data.tapes is None and (request.engine == "replay" or request.by_replay):
        option = "--execution maker"
        if request.execution == "quotes":
            option = f"alpha {request.alpha_id!r} quotes, which"
        elif request.engine == "replay":
            option = "--engine replay"
        why = "; ".join(data.notes) if data.made_of_tapes else "this is a table of rows"
        raise DataError(f"{data.source}: {option} needs tapes; {why}")
    return data.tapes is not None and request.engine != "vector"


def replays(found: Measured, request: Request, limits: Limits, folder: Path) -> Replays | None:
    """The alpha's own configuration replayed on the tapes behind the data; None without tapes.

    Raises: DataError where a replay was asked for and there are no tapes.
    """
    if not wanted(request, found.data):
        return None
    play, rules = player(found, request, limits, folder), found.options.rules
    done = Replays(play(rules, Stress()), play(rules, _worse(request)))
    prune(folder)
    return done


def player(found: Measured, request: Request, limits: Limits, folder: Path) -> Play:
    """The signal by some rules under some stress; the same call again opens the sealed run."""
    how = How(
        execution=request.execution,
        maker_bps=request.maker_bps,
        latency=request.latency,
        seed=request.seed,
        quotes=request.quotes,
    )

    def play(rules: Rules, stress: Stress) -> Replayed:
        return replay_alpha(
            found.data,
            found.signal,
            rules,
            limits=limits,
            folder=folder,
            how=how,
            stress=stress,
        )

    return play


def played(found: Measured, request: Request, limits: Limits, folder: Path) -> Measured:
    """The same alpha with the figures of replays: sweep, folds, stress and falls."""
    play, swept, rules = player(found, request, limits, folder), found.sweep, found.options.rules
    configs = tuple(
        judged(play(one.rules, Stress()).backtest, one.rules, found.split, swept.basis)
        for one in swept.configs
    )
    sweep = Sweep(configs, swept.base, swept.basis)
    base = configs[swept.base].test
    paths, anchored, rolling = folded(found.data, sweep, found.options)
    return replace(
        found,
        sweep=sweep,
        stress=_stresses(found, play, rules, base, request),
        paths=paths,
        anchored=anchored,
        rolling=rolling,
        drawdowns=fallen(base, swept.basis, found.options.seed),
    )


def _stresses(
    found: Measured, play: Play, rules: Rules, base: Backtest, request: Request
) -> Stresses:
    """The variants by replay; a maker's delay is time, so that later rows have no figure."""
    basis, begin = found.sweep.basis, slice(found.split[1], None)

    def outside(name: str, changed: Rules, stress: Stress) -> Case:
        return case(name, play(changed, stress).backtest.part(begin), basis, found.capital)

    def beside(by: float) -> Neighbour:
        test = play(replace(rules, threshold=rules.threshold * by), Stress()).backtest
        return neighbour(by, test, base, basis)

    return Stresses(
        case("base", base.part(begin), basis, found.capital),
        outside("stressed", rules, _worse(request)),
        outside("lower", replace(rules, threshold=rules.threshold * 0.8), Stress()),
        outside("upper", replace(rules, threshold=rules.threshold * 1.2), Stress()),
        tuple((cost, _at_cost(base, cost, basis)) for cost in COSTS),
        tuple((lag, base.sharpe(basis) if lag == 0 else None) for lag in LAGS),
        0,
        () if request.execution == "quotes" else tuple(beside(by) for by in BESIDE),
    )


def _at_cost(test: Backtest, cost: float, basis: str) -> float | None:
    """Sharpe ratio with fees multiplied; a rebate is never enlarged."""
    fee = np.where(test.fee > 0, test.fee * cost, test.fee * min(cost, 1.0))
    return annual_sharpe(replace(test, fee=fee).returns(basis), basis)


def _worse(request: Request) -> Stress:
    factor = request.profile.number("gate_c.stress_factor")
    return Stress(latency=factor, fees=factor)
