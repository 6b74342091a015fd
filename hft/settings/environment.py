"""The environment that child processes inherit; they are told more, never less."""

import os
from collections.abc import Mapping


def inherited(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """A copy of this process's environment with additions."""
    return {**os.environ, **(more or {})}
