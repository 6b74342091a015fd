"""The picture of a run for notebooks: linked panels as SVG, or as a plotly figure to zoom into."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import polars as pl

from hft.core.errors import ConfigError
from hft.reports.axes import Linear, Time, linear
from hft.reports.chart import Chart
from hft.reports.charts import Span, bins, value_ticks
from hft.reports.figures import counted, money
from hft.reports.governance.svg import Plot, picture
from hft.reports.panels import SYMBOLS_MAX
from hft.reports.performance import total_equity
from hft.reports.view import View

POINTS = 1800
FILLS_MAX = 5000
LINES = ("net", "sell", "pos", "mid", "pass", "wait")  # colours of what there are several of


def figure(view: View, what: tuple[str, ...] = (), series: tuple[str, ...] = ()) -> Plot:
    """Panels by name: equity, position, price, series. Raises: ConfigError for another name.

    `series` are the tracked columns that are drawn, in place of all.
    """
    names = what or ("equity", "position", "price")
    if series:
        view = _only(view, series)
        names = names if "series" in names else (*names, "series")
    unknown = [name for name in names if name not in _PANELS]
    if unknown:
        raise ConfigError(f"plot: {unknown[0]!r} is none of {', '.join(_PANELS)}")
    if view.equity is None or view.equity.height == 0:
        raise ConfigError(f"plot: this run kept no samples (record {view.record})")
    x = _span(view)
    charts = [chart for name in names for chart in _CHARTS[name](view, x)]
    for chart in charts[:-1]:
        chart.times = False
    says = _says(view, x)
    return Plot(view.title, says, picture(view.title, says, charts), partial(_plotly, view, names))


def _span(view: View) -> Time:
    """From the first sample or fill to the last."""
    assert view.equity is not None and view.fills is not None
    stamps = pl.concat([view.equity["ts"].to_physical(), view.fills["exch_ts"].to_physical()])
    first, last = int(stamps.min()), int(stamps.max())  # type: ignore[arg-type]
    return Time(first, max(last, first + 1))


def _says(view: View, x: Time) -> str:
    get = view.figures.get_value
    first, last = (
        str(np.datetime64(ns, "ns").astype("datetime64[s]")).replace("T", " ")
        for ns in (x.start_ns, x.end_ns)
    )
    words = [f"net {money(get('net'), view.currency)}"] if get("net") is not None else []
    words += [counted(get("fills"), "fill")] if get("fills") is not None else []
    text = f"{', '.join([*words, f'{first} to {last} UTC'])}."
    assert view.equity is not None
    symbols = view.equity["symbol"].n_unique()
    if symbols > SYMBOLS_MAX:
        text += f" Drawn are the first {SYMBOLS_MAX} of {symbols} instruments."
    return text[:1].upper() + text[1:]


def _equity_chart(view: View, x: Time) -> Iterator[Chart]:
    assert view.equity is not None
    total = total_equity(view.equity)
    ts = total["ts"].to_physical().to_numpy()
    gross = (total["realized"] + total["unrealized"]).to_numpy()
    chart = Chart("Profit and loss", x, view.currency, 150, include=(0.0,))
    yield chart.line("gross", ts, gross, "before fees").line(
        "net", ts, total["net"].to_numpy(), "net"
    )


def _symbols(view: View) -> Iterator[tuple[str, pl.DataFrame, str]]:
    """Symbol, its samples, and what to add to a panel's name."""
    assert view.equity is not None
    symbols = view.equity["symbol"].unique(maintain_order=True).to_list()
    for symbol in symbols[:SYMBOLS_MAX]:
        rows = view.equity.filter(pl.col("symbol") == symbol)
        yield symbol, rows, f" {symbol}" if len(symbols) > 1 else ""


def _position_chart(view: View, x: Time) -> Iterator[Chart]:
    for _, rows, suffix in _symbols(view):
        held = rows.group_by("ts", maintain_order=True).agg(pl.col("position_lots").sum())
        lots = held["position_lots"].to_numpy().astype(float)
        y = linear(lots, include=(0.0,), whole=True)
        chart = Chart(f"Position{suffix}", x, "lots", 80, y=y)
        yield chart.line("pos", *_stepped(held["ts"].to_physical().to_numpy(), lots))


def _stepped(ts: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Corners of a line that holds each value until the next."""
    turns = np.flatnonzero(np.diff(values, prepend=np.nan) != 0)
    at = np.append(ts[turns], ts[-1:])
    return np.repeat(at, 2)[1:-1], np.repeat(values[turns], 2)


def _price_chart(view: View, x: Time) -> Iterator[Chart]:
    assert view.fills is not None
    for symbol, rows, suffix in _symbols(view):
        rows = rows.drop_nulls("mid")
        fills = view.fills.filter(pl.col("symbol") == symbol)
        y = _exact(rows["mid"].to_numpy(), fills["price"].to_numpy())
        chart = Chart(f"Price{suffix}", x, "mid, with our fills", 230, y=y)
        chart.line("mid", rows["ts"].to_physical().to_numpy(), rows["mid"].to_numpy(), "mid")
        for side in ("BUY", "SELL"):
            own, word = fills.filter(pl.col("side") == side), side.lower()
            at = own["exch_ts"].to_physical().to_numpy()
            chart.dots(word, at, own["price"].to_numpy(), counted(own.height, word))
        yield chart


class _Exact(Linear):
    """A scale that writes every digit: prices differ in the last ones."""

    def ticks(self) -> list[tuple[float, str]]:
        """Round values inside the range."""
        at = value_ticks(self.low, self.high, self.most)
        return [((value - self.low) / (self.high - self.low), text) for value, text in at]


def _exact(*values: np.ndarray) -> Linear:
    found = linear(*values)
    return _Exact(found.low, found.high)


def _series_chart(view: View, x: Time) -> Iterator[Chart]:
    if view.series is None:
        raise ConfigError('plot: series are kept with record="full"')
    names = [name for name in view.series.columns if name not in ("ts", "strategy")]
    for k, name in enumerate(names):
        rows = view.series.drop_nulls(name)
        values = rows[name].to_numpy().astype(float)
        at = rows["ts"].to_physical().to_numpy()
        yield Chart(name, x, "tracked", 90, y=_exact(values)).line(
            LINES[k % len(LINES)], at, values
        )


_CHARTS: dict[str, Callable[[View, Time], Iterator[Chart]]] = {
    "equity": _equity_chart,
    "position": _position_chart,
    "price": _price_chart,
    "series": _series_chart,
}


def _plotly(view: View, names: tuple[str, ...]) -> Any:
    from plotly.subplots import make_subplots

    weights = [2.0 if name == "price" else 1.0 for name in names]
    made = make_subplots(
        rows=len(names), shared_xaxes=True, vertical_spacing=0.04, row_heights=weights
    )
    for row, name in enumerate(names, start=1):
        _PANELS[name](made, view, row)
    made.update_layout(
        title=view.title,
        height=180 + 170 * len(names),
        hovermode="x unified",
        margin={"l": 60, "r": 20, "t": 50, "b": 30},
        legend={"orientation": "h", "y": 1.06, "x": 1, "xanchor": "right"},
    )
    return made


def _only(view: View, series: tuple[str, ...]) -> View:
    """The view with these series. Raises: ConfigError naming those that there are."""
    if view.series is None:
        raise ConfigError('plot: series are kept with record="full"')
    there = [name for name in view.series.columns if name not in ("ts", "strategy")]
    for name in series:
        if name not in there:
            raise ConfigError(
                f"plot: no series {name!r}; this run tracked {', '.join(there) or 'none'}"
            )
    return replace(view, series=view.series.select("ts", "strategy", *dict.fromkeys(series)))


def thinned(ts: pl.Series, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """At most 2 x POINTS points that keep every pixel's minimum and maximum, in time order."""
    ns = ts.to_physical().to_numpy()
    if len(ns) <= 2 * POINTS:
        return ns.astype("datetime64[ns]"), values
    span = Span(int(ns[0]), int(ns[-1]))
    cut = bins(span, ns, values)
    middle = span.start_ns + ((cut.index + 0.5) / 900 * (span.end_ns - span.start_ns)).astype(int)
    return np.repeat(middle, 2).astype("datetime64[ns]"), np.stack([cut.low, cut.high], 1).ravel()


def _line(made: Any, row: int, name: str, x: np.ndarray, y: np.ndarray, **line: Any) -> None:
    made.add_scatter(x=x, y=y, name=name, mode="lines", line={"width": 1.4, **line}, row=row, col=1)


def _equity(made: Any, view: View, row: int) -> None:
    assert view.equity is not None
    total = total_equity(view.equity)
    gross = (total["realized"] + total["unrealized"]).to_numpy()
    _line(made, row, "net", *thinned(total["ts"], total["net"].to_numpy()), color="#2456d3")
    _line(made, row, "before fees", *thinned(total["ts"], gross), color="#8d97a8")
    made.update_yaxes(title_text=view.currency, row=row, col=1)


def _position(made: Any, view: View, row: int) -> None:
    assert view.equity is not None
    for symbol in view.equity["symbol"].unique(maintain_order=True):
        rows = view.equity.filter(pl.col("symbol") == symbol).group_by("ts", maintain_order=True)
        held = rows.agg(pl.col("position_lots").sum())
        lots = held["position_lots"].to_numpy().astype(float)
        _line(made, row, f"{symbol} lots", *thinned(held["ts"], lots), shape="hv")
    made.update_yaxes(title_text="lots", row=row, col=1)


def _price(made: Any, view: View, row: int) -> None:
    assert view.equity is not None and view.fills is not None
    for symbol in view.equity["symbol"].unique(maintain_order=True):
        rows = view.equity.filter(pl.col("symbol") == symbol).drop_nulls("mid")
        _line(made, row, f"{symbol} mid", *thinned(rows["ts"], rows["mid"].to_numpy()))
        for side, color, mark in (
            ("BUY", "#1668b8", "triangle-up"),
            ("SELL", "#c4570a", "triangle-down"),
        ):
            fills = view.fills.filter((pl.col("symbol") == symbol) & (pl.col("side") == side))
            step = -(-fills.height // FILLS_MAX) or 1
            fills = fills.gather_every(step)
            made.add_scatter(
                x=fills["exch_ts"].to_numpy(),
                y=fills["price"].to_numpy(),
                name=f"{side.lower()} {symbol}",
                mode="markers",
                marker={"color": color, "symbol": mark, "size": 7, "opacity": 0.8},
                row=row,
                col=1,
            )
    made.update_yaxes(title_text="price", row=row, col=1)


def _series(made: Any, view: View, row: int) -> None:
    if view.series is None:
        raise ConfigError('plot: series are kept with record="full"')
    names = [name for name in view.series.columns if name not in ("ts", "strategy")]
    for name in names:
        rows = view.series.drop_nulls(name)
        _line(made, row, name, *thinned(rows["ts"], rows[name].to_numpy()))


_PANELS: dict[str, Callable[[Any, View, int], None]] = {
    "equity": _equity,
    "position": _position,
    "price": _price,
    "series": _series,
}
