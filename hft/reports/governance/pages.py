"""The governance pages: one self-contained file each, the same bytes for the same document.

Order: the verdict in words, what is missing, the gates with their margins, pictures, tables, digest
inputs. A page decides nothing; what it says follows from its document.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from hft.reports.governance import sections, words
from hft.reports.governance.document import Document
from hft.reports.governance.pictures import draw
from hft.reports.governance.pictures.drawn import Drawn, html
from hft.reports.page import style

Given = Document | Mapping[str, Any]
# Pictures in the order they are read: one question each.
GROUPS: dict[str, tuple[str, ...]] = {
    "Is there an edge?": ("equity", "path_fan", "walk_forward", "ic_decay"),
    "How much of it is luck?": ("dsr_curve", "pbo_histogram", "trial_history"),
    "How firm is the ground?": ("parameter_plateau", "cost_latency"),
    "What does it add?": ("correlation_pool", "heatmap"),
    "What was found?": ("search_front",),
    "How does it live?": ("condition_timeline", "canary_process"),
}
FIRST = {
    "search": ("What was found?",),
    "pool": ("What does it add?",),
    "promotion": ("How does it live?",),
    "canary": ("How does it live?",),
}
EXPECTED = {
    "validation": (
        "equity path_fan walk_forward ic_decay dsr_curve pbo_histogram trial_history "
        "parameter_plateau cost_latency correlation_pool"
    ),
    "search": "search_front trial_history",
    "pool": "heatmap",
    "canary": "canary_process",
}
NAMES = {
    "equity": "Equity",
    "path_fan": "Cross-validated paths",
    "walk_forward": "Walk-forward",
    "ic_decay": "Decay of the edge",
    "dsr_curve": "Luck of many trials",
    "pbo_histogram": "Backtest overfitting",
    "trial_history": "What the trials cost",
    "parameter_plateau": "Parameter plateau",
    "cost_latency": "Dearer and slower",
    "correlation_pool": "Against the pool",
    "heatmap": "Correlation of the pool",
    "search_front": "Score against complexity",
    "condition_timeline": "Life so far",
    "canary_process": "Canary, day by day",
}


def validation_page(doc: Given) -> str:
    """The page of `alpha validate`."""
    return page(doc, "validation")


def search_page(doc: Given) -> str:
    """The page of `alpha search`."""
    return page(doc, "search")


def pool_page(doc: Given) -> str:
    """The page of `alpha pool`."""
    return page(doc, "pool")


def promotion_page(doc: Given) -> str:
    """The page of `alpha promote` and `approve`."""
    return page(doc, "promotion")


def canary_page(doc: Given) -> str:
    """The page of `alpha canary`."""
    return page(doc, "canary")


def overrides_page(doc: Given) -> str:
    """The page of `audit overrides`."""
    return page(doc, "overrides")


def page(doc: Given, kind: str = "") -> str:
    """A page, of its own kind unless told. Raises: ValueError for a field or kind not known."""
    data = Document.of(doc)
    kind = kind or data.kind
    if kind not in sections.KICKERS:
        raise ValueError(f"page: {kind!r} is none of {', '.join(sections.KICKERS)}")
    drawings, values = _pictures(data, kind)
    gates = "".join(sections.gate(gate) for gate in data.gates)
    parts = [sections.head(data, kind), sections.verdict(data), sections.facts(data), gates]
    parts += [drawings, sections.tables(data), sections.absent(_absent(data, kind))]
    parts.append(sections.inputs(data))
    title = escape(f"{data.title} · {sections.KICKERS[kind]}")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{style()}\n{_read('governance.css')}</style></head>\n"
        "<body><main>\n" + "\n".join(part for part in parts if part) + "\n</main>"
        f"{_script(values)}</body></html>\n"
    )


def _pictures(data: Document, kind: str) -> tuple[str, dict[str, Any]]:
    """Every group that has pictures, and what the pointer reads out of their figures."""
    first = FIRST.get(kind, ())
    out: list[str] = []
    values: dict[str, Any] = {}
    number = 1
    for group in (*first, *(name for name in GROUPS if name not in first)):
        ranks = GROUPS[group]
        here = [one for one in data.pictures if one.kind in ranks]
        here.sort(key=lambda one: ranks.index(one.kind))
        cards = []
        for picture, drawn in zip(here, _paired([draw(one) for one in here]), strict=True):
            tone = words.picture_tone(picture.kind, data)
            body, figures = html(drawn, number, picture.note, sections.badge(tone))
            values |= {f"f{number + k}": one for k, one in enumerate(figures) if one}
            number += len(figures)
            cards.append(body)
        if cards:
            joined = "\n".join(cards)
            out.append(
                f'<h2 class="group">{escape(group)}</h2><div class="pictures">{joined}</div>'
            )
    return "\n".join(out), values


def _paired(drawn: Sequence[Drawn]) -> list[Drawn]:
    """Half-wide drawings stand in pairs; one without a neighbour takes the whole width."""
    out = list(drawn)
    k = 0
    while k < len(out):
        alone = k + 1 == len(out) or out[k + 1].wide
        if not out[k].wide and alone:
            out[k] = Drawn(**{**vars(out[k]), "wide": True})
        k += 1 if out[k].wide else 2
    return out


def _absent(data: Document, kind: str) -> dict[str, str]:
    """Why an expected picture is not there."""
    drawn = {one.kind for one in data.pictures}
    expected = [name for name in EXPECTED.get(kind, "").split() if name not in drawn]
    reasons = {name: data.absent.get(name, "not measured") for name in expected}
    given = {name: why for name, why in data.absent.items() if name not in drawn}
    return {NAMES.get(name, name): why for name, why in (reasons | given).items()}


def _script(values: Mapping[str, Any]) -> str:
    if not values:
        return ""
    text = json.dumps(values, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    text = text.replace("<", "\\u003c")
    return (
        f'<script id="values" type="application/json">{text}</script>'
        f"<script>{_read('governance.js')}</script>"
    )


@cache
def _read(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8").strip()
