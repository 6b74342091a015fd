"""What a user's function is made of, for the identity of a run: its text and its constants.

Strategies and queue models are data plus a body; the body's text stands in the manifest.
"""

import inspect
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
