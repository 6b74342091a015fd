"""Charts as one SVG picture: no script, nothing loaded, the same bytes for the same data."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from hft.reports import shapes
from hft.reports.axes import Axis, Linear, linear
from hft.reports.chart import LABEL_PX, Chart, stacked
from hft.reports.governance.pictures.pool import Sizes
from hft.reports.governance.pictures.tiles import LEVELS, PAINT, TABLE_MAX, Tiles
from hft.reports.governance.svg_page import (
    LEFT_MAX,
    LEFT_MIN,
    LETTER,
    PAD,
    SMALL,
    TEXT,
    WIDTH,
    Page,
    color_of,
    paint,
)
from hft.reports.shapes import n


@dataclass(frozen=True, repr=False)
class Plot:
    """A picture: notebooks show it, `svg` is its text, `save` writes it to a file."""

    title: str
    says: str
    svg: str
    figure: Callable[[], Any] | None = field(default=None, compare=False)

    def save(self, path: str | Path) -> Path:
        """Write the SVG. Raises: ConfigError for a name that says another format."""
        from hft.core.errors import ConfigError
        from hft.storage.atomic import write_atomic

        if Path(path).suffix.lower() not in ("", ".svg"):
            raise ConfigError(f"{path}: a plot is saved as SVG; write {Path(path).stem}.svg")
        write_atomic(Path(path), self.svg)
        return Path(path)

    def plotly(self) -> Any:
        """The same as a plotly figure, to zoom into; it needs plotly, and a notebook that runs.

        Raises: ConfigError where there is none, or no plotly.
        """
        from hft.core.errors import ConfigError

        if self.figure is None:
            raise ConfigError(f"plotly: {self.title!r} is drawn as SVG only; its page reads it out")
        try:
            return self.figure()
        except ModuleNotFoundError:
            raise ConfigError("plotly is not installed: pip install 'hft[notebook]'") from None

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"{self.title}: {self.says}" if self.says else self.title


def picture(title: str, says: str, charts: Sequence[Any], how: str = "") -> str:
    """One SVG: the title, what it says, the charts below each other, how to read them."""
    page = Page()
    page.words(title, PAD, page.down(17), size=15, weight=650, color="ink")
    page.paragraph(says, TEXT)
    page.down(4)
    longest = max((_letters(chart) for chart in charts if isinstance(chart, Chart)), default=0)
    page.left = min(max(PAD + 10 + longest * SMALL * LETTER, LEFT_MIN), LEFT_MAX)
    for chart in charts:
        _chart(page, chart)
    page.down(4)
    page.paragraph(how, SMALL)
    return page.svg(f"{title}: {says}" if says else title)


def _look(shape: str, css: str) -> str:
    """How a shape of a chart is painted; the page's style sheet says the same."""
    names, color = css.split(), color_of(css)
    if shape == "line":
        width = 1.0 if "path" in names else 1.1 if "mid" in names else 1.6
        faint = ' opacity=".5"' if "path" in names else ""
        return f'{paint(color)} stroke-width="{width}" stroke-linejoin="round"{faint}'
    if shape == "dots":
        width, opacity = (7.5, 1) if "big" in names else (3.4, 0.6) if "many" in names else (5, 0.8)
        return f'{paint(color)} stroke-width="{width}" stroke-linecap="round" opacity="{opacity}"'
    if shape == "sticks":
        return f'{paint(color)} stroke-width="1.6" opacity=".5"'
    if shape in ("bars", "spans"):
        return paint(fill=color) + (' opacity=".55"' if color == "gross" else "")
    return f'{paint(fill=color)} opacity="{".2" if "down" in names else ".14"}"'


def _chart(page: Page, chart: Any) -> None:
    if isinstance(chart, Tiles):
        page.caption(chart.name, "", (("sell", "below zero"), ("buy", "above zero")))
        _tiles(page, chart)
    elif isinstance(chart, Sizes):
        page.caption(chart.name, chart.more, chart.keys)
        _sizes(page, chart)
    else:
        page.caption(chart.name, chart.unit, chart.keys)
        _plot(page, chart)


def _scale(chart: Chart) -> Axis:
    return chart.y or linear(*chart._values, include=chart.include, percent=chart.percent)


def _letters(chart: Chart) -> int:
    """Of the longest label of its values."""
    return max((len(text) for _, text in _scale(chart).ticks()), default=0)


def _plot(page: Page, chart: Chart) -> None:
    """Grid, shapes inside a frame that cuts them, rules, and the words around them."""
    y = _scale(chart)
    wide, high, top = WIDTH - PAD - page.left, float(chart.height_px), page.y
    room = f'x="{n(page.left)}" y="{n(top)}" width="{n(wide)}" height="{n(high)}"'
    page.out.append(f"<svg {room}>")
    marks_y = [(at, text) for at, text in y.ticks() if -0.001 <= at <= 1.001]
    marks_x = chart.x.ticks()
    grid = "".join(f"M0 {n(high * (1 - at))}H{n(wide)}" for at, _ in marks_y)
    grid += "".join(f"M{n(wide * at)} 0V{n(high)}" for at, _ in marks_x)
    page.path(grid, paint("grid"))
    if isinstance(y, Linear) and y.low < 0 < y.high:
        zero = high * (1 - float(y.at(np.array(0.0))))
        page.path(f"M0 {n(zero)}H{n(wide)}", paint("gross") + ' opacity=".6"')
    _rules(page, chart, y, wide, high, below=True)
    for one in chart._shapes:
        _shape(page, y, wide, high, *one)
    _rules(page, chart, y, wide, high, below=False)
    page.out.append("</svg>")
    page.path(f"M{n(page.left)} {n(top)}v{n(high)}", paint("line"))
    for at, text in marks_y:
        page.words(text, page.left - 8, top + high * (1 - at) + 4, anchor="end")
    _upon(page, chart, y, wide, high)
    page.down(high)
    if chart.times:
        below = page.down(16)
        for at, text in marks_x:
            side = "start" if at < 0.03 else "end" if at > 0.97 else "middle"
            page.words(text, page.left + wide * at, below, anchor=side)
        if chart.x_name:
            page.words(chart.x_name, page.left + wide / 2, page.down(16), anchor="middle")


def _shape(page: Page, y: Axis, wide: float, high: float, shape: str, css: str,
           xs: np.ndarray, ys: np.ndarray) -> None:  # fmt: skip
    if shape == "zone":
        left, right = (n(wide * x) for x in xs.tolist())
        page.path(f"M{left} 0H{right}V{n(high)}H{left}Z", _look(shape, css or "gross"))
        return
    zero = high * (1 - float(y.at(np.zeros(1))[0]))
    drawn = shapes.DRAW[shape](css, xs * wide, (1 - y.at(ys)) * high, zero)
    many = " many" if shape == "dots" and len(xs) > shapes.DOTS_MANY else ""
    found = re.search(r' d="([^"]*)"', drawn)
    page.path(found[1] if found else "", _look(shape, css + many))


def _rules(page: Page, chart: Chart, y: Axis, wide: float, high: float, below: bool) -> None:
    for way, css, value, _ in chart._rules:
        at = float((y if way == "h" else chart.x).at(np.array(value)))
        if (css == "grid") is below and -0.001 <= at <= 1.001:
            d = (
                f"M0 {n(high * (1 - at))}H{n(wide)}"
                if way == "h"
                else f"M{n(wide * at)} 0V{n(high)}"
            )
            dash = "" if below else ' stroke-dasharray="5 4"'
            page.path(d, f"{paint('line' if below else color_of(css, 'gross'))}{dash}")


def _upon(page: Page, chart: Chart, y: Axis, wide: float, high: float) -> None:
    """The words of rules, and the points that matter."""
    levels: list[tuple[float, str, str]] = []
    uprights: list[tuple[float, str, str]] = []
    for way, css, value, text in chart._rules:
        at = float((y if way == "h" else chart.x).at(np.array(value)))
        if text and -0.001 <= at <= 1.001:
            (levels if way == "h" else uprights).append((at, css, text))
    taken = -float(LABEL_PX)
    for at, css, text in sorted(levels, key=lambda one: -one[0]):
        level = (1 - at) * high
        above = level - LABEL_PX >= max(taken, 0.0)
        taken = level if above else level + LABEL_PX
        start = "start" in css.split()
        x, end = (page.left + 4, "start") if start else (page.left + wide - 4, "end")
        base = page.y + level + (-4 if above else 13)
        page.words(text, x, base, anchor=end, color=color_of(css, "soft"), halo=True)
    rows = stacked([place for place, _, _ in uprights])
    for (at, css, text), row in zip(uprights, rows, strict=True):
        side, gap = ("end", -5) if at > 0.6 else ("start", 5)
        base = page.y + (high - 6 - LABEL_PX * row if chart.foot else 13 + LABEL_PX * row)
        color = color_of(css, "soft")
        page.words(text, page.left + wide * at + gap, base, anchor=side, color=color, halo=True)
    for css, at, height, text in chart._marks:
        x = page.left + wide * at
        share = 1.0 if height is None else 1 - float(y.at(np.array(height)))
        top = page.y + high * share
        if text:
            top -= 9 if "foot" in css.split() else 0
            page.words(text, x, top + 4, size=13, anchor="middle", color=color_of(css, "soft"))
        else:
            ring = f'{paint(color_of(css))} stroke-width="2.5"'
            page.out.append(f'<circle cx="{n(x)}" cy="{n(top)}" r="6" {ring}/>')


def _tiles(page: Page, tiles: Tiles) -> None:
    """A field of colours, with its values where there is room for them."""
    level, beyond = tiles._level(), tiles._beyond()
    rows, columns = level.shape
    small, named = columns <= TABLE_MAX, rows <= 48
    left = min(PAD + 10 + max(map(len, tiles.rows)) * SMALL * LETTER, 210) if named else PAD
    wide = min((WIDTH - PAD - left) / columns, 110.0)
    high = 27.0 if small else min(max(16.0, 240 / rows), 640 / rows)
    if small:
        base = page.down(12)
        for k, name in enumerate(tiles.columns):
            shown = _fit(name, wide - 12)
            page.words(shown, left + (k + 0.5) * wide, base, anchor="middle")
        page.down(6)
    top = page.y
    for r in range(rows):
        for c in range(columns):
            _tile(page, tiles, r, c, (left + c * wide, top + r * high, wide, high), level, beyond)
        if named:
            name = _fit(str(tiles.rows[r]), left - PAD - 8)
            page.words(name, left - 8, top + (r + 0.5) * high + 4, anchor="end")
    page.down(rows * high + 4)
    axes = " \\ ".join(text for text in (tiles.corner, tiles.under) if text)
    if axes:
        page.words(axes, left, page.down(13))


def _tile(page: Page, tiles: Tiles, r: int, c: int, box: tuple[float, float, float, float],
          level: np.ndarray, beyond: np.ndarray) -> None:  # fmt: skip
    x, y, wide, high = box
    small, strength = wide >= 40 and high >= 20, int(level[r, c])
    own = tiles.symmetric and r == c
    gap = 1.0 if small else 0.0
    size = f'width="{n(wide - 2 * gap)}" height="{n(high - 2 * gap)}"'
    place = f'x="{n(x + gap)}" y="{n(y + gap)}" {size}'
    if strength and not own:
        share = n(abs(strength) / LEVELS * PAINT / 100)
        color = paint(fill="buy" if strength > 0 else "sell")
        page.out.append(f'<rect {place} {color} opacity="{share}"/>')
    else:
        page.out.append(f"<rect {place} {paint(fill='grid')}/>")
    if (beyond[r, c] or tiles.ring == (r, c)) and not own:
        page.out.append(f'<rect {place} {paint("ink")} stroke-width="1.6"/>')
    if small:
        shown = "1" if own else tiles.form(tiles.values[r, c])
        color = "soft" if own else "ink"
        page.words(shown, x + wide / 2, y + high / 2 + 4, anchor="middle", color=color)


def _fit(text: str, room: float) -> str:
    most = max(int(room / (SMALL * LETTER)), 2)
    return text if len(text) <= most else text[: most - 1] + "…"


def _sizes(page: Page, sizes: Sizes) -> None:
    """Lying bars from nothing to one, with their limits."""
    left, right = PAD + 190, WIDTH - PAD - 60
    wide, top = right - left, page.y
    for label, values, text in sizes.rows:
        base = page.down(24)
        page.words(_fit(label, 180), PAD, base - 7, size=TEXT, color="ink")
        place = f'y="{n(base - 20)}" height="16" rx="3"'
        page.out.append(f'<rect x="{n(left)}" {place} width="{n(wide)}" {paint(fill="grid")}/>')
        for (css, value), inset in zip(values, (0, 5), strict=False):
            size = wide * min(abs(value), 1.0) if np.isfinite(value) else 0.0
            place = f'y="{n(base - 20 + inset)}" height="{16 - 2 * inset}" rx="2"'
            page.out.append(f'<rect x="{n(left)}" {place} width="{n(size)}" {paint(fill=css)}/>')
        page.words(text, WIDTH - PAD, base - 7, size=TEXT, color="ink", anchor="end")
    for css, at in sizes.limits:
        dash = "" if css == "fail" else ' stroke-dasharray="3 3"'
        look = f'{paint(color_of(css))} stroke-width="1.5"{dash}'
        page.path(f"M{n(left + wide * at)} {n(top)}V{n(page.y)}", look)
