"""Daily returns of a known truth, and sessions of a canary made of them."""

from datetime import date, timedelta

import numpy as np

from hft.governance.sessions import Evidence, Session


def returns(seed: int, sharpe: float, days: int = 1000) -> np.ndarray:
    """Daily returns of a given true annual Sharpe ratio."""
    rng = np.random.Generator(np.random.Philox(seed))
    return 0.002 * (rng.standard_normal(days) + sharpe / np.sqrt(252))


def sessions(
    first: date,
    count: int,
    *,
    weight: float,
    seed: int = 7,
    sharpe: float = 3.0,
    capital: float = 1e6,
    slippage: float = 1.0,
    fills: int = 60,
    rejects: int = 0,
    wrong: str = "",
) -> list[Session]:
    """Rows of business days from `first` on, traded with `weight`."""
    daily = returns(seed, sharpe, count)
    days, day = [], first
    while len(days) < count:
        if day.weekday() < 5:
            days.append(day)
        day += timedelta(days=1)
    rng = np.random.Generator(np.random.Philox([seed, 1]))
    noise = 0.05 * rng.standard_normal(count)
    return [
        Session(
            day,
            fills,
            float(x * weight * capital),
            slippage + float(e),
            rejects,
            200,
            "f" * 64,
            wrong,
        )
        for day, x, e in zip(days, daily, noise, strict=True)
    ]


def evidence(rows: list[Session]) -> Evidence:
    """Rows as the canary reads them."""
    return Evidence("runs", tuple(rows))
