"""The look of the report: `page.css` for light and dark, wide and narrow, and the small `page.js`.

Both lie beside this module and are written into the page, so that a report loads nothing.
"""

from functools import cache
from pathlib import Path


@cache
def style() -> str:
    """The style sheet."""
    return _read("page.css")


@cache
def script() -> str:
    """The script that reads values out under the pointer."""
    return _read("page.js")


def _read(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8").strip()
