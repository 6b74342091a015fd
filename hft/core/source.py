"""What a user's function is made of, for the identity of a run: its text and its constants.

Strategies and queue models are data plus a body; the body's text stands in the manifest.
"""

import inspect
import linecache
import textwrap
from collections.abc import Callable
from typing import Any

from hft.core.errors import ConfigError


def text_of(body: Any, what: str) -> str:
    """The source text of a function or class. Raises: ConfigError when there is none to read."""
    try:
        return textwrap.dedent(inspect.getsource(body))
    except (OSError, TypeError):
        raise ConfigError(
            f"{what} has no retrievable source; define it in a file or a cell"
        ) from None


def constants_of(body: Callable[..., Any]) -> dict[str, str]:
    """The plain constants that a function captures, by name, as text."""
    found = inspect.getclosurevars(body)
    names = {**found.globals, **found.nonlocals}
    return {k: repr(v) for k, v in sorted(names.items()) if isinstance(v, int | float | str)}


def place_of(body: Any, error: BaseException) -> str:
    """`file, line N: its text: ` of the innermost line of a body's file that an error went through.

    "" where it went through none, as an index out of range of compiled code.
    """
    try:
        file = inspect.getsourcefile(getattr(body, "py_func", body))
    except TypeError:
        return ""
    line, trace = 0, error.__traceback__
    while trace is not None:
        if file is not None and trace.tb_frame.f_code.co_filename == file:
            line = trace.tb_lineno
        trace = trace.tb_next
    return at_line(str(file), line) if line else ""


def at_line(file: str, line: int) -> str:
    """`file, line N: its text: `; "" for no line."""
    if not line:
        return ""
    text = linecache.getline(file, line).strip()
    return f"{file}, line {line}: " + (f"`{text}`: " if text else "")
