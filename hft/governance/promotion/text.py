"""Canonical YAML text of a promotion: the same data is always the same bytes.

Keys stand in the order of the schema, inner mappings in one line. A file whose bytes are not what
this writes was edited by hand. Nothing here knows what the keys mean.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

BLOCKS = ("rollback",)  # mappings written over several lines
PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
WORDS = frozenset(("true", "false", "null", "yes", "no", "on", "off", "y", "n"))  # bools to some


def dump(data: Mapping[str, Any]) -> str:
    """The whole file; the last line ends with a newline."""
    lines: list[str] = []
    for key, value in data.items():
        if key in BLOCKS and isinstance(value, Mapping):
            lines.append(f"{key}:")
            lines += [f"  {name}: {_flow(item)}" for name, item in value.items()]
        else:
            lines.append(f"{key}: {_flow(value)}")
    return "\n".join(lines) + "\n"


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(k)}: {_flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(_flow(item) for item in value) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    return _text(str(value))


def _key(text: str) -> str:
    return text if PLAIN.fullmatch(text) and text.lower() not in WORDS else json.dumps(text)


def _text(text: str) -> str:
    """Plain where every reader of YAML agrees that it is text (or our date); else quoted."""
    if DATE.fullmatch(text) or (PLAIN.fullmatch(text) and text.lower() not in WORDS):
        return text
    return json.dumps(text, ensure_ascii=True)
