"""What positions are worth by the touch we see, and what the gateway hears of it."""

from typing import Any

from hft.core.jit import kernel, out_of_line
from hft.gateway.control import on_market, on_pnl
from hft.gateway.tables import enter
from hft.portfolio.positions import mark


@kernel(inline=True)
def mark_held(trading: Any, s: int, i: int) -> bool:
    """Mark what strategy `s` holds of `i`. Mutates: trading. Returns: whether the mark is new."""
    touch = trading.touch[i]
    position = trading.positions[s * len(trading.touch) + i]
    if position["qty"] == 0 or touch["valid"] == 0:
        return False
    mid2 = touch["bid_tick"] + touch["ask_tick"]
    if mid2 == position["mark2"]:
        return False
    mark(position, trading.instruments[i], mid2)
    return True


@kernel(inline=True)
def watch(trading: Any, s: int, marked: bool, now_ns: int) -> None:
    """Before strategy `s` acts: its profit when all it holds is marked, then gap and market move.

    Profit of one leg marked and another not yet is nobody's profit. Mutates: trading.
    """
    if marked:
        feed_pnl(trading, s, now_ns)
    for i in range(trading.head[0]["listened"]):
        on_market(enter(trading.gw), i, trading.touch[i], now_ns)


@kernel
def feed_pnl(trading: Any, s: int, now_ns: int) -> None:
    """Tell the gateway what the strategy has made so far. Mutates: trading.gw."""
    out_of_line()
    instruments = len(trading.touch)
    total = 0
    for i in range(trading.head[0]["listened"]):
        row = trading.positions[s * instruments + i]
        total += row["realized_money"] + row["marked_money"] - row["fees_money"]
    on_pnl(enter(trading.gw), s, total, now_ns)
