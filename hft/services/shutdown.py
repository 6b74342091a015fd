"""The orderly end, step by step: cancel what works, close what is held, then be done.

It decides what is asked for next from the state alone; each of its intents goes through the gateway
like any other, so that nothing of it can make a risk.
"""

from collections.abc import Iterator

import numpy as np

from hft.core.codes import IntentType, Side
from hft.trading.desk import Desk

_CANCEL, _FORCE_FLAT = IntentType.CANCEL.value, IntentType.FORCE_FLAT.value
AGAIN_NS = 1_000_000_000

Intent = dict[str, int]


def cancels(orders: np.ndarray) -> list[Intent]:
    """CANCEL intents for ORDER rows."""
    return [
        {
            "intent_type": _CANCEL,
            "target_id": int(row["order_id"]),
            **{name: int(row[name]) for name in ("account_idx", "strategy_idx", "instrument_idx")},
            "side": int(row["side"]),
        }
        for row in orders
    ]


def positions(desk: Desk) -> Iterator[tuple[int, int, int, int]]:
    """Account, strategy, instrument and signed lots of each leaf that holds something."""
    gw = desk.trading.gw
    config = gw.config[0]
    n_strategies, n_instruments = int(config["n_strategies"]), int(config["n_instruments"])
    for leaf in gw.leaves[: int(gw.head[0]["leaf_count"])]:
        if leaf["net_qty"] != 0:
            pair = (int(leaf["key"]) - 1) // n_instruments
            account, strategy = divmod(pair, n_strategies)
            yield account, strategy, int(leaf["instrument_idx"]), int(leaf["net_qty"])


def closes(desk: Desk) -> list[Intent]:
    """FORCE_FLAT intents for all positions."""
    return [
        {
            "intent_type": _FORCE_FLAT,
            "account_idx": account,
            "strategy_idx": strategy,
            "instrument_idx": instrument,
            "side": Side.SELL.value if net > 0 else Side.BUY.value,
            "qty": abs(net),
        }
        for account, strategy, instrument, net in positions(desk)
    ]


class Shutdown:
    """One end of one life. Units: nanoseconds."""

    def __init__(self, now_ns: int, wait_ns: int, *, closes_positions: bool) -> None:
        self.until_ns, self._closes = now_ns + wait_ns, closes_positions
        self._asked_ns: int | None = None
        self.is_over = False
        self.left = ""  # what could not be ended in time

    def step(self, desk: Desk, now_ns: int) -> list[Intent]:
        """The intents to submit now; `is_over` once nothing is left, or the time is over."""
        working = desk.working()
        held = list(positions(desk)) if self._closes else []
        if not len(working) and not held:
            self.is_over = True
            return []
        if now_ns >= self.until_ns:
            self.is_over = True
            self.left = f"{len(working)} working orders and {len(held)} positions"
            return []
        if self._asked_ns is not None and now_ns - self._asked_ns < AGAIN_NS:
            if len(working) or not held:
                return []
            if self._has_asked_to_close:
                return []
        self._asked_ns = now_ns
        self._has_asked_to_close = not len(working)
        return cancels(working) if len(working) else closes(desk)

    _has_asked_to_close = False
