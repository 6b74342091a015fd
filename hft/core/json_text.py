"""JSON as text in three forms and no others; equal values are equal bytes, keys being sorted.

`line` is for rows and hashes, `page` for files that people read, and `spaced` for the hashes that
name runs, limit sets and tapes. All are ASCII, so that no locale or terminal changes them.
"""

import json
from collections.abc import Callable
from typing import Any

Default = Callable[[Any], Any]

# NaN and infinity are no JSON: what a row cannot hold is refused, not written.
ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)
LENIENT = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


def line(value: Any, *, finite: bool = True) -> str:
    """One line without spaces. Raises: ValueError for NaN and infinity, unless not `finite`."""
    return (ENCODER if finite else LENIENT).encode(value)


def page(value: Any, default: Default | None = None) -> str:
    """A line for each value, and one at the end; `default` makes JSON of other types."""
    return json.dumps(value, sort_keys=True, indent=1, default=default) + "\n"


def spaced(value: Any) -> str:
    """One line with spaces, other types as their text: hashes of it stand in files that exist."""
    return json.dumps(value, sort_keys=True, default=str)
