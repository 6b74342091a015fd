"""Samples for reports: equity by instrument and tracked series; never in the digest."""

import numpy as np

from hft.core.jit import kernel, out_of_line, seldom, table_view
from hft.portfolio.positions import unrealized
from hft.replay.state import TRACKED_MAX, Engine

_floats = table_view(np.dtype(np.float64))
_ints = table_view(np.dtype(np.int64))


@kernel
def sample_equity(engine: Engine, now_ns: int) -> None:
    """One EQUITY row per strategy and instrument that is looked at. Mutates: engine."""
    seldom()
    clock = engine.clock[0]
    instruments = len(engine.trading.touch)
    for s in range(clock["strategies"]):
        for i in range(engine.trading.head[0]["listened"]):
            position = engine.trading.positions[s * instruments + i]
            touch = engine.trading.touch[i]
            mid2 = touch["bid_tick"] + touch["ask_tick"] if touch["valid"] != 0 else 0
            if clock["equity_len"] >= len(engine.equity):
                return
            row = engine.equity[clock["equity_len"]]
            clock["equity_len"] += 1
            row["ts_ns"] = now_ns
            row["strategy_idx"] = s
            row["instrument_idx"] = i
            row["qty"] = position["qty"]
            row["realized_money"] = position["realized_money"]
            # By the touch of this very row: what the gateway has last heard may be older. Kept
            # apart from it, since a sample must not change what happens.
            row["unrealized_money"] = position["marked_money"]
            if mid2 != 0:
                instrument = engine.trading.instruments[i]
                row["unrealized_money"] = unrealized(position, instrument, mid2)
            row["fees_money"] = position["fees_money"]
            row["mid2"] = mid2
            row["bid_tick"] = touch["bid_tick"]
            row["ask_tick"] = touch["ask_tick"]
    every_ns = clock["equity_every_ns"]
    clock["equity_next_ns"] = now_ns - now_ns % every_ns + every_ns


@kernel
def sample_series(engine: Engine, s: int, now_ns: int) -> None:
    """The tracked fields of a strategy's state after a wake-up. Mutates: engine.series."""
    out_of_line()
    clock = engine.clock[0]
    row = engine.series[clock["series_len"]]
    clock["series_len"] += 1
    row["ts_ns"] = now_ns
    row["strategy_idx"] = s
    base = engine.contexts[s]["state_at"]
    for k in range(engine.strategies[s]["tracked"]):
        offset = engine.tracked[2 * s * TRACKED_MAX + k]
        if engine.tracked[(2 * s + 1) * TRACKED_MAX + k] == 0:
            row["values"][k] = _floats(base + offset, 1)[0]
        else:
            row["values"][k] = float(_ints(base + offset, 1)[0])
