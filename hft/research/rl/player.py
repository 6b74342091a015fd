"""Strategies of the agent for sealed runs: recorded actions played back, and a policy that quotes.

Their parameters are numbers, so that the run's manifest has everything and can be verified; `code`
is the hash of what turns views into features and actions into quotes.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from hft.core.errors import DataError, ValidationError
from hft.research.alphas import signals
from hft.research.alphas.remote import RemoteAlpha
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


@dataclass(frozen=True, eq=False)
class Quotes:
    """A policy's own two quotes as what is replayed of an alpha: the alpha names it `quotes`.

    Units: `every_ns` between two looks at the market.
    """

    policy: policy_module.ArrayPolicy
    how: quoting.Quoting = field(default_factory=quoting.Quoting)
    every_ns: int = 1_000_000_000

    def strategy(self, unit_lots: int = 1) -> Strategy:
        """The strategy that quotes so, at a multiple of its lots."""
        how = self.how
        size = replace(how, lots=how.lots * unit_lots, max_lots=how.max_lots * unit_lots)
        given = {"shape": list(self.policy.shape), "weights": self.policy.flat().tolist()}
        return _made(PolicyQuotes, given, size, self.every_ns)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, with every weight."""
        own = {"shape": list(self.policy.shape), "weights": self.policy.flat().tolist()}
        return own | asdict(self.how) | {"every_ns": self.every_ns}

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> "Quotes":
        """The inverse. Raises: DataError, ConfigError for what is no policy."""
        try:
            policy = policy_module.ArrayPolicy.unflat(told["shape"], told["weights"])
            how = quoting.Quoting(told["lots"], told["max_lots"], told["depth"])
            return cls(policy, how, int(told["every_ns"]))
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"quotes of an alpha: no policy: {error}") from None


def quotes_of(alpha: Any) -> Quotes | None:
    """The quotes of an alpha, which may be loaded, a class or an instance; None where it has none.

    Raises: ValidationError for anything else under that name.
    """
    if isinstance(alpha, RemoteAlpha):
        return None if alpha.quotes is None else Quotes.from_dict(alpha.quotes)
    made = signals.instance(alpha)
    found = getattr(made, "quotes", None)
    if found is not None and not isinstance(found, Quotes):
        name, kind = signals.name_of(made), type(found).__name__
        raise ValidationError(
            f"alpha {name!r}: `quotes` is {kind}, not hft.research.rl.player.Quotes of a policy"
        )
    return found


def played(actions: np.ndarray, how: quoting.Quoting, every_ns: int) -> Strategy:
    """The strategy that plays these actions, one row a wake-up."""
    flat = np.asarray(actions, np.float64).ravel().tolist() or [0.0, 0.0]
    return _made(Played, {"actions": flat}, how, every_ns)


def _made(form: Any, given: dict[str, Any], how: quoting.Quoting, every_ns: int) -> Strategy:
    size = {"lots": how.lots, "max_lots": how.max_lots, "depth": how.depth, "code": code()}
    made: Strategy = replace(form, params={**form.params, **given, **size}, every_ns=every_ns)
    return made
