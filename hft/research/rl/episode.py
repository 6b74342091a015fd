"""One replay stepped from outside: the engine comes back at each wake-up and goes on when told.

The engine's own stop at a wake-up is used, as for strategies in plain Python; no thread, nothing
is inverted. What an agent did can be sealed as a run of the same actions, whose digest is equal.
"""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from hft.core.codes import WakeCause
from hft.core.errors import ConfigError, InvariantError
from hft.gateway.limits import Limits
from hft.replay import state as st
from hft.replay.run import Driver, run_digest
from hft.research.rl.player import AGENT, played
from hft.research.rl.quoting import ACTIONS, Eyes, Quoting, quote
from hft.runs.execute import execute
from hft.runs.job import Job
from hft.runs.prepare import prepare
from hft.runs.result import Run, as_run
from hft.runs.venues import Venue
from hft.strategies.base import Strategy
from hft.strategies.view import Order, View
from hft.tape.dataset import Tapes


@dataclass(frozen=True)
class Market:
    """What every episode has in common. Units: `every_ns` between two actions."""

    tapes: Tapes
    limits: Limits
    venue: Venue = field(default_factory=Venue)
    every_ns: int = 1_000_000_000
    quoting: Quoting = field(default_factory=Quoting)

    def __post_init__(self) -> None:
        if self.every_ns < 1:
            raise ConfigError(f"every: {self.every_ns} ns is not a time between two actions")

    def job(self, strategy: Strategy, span: tuple[int, int], seed: int) -> Job:
        """A replay of one strategy over a span of the tapes: its first wake-up comes `every_ns`
        after the start.
        """
        return Job(
            self.tapes,
            {AGENT: strategy},
            self.venue,
            self.limits,
            seed,
            start_ns=span[0],
            end_ns=span[1],
        )


class Episode:
    """An agent's life from the start of a span to its end. Mutates: itself.

    `observation` and `equity` (net of fees, in currency) are those of the current wake-up.
    """

    def __init__(self, market: Market, span: tuple[int, int], seed: int = 0) -> None:
        self.market, self.span, self.seed = market, span, seed
        idle = Strategy(
            _idle, AGENT, market.every_ns, 1 << WakeCause.TIMER.value, params={}, state={}
        )
        self._session, _, digits = prepare(market.job(idle, span, seed), "digest")
        self._engine = self._session.engine
        self._engine.clock[0]["stop_at_wake"] = 1
        self._driver = Driver(self._session, None, None)
        at = int(self._engine.context_at[0])
        self.view, self._order = View(at), Order(at)
        self._unit = float(10**digits)
        self._eyes = Eyes(market.quoting.max_lots)
        self.actions: list[tuple[float, float]] = []
        self.over = False
        self._go()

    @property
    def equity(self) -> float:
        """Realised and unrealised less fees, currency."""
        return int(self.view.pnl) / self._unit

    @property
    def digest(self) -> str:
        """The digest of the whole replay, once it is over."""
        if not self.over:
            raise InvariantError("an episode has a digest when it is over")
        return run_digest(self._engine)

    @property
    def counts(self) -> dict[str, int]:
        """Intents decided and refused, orders and fills so far."""
        trading = self._engine.trading
        head = trading.head[0]
        return {
            "decisions": int(head["decisions"]),
            "refused": int(head["refused"]),
            "orders": int(head["orders"]),
            "fills": int(trading.positions[0]["fills"]),
        }

    @property
    def now_ns(self) -> int:
        """The time of this wake-up; once it is over, the end of the span or what came after it."""
        return max(int(self.view.now), self.span[1]) if self.over else int(self.view.now)

    def act(self, bid: float, ask: float, last: bool = False) -> None:
        """Quote, and go on to the next wake-up, or to the end when this is the `last` action.

        Raises: ConfigError for no number.
        """
        for name, value in zip(ACTIONS, (bid, ask), strict=True):
            if not math.isfinite(value):
                raise ConfigError(f"action: {name} is {value!r}, not a number of -1 to 1")
        self.actions.append((bid, ask))
        quote(self.view, self._order, bid, ask, self.market.quoting)
        self._go(last)

    def _go(self, last: bool = False) -> None:
        status = self._driver.until_wake()
        if last:
            # Answers under way keep timers alive; what was traded is since the agent last looked.
            seen = self._engine.traded.copy()
            while status == st.STATUS_WAKE:
                status = self._driver.until_wake()
            self._engine.traded[:] = seen
        self.over = status == st.STATUS_DONE
        self.observation = self._eyes.look(self.view)

    def sealed(self, out: str | Path, record: str = "summary") -> Run:
        """The run of the same actions, in a folder of its own; its digest is this one's."""
        actions = np.array(self.actions, np.float64).reshape(-1, 2)
        strategy = played(actions, self.market.quoting, self.market.every_ns)
        job = self.market.job(strategy, self.span, self.seed)
        return as_run(execute, job, record=record, out=out)


def _idle(view: Any, order: Any, p: Any, s: Any) -> None:
    """The agent acts from outside."""
