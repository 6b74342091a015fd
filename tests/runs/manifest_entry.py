"""What a manifest keeps of a strategy, without a run."""

from pathlib import Path
from typing import Any

from hft.runs.code.captures import outside
from hft.strategies.base import Strategy


def entry(made: Strategy, path: Path) -> dict[str, Any]:
    """The strategy of a file as `rebuild` takes it."""
    return {
        "file": str(path),
        "source": made.source,
        "closure": made.closure,
        "outside": outside(made),
        "params": made.params,
        "every_ns": made.every_ns,
        "wakes_on": made.wakes_on,
        "state": made.state,
        "instruments": made.instruments,
    }
