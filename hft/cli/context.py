"""What holds for every command: JSON or text, quiet or not, which configuration file.

`--json` may stand before or after the command: a command takes it as `json: Json = False` and hands
its result to `emit`. One JSON document goes to stdout and nothing else; words go to stderr. Where
there is no result, the document is the error.
"""

import json as json_module
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from math import isfinite
from textwrap import wrap
from typing import Annotated, Any, TextIO

import typer


@dataclass
class Context:
    """The global options of this call."""

    json: bool = False
    quiet: bool = False
    config: str | None = None
    now: str | None = None
    asked: bool = False  # --json stands somewhere on the command line
    emitted: bool = False  # the result is out

    @property
    def wants_error(self) -> bool:
        """An error is to be a JSON document: one is owed and none was written yet."""
        return (self.json or self.asked) and not self.emitted


current = Context()
_results: TextIO | None = None  # standard output, while what is printed goes elsewhere


def begin(args: Sequence[str]) -> None:
    """Forget the call before; `args` tell whether an error before their parsing is to be JSON."""
    words = list(args)
    before = words[: words.index("--")] if "--" in words else words
    fresh = Context(asked="--json" in before)
    for name in vars(fresh):
        setattr(current, name, getattr(fresh, name))


def _note_json(given: bool) -> bool:
    current.json = current.json or given
    return current.json


Json = Annotated[
    bool,
    typer.Option("--json", help="Print one JSON document and nothing else.", callback=_note_json),
]


def emit(data: Any, render: Callable[[], str] | str) -> None:
    """Print the result of a command: `data` under --json, else the text."""
    current.emitted = True
    if current.json:
        encoding = (stream().encoding or "ascii").lower().replace("-", "")
        text = document(data, not encoding.startswith("utf"))
    else:
        text = folded(render if isinstance(render, str) else render(), width())
    stream().write(text if text.endswith("\n") else text + "\n")


def stream() -> TextIO:
    """Where results go."""
    return _results or sys.stdout


@contextmanager
def prints_aside() -> Iterator[None]:
    """Under --json what a user's strategy, alpha or decoder prints goes to stderr.

    Compiled code prints through the same stream of Python.
    """
    global _results
    if not current.json or _results is not None:
        yield
        return
    _results = sys.stdout
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        _results = None


def document(data: Any, ascii_only: bool = False) -> str:
    """The JSON of a result, as it is printed and kept."""
    how: dict[str, Any] = {"indent": 2, "default": str, "ensure_ascii": ascii_only}
    try:
        return json_module.dumps(data, allow_nan=False, **how)
    except ValueError:  # JSON has neither NaN nor infinity, and readers refuse them
        return json_module.dumps(_finite(data), **how)


def _finite(value: Any) -> Any:
    """The same with null for what is no finite number."""
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def width() -> int | None:
    """Characters in a line of the terminal; None where output goes elsewhere."""
    return shutil.get_terminal_size((80, 24)).columns if sys.stdout.isatty() else None


def folded(text: str, room: int | None) -> str:
    """The text with lines longer than the terminal folded between words, a little further in."""
    if room is None:
        return text
    made: list[str] = []
    for line in text.splitlines():
        inner = " " * (len(line) - len(line.lstrip()) + 2)
        if len(line) <= room or len(inner) > room // 2:
            made.append(line)
            continue
        made += wrap(
            line, room, subsequent_indent=inner, break_long_words=False, break_on_hyphens=False
        )
    return "\n".join(made)


def note(sentence: str) -> None:
    """Tell a person something beside the result; silent under --quiet."""
    if not current.quiet:
        sys.stderr.write(sentence + "\n")


def settings(**flags: Any) -> Any:
    """The effective settings under the global options; `flags` are keys with `__` for a dot."""
    from hft.settings import load_settings

    given = {name.replace("__", "."): value for name, value in flags.items() if value is not None}
    return load_settings(given, file=current.config)
