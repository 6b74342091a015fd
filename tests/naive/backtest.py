"""The position rule and its money, row by row: what `hft.research.backtest` must agree with."""

import math


def follow(signal, price, threshold, unit, cap, taker_bps, lag=0):
    """Position, gross and fee of each row, by the words of the rule."""
    decided, now = [], 0.0
    for value in signal:
        if not math.isnan(value):
            if value > threshold:
                now = min(unit, cap)
            elif value < -threshold:
                now = -min(unit, cap)
        decided.append(now)
    position = ([0.0] * lag + decided)[: len(decided)]
    gross, fee, before = [], [], 0.0
    for row, held in enumerate(position):
        earned = 0.0 if row == 0 else position[row - 1] * (price[row] - price[row - 1])
        gross.append(earned)
        fee.append(abs(held - before) * abs(price[row]) * taker_bps / 10_000)
        before = held
    return position, gross, fee
