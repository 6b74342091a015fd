"""Strategies of the agent for sealed runs: recorded actions played back, and a policy that quotes.

Their parameters are numbers, so that the run's manifest has everything and can be verified; `code`
is the hash of what turns views into features and actions into quotes.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from hft.research.rl import policy as policy_module
from hft.research.rl import quoting
from hft.research.rl.identity import check_code, code
from hft.strategies.base import Strategy, strategy

AGENT = "agent"


@strategy(
    every="1s",
    params={"actions": [0.0, 0.0], "lots": 1, "max_lots": 5, "depth": 4, "code": 0},
)
class Played:
    """Plays actions, two numbers a wake-up; after the last it does nothing."""

    def __init__(self, actions: Any, lots: int, max_lots: int, depth: int, code: int) -> None:
        check_code(code)
        self.actions = np.asarray(actions, np.float64).reshape(-1, 2)
        self.how = quoting.Quoting(lots, max_lots, depth)
        self.k = 0

    def on_wake(self, view: Any, order: Any) -> None:
        if self.k < len(self.actions):
            bid, ask = self.actions[self.k]
            quoting.quote(view, order, float(bid), float(ask), self.how)
        self.k += 1


@strategy(
    every="1s",
    params={
        "shape": [9, 2],
        "weights": [0.0] * 20,
        "lots": 1,
        "max_lots": 5,
        "depth": 4,
        "code": 0,
    },
    state={"bid": 0.0, "ask": 0.0},
    track=("bid", "ask"),
)
class PolicyQuotes:
    """Quotes as a policy of arrays says; its actions are tracked as series."""

    def __init__(
        self, shape: Any, weights: Any, lots: int, max_lots: int, depth: int, code: int
    ) -> None:
        check_code(code)
        widths = [int(width) for width in shape]
        self.policy = policy_module.ArrayPolicy.unflat(widths, weights)
        self.how = quoting.Quoting(lots, max_lots, depth)
        self.eyes = quoting.Eyes(max_lots)
        self.bid = self.ask = 0.0

    def on_wake(self, view: Any, order: Any) -> None:
        action = self.policy.act(self.eyes.look(view)).astype(np.float32)
        self.bid, self.ask = float(action[0]), float(action[1])
        quoting.quote(view, order, self.bid, self.ask, self.how)


def played(actions: np.ndarray, how: quoting.Quoting, every_ns: int) -> Strategy:
    """The strategy that plays these actions, one row a wake-up."""
    flat = np.asarray(actions, np.float64).ravel().tolist() or [0.0, 0.0]
    return _made(Played, {"actions": flat}, how, every_ns)


def quoted(given: dict[str, Any], how: quoting.Quoting, every_ns: int) -> Strategy:
    """The strategy that quotes as a policy of this shape and these weights says."""
    return _made(PolicyQuotes, given, how, every_ns)


def _made(form: Any, given: dict[str, Any], how: quoting.Quoting, every_ns: int) -> Strategy:
    size = {"lots": how.lots, "max_lots": how.max_lots, "depth": how.depth, "code": code()}
    made: Strategy = replace(form, params={**form.params, **given, **size}, every_ns=every_ns)
    return made
