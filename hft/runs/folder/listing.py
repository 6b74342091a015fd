"""The runs of a folder as a table, and a run's name, prefix or `last~1` as its folder."""

import re
from pathlib import Path
from typing import Any

import polars as pl

from hft.core.errors import ConfigError, DataError, HftError
from hft.runs.folder.layout import DIGEST, NAMES, PARTIAL, folders
from hft.runs.folder.reader import RunReader
from hft.runs.nearest import nearest

PARAMS, BEFORE_PARAMS = "params.", "strategies"
LAST = re.compile(r"last(\.partial)?(?:~(\d+))?")
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
    """One row a run, oldest first; `where` is a polars expression or a dict of column = value.

    Parameters are columns behind the strategies: `params.half_ticks`, of several strategies in one
    run `params.NAME.half_ticks`; null where a run has no such parameter.
    """
    runs = [RunReader(path) for path in folders(out)]
    frame = _with_params(
        pl.DataFrame([_row_or_damage(run) for run in runs], schema=SCHEMA),
        [_params(run) for run in runs],
    )
    if where is None:
        return frame
    if isinstance(where, dict):
        unknown = sorted(set(where) - set(frame.columns))
        if unknown:
            there = ", ".join(frame.columns)
            raise ConfigError(f"runs: no column {unknown[0]!r}; there are {there}")
        return frame.filter(**where)
    if not isinstance(where, pl.Expr):
        raise ConfigError(f"where: {where!r} is no condition; a folder of runs is out={where!r}")
    return frame.filter(where)


def swept(frame: pl.DataFrame) -> tuple[list[str], list[str]]:
    """The columns of parameters that differ among the runs of a listing, and the others."""
    names = [name for name in frame.columns if name.startswith(PARAMS)]
    differ = [name for name in names if frame[name].drop_nulls().n_unique() > 1]
    return differ, [name for name in names if name not in differ]


def resolve(name: str | Path, out: str | Path = "runs", *, partial: bool = False) -> Path:
    """The folder of a run: a path, `last`, `last~1`, an id or the unique beginning of one.

    `last` counts the runs that ended; `last.partial` those that did not, as `last` does where only
    `partial` ones are of use. Raises: DataError naming the candidates.
    """
    if (Path(name) / NAMES).is_file():
        return Path(name)
    found, text = list(folders(out)), str(name)
    counted = LAST.fullmatch(text)
    if counted:
        return _counted(text, found, bool(counted[1]) or partial, int(counted[2] or 0), out)
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


def _counted(text: str, found: list[Path], partial: bool, back: int, out: str | Path) -> Path:
    """The run that many before the newest, of those that ended or of the partial ones."""
    kept = [path for path in found if path.name.endswith(PARTIAL) == partial]
    if back < len(kept):
        return kept[-1 - back]
    cure = "" if found else "; `hft replay run` makes the first"
    if rest := len(found) - len(kept):
        cure = f", and {rest} partial: last.partial" if not partial else ""
    what = f"{'partial ' * partial}run{'s' * (len(kept) != 1)}"
    ended = " that ended" if rest and not partial else ""
    raise DataError(f"{text}: {out} has {len(kept)} {what}{ended}{cure}")


def _params(run: RunReader) -> dict[str, Any]:
    """A run's parameters by column; none of a run whose manifest cannot be read."""
    try:
        strategies = run.manifest["config"]["strategies"]
        return {
            f"{PARAMS}{f'{name}.' if len(strategies) > 1 else ''}{key}": value
            for name, entry in strategies.items()
            for key, value in entry["params"].items()
        }
    except (HftError, KeyError, TypeError, AttributeError):
        return {}


def _with_params(frame: pl.DataFrame, found: list[dict[str, Any]]) -> pl.DataFrame:
    names = dict.fromkeys(name for one in found for name in one)
    columns = [_column(name, [one.get(name) for one in found]) for name in names]
    at = frame.columns.index(BEFORE_PARAMS) + 1
    parts = frame.get_columns()
    return pl.DataFrame([*parts[:at], *columns, *parts[at:]])


def _column(name: str, values: list[Any]) -> pl.Series:
    """Whole numbers, floats, or the text of what is neither in every run."""
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int, bool}:
        return pl.Series(name, values, pl.Int64, strict=False)
    if kinds <= {int, bool, float}:
        return pl.Series(name, values, pl.Float64, strict=False)
    texts = [None if value is None else str(value) for value in values]
    return pl.Series(name, texts, pl.String)


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
