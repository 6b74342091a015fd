"""One chart of a governance picture: SVG shapes that stretch, HTML labels that do not.

Shapes are added with values in their own units; the scales are applied when it is rendered. Every
coordinate is rounded and stays near the frame, and a value that is no number breaks its line.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np

from hft.reports.governance.axes import Axis, Linear, linear, usable

PIXELS = 600
DOTS_MAX, DOTS_MANY = 1500, 200
READ_MAX = 500  # points the pointer can read out
ROWS = 3  # of labels above each other along vertical rules
LABEL_PX = 17
CLOSE = 0.30  # of the width: labels nearer than this stand above each other


@dataclass
class Chart:
    """Shapes over one x scale; `y` is made from the shapes unless it is given."""

    name: str
    x: Axis
    unit: str = ""
    height_px: int = 190
    y: Axis | None = None
    include: tuple[float | None, ...] = ()  # values the y scale must reach
    percent: bool = False
    times: bool = True  # write the x labels
    x_name: str = ""
    foot: bool = False  # words of vertical rules stand at the bottom
    keys: list[tuple[str, str]] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)
    _shapes: list[tuple[str, str, np.ndarray, np.ndarray]] = field(default_factory=list)
    _values: list[np.ndarray] = field(default_factory=list)
    _rules: list[tuple[str, str, float, str]] = field(default_factory=list)
    _marks: list[tuple[str, float, float | None, str]] = field(default_factory=list)

    def line(self, css: str, xs: Any, ys: Any, label: str = "") -> "Chart":
        """A line; a long one keeps each pixel's extremes."""
        at, values = self._placed(xs, ys)
        return self._add("line", css, *thinned(at, values), label)

    def steps(self, css: str, xs: Any, ys: Any, label: str = "", until: float = 1.0) -> "Chart":
        """A value that holds until the next; `until` is where the last one ends."""
        at, values = self._placed(xs, ys)
        if len(at) == 0:
            return self
        ends = np.append(at[1:], max(until, float(at[-1])))
        xs2, ys2 = np.stack([at, ends], axis=1).ravel(), np.repeat(values, 2)
        return self._add("line", css, xs2, ys2, label)

    def area(self, css: str, xs: Any, ys: Any, label: str = "") -> "Chart":
        """The space between a line and zero."""
        at, values = thinned(*self._placed(xs, ys))
        self._add("band", css, at, np.stack([np.zeros(len(values)), values], axis=1), label)
        return self._add("line", css, at, values, "")

    def band(self, css: str, xs: Any, low: Any, high: Any, label: str = "") -> "Chart":
        """The space between two lines."""
        at, pair = self._placed(xs, np.stack([usable(low), usable(high)], axis=1))
        step = -(-len(at) // PIXELS) or 1
        return self._add("band", css, at[::step], pair[::step], label)

    def dots(self, css: str, xs: Any, ys: Any, label: str = "") -> "Chart":
        """Points, thinned evenly when there are too many; the legend says so."""
        at, values = self._placed(xs, ys)
        if len(at) > DOTS_MAX:
            keep = np.unique(np.linspace(0, len(at) - 1, DOTS_MAX).astype(np.int64))
            label = f"{label} ({DOTS_MAX:,} of {len(at):,} shown)" if label else ""
            at, values = at[keep], values[keep]
        return self._add("dots", css, at, values, label)

    def bars(self, css: str, left: Any, right: Any, ys: Any, label: str = "") -> "Chart":
        """Upright bars from zero."""
        edges = np.stack([self.x.at(np.asarray(left)), self.x.at(np.asarray(right))], axis=1)
        self._values.append(np.zeros(1))
        return self._add("bars", css, edges, usable(ys), label)

    def spans(self, css: str, left: Any, right: Any, rows: Any, label: str = "") -> "Chart":
        """Lying bars around a row of the y scale."""
        edges = np.stack([self.x.at(np.asarray(left)), self.x.at(np.asarray(right))], axis=1)
        rows = usable(rows)
        return self._add("spans", css, edges, np.stack([rows - 0.32, rows + 0.32], 1), label)

    def whiskers(self, css: str, xs: Any, low: Any, high: Any) -> "Chart":
        """Upright intervals."""
        ends = self._placed(xs, np.stack([usable(low), usable(high)], axis=1))
        return self._add("sticks", css, *ends, "")

    def level(self, css: str, y: float | None, text: str, side: str = "") -> "Chart":
        """A horizontal rule with its words at the right end, or the left (`side` = start)."""
        if y is not None and np.isfinite(usable(np.array(y))):
            self._rules.append(("h", f"{css} {side}".strip(), float(y), text))
            self._values.append(np.array([y]))
        return self

    def at(self, css: str, x: float | None, text: str) -> "Chart":
        """A vertical rule with its words."""
        if x is not None and np.isfinite(self.x.at(np.array(x))):
            self._rules.append(("v", css, float(x), text))
        return self

    def zone(self, css: str, left: float, right: float) -> "Chart":
        """A tinted stretch of the x scale."""
        edges = np.clip(self.x.at(np.array([left, right])), 0, 1)
        if not np.isfinite(edges).all():
            return self
        self._shapes.append(("zone", css, edges, np.zeros(2)))
        return self

    def mark(self, css: str, x: float | None, y: float | None, text: str = "") -> "Chart":
        """One point that matters: a ring, or a glyph when there is text. No y: at the bottom."""
        known = y is None or np.isfinite(usable(np.array(y)))
        if x is not None and known and np.isfinite(self.x.at(np.array(x))):
            self._marks.append((css, float(self.x.at(np.array(x))), y, text))
            self._values += [np.array([y])] if y is not None else []
        return self

    def key(self, css: str, text: str) -> "Chart":
        """A line of the legend for something that was drawn without one."""
        self.keys.append((css, text))
        return self

    def read(
        self, xs: Any, at_text: Sequence[str], *series: tuple[str, Any, Callable[[Any], str]]
    ) -> "Chart":
        """What the pointer reads out: a text per x, and named series with their formats."""
        at = self.x.at(np.asarray(xs))
        placed = np.flatnonzero(np.isfinite(at))
        placed = placed[np.argsort(at[placed], kind="stable")]
        few = np.linspace(0, len(placed) - 1, min(len(placed), READ_MAX)).astype(np.int64)
        keep = placed[np.unique(few)]
        if len(keep):
            self.data = {
                "x": [round(float(v), 4) for v in at[keep]],
                "t": [at_text[k] for k in keep.tolist()],
                "s": [[name, [form(ys[k]) for k in keep.tolist()]] for name, ys, form in series],
            }
        return self

    def _placed(self, xs: Any, ys: Any) -> tuple[np.ndarray, np.ndarray]:
        """Places and values of the points that have a place."""
        at, values = self.x.at(np.asarray(xs)), usable(ys)
        keep = np.isfinite(at)
        return at[keep], values[keep]

    def _add(self, shape: str, css: str, xs: np.ndarray, ys: np.ndarray, label: str) -> "Chart":
        if len(xs) and np.isfinite(ys).any():
            self._shapes.append((shape, css, xs, ys))
            self._values.append(ys)
            if label:
                self.keys.append((css, label))
        return self

    def html(self, number: int, about: str) -> str:
        """The figure; `number` makes its ids, `about` is its text equivalent."""
        y = self.y or linear(*self._values, include=self.include, percent=self.percent)
        unit = f" <small>{escape(self.unit)}</small>" if self.unit else ""
        keys = "".join(f'<span class="key {c}"><i></i>{escape(t)}</span>' for c, t in self.keys)
        under, over = self._rule_lines(y)
        body = self._grid(y) + under + "".join(_shape(y, *shape) for shape in self._shapes) + over
        labels = "".join(
            f'<span class="yl" style="top:{n(100 - 100 * at)}%">{escape(text)}</span>'
            for at, text in y.ticks()
            if -0.001 <= at <= 1.001
        )
        title = f'<title id="f{number}-t">{escape(about)}</title>'
        return (
            f'<figure class="panel" id="f{number}"><figcaption><b>{escape(self.name)}'
            f'{unit}</b><span class="read"></span><span class="keys">{keys}</span></figcaption>'
            f'<div class="plot" style="height:{self.height_px}px"><svg role="img" '
            f'aria-labelledby="f{number}-t" viewBox="0 0 1000 100" preserveAspectRatio="none">'
            f"{title}{body}</svg>{labels}{self._words(y)}"
            f'<i class="cross"></i></div>{self._x_labels()}</figure>'
        )

    def _grid(self, y: Axis) -> str:
        out = [f'<path class="grid" d="M0 {n(100 - 100 * at)}H1000"/>' for at, _ in y.ticks()]
        out += [f'<path class="grid" d="M{n(1000 * at)} 0V100"/>' for at, _ in self.x.ticks()]
        if isinstance(y, Linear) and y.low < 0 < y.high:
            zero = 100 - 100 * float(y.at(np.array(0.0)))
            out.append(f'<path class="zero" d="M0 {n(zero)}H1000"/>')
        return "".join(out)

    def _rule_lines(self, y: Axis) -> tuple[str, str]:
        """Rules below the shapes (of the grid) and above them."""
        out: dict[bool, list[str]] = {True: [], False: []}
        for way, css, value, _ in self._rules:
            axis = y if way == "h" else self.x
            at = float(axis.at(np.array(value)))
            if -0.001 <= at <= 1.001:
                d = f"M0 {n(100 - 100 * at)}H1000" if way == "h" else f"M{n(1000 * at)} 0V100"
                out[css == "grid"].append(f'<path class="rule {css}" d="{d}"/>')
        return "".join(out[True]), "".join(out[False])

    def _words(self, y: Axis) -> str:
        """The labels of rules and marks."""
        uprights: list[tuple[float, str, str]] = []
        levels: list[tuple[float, str, str]] = []
        for way, css, value, text in self._rules:
            at = float((y if way == "h" else self.x).at(np.array(value)))
            if text and -0.001 <= at <= 1.001:
                (levels if way == "h" else uprights).append((at, css, text))
        return self._level_words(levels) + self._upright_words(uprights) + self._mark_words(y)

    def _level_words(self, levels: list[tuple[float, str, str]]) -> str:
        """Above their rule where nothing is, else below it."""
        out, taken = [], [-float(LABEL_PX)]
        for at, css, text in sorted(levels, key=lambda one: -one[0]):
            top = (1 - at) * self.height_px
            above = top - LABEL_PX >= 0 and top - LABEL_PX >= taken[-1]
            taken.append(top if above else top + LABEL_PX)
            side = "" if above else " under"
            style = f"top:{n(100 - 100 * at)}%"
            out.append(f'<span class="hl {css}{side}" style="{style}">{escape(text)}</span>')
        return "".join(out)

    def _upright_words(self, uprights: list[tuple[float, str, str]]) -> str:
        out = []
        for (at, css, text), row in zip(uprights, stacked([u[0] for u in uprights]), strict=True):
            side = " left" if at > 0.6 else ""
            end = "bottom" if self.foot else "top"
            style = f"left:{n(100 * at)}%;{end}:{2 + LABEL_PX * row}px"
            out.append(f'<span class="vl {css}{side}" style="{style}">{escape(text)}</span>')
        return "".join(out)

    def _mark_words(self, y: Axis) -> str:
        out = []
        for css, at, value, text in self._marks:
            top = 100.0 if value is None else 100 - 100 * float(y.at(np.array(value)))
            glyph = "mark glyph" if text else "mark"
            style = f"left:{n(100 * at)}%;top:{n(top)}%"
            out.append(f'<i class="{glyph} {css}" style="{style}">{escape(text)}</i>')
        return "".join(out)

    def _x_labels(self) -> str:
        if not self.times:
            return ""
        marks = "".join(
            f'<span{_edge(at)} style="left:{n(100 * at)}%">{escape(text)}</span>'
            for at, text in self.x.ticks()
        )
        name = f'<p class="xn">{escape(self.x_name)}</p>' if self.x_name else ""
        return f'<div class="times">{marks}</div>{name}'


def _edge(at: float) -> str:
    """Labels at the ends stay inside."""
    return ' class="s"' if at < 0.03 else ' class="e"' if at > 0.97 else ""


def stacked(places: Sequence[float]) -> list[int]:
    """A row for each label so that close ones do not meet; the fewest rows first."""
    rows: list[list[float]] = [[] for _ in range(ROWS)]
    out = []
    for place in places:
        free = [k for k in range(ROWS) if all(abs(place - other) > CLOSE for other in rows[k])]
        row = free[0] if free else min(range(ROWS), key=lambda k: len(rows[k]))
        rows[row].append(place)
        out.append(row)
    return out


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


def _shape(y: Axis, shape: str, css: str, xs: np.ndarray, ys: np.ndarray) -> str:
    if shape == "zone":
        left, right = (n(1000 * x) for x in xs.tolist())
        return f'<path class="zone {css}" d="M{left} 0H{right}V100H{left}Z"/>'
    return _DRAW[shape](
        css, xs * 1000, (1 - y.at(ys)) * 100, 100 * (1 - float(y.at(np.zeros(1))[0]))
    )


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
    many = " many" if len(xs) > DOTS_MANY else ""
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


_DRAW = {
    "line": _line,
    "band": _band,
    "dots": _dots,
    "bars": _bars,
    "sticks": _sticks,
    "spans": _spans,
}


def n(value: float) -> str:
    """A coordinate with two decimals at most, never far outside the frame."""
    text = f"{min(max(value, -2000.0), 3000.0):.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
