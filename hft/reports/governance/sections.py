"""The parts of a governance page that are not pictures: verdict, figures, gates, tables, inputs.

Lights differ in shape and carry a word: a tick in a disc passes, a cross in a square fails, three
dots in a ring are not decided, a dash does not apply.
"""

from collections.abc import Mapping
from html import escape
from typing import Any

from hft.reports.charts import table
from hft.reports.governance import words
from hft.reports.governance.document import Document, Table
from hft.reports.shapes import n

KICKERS = {
    "validation": "hft alpha validate",
    "search": "hft alpha search",
    "pool": "hft alpha pool",
    "promotion": "hft alpha promote",
    "canary": "hft alpha canary",
    "inventory": "hft alpha inventory",
    "overrides": "hft audit overrides",
    **{name: f"hft alpha {name}" for name in ("asof", "why", "ledger", "vault")},
}
TABLE_ROWS_MAX = 300
_SHAPES = {
    "pass": '<circle cx="10" cy="10" r="9"/><path d="M5.6 10.4l3 3 5.8-6.4"/>',
    "fail": '<rect x="1.5" y="1.5" width="17" height="17" rx="4"/>'
    '<path d="M6.4 6.4l7.2 7.2M13.6 6.4l-7.2 7.2"/>',
    "wait": '<circle cx="10" cy="10" r="8.2"/><path d="M5.6 10h.01M10 10h.01M14.4 10h.01"/>',
    "none": '<circle cx="10" cy="10" r="8.2"/><path d="M6 10h8"/>',
}


def light(tone: str, word: str = "") -> str:
    """A traffic light; with a word it speaks for itself, else the text beside it does."""
    about = f'role="img" aria-label="{escape(word)}"' if word else 'aria-hidden="true"'
    return f'<svg class="light {tone}" viewBox="0 0 20 20" {about}>{_SHAPES[tone]}</svg>'


def badge(tone: str) -> str:
    """A light with its word beside a title; nothing without a tone."""
    word = {"pass": "pass", "fail": "fail", "wait": "not decided"}.get(tone, "")
    return f"<em class={tone}>{light(tone)}{word}</em>" if word else ""


def head(doc: Document, kind: str) -> str:
    """Title, what it is about, its digest, and a notice that must not be missed."""
    notice = f'<p class="notice">{escape(doc.notice)}</p>' if doc.notice else ""
    digest = f"<p>digest <code>{escape(doc.digest)}</code></p>" if doc.digest else ""
    about = f"<p>{escape(doc.subtitle)}</p>" if doc.subtitle else ""
    return (
        f'<header><p class="kicker">{KICKERS[kind]}</p><h1>{escape(doc.title)}</h1>'
        f"{about}{digest}{notice}</header>"
    )


def verdict(doc: Document) -> str:
    """The verdict in words, a light per gate, what would turn it, and the price."""
    tone = words.tone(words.overall(doc))
    says, lines = words.sentence(doc), words.shopping(doc)
    if not (words.overall(doc) or says or lines or doc.price):
        return ""
    top = (
        f'<div class="top">{light(tone)}<div><p class="word">{escape(words.headline(doc))}</p>'
        f"<p>{escape(says)}</p></div></div>"
        if words.overall(doc)
        else f"<p>{escape(says)}</p>"
    )
    price = f'<p class="price">{escape(doc.price)}</p>' if doc.price else ""
    return f'<section class="verdict {tone}">{top}{_lights(doc)}{_shopping(lines)}{price}</section>'


def _lights(doc: Document) -> str:
    if not doc.gates:
        return ""
    cells = []
    for gate in doc.gates:
        tone, word = (
            words.tone(gate.get("verdict", "")),
            words.verdict_word(gate.get("verdict", "")),
        )
        cells.append(
            f'<li class="{tone}">{light(tone)}<span><b>{escape(words.gate_name(gate))}</b> '
            f"{escape(word)}<small>{escape(words.gate_title(gate))}</small></span></li>"
        )
    return f'<ul class="lights">{"".join(cells)}</ul>'


def _shopping(lines: list[tuple[str, str, str]]) -> str:
    if not lines:
        return ""
    items = "".join(
        f"<li>{light(tone, words.verdict_word({'fail': 'FAIL'}.get(tone, 'INSUFFICIENT')))}<span>"
        f"{f'<b>{escape(who)}</b> ' if who else ''}{escape(what)}</span></li>"
        for tone, who, what in lines
    )
    return f'<h2>What would turn it</h2><ul class="shopping">{items}</ul>'


def facts(doc: Document) -> str:
    """Key figures, four or three a row."""
    if not doc.facts:
        return ""
    cells = "".join(
        f'<div class="{escape(one.tone)}"><dt>{escape(one.label)}</dt>'
        f'<dd>{escape(words.minus(one.text))}</dd><dd class="note">{escape(one.note)}</dd></div>'
        for one in doc.facts
    )
    total = len(doc.facts)
    columns = {1: " one", 2: " two"}.get(total, " three" if total % 4 and total % 3 == 0 else "")
    return f'<dl class="kpi{columns}">{cells}</dl>'


def gate(data: Mapping[str, Any]) -> str:
    """One gate: its light, how its checks came out, and a line for each with its margin."""
    checks = words.by_urgency(data)
    tone = words.tone(data.get("verdict", ""))
    title = words.gate_title(data)
    says = (
        _tally([c for c in checks if c.get("blocking", True)])
        if checks
        else str(data.get("reason") or "This gate was not run.")
    )
    digest = str(data.get("evidence_digest") or "")
    proof = f'<p class="small">evidence digest <code>{escape(digest)}</code></p>' if digest else ""
    return (
        f'<section class="gate"><h2>{escape(words.gate_name(data))} '
        f"<small>{escape(title)}</small>{badge(tone)}</h2>"
        f"<p>{escape(says)}</p>{_checks(checks)}{proof}</section>"
    )


def _tally(checks: list[words.Check]) -> str:
    tones = [words.check_tone(c) for c in checks]
    parts = [
        f"{tones.count(tone)} {text}"
        for tone, text in (
            ("pass", "pass"),
            ("fail", "fail" if tones.count("fail") > 1 else "fails"),
            ("wait", "not decided"),
            ("none", "not applicable"),
        )
        if tone in tones
    ]
    passes = tones.count("pass")
    if not parts:
        return "No check decides here."
    parts[0] = f"{passes} of {len(tones)} checks pass" if passes else parts[0]
    return ", ".join(parts) + "."


def _checks(checks: list[words.Check]) -> str:
    if not checks:
        return ""
    rows = "".join(map(_check, checks, words.turns(checks)))
    return (
        '<table class="checks"><thead><tr><th>check</th><th class="num">value</th>'
        '<th class="num">needed</th><th><span class="ends"><span>fails</span><span>passes</span>'
        f"</span></th><th>what would turn it</th></tr></thead><tbody>{rows}</tbody></table>"
    )


def _check(check: words.Check, turn: str) -> str:
    tone = words.check_tone(check)
    tag = "" if check.get("blocking", True) else ' <small class="tag">advice</small>'
    return (
        f'<tr class="{tone}"><th scope="row"><span>{light(tone, words.check_word(check))}<span>'
        f"{escape(words.check_name(check))}{tag}</span></span></th>"
        f'<td class="num" data-l="value">{escape(words.value(check))}</td>'
        f'<td class="num" data-l="needed">{escape(words.needed(check))}</td>'
        f"{_bullet(check, tone)}"
        f'<td class="turn">{escape(turn)}</td></tr>'
    )


def _bullet(check: words.Check, tone: str) -> str:
    """How far on the good (right) or bad (left) side; full width: as far as the line is large."""
    share = words.share_of_threshold(check)
    if share is None:
        return '<td class="room empty"></td>'
    size = max(abs(share) * 50, 1.0) if share else 0.0
    left = 50.0 if share >= 0 else 50 - size
    bar = f'<i style="left:{n(left)}%;width:{n(size)}%"></i>' if size else ""
    return f'<td class="room"><span class="bullet {tone}">{bar}<u></u></span></td>'


def tables(doc: Document) -> str:
    """The document's tables."""
    return "".join(_one_table(one) for one in doc.tables)


def _one_table(one: Table) -> str:
    rows = [[_cell(one, k, value) for k, value in enumerate(row)] for row in one.rows]
    shown = rows[:TABLE_ROWS_MAX]
    more = f"the first {TABLE_ROWS_MAX} of {len(rows):,}" if len(rows) > TABLE_ROWS_MAX else ""
    body = table(one.head, shown, left=one.left, caption=more) if rows else "<p>None.</p>"
    if one.fold:
        body = f"<details><summary>show {len(rows):,} rows</summary>{body}</details>"
    note = f"<p>{escape(one.note)}</p>" if one.note else ""
    return f"<section><h2>{escape(one.title)}</h2>{note}{body}</section>"


def _cell(one: Table, k: int, value: Any) -> str:
    return words.figure(value, str(one.head[k]) if k < len(one.head) else "")


def inputs(doc: Document) -> str:
    """The hashes and settings the page is a function of."""
    if not doc.inputs:
        return ""
    cells = "".join(
        f"<dt>{escape(str(name))}</dt><dd><code>{escape(words.figure(value))}</code></dd>"
        for name, value in doc.inputs.items()
    )
    return (
        "<section><h2>What this page is a function of</h2><p>The same inputs give this very page, "
        f'byte for byte.</p><dl class="facts">{cells}</dl></section>'
    )


def absent(reasons: Mapping[str, str]) -> str:
    """Pictures that could not be drawn, and why."""
    if not reasons:
        return ""
    cells = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(why)}</dd>" for name, why in reasons.items()
    )
    return f'<section><h2>Not drawn</h2><dl class="facts">{cells}</dl></section>'
