"""`report.html`: one self-contained file, the same bytes for the same digest.

It shows digest inputs and what follows from them: no machine, no wall time, no folder. Nothing is
loaded from elsewhere.
"""

import json
from collections.abc import Iterator
from html import escape

import numpy as np
import polars as pl

from hft.reports import markout
from hft.reports.cards import card_lines
from hft.reports.charts import Panel, Span, bars, bins, table
from hft.reports.figures import BLIND_SPOTS, counted, money, number, percent, short, waited
from hft.reports.guards import guards_section
from hft.reports.page import script, style
from hft.reports.performance import SHARPE_BASIS, total_equity
from hft.reports.view import View

SYMBOLS_MAX = 6
FILLS_MIN, QUOTES_MIN = 20, 40  # fewer need, or allow, no closer look
STRETCH_NS = 30_000_000_000


def render(view: View) -> str:
    """The whole page."""
    panels = list(_panels(view))
    parts = [_head(view), _key_figures(view), _parts(view), _linked(view, panels)]
    parts += [_daily(view), _money(view), _gateway(view), guards_section(view)]
    parts += [_orders(view), _simulation(view), _inputs(view)]
    title = escape(f"{view.title} · hft replay")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{style()}</style></head>\n<body><main>\n"
        + "\n".join(part for part in parts if part)
        + f"\n</main>{_script(view, panels)}</body></html>\n"
    )


def _head(view: View) -> str:
    notice = f'<p class="notice">{escape(view.notice)}</p>' if view.notice else ""
    state = " <small>the run so far</small>" if view.partial else ""
    if view.stopped:
        notice += f'<p class="notice">stopped: {escape(view.stopped)}</p>'
    span = _span_words(view)
    return (
        f'<header><p class="kicker">hft replay</p><h1>{escape(view.title)}{state}</h1>'
        f"<p>{escape(span)}</p><p>digest <code>{escape(view.digest)}</code></p>{notice}</header>"
    )


def _span_words(view: View) -> str:
    span = _span(view)
    if span is None:
        return f"recorded: {view.record}"
    first, last = (
        str(np.datetime64(ns, "ns").astype("datetime64[s]")).replace("T", " ")
        for ns in (span.start_ns, span.end_ns)
    )
    return f"{first} to {last} UTC"


def _key_figures(view: View) -> str:
    lines = [line for line in card_lines(view) if line.label not in ("digest", "latency")]
    cells = "".join(
        f'<div class="{line.tone}"><dt>{escape(line.label)}</dt><dd>{escape(line.text)}</dd>'
        f'<dd class="note">{escape(line.note)}</dd></div>'
        for line in lines
    )
    full = "" if len(lines) % 4 == 0 or len(lines) % 3 else " three"
    return f'<dl class="kpi{full}">{cells}</dl>'


def _parts(view: View) -> str:
    """What each strategy earned on each instrument, where there are several."""
    if view.parts is None:
        return ""
    cells = [
        (*row[:2], *(short(value) for value in row[2:5]), *row[5:])
        for row in view.parts.iter_rows()
    ]
    return (
        "<section><h2>By strategy and instrument</h2>"
        f"{table(view.parts.columns, cells, left=2)}</section>"
    )


def _span(view: View) -> Span | None:
    if view.equity is None or view.equity.height == 0:
        return None
    ts = view.equity["ts"].to_physical()
    return Span(int(ts.min()), max(int(ts.max()), int(ts.min()) + 1))  # type: ignore[arg-type]


def _panels(view: View) -> Iterator[Panel]:
    """Net P&L, then position and price with fills per symbol, on one time axis."""
    span = _span(view)
    if span is None or view.equity is None or view.fills is None:
        return
    total = total_equity(view.equity)
    ts = total["ts"].to_physical().to_numpy()
    gross = (total["realized"] + total["unrealized"]).to_numpy()
    net = total["net"].to_numpy()
    panel = Panel("Profit and loss", view.currency, span, 190, zero=True)
    # The net line lies on top and is the one read out.
    panel.line("gross", ts, gross, "before fees").readout = bins(span, ts, net)
    yield panel.line("net", ts, net, "net")
    symbols = view.equity["symbol"].unique(maintain_order=True).to_list()[:SYMBOLS_MAX]
    for symbol in symbols:
        yield from _symbol_panels(view, span, symbol, len(symbols) > 1)


def _symbol_panels(view: View, span: Span, symbol: str, named: bool) -> Iterator[Panel]:
    assert view.equity is not None and view.fills is not None
    rows = view.equity.filter(pl.col("symbol") == symbol)
    held = rows.group_by("ts", maintain_order=True).agg(
        pl.col("position_lots").sum(), pl.col("mid").first()
    )
    ts = held["ts"].to_physical().to_numpy()
    suffix = f" {symbol}" if named else ""
    lots = held["position_lots"].to_numpy().astype(float)
    yield Panel(f"Position{suffix}", "lots", span, 110).steps("pos", ts, lots)
    price = Panel(f"Price{suffix}", "mid, with our fills", span, 260)
    mid = held["mid"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    price.line("mid", ts, mid, "mid")
    _add_fills(price, view.fills.filter(pl.col("symbol") == symbol))
    yield price


def _linked(view: View, panels: list[Panel]) -> str:
    if not panels:
        return (
            "<section><h2>Nothing to draw</h2><p>This run kept no samples "
            f"(record {escape(view.record)}).</p></section>"
        )
    body = "".join(panel.html(axis=k == len(panels) - 1) for k, panel in enumerate(panels))
    return (
        '<section class="linked"><h2>The run</h2><p>Every line keeps the highest and lowest value '
        f"of each pixel. Times are UTC.</p>{body}</section>{_busiest(view)}"
    )


def _busiest(view: View) -> str:
    """The stretch with the most fills of one symbol, close enough to see single ones."""
    span = _span(view)
    if span is None or view.equity is None or view.fills is None or view.fills.height < FILLS_MIN:
        return ""
    length_ns = max((span.end_ns - span.start_ns) // 100, STRETCH_NS)
    if 2 * length_ns > span.end_ns - span.start_ns:
        return ""
    fills = view.fills.sort("exch_ts")
    at = fills["exch_ts"].to_physical().to_numpy()
    first = int(np.argmax(np.searchsorted(at, at + length_ns) - np.arange(len(at))))
    near = Span(int(at[first]) - length_ns // 20, int(at[first]) + length_ns)
    symbol = fills["symbol"][first]
    panel = Panel(f"Price {symbol}", "best bid and ask, with our fills", near, 220)
    quotes = view.equity.filter(pl.col("symbol") == symbol).unique("ts", maintain_order=True)
    quotes = quotes.filter(_inside("ts", near)).drop_nulls("bid")
    if quotes.height < QUOTES_MIN:
        return ""  # the samples lie too far apart to stand beside single fills
    ts = quotes["ts"].to_physical().to_numpy()
    for side in ("bid", "ask"):
        panel.line(side, ts, quotes[side].to_numpy(), side)
    inside = fills.filter((pl.col("symbol") == symbol) & _inside("exch_ts", near))
    _add_fills(panel, inside)
    minutes = length_ns / 60e9
    words = f"{minutes:.0f} minutes" if minutes >= 2 else f"{length_ns / 1e9:.0f} seconds"
    return (
        f"<section><h2>The busiest {words}</h2><p>Where {symbol} was filled most: "
        f"{inside.height:,} fills.</p>{panel.html(axis=True)}</section>"
    )


def _inside(name: str, span: Span) -> pl.Expr:
    return pl.col(name).to_physical().is_between(span.start_ns, span.end_ns)


def _add_fills(panel: Panel, fills: pl.DataFrame) -> None:
    for side, css, word in (("BUY", "buy", "buy"), ("SELL", "sell", "sell")):
        rows = fills.filter(pl.col("side") == side)
        at = rows["exch_ts"].to_physical().to_numpy()
        panel.dots(css, at, rows["price"].to_numpy(), counted(rows.height, word))


def _daily(view: View) -> str:
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
    return f"<section><h2>Day by day</h2><p>{escape(whose)}</p>{table(head, cells)}</section>"


def _money(view: View) -> str:
    """Where the money came from, and what the market did after our fills."""
    get, currency = view.figures.get_value, view.currency
    if get("spread_captured") is None or view.costs is None:
        return ""
    parts = [("spread captured", get("spread_captured")), ("inventory", get("inventory"))]
    parts += [("fees", -(get("fees") or 0.0)), ("net P&L", get("net"))]
    rows = [
        (name, value, money(value, currency), "up" if value >= 0 else "down")
        for name, value in parts
        if value is not None
    ]
    head = (
        "symbol",
        "side",
        "liquidity",
        "fills",
        "lots",
        f"turnover {currency}",
        "fees",
        "spread",
    )
    cells = [
        (*row[:3], row[3], row[4], *(short(value) for value in row[5:]))
        for row in view.costs.iter_rows()
    ]
    left = (
        "<section><h2>Where the P&amp;L came from</h2><p>Spread is each fill against the venue's "
        "mid at that moment; inventory is what the mid did to the position; together they are "
        f"the P&amp;L before fees.</p>{bars(rows)}{table(head, cells, left=3)}</section>"
    )
    return f'<div class="two">{left}{_markouts(view)}</div>'


def _markouts(view: View) -> str:
    if view.markouts is None:
        return ""
    rows = []
    for row in view.markouts.filter(pl.col("measured") > 0).iter_rows(named=True):
        label = f"{row['horizon']} · {row['side']} {row['liquidity']}"
        text = f"{short(row['ticks'])} ticks"
        rows.append((label, row["ticks"], text, "buy" if row["side"] == "BUY" else "sell"))
    cells = [
        (row[0], f"{row[1]} {row[2]}", f"{row[4]:,} of {row[3]:,}", *(short(v) for v in row[5:]))
        for row in view.markouts.iter_rows()
    ]
    head = ("after", "fills", "measured", "ticks", "bps", view.currency)
    return (
        "<section><h2>After the fill</h2><p>How far the mid was on our side of the fill price: "
        f"below zero, we were picked off.</p>{bars(rows)}"
        "<details><summary>figures and limits</summary>"
        f'{table(head, cells, left=2)}<p class="small">{escape(_sentence(markout.LIMITS))}</p>'
        "</details></section>"
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."


def _gateway(view: View) -> str:
    get = view.figures.get_value
    decisions, refused = get("decisions"), get("refused")
    if not decisions:
        return ""
    approved = decisions - refused
    share = percent(approved / decisions)
    intro = f"{approved:,} of {decisions:,} intents passed every check ({share})."
    if view.refusals is None:
        return f"<section><h2>What the gateway decided</h2><p>{intro}</p></section>"
    rows = [("OK", float(approved), f"{approved:,}", "up")]
    cells = []
    for row in view.refusals.iter_rows(named=True):
        rows.append((row["reason"], float(row["count"]), f"{row['count']:,}", "down"))
        margin = "–" if row["margin"] is None else f"{number(row['margin'])} {row['unit']}".strip()
        share = percent(row["share"])
        cells.append(
            (row["reason"], row["meaning"], row["key"], f"{row['count']:,}", share, margin)
        )
    head = ("reason", "meaning", "key to change", "intents", "share", "median margin")
    details = table(head, cells, left=3) if cells else ""
    return (
        f"<section><h2>What the gateway decided</h2><p>{intro} A margin below zero is how far the "
        f"refused value was beyond its limit.</p>{bars(rows)}{details}{_refused_over_time(view)}"
        "</section>"
    )


def _refused_over_time(view: View) -> str:
    span = _span(view)
    if span is None or view.margins is None or view.margins.height == 0:
        return ""
    ts = view.margins["ts"].to_physical().to_numpy()
    edges = np.linspace(span.start_ns, span.end_ns, 121)
    counts, _ = np.histogram(np.clip(ts, span.start_ns, span.end_ns), edges)
    panel = Panel("Refusals over time", "intents per 1/120 of the run", span, 80)
    return panel.steps("refused", edges[:-1].astype(np.int64), counts.astype(float)).html(axis=True)


def _orders(view: View) -> str:
    if view.latencies is None:
        return ""
    cells = [
        (row[0], f"{row[1]:,}", *(waited(value) for value in row[2:]))
        for row in view.latencies.iter_rows()
    ]
    head = ("from sending", "orders", "median", "p99", "longest")
    return (
        "<section><h2>Orders on their way</h2><p>Time from the gateway's approval, over the orders "
        f"that got that far.</p>{table(head, cells)}</section>"
    )


def _simulation(view: View) -> str:
    return (
        "<section><h2>How the venue was simulated</h2>"
        f"{_facts(view.mode) or '<p>Not stated.</p>'}"
        f'<p class="small">What a replay cannot know: {escape(BLIND_SPOTS)}.</p></section>'
    )


def _inputs(view: View) -> str:
    figures = [(name, str(one.unit), number(one.value)) for name, one in view.figures.items()]
    basis = f"Sharpe: {SHARPE_BASIS}." if "sharpe" in view.figures else ""
    return (
        "<section><h2>What this run is a function of</h2><p>The same code, configuration, tape "
        f"and seed give the same digest and this very page.</p>{_facts(view.labels)}<details>"
        f"<summary>all figures</summary>{table(('figure', 'unit', 'value'), figures, left=2)}"
        f'<p class="small">{escape(basis)}</p></details></section>'
    )


def _facts(facts: object) -> str:
    items = facts.items() if hasattr(facts, "items") else ()
    cells = "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in items)
    return f'<dl class="facts">{cells}</dl>' if cells else ""


def _script(view: View, panels: list[Panel]) -> str:
    span = _span(view)
    if span is None or not panels:
        return ""
    data = {
        "start": span.start_ns // 1_000_000,
        "end": span.end_ns // 1_000_000,
        "panels": [panel.data() for panel in panels],
    }
    text = json.dumps(data, separators=(",", ":"), allow_nan=False).replace("</", "<\\/")
    return f'<script id="values" type="application/json">{text}</script><script>{script()}</script>'
