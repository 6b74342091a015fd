"""The traffic-light card of a governance document for notebooks: no script, light and dark.

At most twelve figures: the checks nearest to deciding first, then key figures; the price line last.
"""

from collections.abc import Mapping
from html import escape
from typing import Any

from hft.reports.cards import Line, cells, framed
from hft.reports.governance import words
from hft.reports.governance.document import Document
from hft.reports.governance.summary import SIGNS

FIGURES_MAX, CHECKS_MAX, LINES_MAX = 12, 8, 6


def html_card(doc: Document | Mapping[str, Any]) -> str:
    """Verdict, a light per gate, what would turn it, checks with their margins, key figures."""
    data = Document.of(doc)
    checks = _checks(data)
    facts = [
        Line(one.label, words.minus(one.text), one.note, one.tone)
        for one in data.facts[: FIGURES_MAX - len(checks)]
    ]
    parts = [_verdict(data), _lights(data), _shopping(data), _table(data, checks)]
    parts += [cells(facts) if facts else ""]
    parts += [f"<div class=price>{escape(data.price)}</div>" if data.price else ""]
    return framed(data.title, "".join(parts), [data.notice] if data.notice else [], STYLE)


def _verdict(doc: Document) -> str:
    says = words.sentence(doc)
    if not words.overall(doc):
        return f"<div class=v><span>{escape(says)}</span></div>" if says else ""
    tone = words.tone(words.overall(doc))
    head = f'<b class="{tone}">{escape(words.headline(doc))}</b>'
    return f"<div class=v>{_light(tone)}<span>{head} {escape(says)}</span></div>"


def _light(tone: str, word: str = "") -> str:
    """A sign that is a sign without any style too."""
    about = f'role=img aria-label="{escape(word)}"' if word else "aria-hidden=true"
    return f'<span class="light {tone}" {about}>{SIGNS[tone]}</span> '


def _lights(doc: Document) -> str:
    gates = []
    for gate in doc.gates:
        verdict = gate.get("verdict", "")
        gates.append(
            f"<span>{_light(words.tone(verdict))}<span><b>{escape(words.gate_name(gate))}</b> "
            f"{escape(words.verdict_word(verdict))}</span></span> "
        )
    return f"<div class=g>{''.join(gates)}</div>" if gates else ""


def _shopping(doc: Document) -> str:
    lines = [line for line in words.shopping(doc) if line[0] == "wait"]
    said = [f"{who} {what}".strip() for _, who, what in lines[:LINES_MAX]]
    said += [f"and {len(lines) - LINES_MAX} more"] if len(lines) > LINES_MAX else []
    items = "".join(f"<div>• {escape(one)}</div>" for one in said)
    return f"<div class=s>{items}</div>" if items else ""


def _checks(doc: Document) -> list[words.Check]:
    """Failed and open checks, then those that pass most narrowly."""
    found = [check for gate in words.judging(doc) for check in words.deciding(gate)]
    most = CHECKS_MAX if doc.facts else FIGURES_MAX

    def urgency(check: words.Check) -> tuple[int, float]:
        share = words.share_of_threshold(check)
        # A structural check that holds has no margin to watch.
        return (words.ORDER.index(words.check_tone(check)), share if share else 2.0)

    return sorted(found, key=urgency)[:most]


def _table(doc: Document, checks: list[words.Check]) -> str:
    if not checks:
        return ""
    rows = "".join(map(_row, checks, words.turns(checks)))
    total = sum(len(words.deciding(gate)) for gate in words.judging(doc))
    rest = total - len(checks)
    note = f"<small>{rest} more checks are on the page</small>" if rest else ""
    names = ("check", "value", "needed", "margin", "what would turn it")
    head = "".join(f"<th>{name}</th>" for name in names)
    body = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return f"<div class=p>{body}{note}</div>"


def _row(check: words.Check, turn: str) -> str:
    tone, margin = words.check_tone(check), check.get("margin")
    name = f"{_light(tone, words.check_word(check))}{escape(words.check_name(check))}"
    size = words.figure(margin, str(check.get("id", "")))
    return (
        f"<tr><th scope=row><span>{name}</span></th><td>{escape(words.value(check))}</td>"
        f"<td>{escape(words.needed(check))}</td><td>{escape(size)}</td>"
        f"<td class=t>{escape(turn)}</td></tr>"
    )


STYLE = (
    "& .light{width:16px;height:16px;flex:none;border-radius:50%;text-align:center;"
    "font:700 11px/16px system-ui,sans-serif;color:var(--b);box-sizing:border-box}"
    "& .light.pass{background:var(--good)}& .light.fail{background:var(--bad);border-radius:4px}"
    "& :is(.light.wait,.light.none){line-height:13px;border:1.5px solid}"
    "& .light.wait{color:var(--wait)}& .light.none{color:var(--none)}"
    "& :is(.v,.g>span,th>span){display:flex;gap:8px}"
    "& :is(.g>span,th>span){align-items:center}& .v{margin:0 0 8px}"
    "& .v .light{width:20px;height:20px;font-size:13px;line-height:20px}"
    "& .v :is(.light.wait,.light.none){line-height:15px}"
    "& b.pass{color:var(--good)}& b.fail{color:var(--bad)}& :is(b.wait,.wait b){color:var(--wait)}"
    "& .g{display:flex;flex-wrap:wrap;gap:4px 18px;margin:0 0 8px}"
    "& .s{margin:0 0 8px}& .s>div{padding-left:12px;text-indent:-12px}"
    "& .p{margin:0 0 10px}& .p small{color:var(--m);font-size:11.5px}"
    "& table{width:100%}& thead th{font-size:11.5px}& tbody th{color:var(--i)}"
    "& td.t{white-space:normal;min-width:160px;color:var(--m)}"
    "& .price{margin:10px 0 0;padding-top:8px;border-top:1px solid var(--l);color:var(--m)}"
)
