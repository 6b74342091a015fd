"""The shapes of a chart as SVG paths of a view box of 1000 by 100, each coordinate rounded."""

import numpy as np

from hft.reports.axes import Axis
from hft.reports.track import Track

PIXELS = 600
COLUMNS = 1000  # that a track is drawn in
GRID = 0.5  # of the view box: dots that are nearer than this are one
DOTS_MANY, DOTS_MOST = 200, 1500  # from when on they are small, and smaller still


def thinned(xs: np.ndarray, ys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A line of at most four points a pixel that keeps each pixel's first, extremes and last."""
    if len(xs) <= 2 * PIXELS:
        return xs, ys
    keep = np.isfinite(ys)
    xs, ys = xs[keep], ys[keep]
    pixel = np.clip(xs * PIXELS, 0, PIXELS - 1).astype(np.int64)
    cuts = np.flatnonzero(np.diff(pixel, prepend=-1) != 0)
    index: list[int] = []
    for start, end in zip(cuts.tolist(), [*cuts[1:].tolist(), len(ys)], strict=True):
        part = ys[start:end]
        index += sorted({start, start + int(part.argmin()), start + int(part.argmax()), end - 1})
    return xs[index], ys[index]


def shape(y: Axis, kind: str, css: str, xs: np.ndarray, ys: np.ndarray) -> str:
    """One shape as SVG; `xs` are places from 0 to 1, `ys` values of the scale."""
    if kind == "zone":
        left, right = (n(1000 * x) for x in xs.tolist())
        return f'<path class="zone {css}" d="M{left} 0H{right}V100H{left}Z"/>'
    return DRAW[kind](css, xs * 1000, (1 - y.at(ys)) * 100, 100 * (1 - float(y.at(np.zeros(1))[0])))


def _line(css: str, xs: np.ndarray, ys: np.ndarray, zero: float) -> str:
    parts, pen, before = [], "M", ""
    for x, y in zip(xs.tolist(), ys.tolist(), strict=True):
        if not np.isfinite(y):
            pen, before = "M", ""
            continue
        point = f"{n(x)} {n(y)}"
        if point != before:
            parts.append(pen + point)
        pen, before = "L" if pen == "M" else " ", point
    return f'<path class="line {css}" d="{"".join(parts)}"/>'


def _band(css: str, xs: np.ndarray, ys: np.ndarray, zero: float) -> str:
    whole = np.isfinite(ys).all(axis=1)
    out = []
    for run in np.split(np.arange(len(xs)), np.flatnonzero(np.diff(whole.astype(int))) + 1):
        if len(run) and whole[run[0]]:
            up = [f"{n(xs[k])} {n(ys[k, 1])}" for k in run.tolist()]
            down = [f"{n(xs[k])} {n(ys[k, 0])}" for k in run.tolist()[::-1]]
            out.append(f"M{' '.join(up)} {' '.join(down)}Z")
    return f'<path class="fill {css}" d="{"".join(out)}"/>'


def _dots(css: str, xs: np.ndarray, ys: np.ndarray, zero: float) -> str:
    many = size(len(xs))
    pairs = zip(xs.tolist(), ys.tolist(), strict=True)
    d = "".join(f"M{n(x)} {n(y)}h0" for x, y in pairs if np.isfinite(y))
    return f'<path class="dots{many} {css}" d="{d}"/>'


def _bars(css: str, xs: np.ndarray, ys: np.ndarray, zero: float) -> str:
    out = []
    for (left, right), top in zip(xs.tolist(), ys.tolist(), strict=True):
        if np.isfinite(top):
            out.append(f"M{n(left)} {n(zero)}V{n(top)}H{n(right)}V{n(zero)}Z")
    return f'<path class="solid {css}" d="{"".join(out)}"/>'


def _spans(css: str, xs: np.ndarray, ys: np.ndarray, zero: float) -> str:
    rows = zip(xs.tolist(), ys.tolist(), strict=True)
    d = "".join(f"M{n(a)} {n(low)}H{n(b)}V{n(high)}H{n(a)}Z" for (a, b), (low, high) in rows)
    return f'<path class="solid {css}" d="{d}"/>'


def _sticks(css: str, xs: np.ndarray, ys: np.ndarray, zero: float) -> str:
    rows = zip(xs.tolist(), ys.tolist(), strict=True)
    d = "".join(f"M{n(x)} {n(a)}V{n(b)}" for x, (a, b) in rows if np.isfinite(a + b))
    return f'<path class="stick {css}" d="{d}"/>'


DRAW = {
    "line": _line,
    "band": _band,
    "dots": _dots,
    "bars": _bars,
    "sticks": _sticks,
    "spans": _spans,
}


def columns(
    one: Track, start_ns: int, end_ns: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Columns in which a track changed, with the lowest, highest and last value of each."""
    wide = max(end_ns - start_ns, 1)
    at = np.clip((one.ts_ns - start_ns) * COLUMNS // wide, 0, COLUMNS - 1)
    if len(at) == 0:
        return at, *(np.zeros(0),) * 3
    first = np.flatnonzero(np.append(True, at[1:] != at[:-1]))
    low, high = one.values("low"), one.values("high")
    lows = np.fmin.reduceat(low, first)
    highs = np.fmax.reduceat(high, first)
    return at[first], lows, highs, one.values("last")[np.append(first[1:], len(at)) - 1]


def held(one: Track, start_ns: int, end_ns: int, y: Axis) -> str:
    """The path of a value that holds until the next, through the extremes of each column."""
    at, *values = columns(one, start_ns, end_ns)
    low, high, last = ([n(v) for v in ((1 - y.at(part)) * 100).tolist()] for part in values)
    out, pen = [], ""
    known, ends = np.isfinite(values[0]).tolist(), np.isfinite(values[2]).tolist()
    for k, x in enumerate(at.tolist()):
        if pen:
            out.append(f"H{x}")
        if known[k]:
            if not pen:
                out.append(f"M{x} {last[k] if ends[k] else low[k]}")
                pen = last[k] if ends[k] else low[k]
            for there in (low[k], high[k], *([last[k]] if ends[k] else ())):
                if there != pen:
                    out.append(f"V{there}")
                    pen = there
        pen = pen if ends[k] else ""
    return "".join(out) + (f"H{COLUMNS}" if pen else "")


def filled(path: str, y: Axis) -> str:
    """The space between a path without gaps and zero."""
    if not path:
        return ""
    zero = n((1 - float(y.at(np.zeros(1))[0])) * 100)
    start, rest = path[1:].split(" ", 1)
    return f"M{start} {zero}V{rest}V{zero}Z"


def size(count: int) -> str:
    """The class of so many dots."""
    return " many" * (count > DOTS_MANY) + " most" * (count > DOTS_MOST)


def scattered(xs: np.ndarray, ys: np.ndarray) -> str:
    """Every point; those that would cover each other are drawn once."""
    places = np.stack([np.round(xs / GRID) * GRID, np.round(ys / GRID) * GRID], axis=1)
    return "".join(f"M{n(x)} {n(y)}h0" for x, y in np.unique(places, axis=0).tolist())


def n(value: float) -> str:
    """A coordinate with two decimals at most, never far outside the frame."""
    text = f"{min(max(value, -2000.0), 3000.0):.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
