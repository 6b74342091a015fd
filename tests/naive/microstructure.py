"""Microstructure measures from their definitions, trade by trade, with fractions where money adds.

Trades are (ts_ns, price, qty, side) of one session unless said otherwise; None is undefined.
"""

from fractions import Fraction

Trade = tuple[int, float, float, int]
SECOND = 1_000_000_000


def buckets(trades: list[Trade], size: float) -> list[tuple[int, Fraction]]:
    """(time, bought) of each full bucket; a large trade is split."""
    out: list[tuple[int, Fraction]] = []
    left, bought = Fraction(size), Fraction(0)
    for ts, _, qty, side in trades:
        rest = Fraction(qty)
        while rest > 0:
            part = min(rest, left)
            bought += part * Fraction(1 + side, 2)
            rest -= part
            left -= part
            if left == 0:
                out.append((ts, bought))
                left, bought = Fraction(size), Fraction(0)
    return out


def vpin(found: list[tuple[int, Fraction]], size: float, window: int) -> float | None:
    if len(found) < window:
        return None
    total = sum(abs(2 * bought - Fraction(size)) for _, bought in found[-window:])
    return float(100 * total / (window * Fraction(size)))


def vpin_seconds(trades: list[Trade], at: int) -> float | None:
    """Over the last fifty whole seconds."""
    now, first = at // SECOND, trades[0][0] // SECOND
    if now - first < 50:
        return None
    one_sided = volume = 0.0
    for second in range(now - 50, now):
        mine = [trade for trade in trades if trade[0] // SECOND == second]
        one_sided += abs(sum(qty * side for _, _, qty, side in mine))
        volume += sum(qty for _, _, qty, _ in mine)
    return 100 * one_sided / volume if volume else None


def flow_imbalance(trades: list[Trade], at: int, span: int | None = None) -> float | None:
    known = [t for t in trades if t[0] <= at and (span is None or t[0] > at - span)]
    buys = sum(qty for _, _, qty, side in known if side > 0)
    sells = sum(qty for _, _, qty, side in known if side < 0)
    return 100 * (buys - sells) / (buys + sells) if buys + sells else None


def toxicity(trades: list[Trade], at: int) -> float | None:
    sides = [side for ts, _, _, side in trades if ts <= at][-1000:]
    if len(sides) < 100:
        return None
    runs, before = [], 0
    for side in sides:
        if side and side == before:
            runs[-1] += 1
        elif side:
            runs.append(1)
        before = side
    longest = max(runs, default=0)
    return min(100.0, 10.0 * sum(run > 5 for run in runs) + 2.0 * longest)


def slope(x: list[float], y: list[float]) -> tuple[float, float, float] | None:
    """Slope, its t-value and R2 of a line with intercept."""
    pairs = [(a, b) for a, b in zip(x, y, strict=True) if a == a and b == b]
    n = len(pairs)
    if n < 20:
        return None
    xm, ym = sum(a for a, _ in pairs) / n, sum(b for _, b in pairs) / n
    sxx = sum((a - xm) ** 2 for a, _ in pairs)
    if sxx == 0:
        return None
    sxy = sum((a - xm) * (b - ym) for a, b in pairs)
    syy = sum((b - ym) ** 2 for _, b in pairs)
    rest = sum((b - ym - sxy / sxx * (a - xm)) ** 2 for a, b in pairs)
    error = (rest / (n - 2) / sxx) ** 0.5
    return sxy / sxx, sxy / sxx / error, 1 - rest / syy
