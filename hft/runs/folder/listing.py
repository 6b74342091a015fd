"""The runs of a folder as a table, and a run's name, prefix or `last~1` as its folder."""

import re
from pathlib import Path
from typing import Any

import polars as pl

from hft.core.errors import ConfigError, DataError, HftError
from hft.runs.folder.layout import DIGEST, NAMES, PARTIAL, folders
from hft.runs.folder.reader import RunReader
from hft.runs.nearest import nearest

LAST = re.compile(r"last(?:~(\d+))?")
SCHEMA: dict[str, Any] = {
    "run_id": pl.String,
    "started": pl.Datetime("us", "UTC"),
    "state": pl.String,
    "strategies": pl.String,
    "symbols": pl.String,
    "record": pl.String,
    "events": pl.Int64,
    "orders": pl.Int64,
    "fills": pl.Int64,
    "refused": pl.Int64,
    "net": pl.Float64,
    "currency": pl.String,
    "digest": pl.String,
    "path": pl.String,
}


def listing(out: str | Path = "runs", where: Any = None) -> pl.DataFrame:
    """One row a run, oldest first; `where` is a polars expression or a dict of column = value."""
    rows = [_row_or_damage(RunReader(path)) for path in folders(out)]
    frame = pl.DataFrame(rows, schema=SCHEMA)
    if where is None:
        return frame
    if isinstance(where, dict):
        unknown = sorted(set(where) - set(SCHEMA))
        if unknown:
            raise ConfigError(f"runs: no column {unknown[0]!r}; there are {', '.join(SCHEMA)}")
        return frame.filter(**where)
    if not isinstance(where, pl.Expr):
        raise ConfigError(f"where: {where!r} is no condition; a folder of runs is out={where!r}")
    return frame.filter(where)


def resolve(name: str | Path, out: str | Path = "runs") -> Path:
    """The folder of a run: a path, `last`, `last~1`, an id or the unique beginning of one.

    Raises: DataError naming the candidates.
    """
    if (Path(name) / NAMES).is_file():
        return Path(name)
    found, text = list(folders(out)), str(name)
    counted = LAST.fullmatch(text)
    if counted:
        back = int(counted[1] or 0)
        if back >= len(found):
            cure = "" if found else "; `hft replay run` makes the first"
            raise DataError(f"{text}: {out} has {len(found)} runs{cure}")
        return found[-1 - back]
    matching = [path for path in found if path.name.startswith(text)]
    exact = [path for path in matching if path.name.removesuffix(PARTIAL) == text]
    if len(exact) == 1:
        return exact[0]
    if not matching:
        near = nearest(text, (path.name.removesuffix(PARTIAL) for path in found))
        cure = near or "; `hft replay list` shows those there are"
        raise DataError(f"no run {text!r} in folder {out}{cure}")
    if len(matching) > 1:
        names = ", ".join(path.name for path in matching[:4])
        raise DataError(f"{text}: {len(matching)} runs begin so ({names}); write more of it")
    return matching[0]


def _row_or_damage(run: RunReader) -> dict[str, Any]:
    """One unreadable folder must not hide the others."""
    try:
        return _row(run)
    except (HftError, KeyError, TypeError):
        known = {"run_id": run.id, "state": "damaged", "path": str(run.path)}
        return dict.fromkeys(SCHEMA) | known


def _row(run: RunReader) -> dict[str, Any]:
    get = run.metrics.get_value
    sealed = (run.path / DIGEST).is_file() and not run.partial
    return {
        "run_id": run.id,
        "started": _started(run.id),
        "state": "sealed" if sealed else "partial",
        "strategies": ", ".join(run.names.strategies),
        "symbols": ", ".join(run.names.symbols),
        "record": run.record,
        **{name: get(name) for name in ("events", "orders", "fills", "refused", "net")},
        "currency": run.names.currency,
        "digest": run.digest,
        "path": str(run.path),
    }


def _started(run_id: str) -> Any:
    from datetime import datetime

    try:
        return datetime.strptime(f"{run_id[:16]}+0000", "%Y%m%dT%H%M%SZ%z")
    except ValueError:
        return None
