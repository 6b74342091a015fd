"""Small static charts: SVG shapes that stretch, with labels as HTML text that does not.

A line keeps the lowest and highest value of each of its pixels, so nothing is hidden by thinning.
Every coordinate is rounded, so that the same data gives the same bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

import numpy as np

from hft.reports.figures import number

WIDTH, HEIGHT = 1000.0, 100.0  # of the view box; the page stretches it
PIXELS = 900
DOTS_MAX, DOTS_MANY = 700, 200  # points drawn at most; from when on they are small
NICE = (1.0, 2.0, 2.5, 5.0, 10.0)
LONG = 36  # characters of a table cell that may break
SECOND = 1_000_000_000
TIME_STEPS_S = (
    1,
    2,
    5,
    10,
    15,
    30,
    60,
    120,
    300,
    600,
    900,
    1800,
    3600,
    7200,
    10800,
    14400,
    21600,
    43200,
)
DAY_S = 86400


@dataclass(frozen=True)
class Span:
    """The time axis that panels share."""

    start_ns: int
    end_ns: int

    def x(self, ts_ns: np.ndarray) -> np.ndarray:
        """Position in the view box."""
        width = max(self.end_ns - self.start_ns, 1)
        return (np.asarray(ts_ns) - self.start_ns) / width * WIDTH

    def ticks(self, most: int = 7) -> list[tuple[float, str]]:
        """Round times inside the span with their labels."""
        length_s = max((self.end_ns - self.start_ns) / SECOND, 1e-9)
        steps = [step for step in TIME_STEPS_S if length_s / step <= most]
        step_s = steps[0] if steps else DAY_S * int(np.ceil(length_s / DAY_S / most))
        first = -(-self.start_ns // (step_s * SECOND)) * step_s * SECOND
        at = np.arange(first, self.end_ns + 1, step_s * SECOND, dtype=np.int64)
        unit = "s" if step_s < 60 else "m" if step_s < DAY_S else "D"
        moments = np.asarray(at.astype("datetime64[ns]"), dtype="datetime64[ns]")
        texts: list[str] = np.datetime_as_string(moments, unit=unit).tolist()  # type: ignore[call-overload]
        labels = [text.split("T")[-1] if step_s < DAY_S else text[5:] for text in texts]
        return list(zip(self.x(at).tolist(), labels, strict=True))


@dataclass(frozen=True)
class Bins:
    """A series cut into pixels: lowest, highest and last value of each that has any."""

    index: np.ndarray
    low: np.ndarray
    high: np.ndarray
    last: np.ndarray


def bins(span: Span, ts_ns: np.ndarray, values: np.ndarray) -> Bins:
    """Cut a series in time order; values that are not finite are left out."""
    keep = np.isfinite(values)
    ts_ns, values = np.asarray(ts_ns)[keep], np.asarray(values)[keep]
    pixel = np.clip(span.x(ts_ns) / WIDTH * PIXELS, 0, PIXELS - 1).astype(np.int64)
    if len(pixel) == 0:
        empty = np.zeros(0)
        return Bins(pixel, empty, empty, empty)
    starts = np.flatnonzero(np.concatenate([[True], np.diff(pixel) > 0]))
    ends = np.concatenate([starts[1:], [len(pixel)]]) - 1
    return Bins(
        pixel[starts],
        np.minimum.reduceat(values, starts),
        np.maximum.reduceat(values, starts),
        values[ends],
    )


@dataclass
class Panel:
    """One chart over a shared span: shapes are added, then it is rendered."""

    name: str
    unit: str
    span: Span
    height_px: int = 150
    zero: bool = False  # the axis must contain zero
    legend: list[tuple[str, str]] = field(default_factory=list)  # class, text
    _shapes: list[tuple[str, str, list[np.ndarray]]] = field(default_factory=list)
    _values: list[np.ndarray] = field(default_factory=list)
    readout: Bins | None = None

    def line(self, css: str, ts_ns: np.ndarray, values: np.ndarray, label: str = "") -> "Panel":
        """A line through every pixel's extremes; the first line also feeds the readout."""
        cut = bins(self.span, ts_ns, values)
        if self.readout is None:
            self.readout = cut
        x = (cut.index + 0.5) / PIXELS * WIDTH
        xs = np.repeat(x, 3)
        ys = np.stack([cut.low, cut.high, cut.last], axis=1).ravel()
        return self._add("path", css, [xs, ys], label)

    def steps(self, css: str, ts_ns: np.ndarray, values: np.ndarray, label: str = "") -> "Panel":
        """An area between zero and a value that holds until the next."""
        cut = bins(self.span, ts_ns, values)
        if self.readout is None:
            self.readout = cut
        x = cut.index / PIXELS * WIDTH
        ends = np.append(x[1:], WIDTH)
        xs = np.stack([x, x, x, ends], axis=1).ravel()
        ys = np.stack([cut.low, cut.high, cut.last, cut.last], axis=1).ravel()
        self.zero = True
        return self._add("area", css, [xs, ys], label)

    def dots(self, css: str, ts_ns: np.ndarray, values: np.ndarray, label: str = "") -> "Panel":
        """Points, thinned evenly when there are too many; the legend says so."""
        total = len(ts_ns)
        if total > DOTS_MAX:
            keep = np.unique(np.linspace(0, total - 1, DOTS_MAX).astype(np.int64))
            ts_ns, values = np.asarray(ts_ns)[keep], np.asarray(values)[keep]
            label = f"{label} ({DOTS_MAX:,} of {total:,} shown)"
        return self._add("dots", css, [self.span.x(ts_ns), np.asarray(values, float)], label)

    def _add(self, shape: str, css: str, data: list[np.ndarray], label: str) -> "Panel":
        if len(data[0]):
            self._shapes.append((shape, css, data))
            self._values.append(data[1])
        if label:
            self.legend.append((css, label))
        return self

    def range(self) -> tuple[float, float]:
        """The values the axis covers."""
        found = np.concatenate(self._values) if self._values else np.zeros(1)
        found = found[np.isfinite(found)]
        low, high = (float(found.min()), float(found.max())) if len(found) else (0.0, 0.0)
        if self.zero:
            low, high = min(low, 0.0), max(high, 0.0)
        room = (high - low) * 0.06 or max(abs(high) * 1e-3, 0.5)
        return low - room, high + room

    def html(self, axis: bool = False) -> str:
        """The panel as HTML; `axis` writes the times below it."""
        low, high = self.range()

        def to_y(values: np.ndarray) -> np.ndarray:
            return (high - np.asarray(values)) / (high - low) * HEIGHT

        grid = [
            (float(to_y(np.array(v))), text)
            for v, text in value_ticks(low, high, whole=self.unit == "lots")
        ]
        body = "".join(f'<path class="grid" d="M0 {_n(y)}H1000"/>' for y, _ in grid)
        body += "".join(f'<path class="grid" d="M{_n(x)} 0V100"/>' for x, _ in self.span.ticks())
        if low < 0 < high:
            body += f'<path class="zero" d="M0 {_n(float(to_y(np.array(0.0))))}H1000"/>'
        for shape, css, (xs, ys) in self._shapes:
            body += _shape(shape, css, xs, to_y(ys), float(to_y(np.array(0.0))))
        labels = "".join(
            f'<span class="yl" style="top:{_n(y)}%">{escape(text)}</span>' for y, text in grid
        )
        legend = "".join(
            f'<span class="key {css}"><i></i>{escape(text)}</span>' for css, text in self.legend
        )
        unit = f" <small>{escape(self.unit)}</small>" if self.unit else ""
        return (
            f'<figure class="panel" data-name="{escape(self.name)}">'
            f'<figcaption><b>{escape(self.name)}{unit}</b><span class="read"></span>'
            f'<span class="keys">{legend}</span></figcaption>'
            f'<div class="plot" style="height:{self.height_px}px">'
            '<svg viewBox="0 0 1000 100" preserveAspectRatio="none" aria-hidden="true">'
            f"{body}</svg>"
            f'{labels}<i class="cross"></i></div>{self._times() if axis else ""}</figure>'
        )

    def _times(self) -> str:
        marks = "".join(
            f'<span style="left:{_n(x / WIDTH * 100)}%">{escape(text)}</span>'
            for x, text in self.span.ticks()
        )
        return f'<div class="times">{marks}</div>'

    def data(self) -> list[list[float]]:
        """Pixel and value pairs for the readout script."""
        if self.readout is None:
            return [[], []]
        return [self.readout.index.tolist(), [float(f"{v:.10g}") for v in self.readout.last]]


def value_ticks(
    low: float, high: float, most: int = 4, *, whole: bool = False
) -> list[tuple[float, str]]:
    """Round values inside a range with their labels; `whole` of what cannot be divided."""
    raw = (high - low) / most
    power = 10.0 ** np.floor(np.log10(raw))
    step = next(nice for nice in NICE if nice * power >= raw * 0.999) * power
    step = max(1.0, np.ceil(step)) if whole else step
    first, count = np.ceil(low / step), int(np.floor(high / step) - np.ceil(low / step)) + 1
    digits = max(0, -int(np.floor(np.log10(step) + 1e-9)))
    digits += int(abs(step * 10**digits - round(step * 10**digits)) > 1e-6)
    values = [(first + k) * step for k in range(count)]
    return [(v, f"{v + 0.0:,.{digits}f}".replace("-", "−")) for v in values]


def _shape(shape: str, css: str, xs: np.ndarray, ys: np.ndarray, zero_y: float) -> str:
    if shape == "dots":
        many = " many" if len(xs) > DOTS_MANY else ""
        return f'<path class="dots{many} {css}" d="{"".join(_dots(xs, ys))}"/>'
    points = _points(xs, ys)
    if shape == "area":
        line = f"M{points[0]}L{' '.join(points[1:])}"
        closed = f"M{_n(xs[0])} {_n(zero_y)}L{' '.join(points)} {_n(xs[-1])} {_n(zero_y)}Z"
        return f'<path class="fill {css}" d="{closed}"/><path class="line {css}" d="{line}"/>'
    return f'<path class="line {css}" d="M{" ".join(points)}"/>'


def _points(xs: np.ndarray, ys: np.ndarray) -> list[str]:
    """Coordinates as text, repeated points left out."""
    pairs = [f"{_n(x)} {_n(y)}" for x, y in zip(xs.tolist(), ys.tolist(), strict=True)]
    return [text for k, text in enumerate(pairs) if k == 0 or text != pairs[k - 1]] or ["0 0"]


def _dots(xs: np.ndarray, ys: np.ndarray) -> list[str]:
    pairs = zip(xs.tolist(), ys.tolist(), strict=True)
    return [f"M{_n(x)} {_n(y)}h0" for x, y in pairs if np.isfinite(y)]


def _n(value: float) -> str:
    """A coordinate with two decimals at most."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def bars(rows: Sequence[tuple[str, float, str, str]]) -> str:
    """Horizontal bars around zero: (label, value, text, class); widths share one scale."""
    if not rows:
        return ""
    low = min(0.0, *(value for _, value, _, _ in rows))
    high = max(0.0, *(value for _, value, _, _ in rows))
    width = (high - low) or 1.0
    zero = -low / width * 100
    out = []
    for label, value, text, css in rows:
        left, size = (zero, value) if value >= 0 else (zero + value / width * 100, -value)
        out.append(
            f'<div class="bar"><span class="bl">{escape(label)}</span><span class="track">'
            f'<i class="{css}" style="left:{_n(left)}%;width:{_n(size / width * 100)}%"></i>'
            f'<u style="left:{_n(zero)}%"></u></span><span class="bv">{escape(text)}</span></div>'
        )
    return f'<div class="bars">{"".join(out)}</div>'


def table(
    head: Sequence[str], rows: Sequence[Sequence[object]], left: int = 1, caption: str = ""
) -> str:
    """An HTML table; the first `left` columns are text, the others numbers."""

    def cell(k: int, value: object) -> str:
        text = value if isinstance(value, str) else number(value)
        css = "" if k < left else ' class="num"'
        css = ' class="long"' if k < left and len(text) > LONG else css
        return f"<td{css}>{escape(text)}</td>"

    names = "".join(
        f"<th{'' if k < left else ' class=num'}>{escape(name)}</th>" for k, name in enumerate(head)
    )
    body = "".join(
        f"<tr>{''.join(cell(k, value) for k, value in enumerate(row))}</tr>" for row in rows
    )
    note = f"<caption>{escape(caption)}</caption>" if caption else ""
    return (
        f'<div class="scroll"><table>{note}<thead><tr>{names}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )
