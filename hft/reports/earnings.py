"""Sections of the page: P&L by hour and day, round trips and how long they were held, logs."""

from html import escape

import numpy as np
import polars as pl

from hft.reports import round_trips
from hft.reports.axes import Axis, Linear, linear, log, time
from hft.reports.chart import Chart
from hft.reports.charts import table
from hft.reports.figures import counted, money, percent, short, waited
from hft.reports.performance import total_equity
from hft.reports.view import View

HOUR_NS, DAY_NS = 3_600_000_000_000, 86_400_000_000_000
BINS, HOURS_MIN = 30, 3
LOG_ROWS = 40
OPEN_DAYS = 31  # of a table that is not folded
NUMBER = 700  # of the first figure here: those of the linked charts come before


def earnings(view: View) -> str:
    """The sections that there is something to say in."""
    return "".join((_hours(view), _days(view), _trips(view)))


def by_hour(equity: pl.DataFrame) -> pl.DataFrame:
    """Net P&L, its parts and the samples by hour of the day (UTC), over all days."""
    total = total_equity(equity)
    ts = total["ts"].to_physical().to_numpy()
    hour = ts // HOUR_NS
    last = np.flatnonzero(np.append(hour[1:] != hour[:-1], True)[: len(hour)])
    columns = {key: total[key].to_numpy() for key in ("net", "realized", "unrealized", "fees")}
    columns["gross"] = columns["realized"] + columns["unrealized"]
    parts = {key: np.diff(columns[key][last], prepend=0.0) for key in ("net", "gross", "fees")}
    frame = pl.DataFrame({"hour": hour[last] % 24, **parts})
    return frame.group_by("hour").agg(pl.all().sum(), days=pl.len()).sort("hour")


def _hours(view: View) -> str:
    if view.equity is None or view.fills is None:
        return ""
    rows = by_hour(view.equity)
    if rows.height < HOURS_MIN or not (rows["net"] != 0).any():
        return ""
    at = view.fills["exch_ts"].to_physical().to_numpy() // HOUR_NS % 24
    fills = np.bincount(at, minlength=24)
    chart = Chart("Net P&L", _Hours(0.0, 24.0), view.currency, 150)
    chart.x_name = "hour of the day, UTC"
    _upright(chart, rows["hour"].to_numpy() + 0.08, 0.84, rows["net"].to_numpy())
    amounts = ("net", "gross", "fees")
    cells = [
        (
            f"{row['hour']:02}:00",
            *(short(row[name]) for name in amounts),
            int(fills[row["hour"]]),
            row["days"],
        )
        for row in rows.iter_rows(named=True)
    ]
    head = ("from", f"net {view.currency}", "gross", "fees", "fills", "days")
    ranked = rows.sort("net", "hour", descending=[True, False]).select("hour", "net")
    best, worst = (
        f"{hour:02}:00 ({money(net, view.currency)})"
        for hour, net in (ranked.row(0), ranked.row(-1))
    )
    says = f"The best hour began at {best}, the worst at {worst}."
    return (
        f"<section><h2>By hour of the day</h2><p>{says}</p>{chart.html(NUMBER, says)}"
        f"<details><summary>figures</summary>{table(head, cells)}</details></section>"
    )


class _Hours(Linear):
    """Hours of a day."""

    def ticks(self) -> list[tuple[float, str]]:
        """Every fourth hour."""
        return [(hour / 24, f"{hour:02}:00") for hour in range(0, 24, 4)]


def _upright(chart: Chart, left: np.ndarray, wide: float | int, values: np.ndarray) -> None:
    """Bars from zero: green above, red below."""
    chart.include = (0.0,)
    for css, mine in (("up", values >= 0), ("down", values < 0)):
        if mine.any():
            chart.bars(css, left[mine], left[mine] + wide, values[mine])


def _days(view: View) -> str:
    """What each day earned, where there are several."""
    if view.daily is None or view.daily.height < 2:
        return ""
    head = ("day", f"net {view.currency}", "gross", "fees", "max drawdown", "fills")
    amounts = ("net", "gross", "fees", "max_drawdown")
    cells = [
        (str(row["day"]), *(short(row[name]) for name in amounts), row["fills"])
        for row in view.daily.iter_rows(named=True)
    ]
    whose = view.figures["days"].unit if "days" in view.figures else ""
    drawn = ""
    starts = view.daily["day"].cast(pl.Datetime("ns")).to_physical().to_numpy()
    chart = Chart("Net P&L", time(np.append(starts, starts[-1] + DAY_NS)), view.currency, 130)
    _upright(chart, starts + DAY_NS // 16, DAY_NS * 7 // 8, view.daily["net"].to_numpy())
    if (view.daily["net"] != 0).any():
        drawn = chart.html(NUMBER + 1, "net P&L by day")
    body = table(head, cells)
    if view.daily.height > OPEN_DAYS:
        body = f"<details><summary>figures</summary>{body}</details>"
    return f"<section><h2>Day by day</h2><p>{escape(whose)}</p>{drawn}{body}</section>"


def _trips(view: View) -> str:
    """What was bought and sold again: how often it paid, and how long it was held."""
    trips = view.round_trips
    if trips is None or trips.height == 0:
        return ""
    found = round_trips.summary(trips)
    cells = [
        (
            " on ".join(part for part in (row["strategy"], row["symbol"]) if part),
            row["trips"],
            row["lots"],
            percent(row["won"]),
            *(short(row[name]) for name in ("net", "mean", "median", "best", "worst")),
            *(waited(row[name] / 1e6) for name in ("held_ns", "held_ns_max")),
        )
        for row in found.iter_rows(named=True)
    ]
    head = ["of", "trips", "lots", "won", f"net {view.currency}", "mean", "median", "best"]
    head += ["worst", "held, median", "longest"]
    held = np.maximum(trips["held_ns"].to_numpy().astype(float), 1.0)
    charts = (
        _histogram("Held for", "trips", held, log(held, time=True), NUMBER + 2),
        _histogram(
            f"Net of a trip, {view.currency}", "trips", net := trips["net"].to_numpy(),
            linear(net, include=(0.0,)), NUMBER + 3,
        ),
    )  # fmt: skip
    return (
        "<section><h2>Round trips</h2><p>Lots bought and sold again, or sold and bought back, "
        "first in, first out; each with its share of both fees.</p>"
        f'<div class="sides">{"".join(charts)}</div>{table(head, cells)}</section>'
    )


def _histogram(name: str, unit: str, values: np.ndarray, axis: Axis, number: int) -> str:
    """How many values lie in each part of the scale."""
    places = np.clip(axis.at(values), 0, 1 - 1e-12)
    counts = np.bincount((places * BINS).astype(int), minlength=BINS)
    chart = Chart(name, _Shared(axis), unit, 150, whole=True)
    chart.y = linear(counts.astype(float), include=(0.0,), whole=True, room=0.03)
    left = np.arange(BINS) / BINS
    some = counts > 0
    chart.bars("pos", left[some] + 0.002, left[some] + 1 / BINS - 0.002, counts[some])
    return chart.html(number, f"{name}: {counted(len(values), 'trip')}")


class _Shared:
    """Places of another scale as they are, with its labels."""

    def __init__(self, axis: Axis) -> None:
        self._axis = axis

    def at(self, values: np.ndarray) -> np.ndarray:
        """Places from 0 to 1."""
        return np.asarray(values, np.float64)

    def ticks(self) -> list[tuple[float, str]]:
        """Those of the other scale."""
        return self._axis.ticks()


def logs(view: View) -> str:
    """What the strategies logged: each text with how often, and the first lines."""
    if view.logs is None or view.logs.height == 0:
        return ""
    rows = view.logs
    told = (
        rows.group_by("strategy", "code", "text")
        .agg(lines=pl.len(), first=pl.col("ts").min(), last=pl.col("ts").max())
        .sort("strategy", "code")
    )
    form = "%Y-%m-%d %H:%M:%S"
    most = [
        (
            row["strategy"],
            row["text"] or f"code {row['code']}",
            f"{row['first']:{form}}",
            f"{row['last']:{form}}",
            row["lines"],
        )
        for row in told.iter_rows(named=True)
    ]
    lines = [
        (
            f"{row['ts']:{form}}.{row['ts'].microsecond // 1000:03}",
            row["strategy"],
            row["text"] or f"code {row['code']}",
            row["value"],
        )
        for row in rows.head(LOG_ROWS).iter_rows(named=True)
    ]
    more = f"the first {LOG_ROWS} of {rows.height:,}" if rows.height > LOG_ROWS else ""
    each = table(("time", "strategy", "text", "value"), lines, left=3, caption=more)
    head = ("strategy", "text", "first", "last", "lines")
    return (
        f"<section><h2>What was logged</h2><p>{counted(rows.height, 'line')}. Times are UTC.</p>"
        f"{table(head, most, left=4)}<details><summary>lines</summary>{each}</details></section>"
    )
