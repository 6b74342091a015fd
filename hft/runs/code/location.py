"""Where a user's function was written, so that a run can find its file again."""

import inspect
from pathlib import Path
from typing import Any, Protocol


class Written(Protocol):
    """A strategy or a queue model."""

    @property
    def body(self) -> Any: ...


def file_of(one: Written) -> str:
    """The file of its body, "" where there is none."""
    try:
        return str(Path(inspect.getsourcefile(one.body) or "").resolve())
    except (TypeError, OSError):
        return ""
