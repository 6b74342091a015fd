"""What every drawing consists of, and how it becomes HTML: sentence, charts, their figures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from hft.reports.axes import rounded
from hft.reports.chart import Chart
from hft.reports.charts import table

ROWS_MAX, OPEN_MAX = 40, 20


@dataclass(frozen=True)
class Drawn:
    """A picture ready to be written: `says` is its text equivalent and stands above it."""

    title: str
    says: str
    charts: Sequence[Chart | Callable[[int], str]] = ()  # or what makes a figure from its number
    head: Sequence[str] = ()
    rows: Sequence[Sequence[Any]] = ()
    left: int = 1
    wide: bool = False
    open: bool = False  # show the table, not only on demand
    total: int = 0  # rows there are, when more than are given
    how: str = ""  # how to read it
    together: bool = False  # the pointer reads all charts out at once
    beside: bool = False  # charts side by side where there is room


def html(drawn: Drawn, first: int, note: str = "", light: str = "") -> tuple[str, list[Any]]:
    """One section; `first` numbers its figures. Also the read-out data of each figure."""
    figures, data = [], []
    for k, chart in enumerate(drawn.charts):
        if isinstance(chart, Chart):
            figures.append(chart.html(first + k, f"{drawn.title}: {drawn.says}"))
            data.append(chart.data)
        else:
            figures.append(chart(first + k))
            data.append(getattr(chart, "data", {}))
    how = f'<p class="small">{escape(drawn.how)}</p>' if drawn.how else ""
    said = f'<p class="small">{escape(note)}</p>' if note else ""
    css = " wide" * drawn.wide + " together" * drawn.together + " beside" * drawn.beside
    body = f'<div class="figs">{"".join(figures)}</div>' if figures else ""
    return (
        f'<section class="picture{css}"><h2>{escape(drawn.title)}{light}</h2>'
        f"<p>{escape(drawn.says)}</p>{body}{how}{said}{_figures(drawn)}</section>"
    ), data


def _figures(drawn: Drawn) -> str:
    if not drawn.rows:
        return ""
    most = OPEN_MAX if drawn.open else ROWS_MAX
    shown = drawn.rows[:most]
    total = max(len(drawn.rows), drawn.total)
    more = f"the first {len(shown)} of {total:,}" if total > len(shown) else ""
    body = table(drawn.head, shown, left=drawn.left, caption=more)
    return body if drawn.open else f"<details><summary>figures</summary>{body}</details>"


def text(value: Any) -> str:
    """A number of a picture, rounded for people."""
    return "–" if value is None or value != value else rounded(float(value))


def share(value: Any) -> str:
    """A share as percent, to three digits."""
    if value is None or value != value:
        return "–"
    return f"{100 * float(value):.3g}%".replace("-", "−")


def count(n: int, one: str, many: str = "") -> str:
    """A number with its noun."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def correlation(value: Any) -> str:
    """A correlation to two decimals."""
    if value is None or value != value:
        return "–"
    return f"{float(value) + 0.0:.2f}".replace("-0.00", "0.00").replace("-", "−")
