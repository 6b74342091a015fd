"""The planted market on disk, as bars or as tapes: what `hft data synthetic --alpha` makes."""

from datetime import date
from pathlib import Path
from typing import Any

from hft.core.errors import ConfigError
from hft.research.data.planted import BARS, write
from hft.research.data.planted_tapes import write_tapes


def make(
    folder: Path, snr: float, *, kind: str, days: int, seed: int, start: str
) -> dict[str, Any]:
    """The sessions as `bars.parquet` or, kind "l2", as tapes; JSON-ready words about them.

    Raises: ConfigError for another kind or a start that is no date.
    """
    try:
        first = date.fromisoformat(start)
    except ValueError:
        raise ConfigError(f"--start {start!r} is no date; write 2021-01-04") from None
    if kind == "bars":
        rows, path = write(folder, snr, days=days, seed=seed, start=first), folder / BARS
    elif kind == "l2":
        rows, path = write_tapes(folder, snr, days=days, seed=seed, start=first).rows, folder
    else:
        raise ConfigError(f"--kind {kind!r}: with --alpha it is bars or l2")
    words = {"path": str(path), "rows": rows, "sessions": days, "correlation": snr, "seed": seed}
    return words | {"first_session": str(first)}
