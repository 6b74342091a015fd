"""What charts and pages share: a span of time, a series by pixel, round labels, bars, tables."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from hft.reports.figures import number

WIDTH = 1000.0  # of the view box; the page stretches it
PIXELS = 900
NICE = (1.0, 2.0, 2.5, 5.0, 10.0)
LONG = 36  # characters of a table cell that may break
DAY = re.compile(r"\d{4}-\d\d-\d\d")
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
        if k < left and (len(text) > LONG or DAY.fullmatch(text)):
            css = ' class="long"' if len(text) > LONG else ' class="day"'
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
