"""One chart of a page: SVG shapes that stretch, HTML labels that do not.

Shapes are added with values in their own units; the scales are applied when it is rendered. Every
coordinate is rounded and stays near the frame, and a value that is no number breaks its line.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np

from hft.reports.axes import Axis, Linear, Time, linear, reach, usable
from hft.reports.shapes import PIXELS, filled, held, n, scattered, shape, size, thinned
from hft.reports.track import Track, events, packed

DOTS_MAX = 1500
READ_MAX = 500  # points the pointer can read out
ROWS = 3  # of labels above each other along vertical rules
LABEL_PX = 17
CLOSE = 0.30  # of the width: labels nearer than this stand above each other


@dataclass(frozen=True)
class Held:
    """A track of a chart: its colour, its name in the legend, digits of its values."""

    css: str
    label: str
    track: Track
    digits: int
    area: bool = False


@dataclass(frozen=True)
class Moments:
    """Single moments of a chart, each with a value in units and how many lots it was."""

    css: str
    label: str
    ts_ns: np.ndarray
    whole: np.ndarray
    lots: np.ndarray
    unit: float
    digits: int


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
    whole: bool = False  # what the y scale counts cannot be divided
    css: str = ""
    said: str = ""  # small words behind the name
    keys: list[tuple[str, str]] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)
    _shapes: list[tuple[str, str, np.ndarray, np.ndarray]] = field(default_factory=list)
    _values: list[np.ndarray] = field(default_factory=list)
    _rules: list[tuple[str, str, float, str]] = field(default_factory=list)
    _marks: list[tuple[str, float, float | None, str]] = field(default_factory=list)
    _held: list[Held] = field(default_factory=list)
    _moments: list[Moments] = field(default_factory=list)

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

    def track(
        self, css: str, one: Track, label: str, digits: int, *, area: bool = False
    ) -> "Chart":
        """A track over a time scale, which the script can look at closer."""
        found = one.extremes()
        if found is not None:
            self._held.append(Held(css, label, one, digits, area))
            self._values.append(np.array(found))
            self.include = (*self.include, 0.0) if area else self.include
        return self

    def moments(
        self, css: str, ts_ns: Any, whole: Any, lots: Any, unit: float, label: str, digits: int
    ) -> "Chart":
        """Single moments over a time scale: every one is drawn."""
        if len(ts_ns):
            at, whole, lots = (np.asarray(part, np.int64) for part in (ts_ns, whole, lots))
            self._moments.append(Moments(css, label, at, whole, lots, unit, digits))
            self._values.append(whole * unit)
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
        y = self.y or self._scale()
        words = (f" <small>{escape(text)}</small>" for text in (self.unit, self.said) if text)
        unit = "".join(words)
        under, over = self._rule_lines(y)
        body = self._grid(y) + under + "".join(shape(y, *one) for one in self._shapes) + over
        body += self._lasting(y)
        labels = "".join(
            f'<span class="yl" style="top:{n(100 - 100 * at)}%">{escape(text)}</span>'
            for at, text in y.ticks()
            if -0.001 <= at <= 1.001
        )
        title = f'<title id="f{number}-t">{escape(about)}</title>'
        return (
            f'<figure class="panel{self.css}" id="f{number}"><figcaption><b>{escape(self.name)}'
            f'{unit}</b><span class="read"></span><span class="keys">{self._legend()}</span>'
            "</figcaption>"
            f'<div class="plot" style="height:{self.height_px}px"><svg role="img" '
            f'aria-labelledby="f{number}-t" viewBox="0 0 1000 100" preserveAspectRatio="none">'
            f"{title}{body}</svg>{labels}{self._words(y)}"
            f'<i class="cross"></i></div>{self._x_labels()}</figure>'
        )

    def _scale(self) -> Axis:
        """The y scale of what was added; of tracks, it fits closely and shortens no number."""
        if not self._held:
            return linear(*self._values, include=self.include, percent=self.percent)
        asked = np.array([v for v in self.include if v is not None])
        low, high = reach(*self._values, asked) or (0.0, 1.0)
        room = (high - low) * 0.06 or max(abs(high) * 1e-3, 0.5)
        return Linear(low - room, high + room, whole=self.whole, most=4, exact=True)

    def _legend(self) -> str:
        keys = [(css, text, " data-p" * (css == "tape")) for css, text in self.keys]
        keys += [(one.css, one.label, f' data-t="{k}"') for k, one in enumerate(self._held)]
        keys += [(one.css, one.label, f' data-e="{k}"') for k, one in enumerate(self._moments)]
        return "".join(
            f'<span class="key {css}"{mark}><i></i>{escape(text)}<b></b></span>'
            if mark
            else f'<span class="key {css}"><i></i>{escape(text)}</span>'
            for css, text, mark in keys
            if text
        )

    def _lasting(self, y: Axis) -> str:
        """Tracks and moments as the page has them without its script."""
        if not isinstance(self.x, Time):
            return ""
        start_ns, end_ns = self.x.start_ns, self.x.end_ns
        out = []
        for k, one in enumerate(self._held):
            path = held(one.track, start_ns, end_ns, y)
            if one.area:
                under = filled(path, y)
                out.append(f'<path class="fill {one.css}" data-t="{k}" d="{under}"/>')
            out.append(f'<path class="line {one.css}" data-t="{k}" d="{path}"/>')
        for k, moment in enumerate(self._moments):
            xs = 1000 * self.x.at(moment.ts_ns)
            d = scattered(xs, 100 * (1 - y.at(moment.whole * moment.unit)))
            out.append(f'<path class="dots{size(len(xs))} {moment.css}" data-e="{k}" d="{d}"/>')
        return "".join(out)

    def closer(self) -> dict[str, Any]:
        """What the script draws a part of the time from; nothing without tracks or moments."""
        if not isinstance(self.x, Time) or not (self._held or self._moments):
            return {}
        start_ns = self.x.start_ns
        return {
            "whole": int(self.whole),
            "include": list(self.include),
            "t": [
                {
                    "step": one.track.step_ns,
                    "off": start_ns % one.track.step_ns,
                    "unit": one.track.unit,
                    "digits": one.digits,
                    "d": packed(one.track, start_ns),
                }
                for one in self._held
            ],
            "e": [
                {
                    "unit": one.unit,
                    "digits": one.digits,
                    "d": events(one.ts_ns, start_ns, one.whole, one.lots),
                }
                for one in self._moments
            ],
        }

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
