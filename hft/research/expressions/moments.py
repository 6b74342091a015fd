"""Kernels of spread and co-movement: ts_std, ts_corr, and the expanding zscore.

Means and squared deviations are updated by Welford's step and joined by the formula of Chan, Golub
and LeVeque (1979), never as a difference of large sums: a price of 400 with a spread of 1e-4 keeps
its digits. Chunks, state and missing values are those of `windows`.
"""

import math

import numpy as np

from hft.core.jit import kernel

TINY = 1e-12
LARGEST = float(np.finfo(np.float64).max)


def state_size(name: str, window: int) -> tuple[int, int]:
    """Floats and ints of state an operator of this file needs."""
    sizes = {
        "ts_std": (4 + 3 * window, 3 + window),
        "ts_corr": (10 + 7 * window, 3 + window),
        "zscore": (196, 5),
    }
    return sizes[name]


@kernel
def window_sd(sf, si, x, out, w):  # type: ignore[no-untyped-def]
    """Population standard deviation of the window; 0 where it is <= 1e-12."""
    mean, square, chunk = sf[0], sf[1], sf[2 : 2 + w]
    tail_mean, tail_square = sf[2 + w : 3 + 2 * w], sf[3 + 2 * w : 4 + 3 * w]
    filled, count, tail_count = si[0], si[1], si[2 : 3 + w]
    t = 0
    while t < x.size:
        if filled == w:
            m, s, k = 0.0, 0.0, 0
            for q in range(w - 1, -1, -1):
                v = chunk[q]
                if v == v:
                    k += 1
                    d = v - m
                    m += d * (1.0 / k)
                    s += d * (v - m)
                tail_mean[q], tail_square[q], tail_count[q] = m, s, k
            filled, mean, square, count = 0, 0.0, 0.0, 0
        span = min(x.size - t, w - filled)
        for j in range(t, t + span):
            v = x[j]
            chunk[filled] = v
            filled += 1
            if v == v:
                count += 1
                d = v - mean
                mean += d * (1.0 / count)
                square += d * (v - mean)
                older = tail_count[filled]
                gap = tail_mean[filled] - mean
                n = float(older + count)
                joined = tail_square[filled] + square + gap * gap * (older * count / n)
                r = math.sqrt(joined / n)
                r = 0.0 if r <= TINY else r
                out[j] = r if np.isfinite(r) else np.nan
            else:
                out[j] = np.nan
        t += span
    sf[0], sf[1], si[0], si[1] = mean, square, filled, count


@kernel
def window_corr(sf, si, x, y, out, w):  # type: ignore[no-untyped-def]
    """Pearson correlation of the window's complete pairs; 0 where either sd is <= 1e-12."""
    mx, my, xx, yy, xy = sf[0], sf[1], sf[2], sf[3], sf[4]
    cx, cy = sf[5 : 5 + w], sf[5 + w : 5 + 2 * w]
    tail = sf[5 + 2 * w : 10 + 7 * w].reshape(w + 1, 5)
    filled, count, tail_count = si[0], si[1], si[2 : 3 + w]
    t = 0
    while t < x.size:
        if filled == w:
            ax, ay, axx, ayy, axy, k = 0.0, 0.0, 0.0, 0.0, 0.0, 0
            for q in range(w - 1, -1, -1):
                u, v = cx[q], cy[q]
                if u == u and v == v:
                    k += 1
                    part = 1.0 / k
                    du, dv = u - ax, v - ay
                    ax += du * part
                    ay += dv * part
                    axx += du * (u - ax)
                    ayy += dv * (v - ay)
                    axy += du * (v - ay)
                row = tail[q]
                row[0], row[1], row[2], row[3], row[4] = ax, ay, axx, ayy, axy
                tail_count[q] = k
            filled, count = 0, 0
            mx, my, xx, yy, xy = 0.0, 0.0, 0.0, 0.0, 0.0
        span = min(x.size - t, w - filled)
        for j in range(t, t + span):
            u, v = x[j], y[j]
            cx[filled], cy[filled] = u, v
            filled += 1
            if u == u and v == v:
                count += 1
                part = 1.0 / count
                du, dv = u - mx, v - my
                mx += du * part
                my += dv * part
                xx += du * (u - mx)
                yy += dv * (v - my)
                xy += du * (v - my)
                row = tail[filled]
                older = tail_count[filled]
                gx, gy, n = row[0] - mx, row[1] - my, float(older + count)
                f = older * count / n
                sx = math.sqrt(row[2] + xx + gx * gx * f)
                sy = math.sqrt(row[3] + yy + gy * gy * f)
                limit = TINY * math.sqrt(n)
                flat = sx <= limit or sy <= limit
                r = (row[4] + xy + gx * gy * f) / (1.0 if flat else sx * sy)
                r = 0.0 if flat else min(1.0, max(-1.0, r))
                out[j] = r if np.isfinite(r) else np.nan
            else:
                out[j] = np.nan
        t += span
    sf[0], sf[1], sf[2], sf[3], sf[4] = mx, my, xx, yy, xy
    si[0], si[1] = filled, count


@kernel
def zscore(sf, si, x, out):  # type: ignore[no-untyped-def]
    """x minus the mean so far, over the standard deviation so far; 0 where that is <= 1e-12.

    Sums run from the mean at the start of a stretch of rows. Stretches double up to 64 rows, so one
    never holds more rows than came before it, and subtracting its mean costs at most one bit.
    """
    center, square, total, squares = sf[0], sf[1], sf[2], sf[3]
    totals, heaps, counts = sf[4:68], sf[68:132], sf[132:196]
    before, count, rows, length = si[0], si[1], si[2], max(1, si[3])
    t = 0
    while t < x.size:
        span = min(x.size - t, length - rows)
        if before + count == 0:
            for j in range(t + span - 1, t - 1, -1):
                center = x[j] if x[j] == x[j] else center
        for j in range(span):
            v = x[t + j]
            d = v - center if v == v else 0.0
            total += d
            squares += d * d
            count += v == v
            totals[j], heaps[j], counts[j] = total, squares, before + count
        for j in range(span):
            part = 1.0 / max(counts[j], 1.0)
            shift = totals[j] * part
            sd = math.sqrt(max(0.0, square + heaps[j] - totals[j] * shift) * part)
            flat = sd <= TINY
            r = (x[t + j] - center - shift) / (1.0 if flat else sd)
            r = 0.0 * r if flat else r
            out[t + j] = r if abs(r) <= LARGEST else np.nan
        t += span
        rows += span
        if rows == length:
            before += count
            shift = total / max(before, 1)
            square = max(0.0, square + squares - total * shift)
            center += shift
            si[4] += rows
            total, squares, count, rows, length = 0.0, 0.0, 0, 0, min(64, si[4])
    sf[0], sf[1], sf[2], sf[3] = center, square, total, squares
    si[0], si[1], si[2], si[3] = before, count, rows, length
