"""What an agent sees at a wake-up, and what its two numbers mean as quotes.

The environment, the sealed replay of an episode and a trained policy all call these, so that they
cannot differ. Features are floats to look at; prices and lots stay integers.
"""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hft.core.errors import ConfigError

BUY, SELL = 0, 1
FEATURES = (
    "inventory",  # position over its limit
    "imbalance",  # of the touch, -1 to 1
    "spread",  # ticks over 10
    "micro",  # microprice less mid, ticks
    "move",  # of the mid since the last look, ticks
    "trend",  # of moves, a slow average, ticks
    "volume",  # log of lots traded since the last look
    "open_buy",  # working lots over the limit
    "open_sell",
)
ACTIONS = ("bid", "ask")
BOUND = 10.0
MEMORY = 0.9


@dataclass(frozen=True)
class Quoting:
    """Size and reach of the quotes. Raises: ConfigError naming the field.

    `lots` a quote, `max_lots` of position either way, `depth` ticks behind the touch at most.
    """

    lots: int = 1
    max_lots: int = 5
    depth: int = 4

    def __post_init__(self) -> None:
        for name in ("lots", "max_lots", "depth"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
                raise ConfigError(f"{name}: {value!r} is not a whole number >= 1")
        if self.lots > self.max_lots:
            raise ConfigError(
                f"lots: a quote of {self.lots} is more than the position may be, "
                f"max_lots {self.max_lots}; quote less or raise max_lots"
            )


@dataclass
class Eyes:
    """Turns a view into features; remembers the last mid and the trend. Mutates: itself."""

    max_lots: int
    mid: float = 0.0
    trend: float = 0.0
    seen: np.ndarray = field(default_factory=lambda: np.zeros(len(FEATURES), np.float32))

    def look(self, view: Any) -> np.ndarray:
        """The features now, float32 within +-BOUND; what an invalid book hides stays 0."""
        book = (0.0,) * 6
        if view.book_valid:
            mid, bid, ask = view.mid_tick, view.bid_lots, view.ask_lots
            move = mid - self.mid if self.mid > 0 else 0.0
            self.mid, self.trend = mid, MEMORY * self.trend + (1.0 - MEMORY) * move
            book = (
                (bid - ask) / (bid + ask) if bid + ask > 0 else 0.0,
                view.spread_ticks / 10.0,
                view.micro_tick - mid,
                move,
                self.trend,
                math.log1p(max(0, view.traded_since_wake)) / 5.0,
            )
        limit = self.max_lots
        own = (view.open_buy / limit, view.open_sell / limit)
        values = (view.position / limit, *book, *own)
        self.seen = np.array([_bounded(value) for value in values], np.float32)
        return self.seen


def _bounded(value: float) -> float:
    """Within +-BOUND; what is no number is 0."""
    if value != value:
        return 0.0
    return min(max(value, -BOUND), BOUND)


def offset(action: float, depth: int) -> int:
    """Ticks behind the touch: 1 joins it, lower steps back, `depth` and beyond is no quote."""
    if not action > -1.0:
        return depth
    return min(depth, int((1.0 - min(action, 1.0)) * 0.5 * (depth + 1)))


def quote(view: Any, order: Any, bid: float, ask: float, how: Quoting) -> None:
    """Keep one order a side as the action says; a side at the position's limit is withdrawn."""
    if not view.book_valid:
        return
    position = view.position
    for side, action, room in (
        (BUY, bid, how.max_lots - position),
        (SELL, ask, how.max_lots + position),
    ):
        behind = offset(action, how.depth)
        lots = 0 if behind >= how.depth else max(0, min(how.lots, room))
        tick = view.bid_tick - behind if side == BUY else view.ask_tick + behind
        order.quote(side, tick, lots)
