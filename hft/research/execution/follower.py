"""The strategy that follows an alpha's signal by the position rule of research.

Its text is part of every run it makes. It decides nothing but how to reach the position; the rule
is the one of the vector engine, so that the two differ in fees, latency and queue only.
"""

from hft.strategies.base import strategy

BUY, SELL = 0, 1


@strategy(
    every="1s",
    on=("timer", "trade", "book"),
    params={"threshold": 0.3, "unit_lots": 1, "max_lots": 5, "passive": 0},
    state={"target": 0},
)
def follow(view, order, p, s):  # type: ignore[no-untyped-def]
    """Above the threshold long one unit, below its negative short one, else hold.

    The position is bought at market, or with `passive` quoted for at the touch.
    """
    value = view.signal[0]
    lots = min(p["unit_lots"], p["max_lots"])
    if value > p["threshold"]:
        s["target"] = lots
    elif value < -p["threshold"]:
        s["target"] = -lots
    if not view.book_valid:
        return
    if p["passive"] == 0:
        order.target(s["target"])
        return
    gap = s["target"] - view.position
    order.quote(BUY, view.bid_tick, max(gap, 0))
    order.quote(SELL, view.ask_tick, max(-gap, 0))
