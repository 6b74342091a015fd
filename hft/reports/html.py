"""`report.html`: one self-contained file, the same bytes for the same digest.

It shows digest inputs and what follows from them: no machine, no wall time, no folder. Nothing is
loaded from elsewhere.
"""

import json
from html import escape

import numpy as np
import polars as pl

from hft.reports import markout
from hft.reports.cards import card_lines
from hft.reports.chart import Chart
from hft.reports.charts import bars, table
from hft.reports.earnings import earnings, logs
from hft.reports.figures import BLIND_SPOTS, amount, counted, money, number, percent, short, waited
from hft.reports.guards import guards_section
from hft.reports.page import script, style
from hft.reports.panels import Group, busiest, panels, span_of, undrawn
from hft.reports.performance import SHARPE_BASIS
from hft.reports.view import View


def render(view: View) -> str:
    """The whole page."""
    groups = _groups(view)
    parts = [_head(view), _key_figures(view), _parts(view), _linked(groups, view)]
    parts += [_money(view), earnings(view), _gateway(view), guards_section(view)]
    parts += [_orders(view), logs(view), _simulation(view), _inputs(view)]
    title = escape(f"{view.title} · hft replay")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{style()}</style></head>\n<body><main>\n"
        + "\n".join(part for part in parts if part)
        + f"\n</main>{_script(groups)}</body></html>\n"
    )


def _head(view: View) -> str:
    notice = f'<p class="notice">{escape(view.notice)}</p>' if view.notice else ""
    state = " <small>the run so far</small>" if view.partial else ""
    if view.stopped:
        notice += f'<p class="notice">stopped: {escape(view.stopped)}</p>'
    if view.resume:
        goes_on = "The same command goes on where it stopped with"
        notice += f'<p class="small">{goes_on} <code>--resume {escape(view.resume)}</code>.</p>'
    span = _span_words(view)
    return (
        f'<header><p class="kicker">hft replay</p><h1>{escape(view.title)}{state}</h1>'
        f"<p>{escape(span)}</p><p>digest <code>{escape(view.digest)}</code></p>{notice}</header>"
    )


def _span_words(view: View) -> str:
    span = span_of(view)
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


def _linked(groups: list[Group], view: View) -> str:
    """Charts that share an axis of time, and the script's zoom."""
    if not groups:
        return (
            "<section><h2>Nothing to draw</h2><p>This run kept no samples "
            f"(record {escape(view.record)}).</p></section>"
        )
    out, number = [], 1
    for k, group in enumerate(groups):
        body = ""
        for chart in group.charts:
            body += chart.html(number, f"{chart.name}: {chart.said or chart.unit}")
            number += 1
        out.append(
            f'<section class="linked" data-g="{k}"><h2>{escape(group.title)}</h2>'
            f"<p>{escape(group.says)}</p>{body}</section>"
        )
    return "".join(out)


def _groups(view: View) -> list[Group]:
    """The whole run, and its busiest stretch."""
    span, charts = span_of(view), panels(view)
    if span is None or not charts:
        return []
    whose = "Prices are the tape's, by the clock of the venue"
    if view.untaped:
        whose = (
            f"The tape is not where it was ({view.untaped}): prices are the samples that the run "
            "took at its wake-ups, and miss what was between them"
        )
    says = (
        f"Every line keeps the highest and lowest value of each pixel. {whose}. Fills are at the "
        "venue's time. Times are UTC."
    )
    says = f"{says} {undrawn(view)}".rstrip()
    return [Group("The run", says, span, charts), *busiest(view, span)]


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
        margin = "–" if row["margin"] is None else amount(row["margin"], row["unit"])
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
    span = span_of(view)
    if span is None or view.margins is None or view.margins.height == 0:
        return ""
    ts = view.margins["ts"].to_physical().to_numpy()
    edges = np.linspace(span.start_ns, span.end_ns, 121)
    counts, _ = np.histogram(np.clip(ts, span.start_ns, span.end_ns), edges)
    chart = Chart("Refusals over time", span, "intents per 1/120 of the run", 80)
    chart.bars("refused", edges[:-1].astype(np.int64), edges[1:].astype(np.int64), counts)
    return chart.html(900, f"refusals over time: {counted(len(ts), 'intent')}")


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


def _script(groups: list[Group]) -> str:
    if not groups:
        return ""
    data, number = [], 1
    for group in groups:
        charts = {}
        for chart in group.charts:
            charts[f"f{number}"] = chart.closer()
            number += 1
        span = group.span
        data.append({"start": span.start_ns / 1e6, "end": span.end_ns / 1e6, "charts": charts})
    text = json.dumps(data, separators=(",", ":"), allow_nan=False).replace("</", "<\\/")
    return f'<script id="values" type="application/json">{text}</script><script>{script()}</script>'
