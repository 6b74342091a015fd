"""`Venue`'s settings below the line: latency legs, queue model, fill mode, as one frozen value."""

from dataclasses import dataclass, field

import numpy as np

from hft.core.codes import LatencyLeg
from hft.core.errors import ConfigError
from hft.market.book import CROSSED
from hft.venue import state as vs
from hft.venue.user_queue import QueueModel

QUEUES = {
    "risk_averse": vs.QUEUE_RISK_AVERSE,
    "prob_log": vs.QUEUE_PROB_LOG,
    "prob_sqrt": vs.QUEUE_PROB_SQRT,
    "prob_power": vs.QUEUE_PROB_POWER,
    "fifo": vs.QUEUE_FIFO,
}
# When liquidity that we took is there again: as its level falls, or when anything states the level.
TAKEN = ("stays", "restated")


@dataclass(frozen=True)
class Latency:
    """The latency of one leg. Units: ns.

    `kind` is constant, uniform (base .. base + spread), sampled (base + one of `table`) or
    interpolated (`table` holds time, latency pairs).
    """

    kind: str = "constant"
    base_ns: int = 0
    spread_ns: int = 0
    table: tuple[int, ...] = ()


_KINDS = {
    "constant": vs.LATENCY_CONSTANT,
    "uniform": vs.LATENCY_UNIFORM,
    "sampled": vs.LATENCY_SAMPLED,
    "interpolated": vs.LATENCY_INTERPOLATED,
}


@dataclass(frozen=True)
class VenueModel:
    """How the simulated venue behaves; validated at birth."""

    legs: dict[str, Latency] = field(default_factory=dict)
    queue: str | QueueModel = "risk_averse"
    queue_power: float = 2.0
    capped: bool = True
    amend_keeps_priority: bool = True
    taken: str = "stays"
    crossed: str = CROSSED[0]

    def __post_init__(self) -> None:
        if not isinstance(self.queue, QueueModel) and self.queue not in QUEUES:
            raise ConfigError(
                f"queue={self.queue!r} is not one of {', '.join(QUEUES)}, nor made by "
                "@hft.queue_model"
            )
        if self.taken not in TAKEN:
            raise ConfigError(f"taken={self.taken!r} is not one of {', '.join(TAKEN)}")
        if self.crossed not in CROSSED:
            raise ConfigError(f"crossed={self.crossed!r} is not one of {', '.join(CROSSED)}")
        known = [leg.name.lower() for leg in LatencyLeg]
        for name, leg in self.legs.items():
            if name not in known:
                raise ConfigError(f"latency leg {name!r} is not one of {', '.join(known)}")
            if leg.kind not in _KINDS:
                raise ConfigError(f"latency.{name}: {leg.kind!r} is not one of {', '.join(_KINDS)}")
            if leg.base_ns < 0 or leg.spread_ns < 0 or any(v < 0 for v in leg.table):
                raise ConfigError(f"latency.{name}: a latency cannot be negative")
            if leg.kind in ("sampled", "interpolated") and not leg.table:
                raise ConfigError(f"latency.{name}: {leg.kind} needs samples")

    @property
    def follows(self) -> bool:
        """Orders of an order-by-order tape are followed: for exact places, or for what we took."""
        return self.queue == "fifo" or (self.capped and self.taken == "stays")

    def install(self, venue: vs.VenueState, seed: int, by_order: list[bool]) -> None:
        """Write the settings into a fresh venue state. Mutates: venue (latency_table in place).

        `by_order` says of each instrument whether its tape tells every order; without that no place
        is exact, and `fifo` is risk-averse.
        """
        head = venue.head[0]
        if isinstance(self.queue, QueueModel):
            head["queue_at"] = self.queue.address()
        for market, orders in zip(venue.markets, by_order, strict=True):
            market["queue"] = self._queue_of(orders)
            market["followed"] = int(orders and self.follows)
        head["restated"] = int(self.taken == "restated")
        head["queue_power_e6"] = round(self.queue_power * 1_000_000)
        head["capped"] = int(self.capped)
        head["amend_keeps_priority"] = int(self.amend_keeps_priority)
        head["seed"] = seed
        at = 0
        for leg in LatencyLeg:
            row, given = venue.latency[leg], self.legs.get(leg.name.lower(), Latency())
            row["kind"] = _KINDS[given.kind]
            row["base_ns"], row["spread_ns"] = given.base_ns, given.spread_ns
            row["table_at"] = at
            pairs = 2 if given.kind == "interpolated" else 1
            row["table_len"] = len(given.table) // pairs
            venue.latency_table[at : at + len(given.table)] = np.array(given.table, np.int64)
            at += len(given.table)

    def _queue_of(self, by_order: bool) -> int:
        if isinstance(self.queue, QueueModel):
            return vs.QUEUE_USER
        if self.queue == "fifo" and not by_order:
            return vs.QUEUE_RISK_AVERSE
        return QUEUES[self.queue]

    @property
    def table_size(self) -> int:
        """Samples of all legs together."""
        return sum(len(leg.table) for leg in self.legs.values())
