"""Kernels of window sums: ts_sum, ts_mean, decay_linear, ts_delta.

Rows are cut into chunks of one window, counted from the first row. A window is then the tail of one
chunk and the head of the next: tail sums are made once a chunk, head sums row by row, and nothing
is ever subtracted. So a sum never drifts, costs the same for any window, and is the same bits
however the rows are cut into blocks.

State is two slices of zeros, one of floats and one of ints; the layout is the first lines of each
kernel, its size `state_size`. A missing value (NaN) counts for nothing and gives NaN at its row.
"""

import numpy as np

from hft.core.jit import kernel


def state_size(name: str, window: int) -> tuple[int, int]:
    """Floats and ints of state an operator of this file needs."""
    sizes = {
        "ts_sum": (2 + 2 * window, 3 + window),
        "ts_mean": (2 + 2 * window, 3 + window),
        "decay_linear": (4 + 3 * window, 6 + 2 * window),
        "ts_delta": (window, 2),
    }
    return sizes[name]


@kernel
def window_sum(sf, si, x, out, w, mean):  # type: ignore[no-untyped-def]
    """Sum or mean of the last w rows that are present."""
    head, chunk, tail = sf[0], sf[1 : 1 + w], sf[1 + w : 2 + 2 * w]
    filled, count, tail_count = si[0], si[1], si[2 : 3 + w]
    t = 0
    while t < x.size:
        if filled == w:
            total, present = 0.0, 0
            for q in range(w - 1, -1, -1):
                v = chunk[q]
                if v == v:
                    total += v
                    present += 1
                tail[q] = total
                tail_count[q] = present
            filled, head, count = 0, 0.0, 0
        span = min(x.size - t, w - filled)
        for j in range(t, t + span):
            v = x[j]
            chunk[filled] = v
            filled += 1
            if v == v:
                head += v
                count += 1
                total = tail[filled] + head
                r = total / (tail_count[filled] + count) if mean else total
                out[j] = r if np.isfinite(r) else np.nan
            else:
                out[j] = np.nan
        t += span
    sf[0], si[0], si[1] = head, filled, count


@kernel
def decay_linear(sf, si, x, out, w):  # type: ignore[no-untyped-def]
    """Weighted mean of the window: the oldest of its n rows weighs 1, the newest n."""
    head, moment = sf[0], sf[1]  # sum of x, sum of (place in the chunk) x
    chunk, tail = sf[2 : 2 + w], sf[2 + w : 3 + 2 * w]
    filled, count, places, whole = si[0], si[1], si[2], si[3]
    tail_weight = si[4 : 5 + w]
    t = 0
    while t < x.size:
        if filled == w:
            total, present, ramp, weight = 0.0, 0, 0.0, 0
            for q in range(w - 1, -1, -1):
                v = chunk[q]
                if v == v:
                    total += v
                    present += 1
                ramp += total
                weight += present
                tail[q] = ramp
                tail_weight[q] = weight
            filled, head, moment, count, places, whole = 0, 0.0, 0.0, 0, 0, 1
        span = min(x.size - t, w - filled)
        for j in range(t, t + span):
            v = x[j]
            chunk[filled] = v
            if v == v:
                head += v
                moment += filled * v
                count += 1
                places += filled
            filled += 1
            if v == v:
                base = w - filled + 1 if whole else 1
                weight = tail_weight[filled] + base * count + places
                r = (tail[filled] + (base * head + moment)) / weight
                out[j] = r if np.isfinite(r) else np.nan
            else:
                out[j] = np.nan
        t += span
    sf[0], sf[1] = head, moment
    si[0], si[1], si[2], si[3] = filled, count, places, whole


@kernel
def delta(sf, si, x, out, w):  # type: ignore[no-untyped-def]
    """x minus x of w rows ago; 0 for the first w rows."""
    n, at, seen = x.size, si[0], si[1]
    for t in range(min(n, w)):
        place = at + t
        place = place - w if place >= w else place
        v = x[t] - sf[place] if seen + t >= w else 0.0 * x[t]
        out[t] = v if np.isfinite(v) else np.nan
    for t in range(w, n):
        v = x[t] - x[t - w]
        out[t] = v if np.isfinite(v) else np.nan
    for t in range(max(0, n - w), n):
        sf[(at + t) % w] = x[t]
    si[0], si[1] = (at + n) % w, min(seen + n, w)
