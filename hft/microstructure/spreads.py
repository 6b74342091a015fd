"""Spreads that trades paid: effective, realised and impact, as means over five minutes.

effective = 2 s (price - mid before), realised = 2 s (price - mid 5 s later), impact = effective -
realised; s is 1 for a buy and -1 for a sale. A realised spread is known five seconds after its
trade and enters only then. Source: Huang and Stoll (1996), Journal of Financial Economics 41(3).
"""

from typing import NamedTuple

import numpy as np

from hft.microstructure.trades import Mids, Trades

SECOND_NS = 1_000_000_000
LATER_NS = 5 * SECOND_NS
ROLL_NS = 300 * SECOND_NS
NAMES = ("effective_spread", "realised_spread", "price_impact")


class Paid(NamedTuple):
    """Per trade, in price units; NaN where side or mid is unknown."""

    effective: np.ndarray
    realised: np.ndarray
    impact: np.ndarray
    mid: np.ndarray


def paid(trades: Trades, mids: Mids) -> Paid:
    """What each trade paid, by the mid before it and the mid five seconds later."""
    before, later = np.full(len(trades), np.nan), np.full(len(trades), np.nan)
    for session in np.unique(trades.session):
        rows, known = trades.session == session, mids.of(session)
        ts = trades.ts_ns[rows]
        before[rows] = known.at(ts, before=True)
        over = ts + LATER_NS > (known.ts_ns[-1] if len(known.ts_ns) else 0)
        later[rows] = np.where(over, np.nan, known.at(ts + LATER_NS))
    side = np.where(trades.side != 0, trades.side, np.nan)
    effective = 2.0 * side * (trades.price - before)
    realised = 2.0 * side * (trades.price - later)
    return Paid(effective, realised, effective - realised, before)


def rolling(
    trades: Trades, found: Paid, at: np.ndarray, session: np.ndarray
) -> dict[str, np.ndarray]:
    """Means of the trades of the last five minutes, in price and in bps of the mid."""
    out = {}
    values = (found.effective, found.realised, found.impact)
    for name, value, lag in zip(NAMES, values, (0, LATER_NS, LATER_NS), strict=True):
        known_at = trades.ts_ns + lag
        out[name] = _mean(trades, known_at, value, at, session)
        with np.errstate(invalid="ignore", divide="ignore"):
            bps = value / found.mid * 1e4
        out[f"{name}_bps"] = _mean(trades, known_at, bps, at, session)
    return out


def _mean(
    trades: Trades, known_at: np.ndarray, value: np.ndarray, at: np.ndarray, session: np.ndarray
) -> np.ndarray:
    fine = np.isfinite(value)
    total = np.append(0.0, np.cumsum(np.where(fine, value, 0.0)))
    count = np.append(0, np.cumsum(fine))
    high = np.searchsorted(known_at, at, side="right")
    low = np.searchsorted(known_at, at - ROLL_NS, side="right")
    low = np.maximum(low, np.searchsorted(trades.session, session, side="left"))
    high = np.maximum(high, low)
    number = count[high] - count[low]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(number > 0, (total[high] - total[low]) / number, np.nan)
