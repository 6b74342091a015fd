"""Intervals for bounded means as the papers define them: one value, one candidate at a time."""

from math import log, log1p, sqrt


def _bet(seen: list[float], t: int, alpha: float) -> tuple[float, float]:
    """The bet on the t-th value, from those before it, and the mean they suggest."""
    means = [0.5 if i == 0 else (0.5 + sum(seen[:i])) / (i + 1) for i in range(t)]
    spread = 0.25 + sum((x - means[i + 1]) ** 2 for i, x in enumerate(seen[: t - 1]))
    return sqrt(2 * log(2 / alpha) / (spread / t * t * log(t + 1))), means[t - 1]


def naive_bernstein(x: list[float], alpha: float) -> tuple[float, float]:
    """The intersection of every look so far of the empirical-Bernstein sequence."""
    low, high, weight, weighted, cost = 0.0, 1.0, 0.0, 0.0, 0.0
    for t in range(1, len(x) + 1):
        bet, mean = _bet(x, t, alpha)
        bet = min(bet, 0.5)
        weight += bet
        weighted += bet * x[t - 1]
        cost += 4 * (x[t - 1] - mean) ** 2 * (-log1p(-bet) - bet) / 4
        reach = (log(2 / alpha) + cost) / weight
        low, high = max(low, weighted / weight - reach), min(high, weighted / weight + reach)
    return low, high


def naive_betting(x: list[float], alpha: float, cells: int) -> list[float]:
    """Candidate means on a grid that no hedged capital has ever ruled out."""
    alive = []
    for cell in range(cells + 1):
        mean, up, down, kept = cell / cells, 1.0, 1.0, True
        for t in range(1, len(x) + 1):
            bet, _ = _bet(x, t, alpha)
            up *= 1 + (min(bet, 0.5 / mean) if mean else bet) * (x[t - 1] - mean)
            down *= 1 - (min(bet, 0.5 / (1 - mean)) if mean < 1 else bet) * (x[t - 1] - mean)
            kept = kept and max(up / 2, down / 2) < 1 / alpha
        if kept:
            alive.append(mean)
    return alive
