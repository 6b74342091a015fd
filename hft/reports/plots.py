"""One plotly figure of a run for notebooks: linked panels that keep every extreme."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from hft.core.errors import ConfigError
from hft.reports.charts import Span, bins
from hft.reports.performance import total_equity
from hft.reports.view import View

POINTS = 1800
FILLS_MAX = 5000


def figure(view: View, what: tuple[str, ...] = (), series: tuple[str, ...] = ()) -> Any:
    """Panels by name: equity, position, price, series. Raises: ConfigError for another name.

    `series` are the tracked columns that are drawn, in place of all.
    """
    from plotly.subplots import make_subplots

    names = what or ("equity", "position", "price")
    if series:
        view = _only(view, series)
        names = names if "series" in names else (*names, "series")
    unknown = [name for name in names if name not in _PANELS]
    if unknown:
        raise ConfigError(f"plot: {unknown[0]!r} is none of {', '.join(_PANELS)}")
    if view.equity is None or view.equity.height == 0:
        raise ConfigError(f"plot: this run kept no samples (record {view.record})")
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
