"""The essence of a governance document for a terminal: coloured there, plain text elsewhere.

It says what the page says, in the page's words and order. Nothing is read from the environment but
the width and kind of the stream it is meant for.
"""

import io
import shutil
import sys
from collections.abc import Iterator, Mapping
from typing import Any, TextIO

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from hft.reports.governance import words
from hft.reports.governance.document import Document

SIGNS = {"pass": "✓", "fail": "✕", "wait": "…", "none": "–"}
COLORS = {"pass": "green", "fail": "red", "wait": "yellow", "none": "dim"}
TONES = {"good": "green", "bad": "red", "wait": "yellow"}
ASCII = str.maketrans(
    {"✓": "+", "✕": "x", "…": ".", "–": "-", "−": "-", "≥": ">=", "≤": "<=", "×": "x", "·": "-"}
    | {"│": "|", "█": "#", "µ": "u", "→": "->", "←": "<-", "─": "-", "━": "-"}
)
ROOM = 5  # characters on each side of a margin's line
WIDTH_MAX, WIDTH_MIN, NARROW = 120, 40, 92
ROWS_MAX = 15


def text(
    doc: Document | Mapping[str, Any],
    width: int | None = None,
    color: bool | None = None,
    stream: TextIO | None = None,
) -> str:
    """Verdict, shopping list, gates, figures, tables and price, for a stream (standard output)."""
    data = Document.of(doc)
    out = stream or sys.stdout
    color = bool(getattr(out, "isatty", lambda: False)()) if color is None else color
    columns = (
        min(shutil.get_terminal_size((100, 24)).columns, WIDTH_MAX) if width is None else width
    )
    console = Console(
        file=io.StringIO(),
        width=max(columns, WIDTH_MIN),
        color_system="standard" if color else None,
        force_terminal=color,
        force_jupyter=False,  # else a notebook displays every part and the text stays empty
        legacy_windows=False,
        highlight=False,
        emoji=False,
        _environ={},
    )
    for part in _parts(data, console.width):
        console.print(part)
    written = console.file.getvalue()  # type: ignore[attr-defined]
    lines = [line.rstrip() for line in written.splitlines()]
    return _encodable("\n".join(lines).strip("\n") + "\n", out)


def _encodable(written: str, out: TextIO) -> str:
    """Signs that the stream cannot write become plain ones."""
    encoding = getattr(out, "encoding", None) or "utf-8"
    try:
        written.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return written.translate(ASCII).encode("ascii", "replace").decode()
    return written


def _parts(doc: Document, width: int) -> Iterator[RenderableType]:
    yield Text(doc.title, style="bold")
    if doc.subtitle:
        yield Text(doc.subtitle, style="dim")
    if doc.notice:
        yield Text(doc.notice, style="bold red")
    yield from _verdict(doc)
    for gate in doc.gates:
        yield Text("")
        yield from _gate(gate, width)
    if doc.facts:
        yield Text("")
        yield _facts(doc)
    for one in doc.tables:
        if not one.fold:
            yield Text("")
            yield Text(one.title, style="bold")
            yield _table(one)
    if doc.digest:
        yield Text("")
        yield Text(f"digest {doc.digest}", style="dim")
    if doc.price:
        yield Text("")
        yield Text(doc.price)


def _verdict(doc: Document) -> Iterator[RenderableType]:
    tone, says = words.tone(words.overall(doc)), words.sentence(doc)
    if words.overall(doc) or says:
        line = Text()
        if words.overall(doc):
            line.append(f"{SIGNS[tone]} {words.headline(doc)}", style=f"bold {COLORS[tone]}")
            line.append(". " if says else "")
        yield Text("")
        yield line.append(says)
    lines = words.shopping(doc)
    if lines:
        yield Text("")
        yield Text("What would turn it", style="bold")
    for light, who, what in lines:
        grid = Table.grid(padding=(0, 1))
        grid.add_row("", Text(SIGNS[light], style=COLORS[light]), Text(f"{who} {what}".strip()))
        yield grid


def _gate(gate: words.Check, width: int) -> Iterator[RenderableType]:
    tone = words.tone(gate.get("verdict", ""))
    head = Text(f"{SIGNS[tone]} {words.gate_name(gate)}", style=f"bold {COLORS[tone]}")
    title = words.gate_title(gate)
    head.append(f"  {title}" if title else "", style="not bold dim")
    yield head.append(f"  {words.verdict_word(gate.get('verdict', ''))}")
    checks = words.by_urgency(gate)
    if not checks:
        yield Padding(Text(str(gate.get("reason") or "not run"), style="dim"), (0, 0, 0, 2))
        return
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("  check", ratio=None)
    table.add_column("value", justify="right")
    table.add_column("needed", justify="right")
    if width >= NARROW:
        table.add_column("fails│passes", no_wrap=True)
    table.add_column("what would turn it", overflow="fold")
    for check, turn in zip(checks, words.turns(checks), strict=True):
        table.add_row(*_row(check, turn, width))
    yield table


def _row(check: words.Check, turn: str, width: int) -> list[Text]:
    tone = words.check_tone(check)
    name = Text(f"{SIGNS[tone]} ", style=COLORS[tone])
    idle = "" if tone != "none" else "dim"
    tag = "" if check.get("blocking", True) else " (advice)"
    name.append(f"{words.check_name(check)}{tag}", style=idle or "default")
    cells = [name, Text(words.value(check), style=idle), Text(words.needed(check), style=idle)]
    if width >= NARROW:
        cells.append(Text(_bar(check), style=COLORS[tone]))
    return [*cells, Text(turn, style="dim" if tone in ("pass", "none") else "")]


def _bar(check: words.Check) -> str:
    """A margin around its line: right passes, left fails."""
    share = words.share_of_threshold(check)
    if share is None:
        return ""
    size = min(max(round(abs(share) * ROOM), 1 if share else 0), ROOM)
    left, right = ("█" * size, "") if share < 0 else ("", "█" * size)
    return f"{left:>{ROOM}}│{right}"


def _facts(doc: Document) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    for one in doc.facts:
        style = TONES.get(one.tone, "")
        value = Text(words.minus(one.text), style=f"bold {style}".strip())
        grid.add_row(Text(f"  {one.label}"), value, Text(one.note, style="dim"))
    return grid


def _table(one: Any) -> RenderableType:
    if not one.rows:
        return Text("  none", style="dim")
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for k, name in enumerate(one.head):
        table.add_column(Text(str(name)), justify="left" if k < one.left else "right")
    for row in list(one.rows)[:ROWS_MAX]:
        cells = zip(one.head, row, strict=False)
        table.add_row(*(Text(words.figure(value, str(name))) for name, value in cells))
    if len(one.rows) > ROWS_MAX:
        table.caption = f"the first {ROWS_MAX} of {len(one.rows):,}"
        table.caption_justify = "left"
    return table
