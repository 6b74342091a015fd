"""A page of help as it stands in the terminal: usage, purpose, a box each of what can be given.

The renderer that typer brings loads readers of Markdown and tracebacks with it and takes longer
than all else that `hft --help` does; this one needs nothing that is not loaded already.
"""

import re
import shutil
import sys
from collections.abc import Iterator
from textwrap import wrap
from typing import Any, NamedTuple

from hft.settings.environment import takes_colours

NARROWEST = 24  # of the sentences; in a terminal with less they stand under the names
_TAG = re.compile(r"\[(?:default: .*?|required)\]")
_OPTION = re.compile(r"(?<![\w-])--?[a-z][a-z-]*")
_CODES = {"name": "1;36", "short": "1;32", "kind": "1;33", "must": "31", "faint": "2", "use": "33"}
Row = tuple[tuple[str, str], ...]  # (style, text) of each cell; the last is the sentence


class Box(NamedTuple):
    """What stands in one frame: its title and its rows."""

    title: str
    rows: list[Row]


def page(command: Any, ctx: Any) -> str:
    """The page of a command or a group, as wide as the terminal and coloured where it shows."""
    room = max(shutil.get_terminal_size().columns, 30)
    usage = " ".join(command.get_usage(ctx).split())
    lines = ["", *_wrapped(usage, room - 2, " "), ""]
    lines[1] = lines[1].replace("Usage:", _in("use", "Usage:"), 1)
    for paragraph in (command.help or "").partition("\f")[0].strip().split("\n\n"):
        lines += [*_wrapped(paragraph, room - 2, " "), ""]
    for box in _boxes(command, ctx):
        lines += _framed(box, room)
    return "\n".join(lines) + "\n"


def _boxes(command: Any, ctx: Any) -> Iterator[Box]:
    shown = [one for one in command.get_params(ctx) if not getattr(one, "hidden", False)]
    for title, kind in (("Arguments", "argument"), ("Options", "option")):
        mine = [one for one in shown if one.param_type_name == kind]
        if mine:
            yield Box(title, [_parameter(one, ctx) for one in mine])
    if hasattr(command, "list_commands"):
        inner = [command.get_command(ctx, name) for name in command.list_commands(ctx)]
        rows: list[Row] = [
            (("name", one.name), ("", _first(one.help))) for one in inner if not one.hidden
        ]
        if rows:
            yield Box("Commands", rows)


def _parameter(one: Any, ctx: Any) -> Row:
    if one.param_type_name == "argument":
        more = "..." if one.metavar is None and one.nargs != 1 else ""
        long, short, kind = f"{one.display_name_raw}{more}", "", ""
    else:
        names = [*one.opts, *one.secondary_opts]
        long = ",".join(name for name in names if name.startswith("--"))
        short = ",".join(name for name in names if not name.startswith("--"))
        kind = one.display_type_rich(ctx=ctx) or ""
    return (
        ("must", "*" if one.required else ""),
        *(("name", long), ("short", short), ("kind", kind), ("", _sentence(one, ctx))),
    )


def _sentence(one: Any, ctx: Any) -> str:
    """What a parameter is for, then its default and whether it must be given."""
    words = [" ".join((one.help or "").split())]
    default = one._extract_default_help_str(ctx=ctx)
    stated = isinstance(one.show_default, str)
    if stated or (default is not None and one.show_default):
        text = one._get_default_string(ctx=ctx, show_default_is_str=stated, default_value=default)
        words += [f"[default: {text}]"] if text else []
    words += ["[required]"] if one.required else []
    return " ".join(word for word in words if word)


def _first(text: str | None) -> str:
    return " ".join((text or "").strip().partition("\n\n")[0].split())


def _wrapped(text: str, room: int, indent: str = "") -> list[str]:
    """Lines of at most `room` characters; neither a word nor a tag in brackets is parted."""
    whole = _TAG.sub(lambda tag: tag[0].replace(" ", "\xa0"), " ".join(text.split()))
    found = wrap(whole, room, break_long_words=False, break_on_hyphens=False)
    return [indent + line.replace("\xa0", " ") for line in found]


def _framed(box: Box, room: int) -> Iterator[str]:
    inside = room - 4
    counts = range(len(box.rows[0]) - 1)
    widths = [max(len(row[k][1]) for row in box.rows) for k in counts]
    left = sum(size + 1 for size in widths if size) + 1
    beside = inside - left >= NARROWEST
    rest = inside - left if beside else inside - 4
    yield _in("faint", f"╭─ {box.title} {'─' * (room - len(box.title) - 5)}╮")
    for *cells, (_, sentence) in box.rows:
        names = "".join(
            _in(style, text) + " " * (size - len(text) + 1)
            for (style, text), size in zip(cells, widths, strict=True)
            if size
        )
        said = _wrapped(sentence, rest) or [""]
        if beside:
            yield _edged(f"{names} ", left, said[0], inside)
        else:
            yield _edged(f"{names} ", left, "", inside)
        for line in said[1:] if beside else said:
            margin = left if beside else 4
            yield _edged(" " * margin, margin, line, inside)
    yield _in("faint", f"╰{'─' * (room - 2)}╯")


def _edged(names: str, taken: int, line: str, inside: int) -> str:
    """One line between the edges; `taken` characters of it are names, whatever their colours."""
    edge = _in("faint", "│")
    room = " " * (inside - taken - len(line))
    line = _OPTION.sub(lambda found: _in("name", found[0]), line)
    return f"{edge} {names}{_TAG.sub(_tag, line)}{room} {edge}"


def _tag(found: re.Match[str]) -> str:
    return _in("must" if found[0] == "[required]" else "faint", found[0])


def _in(style: str, text: str) -> str:
    """The text in the colour of a style, where the terminal has colours and nobody declined."""
    if not style or not text or not _coloured():
        return text
    return f"\x1b[{_CODES[style]}m{text}\x1b[0m"


def _coloured() -> bool:
    return sys.stdout.isatty() and takes_colours()
