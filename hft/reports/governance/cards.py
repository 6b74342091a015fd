"""The traffic-light card of a governance document for notebooks: no script, light and dark.

At most twelve figures: the checks nearest to deciding first, then key figures; the price line last.
"""

from collections.abc import Mapping
from html import escape
from typing import Any

from hft.reports.governance import words
from hft.reports.governance.document import Document
from hft.reports.governance.sections import light

FIGURES_MAX, CHECKS_MAX, LINES_MAX = 12, 8, 6


def html_card(doc: Document | Mapping[str, Any]) -> str:
    """Verdict, a light per gate, what would turn it, checks with their margins, key figures."""
    data = Document.of(doc)
    checks = _checks(data)
    facts = data.facts[: FIGURES_MAX - len(checks)]
    parts = [_verdict(data), _lights(data), _shopping(data), _table(data, checks)]
    cells = "".join(
        f'<div class="f {escape(one.tone)}"><dt>{escape(one.label)}</dt>'
        f"<dd>{escape(words.minus(one.text))}</dd><dd class=n>{escape(one.note)}</dd></div>"
        for one in facts
    )
    parts += [f"<dl>{cells}</dl>" if cells else ""]
    parts += [f"<p class=p>{escape(data.price)}</p>" if data.price else ""]
    return f"<div class=hft-gate><style>{CARD_STYLE}</style>{''.join(parts)}</div>"


def _verdict(doc: Document) -> str:
    notice = f"<p class=w>{escape(doc.notice)}</p>" if doc.notice else ""
    title, says = f"<h4>{escape(doc.title)}</h4>", words.sentence(doc)
    if not words.overall(doc):
        return notice + title + (f"<p>{escape(says)}</p>" if says else "")
    tone = words.tone(words.overall(doc))
    head = f'<b class="{tone}">{escape(words.headline(doc))}</b>'
    return f"{notice}{title}<p class=v>{light(tone)}<span>{head} {escape(says)}</span></p>"


def _lights(doc: Document) -> str:
    cells = []
    for gate in doc.gates:
        verdict = gate.get("verdict", "")
        cells.append(
            f"<span>{light(words.tone(verdict))}<b>{escape(words.gate_name(gate))}</b> "
            f"{escape(words.verdict_word(verdict))}</span>"
        )
    return f"<div class=g>{''.join(cells)}</div>" if cells else ""


def _shopping(doc: Document) -> str:
    lines = [line for line in words.shopping(doc) if line[0] == "wait"]
    items = "".join(
        f"<li>{escape(f'{who} {what}'.strip())}</li>" for _, who, what in lines[:LINES_MAX]
    )
    more = f"<li>and {len(lines) - LINES_MAX} more</li>" if len(lines) > LINES_MAX else ""
    return f"<ul>{items}{more}</ul>" if items else ""


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
    note = f"<caption>{rest} more checks are on the page</caption>" if rest else ""
    head = "<th>check<th>value<th>needed<th>margin<th>what would turn it"
    return f"<table>{note}<thead><tr>{head}</thead><tbody>{rows}</tbody></table>"


def _row(check: words.Check, turn: str) -> str:
    tone, margin = words.check_tone(check), check.get("margin")
    name = f"{light(tone, words.check_word(check))}{escape(words.check_name(check))}"
    size = words.figure(margin, str(check.get("id", "")))
    return (
        f"<tr><th scope=row><span>{name}</span></th><td>{escape(words.value(check))}</td>"
        f"<td>{escape(words.needed(check))}</td><td>{escape(size)}</td>"
        f"<td class=t>{escape(turn)}</td></tr>"
    )


CARD_STYLE = (
    ".hft-gate{--i:#1c2330;--m:#5d6778;--l:#dfe3ea;--card:#fff;--pass:#00756a;--fail:#b3261e;"
    "--wait:#8f5f00;--none:#7b8596;--w:#fff4e0;color-scheme:light dark;"
    "font:13px/1.45 system-ui,sans-serif;color:var(--i);background:var(--card);"
    "border:1px solid var(--l);border-radius:8px;padding:12px 16px;max-width:880px}"
    "@media(prefers-color-scheme:dark){.hft-gate{--i:#e8ebf1;--m:#9aa5b6;--l:#313a48;"
    "--card:#161b22;--pass:#3fcdb6;--fail:#ff8b7d;--wait:#edb24a;--none:#8b96a8;--w:#3a2d12}}"
    ".hft-gate h4{margin:0 0 6px;font-size:14px}.hft-gate p{margin:0 0 8px}"
    ".hft-gate .light{width:16px;height:16px;flex:none;fill:none;stroke-width:2.1;"
    "stroke-linecap:round;stroke-linejoin:round}"
    ".hft-gate .light.pass circle{fill:var(--pass)}.hft-gate .light.fail rect{fill:var(--fail)}"
    ".hft-gate .light.pass path,.hft-gate .light.fail path{stroke:var(--card)}"
    ".hft-gate .light.wait{stroke:var(--wait)}.hft-gate .light.none{stroke:var(--none)}"
    ".hft-gate .v,.hft-gate .g span,.hft-gate th span{display:flex;gap:8px;align-items:center}"
    ".hft-gate .v{align-items:flex-start}.hft-gate .v .light{width:22px;height:22px}"
    ".hft-gate b.pass{color:var(--pass)}.hft-gate b.fail{color:var(--fail)}"
    ".hft-gate b.wait{color:var(--wait)}"
    ".hft-gate .g{display:flex;flex-wrap:wrap;gap:4px 18px;margin:0 0 8px}"
    ".hft-gate .g span{gap:6px}"
    ".hft-gate .w{padding:6px 10px;border-radius:6px;background:var(--w)}"
    ".hft-gate ul{margin:0 0 8px;padding-left:20px}"
    ".hft-gate table{border-collapse:collapse;width:100%;font-size:12.5px;background:none;"
    "color:var(--i);font-variant-numeric:tabular-nums;margin:0 0 8px}"
    ".hft-gate tr{background:none!important}"
    ".hft-gate caption{caption-side:bottom;text-align:left;color:var(--m);font-size:11.5px}"
    ".hft-gate th,.hft-gate td{text-align:left;font-weight:400;padding:4px 12px 4px 0;"
    "border:0;border-bottom:1px solid var(--l);vertical-align:top}"
    ".hft-gate thead th{color:var(--m);font-size:11.5px}.hft-gate td{white-space:nowrap}"
    ".hft-gate td.t{white-space:normal;color:var(--m)}"
    ".hft-gate dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));"
    "gap:10px 20px;margin:0}"
    ".hft-gate .f{min-width:0}.hft-gate dt{color:var(--m);font-size:12px}"
    ".hft-gate dd{margin:0;font-size:15px;font-weight:600;overflow-wrap:anywhere}"
    ".hft-gate dd.n{font-size:11.5px;font-weight:400;color:var(--m)}"
    ".hft-gate .good dd:not(.n){color:var(--pass)}.hft-gate .bad dd:not(.n){color:var(--fail)}"
    ".hft-gate .p{margin:8px 0 0;padding-top:8px;border-top:1px solid var(--l);color:var(--m)}"
)
