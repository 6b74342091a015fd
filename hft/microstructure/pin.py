"""PIN: how likely a trade is to come from somebody who knows more.

The likelihood of daily numbers of buys and sells under three kinds of days (no news, bad, good),
in log-sum-exp form, maximised from several starts. Source: Easley, Kiefer, O'Hara and Paperman
(1996), Journal of Finance 51(4); starts on a grid as in Yan and Zhang (2012).
"""

from itertools import product
from typing import NamedTuple

import numpy as np

DAYS_MIN = 20
GRID = (0.1, 0.5, 0.9)


class Pin(NamedTuple):
    """The estimate in percent, its parameters and the log-likelihood."""

    pin: float
    alpha: float
    delta: float
    mu: float
    eps_buy: float
    eps_sell: float
    log_likelihood: float


def log_likelihood(
    alpha: float,
    delta: float,
    mu: float,
    eps_buy: float,
    eps_sell: float,
    buys: np.ndarray,
    sells: np.ndarray,
) -> float:
    """Of independent days without news (1 - alpha), with bad (alpha delta) and with good news."""
    from scipy.special import gammaln, logsumexp

    def poisson(count: np.ndarray, rate: float) -> np.ndarray:
        return count * np.log(rate) - rate - gammaln(count + 1.0)

    tiny = 1e-300
    kinds = np.stack(
        [
            np.log(max(1 - alpha, tiny)) + poisson(buys, eps_buy) + poisson(sells, eps_sell),
            np.log(max(alpha * delta, tiny))
            + poisson(buys, eps_buy)
            + poisson(sells, eps_sell + mu),
            np.log(max(alpha * (1 - delta), tiny))
            + poisson(buys, eps_buy + mu)
            + poisson(sells, eps_sell),
        ]
    )
    return float(logsumexp(kinds, axis=0).sum())


def estimate(buys: np.ndarray, sells: np.ndarray) -> Pin | None:
    """PIN of days of buys and sells; None below 20 days or without trades."""
    buys, sells = np.asarray(buys, float), np.asarray(sells, float)
    if len(buys) < DAYS_MIN or buys.mean() <= 0 or sells.mean() <= 0:
        return None
    from scipy.optimize import minimize

    def unpack(x: np.ndarray) -> tuple[float, float, float, float, float]:
        alpha, delta = 1 / (1 + np.exp(-x[:2]))
        mu, eps_buy, eps_sell = np.exp(np.clip(x[2:], -20, 25))
        return float(alpha), float(delta), float(mu), float(eps_buy), float(eps_sell)

    def cost(x: np.ndarray) -> float:
        return -log_likelihood(*unpack(x), buys, sells) / len(buys)

    best = None
    for alpha, delta, share in product(GRID, GRID, GRID):
        eps_buy = share * buys.mean()
        mu = max((buys.mean() - eps_buy) / (alpha * (1 - delta)), 1e-3)
        eps_sell = max(sells.mean() - alpha * delta * mu, 0.05 * sells.mean())
        start = np.array([*_logit(alpha, delta), np.log(mu), np.log(eps_buy), np.log(eps_sell)])
        found = minimize(cost, start, method="L-BFGS-B", bounds=[(-12, 12)] * 2 + [(-15, 25)] * 3)
        if best is None or found.fun < best.fun - 1e-12:
            best = found
    assert best is not None
    alpha, delta, mu, eps_buy, eps_sell = unpack(best.x)
    informed = alpha * mu
    value = informed / (informed + eps_buy + eps_sell) * 100.0
    return Pin(value, alpha, delta, mu, eps_buy, eps_sell, -float(best.fun) * len(buys))


def _logit(*shares: float) -> tuple[float, ...]:
    return tuple(float(np.log(share / (1 - share))) for share in shares)
