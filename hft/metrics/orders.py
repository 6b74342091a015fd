"""Orders from their decision to their first fill, in arrays: by strategy how many, and how late.

An order is remembered until its first fill, or until a million later ones came.
"""

import numpy as np

from hft.metrics.histogram import Histogram

REMEMBERED = 1 << 20


class Remembered:
    """When and by whom numbered things began; the newest of those whose numbers meet stays."""

    def __init__(self, size: int = REMEMBERED) -> None:
        self._mask = size - 1
        self._ids, self._ts, self._who = (np.zeros(size, np.int64) for _ in range(3))

    def put(self, ids: np.ndarray, ts_ns: np.ndarray, who: np.ndarray) -> None:
        """They begin; numbers are positive."""
        at = ids & self._mask
        self._ids[at], self._ts[at], self._who[at] = ids, ts_ns, who

    def take(self, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Which of these, each named once, are remembered, and since when and whose those are.

        They are forgotten then.
        """
        at = ids & self._mask
        known = self._ids[at] == ids
        at = at[known]
        self._ids[at] = 0
        return known, self._ts[at], self._who[at]


class Orders:
    """What became of orders. Columns by strategy: `submitted`, `filled`."""

    def __init__(self, strategies: int) -> None:
        self.submitted, self.filled = (np.zeros(strategies, np.int64) for _ in range(2))
        self.latency = Histogram("gateway_order_fill_latency_us")
        self._open = Remembered()

    def sent(self, ids: np.ndarray, ts_ns: np.ndarray, who: np.ndarray) -> None:
        """Orders that were approved, by strategies `who`; one of nobody we know is left out."""
        known = (who >= 0) & (who < len(self.submitted))
        self._open.put(ids[known], ts_ns[known], who[known])
        self.submitted += np.bincount(who[known], minlength=len(self.submitted))

    def heard(self, ids: np.ndarray, ts_ns: np.ndarray) -> None:
        """Fills, in order; only the first of an order counts."""
        once, first = np.unique(ids, return_index=True)
        known, since_ns, who = self._open.take(once)
        self.filled += np.bincount(who, minlength=len(self.filled))
        self.latency.observe_all((ts_ns[first][known] - since_ns) // 1000)

    def columns(self) -> dict[str, np.ndarray]:
        """For a scoreboard."""
        return {
            "orders_submitted": self.submitted,
            "orders_filled": self.filled,
            "order_fill_latency": self.latency.cells,
        }
