"""The card of a run: at most twelve figures in the contract's order, as text and as HTML.

One list of lines feeds the console, the notebook and JSON, so that they show the same essence. The
HTML has no script and follows the reader's colour scheme.
"""

from collections.abc import Iterable, Iterator
from html import escape
from typing import Any, NamedTuple

import polars as pl

from hft.reports.figures import BLIND_SPOTS, counted, money, number, percent, short
from hft.reports.guards import acted, first_words
from hft.reports.render import as_text, frame_text
from hft.reports.view import View

FIGURES_MAX = 12


class Line(NamedTuple):
    """One figure of the card: what it is, its value, and what to know about it."""

    label: str
    text: str
    note: str = ""
    tone: str = ""  # good, bad; wide for words


def card_lines(view: View) -> list[Line]:
    """P&L, days, fills, fill ratio, markout, costs, refusals, latency mode, digest."""
    lines = [
        *_profit(view),
        *_trading(view),
        *_costs(view),
        *_gateway(view),
        *_trips(view),
        _mode(view),
    ]
    lines.append(Line("digest", view.digest[:16] or "–", "first 16 digits", "wide"))
    return lines[:FIGURES_MAX]


def _profit(view: View) -> Iterator[Line]:
    get, currency = view.figures.get_value, view.currency
    net = get("net")
    note = ""
    if get("gross") is not None:
        note = f"gross {money(get('gross'), currency)}, fees {money(-get('fees'), currency)}"
    if get("fills") == 0:
        note = "nothing was traded"
    yield Line("net P&L", money(net, currency), note, _tone(net))
    if get("max_drawdown") is not None:
        yield Line("max drawdown", money(get("max_drawdown"), currency))
    days = view.figures.get("days")
    if days is not None:
        ends = ""
        if get("best_day") is not None:
            best, worst = (money(get(name), currency) for name in ("best_day", "worst_day"))
            ends = f", best {best}, worst {worst}"
        yield Line("days", number(days.value), f"{days.unit}{ends}")


def _trading(view: View) -> Iterator[Line]:
    get = view.figures.get_value
    sides = (
        ""
        if get("buys") is None
        else ", ".join((counted(get("buys"), "buy"), counted(get("sells"), "sell")))
    )
    if get("maker_share") is not None:
        sides += f", {percent(get('maker_share'))} maker"
    yield Line("fills", number(get("fills")), sides)
    if get("fill_ratio") is not None:
        filled, sent = number(get("orders_filled")), number(get("orders"))
        of = f"{filled} of {sent} order{'' if get('orders') == 1 else 's'}"
        yield Line("fill ratio", percent(get("fill_ratio")), of)
    if get("taken_lots"):
        share = percent(get("taken_share")) if get("taken_share") is not None else "no prints"
        yield Line("taken", share, f"of the market's own takers' lots: {number(get('taken_lots'))}")
    for horizon in ("1s", "10s"):
        found = view.figures.get(f"markout_{horizon}")
        if found is not None:
            label = f"markout {horizon[:-1]} s"
            yield Line(label, f"{short(found.value)} ticks", _measured(found.unit))


def _measured(unit: str) -> str:
    return unit.partition(", ")[2]


def _costs(view: View) -> Iterator[Line]:
    get, currency = view.figures.get_value, view.currency
    if get("spread_captured") is None:
        return
    captured, turnover = get("spread_captured"), get("turnover")
    note = f"turnover {number(turnover)} {currency}"
    if get("inventory") is not None:
        note = f"inventory {money(get('inventory'), currency)}, {note}"
    yield Line("spread captured", money(captured, currency), note)


def _gateway(view: View) -> Iterator[Line]:
    get = view.figures.get_value
    if get("decisions") is None:
        return
    reasons = ""
    if view.refusals is not None:
        top = view.refusals.head(3).iter_rows(named=True)
        reasons = ", ".join(f"{row['reason']} {row['count']:,}" for row in top)
    text = f"{number(get('refused'))} of {number(get('decisions'))}"
    yield Line("refusals", text, reasons, "bad" if view.notice else "")


def _trips(view: View) -> Iterator[Line]:
    """What guards did, when they did: how often, and the first in words."""
    if view.trips is not None and (words := first_words(view.trips)):
        yield Line("trips", number(acted(view.trips).height), words, "bad")


def _mode(view: View) -> Line:
    text = view.mode.get("latency", "not stated")
    rest = "; ".join(f"{name} {value}" for name, value in view.mode.items() if name != "latency")
    unknown = f"a replay cannot know {BLIND_SPOTS}"
    return Line("latency", text, "; ".join([*([rest] if rest else []), unknown]), "wide")


def _tone(value: float | None) -> str:
    if value is None or value == 0:
        return ""
    return "good" if value > 0 else "bad"


def text_card(view: View) -> str:
    """The card as aligned text, the refusal line first when it is due."""
    lines = card_lines(view)
    width = max(len(line.label) for line in lines)
    values = max((len(line.text) for line in lines if line.tone != "wide"), default=0)
    out = [view.title + ("  (partial)" if view.partial else "")]
    if view.stopped:
        out.append(f"  stopped: {view.stopped}")
    if view.notice:
        out.insert(0, view.notice)
    for line in lines:
        out += _text_line(line, width, values)
    if view.parts is not None:
        out += [f"  {line}" for line in frame_text(view.parts).splitlines()]
    return "\n".join(out)


def _text_line(line: Line, width: int, values: int) -> list[str]:
    """One line, its note behind it, or below where the note is long."""
    head = f"  {line.label:<{width}}  {line.text:<{values}}"
    if line.tone != "wide":
        return [f"{head}  {line.note}".rstrip()]
    indent = " " * (width + 4)
    notes = [f"{indent}{part}" for part in line.note.split("; ")] if line.label != "digest" else []
    return [head.rstrip(), *notes]


def html_card(view: View) -> str:
    """The card for a notebook: no script, light and dark, narrow screens."""
    state = " · partial" if view.partial else ""
    words = [view.notice] if view.notice else []
    words += [f"stopped: {view.stopped}"] if view.stopped else []
    parts = "" if view.parts is None else f"<div class=p>{_parts(view.parts)}</div>"
    return framed(view.title + state, cells(card_lines(view)) + parts, words)


def cells(lines: Iterable[Any]) -> str:
    """Figures side by side. Without any style each is one line of words, as web viewers show it.

    Only elements that no notebook host gives a place of its own: `dl` and `p` would float.
    """
    found = "".join(
        f'<div class="f {escape(line.tone)}"><span class=l>{escape(line.label)}</span> '
        f"<b>{escape(line.text)}</b> <small>{escape(line.note)}</small></div>"
        for line in lines
    )
    return f"<div class=fs>{found}</div>"


def framed(title: str, body: str, notices: Iterable[str] = (), more: str = "") -> str:
    """A card; `more` are the rules of a card of another kind, `&` in them is the card."""
    said = "".join(f"<div class=w>{escape(words)}</div>" for words in notices)
    rules = CARD_STYLE.replace("&", ".hft-card" * 3) + more.replace("&", ".hft-gate" * 3)
    head = f"<div class=h><b>{escape(title)}</b></div>"
    kind = '"hft-card hft-gate"' if more else "hft-card"
    return f"<div class={kind}><style>{rules}</style>{said}{head}{body}</div>"


def _parts(frame: pl.DataFrame) -> str:
    columns = as_text(frame).values()
    names = "".join(f"<th>{escape(column.head)}</th>" for column in columns)
    rows = zip(*(column.cells for column in columns), strict=True)
    body = "".join(f"<tr>{''.join(f'<td>{escape(c)}</td>' for c in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{names}</tr></thead><tbody>{body}</tbody></table>"


_LIGHT = (
    "{color-scheme:light;--i:#1c2330;--m:#5d6778;--l:#dfe3ea;--b:#fff;--w:#fff4e0;"
    "--good:#0a7d50;--bad:#b42318;--wait:#8f5f00;--none:#7b8596}"
)
_DARK = (
    "{color-scheme:dark;--i:#e8ebf1;--m:#9aa5b6;--l:#313a48;--b:#161b22;--w:#3a2d12;"
    "--good:#3fc48a;--bad:#ff8a7a;--wait:#edb24a;--none:#8b96a8}"
)
# The reader's scheme, unless the host says which of its own themes is on. The card's class stands
# three times, since hosts give tables rules of their own that must not win.
CARD_STYLE = (
    f"&{_LIGHT}@media(prefers-color-scheme:dark){{&{_DARK}}}"
    f":is([data-jp-theme-light=true],.vscode-light) &{_LIGHT}"
    f":is([data-jp-theme-light=false],.vscode-dark) &{_DARK}"
    "&{font:13px/1.4 system-ui,sans-serif;color:var(--i);background:var(--b);text-align:left;"
    "border:1px solid var(--l);border-radius:8px;padding:12px 16px;max-width:880px;"
    "box-sizing:border-box;margin:2px 0}"
    "& .h{margin:0 0 8px;font-size:14px}"
    "& .w{margin:0 0 8px;padding:6px 10px;border-radius:6px;background:var(--w)}"
    "& .fs{display:grid;gap:10px 20px;"
    "grid-template-columns:repeat(auto-fill,minmax(min(190px,44%),1fr))}"
    "& .f{border-top:1px solid var(--l);padding-top:6px;min-width:0}"
    "& .f>*{display:block;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}"
    "& .f .l{color:var(--m);font-size:12px}"
    "& .f b{font-size:16px;font-weight:600;line-height:1.35}"
    "& .wide{grid-column:span 2}"
    "& .wide b{font-size:13.5px}"
    "& .f small{font-size:11.5px;color:var(--m)}"
    "& .good b{color:var(--good)}& .bad b{color:var(--bad)}"
    "& .p{overflow-x:auto;margin-top:10px}"
    "& table{border-collapse:collapse;table-layout:auto;margin:0;border:0;width:auto;"
    "font-size:12px;font-variant-numeric:tabular-nums;color:var(--i);background:none}"
    "& :is(thead,tr){border:0;background:none}"
    "& :is(th,td){padding:3px 12px 3px 0;border:0;border-top:1px solid var(--l);font-weight:400;"
    "text-align:left;vertical-align:top;line-height:1.4;white-space:nowrap;background:none}"
    "& th{color:var(--m)}"
)
