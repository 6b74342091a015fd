"""The market of each instrument as the feed last told it, and which of them moved since a tick."""

from collections.abc import Mapping

import numpy as np

from hft.core.dtypes import TOUCH
from hft.services.stages import Latencies
from hft.trading.inputs import touch_rows


class Touches:
    """`rows` are TOUCH rows; of what nobody told anything they are blank."""

    def __init__(self, instruments: int, latencies: Latencies) -> None:
        self.rows = np.zeros(instruments, TOUCH)
        self.heard = 0
        self._moved: set[int] = set()
        self._latencies = latencies

    def hear(self, instrument_idx: int, fields: Mapping[str, int]) -> None:
        """It moved."""
        row = self.rows[instrument_idx]
        for name, value in fields.items():
            row[name] = value
        self._moved.add(instrument_idx)
        self.heard += 1

    def take(self, now_ns: int) -> list[np.ndarray]:
        """TOUCH input rows of what moved since last time, applied now; none where nothing did."""
        moved, self._moved = sorted(self._moved), set()
        if not moved:
            return []
        self._latencies.seen(now_ns - self.rows["ts_ns"][moved])
        return [touch_rows(self.rows, moved, now_ns)]
