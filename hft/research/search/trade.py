"""What signals earn by the position rule, many at once and a block of rows at a time.

The rule of contract 5.4 on a standardised signal: above the threshold one unit long, below its
negative one unit short, else hold; a position earns from its row to the next, and a change of it
costs at its row. Only sums by session leave the kernel, so memory does not grow with rows.

Kernels of this file call only each other, so the compiler's cache follows this file.
"""

from typing import NamedTuple

import numpy as np

from hft.core.jit import kernel

GROSS, FEE, SQUARE, CROSS, HELD = range(5)
SUMS = 5
POSITION, TRADED, PATH = range(3)
LANES = 4


class Trades(NamedTuple):
    """Running sums of signals in groups of four; a group's last lanes may be unused.

    `state` [group, 3, lane]: position, units traded, a linear hash of the positions (a mirrored
    path has minus the hash). `sums` [group, session, 5, lane]: gross, fee, gross^2 + fee^2 and
    gross x fee, which give the moments of net steps for either direction, and the units held over.
    """

    state: np.ndarray
    sums: np.ndarray


class Steps(NamedTuple):
    """What each row is worth and costs: [row]; `salt` are the weights of the path's hash."""

    earned: np.ndarray  # by one unit held over from the row before
    cost: np.ndarray  # of changing the position by one unit
    session: np.ndarray  # int64, 0, 1, ...
    salt: np.ndarray  # float64 of whole numbers


def new_trades(groups: int, sessions: int) -> Trades:
    """Nothing held and nothing earned."""
    return Trades(np.zeros((groups, 3, LANES)), np.zeros((groups, sessions, SUMS, LANES)))


@kernel
def _lane(v, threshold, position, salt, earned, cost):  # type: ignore[no-untyped-def]
    """One row of one signal. Returns: position, change, gross, fee, hash."""
    gross = position * earned
    # Arithmetic, not a choice: a branch that follows a signal is mispredicted half of the time.
    side = 1.0 * (v > threshold) - 1.0 * (v < -threshold)
    want = side + (1.0 - abs(side)) * position
    change = abs(want - position)
    return want, change, gross, change * cost, want * salt


@kernel
def _four(x, lo, steps, threshold, state, sums):  # type: ignore[no-untyped-def]
    """Four signals [lane, row of the block] side by side, so that none waits for its own sums."""
    n = x.shape[1]
    earned, cost, salt = steps.earned[lo : lo + n], steps.cost[lo : lo + n], steps.salt[lo : lo + n]
    session = steps.session[lo : lo + n]
    x0, x1, x2, x3 = x[0], x[1], x[2], x[3]
    p0, p1, p2, p3 = state[0, 0], state[0, 1], state[0, 2], state[0, 3]
    c0, c1, c2, c3 = state[1, 0], state[1, 1], state[1, 2], state[1, 3]
    h0, h1, h2, h3 = state[2, 0], state[2, 1], state[2, 2], state[2, 3]
    t = 0
    while t < n:
        day, stop = session[t], t + 1
        if session[n - 1] == day:
            stop = n
        while stop < n and session[stop] == day:
            stop += 1
        s = sums[day]
        g0, g1, g2, g3 = s[0, 0], s[0, 1], s[0, 2], s[0, 3]
        f0, f1, f2, f3 = s[1, 0], s[1, 1], s[1, 2], s[1, 3]
        q0, q1, q2, q3 = s[2, 0], s[2, 1], s[2, 2], s[2, 3]
        r0, r1, r2, r3 = s[3, 0], s[3, 1], s[3, 2], s[3, 3]
        m0, m1, m2, m3 = s[4, 0], s[4, 1], s[4, 2], s[4, 3]
        for k in range(t, stop):
            e, c, h = earned[k], cost[k], salt[k]
            m0, m1, m2, m3 = m0 + p0, m1 + p1, m2 + p2, m3 + p3
            p0, a0, u0, v0, w0 = _lane(x0[k], threshold, p0, h, e, c)
            p1, a1, u1, v1, w1 = _lane(x1[k], threshold, p1, h, e, c)
            p2, a2, u2, v2, w2 = _lane(x2[k], threshold, p2, h, e, c)
            p3, a3, u3, v3, w3 = _lane(x3[k], threshold, p3, h, e, c)
            c0, c1, c2, c3 = c0 + a0, c1 + a1, c2 + a2, c3 + a3
            h0, h1, h2, h3 = h0 + w0, h1 + w1, h2 + w2, h3 + w3
            g0, g1, g2, g3 = g0 + u0, g1 + u1, g2 + u2, g3 + u3
            f0, f1, f2, f3 = f0 + v0, f1 + v1, f2 + v2, f3 + v3
            q0, q1 = q0 + (u0 * u0 + v0 * v0), q1 + (u1 * u1 + v1 * v1)
            q2, q3 = q2 + (u2 * u2 + v2 * v2), q3 + (u3 * u3 + v3 * v3)
            r0, r1, r2, r3 = r0 + u0 * v0, r1 + u1 * v1, r2 + u2 * v2, r3 + u3 * v3
        s[0, 0], s[0, 1], s[0, 2], s[0, 3] = g0, g1, g2, g3
        s[1, 0], s[1, 1], s[1, 2], s[1, 3] = f0, f1, f2, f3
        s[2, 0], s[2, 1], s[2, 2], s[2, 3] = q0, q1, q2, q3
        s[3, 0], s[3, 1], s[3, 2], s[3, 3] = r0, r1, r2, r3
        s[4, 0], s[4, 1], s[4, 2], s[4, 3] = m0, m1, m2, m3
        t = stop
    state[0, 0], state[0, 1], state[0, 2], state[0, 3] = p0, p1, p2, p3
    state[1, 0], state[1, 1], state[1, 2], state[1, 3] = c0, c1, c2, c3
    state[2, 0], state[2, 1], state[2, 2], state[2, 3] = h0, h1, h2, h3


@kernel
def trade(trades, steps, signals, group, lo, hi, threshold):  # type: ignore[no-untyped-def]
    """Trade one group, rows 0 to 3 of `signals` [lane, row of the block], over rows [lo, hi)."""
    x = signals[:, : hi - lo]
    _four(x, lo, steps, threshold, trades.state[group], trades.sums[group])


@kernel
def correlate(moments, pool, signals, group, lo, hi):  # type: ignore[no-untyped-def]
    """Add a block to the sums of each signal, its square, and its products with the pool.

    A missing value counts as 0. Mutates: moments [signal, 2 + pool], signals.
    """
    for lane in range(LANES):
        k = LANES * group + lane
        total, square = moments[k, 0], moments[k, 1]
        for t in range(hi - lo):
            v = signals[lane, t]
            v = v if v == v else 0.0
            signals[lane, t] = v
            total += v
            square += v * v
        moments[k, 0], moments[k, 1] = total, square
        for p in range(pool.shape[0]):
            product = moments[k, 2 + p]
            for t in range(hi - lo):
                product += signals[lane, t] * pool[p, lo + t]
            moments[k, 2 + p] = product
