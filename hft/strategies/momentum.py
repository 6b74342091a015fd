"""Momentum: fast against slow average, or a breakout, on rising volume.

Takes liquidity, so it wants a slow clock and pays the spread; bars are the strategy's own wake-ups.
"""

from hft.strategies.base import strategy

HISTORY = 200


@strategy(
    every="1s",
    params={
        "fast": 20,
        "slow": 50,
        "breakout": 20,
        "volume_factor": 1.5,
        "base_lots": 1,
        "max_lots": 5,
        "hold": 30,
    },
    state={
        "mid": [0.0] * HISTORY,
        "volume": [0.0] * HISTORY,
        "bars": 0,
        "entered": 0,
        "strength": 0.0,
    },
    track=("strength",),
)
def momentum(view, order, p, s):  # type: ignore[no-untyped-def]
    """Follow the move while its strength lasts, at most `max_lots`; flat after `hold` wake-ups."""
    if not 0 < p["fast"] <= p["slow"] <= 200 or p["breakout"] >= p["slow"]:
        raise ValueError("momentum: 0 < fast <= slow <= 200 and breakout < slow")
    if not view.book_valid:
        return
    bars = s["bars"]
    price = view.mid_tick
    traded = float(view.traded_since_wake)
    s["mid"][bars % 200] = price
    s["volume"][bars % 200] = traded
    s["bars"] = bars + 1
    if bars + 1 < p["slow"]:
        return
    fast = 0.0
    slow = 0.0
    mean_volume = 0.0
    high = price
    low = price
    for k in range(p["slow"]):
        value = s["mid"][(bars - k) % 200]
        slow += value
        if k < p["fast"]:
            fast += value
            mean_volume += s["volume"][(bars - k) % 200]
        if 0 < k <= p["breakout"]:
            high = max(high, value)
            low = min(low, value)
    fast /= p["fast"]
    slow /= p["slow"]
    mean_volume /= p["fast"]
    s["strength"] = abs(fast - slow) / slow * 100.0
    side = 0
    if traded >= p["volume_factor"] * mean_volume:
        if (fast > slow and price > fast) or (price >= high and price > low):
            side = 1
        elif (fast < slow and price < fast) or (price <= low and price < high):
            side = -1
    lots = max(p["base_lots"], min(p["max_lots"], int(p["base_lots"] * (1.0 + s["strength"]))))
    if side != 0:
        s["entered"] = bars
        order.target(side * lots)
    elif view.position != 0 and bars - s["entered"] >= p["hold"]:
        order.target(0)
