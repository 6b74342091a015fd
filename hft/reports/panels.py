"""The charts of a run over one axis of time: P&L, and price, position, spread of each instrument.

Prices are the tape's, every extreme of it; where the tape is not there they are the samples that
the run took at its wake-ups, and the page says so.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

import numpy as np
import polars as pl

from hft.reports.axes import Time
from hft.reports.chart import Chart
from hft.reports.figures import counted, number
from hft.reports.performance import total_equity
from hft.reports.track import Market, Track, decimals, sized, track, track_of, within
from hft.reports.view import View

SYMBOLS_MAX = 6
LINES = ("l1", "l2", "l3", "l4", "l5", "l6")  # colours of what has no meaning of its own
ROOM, ROOM_LEAST, ROOM_NEAR = 2_300_000, 20_000, 50_000  # characters: of all tracks, of one
MOMENT = 8  # characters of a fill
SEEN_PX, STEPS_SEEN = 2.5, 2_000  # nearer, or with more changes, bid and ask are one line
NEAR = 0.2  # of the price: what is tracked within it is a price


FILLS_MIN, QUOTES_MIN = 20, 40  # fewer need, or allow, no closer look
STRETCH_NS = 30_000_000_000


Fit = Callable[[Track], Track]  # the steps that a page has room for


@dataclass(frozen=True)
class Group:
    """Charts below each other over one span of time."""

    title: str
    says: str
    span: Time
    charts: list[Chart]


@dataclass(frozen=True)
class Tracks:
    """The tracks of one instrument; None for what the run does not have."""

    symbol: str
    tick: float
    bid: Track | None
    ask: Track | None
    spread: Track | None
    own_bid: Track | None
    own_ask: Track | None
    position: Track

    @property
    def digits(self) -> int:
        """Decimals of a price."""
        return digits_of(self.tick)

    def each(self, change: Fit) -> "Tracks":
        """Every track changed."""

        def maybe(one: Track | None) -> Track | None:
            return None if one is None else change(one)

        return Tracks(
            self.symbol,
            self.tick,
            maybe(self.bid),
            maybe(self.ask),
            maybe(self.spread),
            maybe(self.own_bid),
            maybe(self.own_ask),
            change(self.position),
        )


def digits_of(tick: float) -> int:
    """Decimals that a tick has."""
    return max(-int(Decimal(repr(tick)).normalize().as_tuple().exponent), 0)


def shown(values: np.ndarray, least: int = 0) -> int:
    """Decimals that a reader needs of values: four digits of their range."""
    found = np.asarray(values, np.float64)
    return max(decimals(found[np.isfinite(found)]) - 1, least)


def span_of(view: View) -> Time | None:
    """From the first sample to the last; None where there is none."""
    if view.equity is None or view.equity.height == 0:
        return None
    ts = view.equity["ts"].to_physical()
    low, high = int(ts.min()), int(ts.max())  # type: ignore[arg-type]
    return Time(low, max(high, low + 1))


def panels(view: View) -> list[Chart]:
    """All charts of the run, from top to bottom."""
    span = span_of(view)
    if span is None or view.equity is None or view.fills is None:
        return []
    symbols = view.equity["symbol"].unique(maintain_order=True).to_list()[:SYMBOLS_MAX]
    loose = list(_series(view))
    room = ROOM - MOMENT * view.fills.height
    room = max(room // (3 + 6 * len(symbols) + len(loose) + _lines(view)), ROOM_LEAST)
    fit = partial(sized, room=room, start_ns=span.start_ns)
    placed = [tracks_of(view, symbol).each(fit) for symbol in symbols]
    owner = [_owner(placed, values) for _, _, values in loose]
    charts = list(_earned(view, span, fit))
    for k, one in enumerate(placed):
        mine = [entry for entry, whose in zip(loose, owner, strict=True) if whose == k]
        charts += _instrument(view, span, one, mine, fit, named=len(symbols) > 1)
    rest = [entry for entry, whose in zip(loose, owner, strict=True) if whose is None]
    for name, ts_ns, values in rest:
        made = fit(track_of(ts_ns, values))
        chart = Chart(name, span, "tracked", 90, times=False, said=_reach(made, shown(values)))
        charts.append(chart.track("l1", made, "", shown(values)))
    charts[-1].times = True
    return charts


def undrawn(view: View) -> str:
    """What there is no room for, in a sentence; "" where everything is drawn."""
    symbols = 0 if view.equity is None else view.equity["symbol"].n_unique()
    pairs = 0 if view.parts is None else view.parts.height
    said = [f"the first {SYMBOLS_MAX} of {symbols} instruments"] * (symbols > SYMBOLS_MAX)
    said += [f"the P&L of the first {len(LINES)} of {pairs} pairs"] * (pairs > len(LINES))
    return f"Drawn are {', and '.join(said)}; the table of all is above." if said else ""


def _lines(view: View) -> int:
    return 0 if view.parts is None else min(view.parts.height, len(LINES))


def _earned(view: View, span: Time, fit: Fit) -> Iterator[Chart]:
    """Net P&L with what is below it, by strategy and instrument where there are several."""
    assert view.equity is not None
    total = total_equity(view.equity)
    ts = total["ts"].to_physical().to_numpy()
    gross = (total["realized"] + total["unrealized"]).to_numpy()
    net = total["net"].to_numpy()
    digits = shown(np.append(net, gross), least=2)
    made = fit(track_of(ts, net))
    chart = Chart("Profit and loss", span, view.currency, 190, times=False)
    chart.include, chart.said = (0.0,), _reach(made, digits)
    if not np.allclose(gross, net, rtol=0, atol=1e-9):
        chart.track("gross", fit(track_of(ts, gross)), "before fees", digits)
    for css, (name, rows) in zip(LINES, _parts(view), strict=False):
        values = rows["net"].to_numpy()
        part = fit(track_of(rows["ts"].to_physical().to_numpy(), values))
        chart.track(css, part, name, digits)
    yield chart.track("net", made, "net", digits)
    fall = net - np.maximum(np.maximum.accumulate(net), 0.0)
    if not fall.any():
        return
    under = fit(track_of(ts, fall))
    chart = Chart("Drawdown", span, view.currency, 80, times=False, said=_reach(under, digits))
    yield chart.track("down", under, "below the highest so far", digits, area=True)


def _parts(view: View) -> Iterator[tuple[str, pl.DataFrame]]:
    if view.parts is None or view.equity is None:
        return
    by = ("strategy", "symbol")
    many = [view.parts[name].n_unique() > 1 for name in by]
    for row in view.parts.head(len(LINES)).iter_rows(named=True):
        mine = (pl.col("strategy") == row["strategy"]) & (pl.col("symbol") == row["symbol"])
        name = " on ".join(row[one] for one, several in zip(by, many, strict=True) if several)
        yield name, view.equity.filter(mine)


def tracks_of(view: View, symbol: str) -> Tracks:
    """The tracks of one instrument, from its tape where that is there."""
    assert view.equity is not None
    rows = view.equity.filter(pl.col("symbol") == symbol)
    tick = view.ticks.get(symbol) or 0.01
    held = rows.group_by("ts", maintain_order=True).agg(pl.col("position_lots").sum())
    at = held["ts"].to_physical().to_numpy()
    position = track(at, held["position_lots"].to_numpy(), 1.0)
    bid, ask, spread = view.markets.get(symbol) or _sampled(rows, tick) or (None, None, None)
    own_bid, own_ask = view.own.get(symbol, (None, None))
    return Tracks(symbol, tick, bid, ask, spread, own_bid, own_ask, position)


def _sampled(rows: pl.DataFrame, tick: float) -> Market | None:
    """The touch as the run's samples have it."""
    rows = rows.unique("ts", maintain_order=True).drop_nulls(("bid_tick", "ask_tick"))
    if rows.height == 0:
        return None
    at = rows["ts"].to_physical().to_numpy()
    bid, ask = rows["bid_tick"].to_numpy(), rows["ask_tick"].to_numpy()
    return Market(track(at, bid, tick), track(at, ask, tick), track(at, ask - bid, 1.0))


def _series(view: View) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Each tracked value of each strategy: its name, times and values."""
    if view.series is None or view.series.height == 0:
        return
    several = view.series["strategy"].n_unique() > 1
    for (strategy,), rows in view.series.group_by(["strategy"], maintain_order=True):
        ts_ns = rows["ts"].to_physical().to_numpy()
        for name in view.series.columns:
            if name not in ("ts", "strategy") and rows[name].is_not_null().any():
                values = rows[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
                yield (f"{strategy} {name}" if several else name), ts_ns, values


def _owner(placed: list[Tracks], values: np.ndarray) -> int | None:
    """The instrument that a tracked value is a price of, in its currency or in ticks."""
    known = values[np.isfinite(values) & (values != 0)]
    for k, one in enumerate(placed):
        if one.bid is not None and len(known) and _factor(one, known) is not None:
            return k
    return None


def _factor(one: Tracks, known: np.ndarray) -> float | None:
    """What makes values prices: 1 or the tick; None where nearly none of them is one."""
    found = one.bid.extremes() if one.bid is not None else None
    if found is None or found[0] <= 0:
        return None
    low, high = found[0] * (1 - NEAR), found[1] * (1 + NEAR)
    for factor in (1.0, one.tick):
        inside = (known * factor >= low) & (known * factor <= high)
        if inside.mean() > 0.95:
            return factor
    return None


Loose = tuple[str, np.ndarray, np.ndarray]


def _instrument(
    view: View, span: Time, one: Tracks, series: list[Loose], fit: Fit, *, named: bool
) -> Iterator[Chart]:
    """Price with quotes, fills and what the strategy tracked; position; spread."""
    suffix = f" {one.symbol}" if named else ""
    chart = price_chart(view, span, one, f"Price{suffix}", 270)
    for css, (name, ts_ns, values) in zip(LINES, series, strict=False):
        known = np.where(np.isfinite(values) & (values != 0), values, np.nan)
        factor = _factor(one, known[np.isfinite(known)]) or 1.0
        made = fit(track_of(ts_ns, known * factor))
        chart.track(css + " own", made, name, one.digits + 1)
    yield chart
    chart = Chart(f"Position{suffix}", span, "lots", 100, times=False, whole=True)
    chart.said = _reach(one.position, 0)
    yield chart.track("pos", one.position, "", 0, area=True)
    if one.spread is not None:
        chart = Chart(f"Spread{suffix}", span, "ticks", 70, times=False, whole=True)
        chart.include, chart.said = (0.0,), _reach(one.spread, 0)
        yield chart.track("mid", one.spread, "", 0)


def price_chart(view: View, span: Time, one: Tracks, name: str, height_px: int) -> Chart:
    """Bid and ask, our own quotes and our fills."""
    assert view.fills is not None
    chart = Chart(name, span, "", height_px)
    if one.bid is not None and one.ask is not None:
        low, high = one.bid.extremes() or (0.0, 1.0), one.ask.extremes() or (0.0, 1.0)
        chart.said = f"{_text(low[0], one.digits)} to {_text(high[1], one.digits)}"
        chart.key("tape", "bid to ask")
        chart.track("bid", one.bid, "bid", one.digits).track("ask", one.ask, "ask", one.digits)
        apart = (high[1] - low[0]) or one.tick
        gap = 0.0 if one.spread is None else float(np.median(one.spread.values("last"))) * one.tick
        dense = gap / apart * height_px < SEEN_PX or len(one.bid.at) > STEPS_SEEN
        chart.css = " pair dense" if dense else " pair"
    for css, label, own in (("bid", "own bid", one.own_bid), ("ask", "own ask", one.own_ask)):
        if own is not None:
            chart.track(f"{css} own", own, label, one.digits)
    mine = view.fills.filter(pl.col("symbol") == one.symbol)
    mine = mine.filter(pl.col("exch_ts").to_physical().is_between(span.start_ns, span.end_ns))
    for side, css, word in (("BUY", "buy", "buy"), ("SELL", "sell", "sell")):
        rows = mine.filter(pl.col("side") == side).sort("exch_ts", maintain_order=True)
        at = rows["exch_ts"].to_physical().to_numpy()
        ticks, lots = rows["price_tick"].to_numpy(), rows["lots"].to_numpy()
        chart.moments(css, at, ticks, lots, one.tick, counted(rows.height, word), one.digits)
    return chart


def _reach(one: Track, digits: int) -> str:
    found = one.extremes()
    return "" if found is None else f"{_text(found[0], digits)} to {_text(found[1], digits)}"


def _text(value: float, digits: int) -> str:
    if digits == 0 or abs(value) < 1e-12:
        return number(round(value))
    return f"{value:,.{digits}f}".replace("-", "−")


def busiest(view: View, span: Time) -> Iterator[Group]:
    """The stretch with the most fills of one symbol, close enough to see single ones."""
    if view.fills is None or view.fills.height < FILLS_MIN:
        return
    whole_ns = span.end_ns - span.start_ns
    length_ns = max(whole_ns // 100, STRETCH_NS)
    if 2 * length_ns > whole_ns:
        return
    fills = view.fills.sort("exch_ts")
    at = fills["exch_ts"].to_physical().to_numpy()
    first = int(np.argmax(np.searchsorted(at, at + length_ns) - np.arange(len(at))))
    near = Time(int(at[first]) - length_ns // 20, int(at[first]) + length_ns)
    symbol = fills["symbol"][first]
    one = tracks_of(view, symbol).each(partial(within, start_ns=near.start_ns, end_ns=near.end_ns))
    if one.bid is None or len(one.bid.at) < QUOTES_MIN:
        return  # the samples lie too far apart to stand beside single fills
    fit = partial(sized, room=ROOM_NEAR, start_ns=near.start_ns)
    chart = price_chart(view, near, one.each(fit), f"Price {symbol}", 240)
    chart.times = True
    inside = fills.filter(
        (pl.col("symbol") == symbol)
        & pl.col("exch_ts").to_physical().is_between(near.start_ns, near.end_ns)
    )
    minutes = length_ns / 60e9
    words = f"{minutes:.0f} minutes" if minutes >= 2 else f"{length_ns / 1e9:.0f} seconds"
    says = f"Where {symbol} was filled most: {counted(inside.height, 'fill')}."
    yield Group(f"The busiest {words}", says, near, [chart])
