"""Market making with inventory skew, in ticks and spreads.

Quotes stand around the microprice at the larger of the half-spread target and the touch, widened by
toxicity, both shifted against the inventory. Toxicity is the share of recent volume that went one
way, in percent; all lots since the last wake-up count on the side of the last trade. The idea of
pricing inventory: Avellaneda and Stoikov, "High-frequency trading in a limit order book" (2008);
here as plain ticks.
"""

from hft.strategies.base import strategy


@strategy(
    every="100ms",
    params={
        "half_ticks": 1.0,
        "min_spread_ticks": 1,
        "skew": 1.0,
        "skew_ticks": 0.0,
        "imbalance_ticks": 0.5,
        "max_inventory": 10,
        "lots": 1,
        "toxicity_max": 70.0,
        "flow_decay": 0.98,
    },
    state={"fair": 0.0, "half": 0.0, "flow": 0.0, "volume": 0.0, "toxicity": 0.0},
    track=("fair", "half", "toxicity"),
)
def market_making(view, order, p, s):  # type: ignore[no-untyped-def]
    """Quote `lots` on both sides around a skewed microprice; withdraw what adds at the limit."""
    if p["max_inventory"] < 1:
        raise ValueError("market_making: max_inventory is at least 1 lot")
    if not view.book_valid:
        order.quote(0, 0, 0)
        order.quote(1, 0, 0)
        return
    traded = float(view.traded_since_wake)
    signed = 0.0
    if view.last_trade_side < 2:
        signed = traded if view.last_trade_side == 0 else -traded
    s["flow"] = s["flow"] * p["flow_decay"] + signed
    s["volume"] = s["volume"] * p["flow_decay"] + traded
    s["toxicity"] = 100.0 * abs(s["flow"]) / s["volume"] if s["volume"] > 0.0 else 0.0
    if view.spread_ticks < p["min_spread_ticks"] or s["toxicity"] > p["toxicity_max"]:
        order.quote(0, 0, 0)
        order.quote(1, 0, 0)
        return
    half = max(p["half_ticks"], 0.5 * view.spread_ticks) * (1.0 + s["toxicity"] / 100.0)
    inventory = view.position / p["max_inventory"]
    s["fair"] = view.micro_tick
    s["half"] = half
    shift = view.imbalance(1) * p["imbalance_ticks"] - p["skew"] * inventory * half
    shift -= p["skew_ticks"] * inventory
    buy = min(s["fair"] - half + shift, float(view.ask_tick - 1))
    sell = max(s["fair"] + half + shift, float(view.bid_tick + 1))
    order.quote(0, buy, p["lots"] if view.position < p["max_inventory"] else 0)
    order.quote(1, sell, p["lots"] if view.position > -p["max_inventory"] else 0)
