"""Experiments on disk: one folder a run with what was measured, found again by list and best.

A run folder appears whole or not at all and is never changed. Signals and equity may carry times;
the pool aligns by them. What cannot be read is skipped and counted, never hidden. Nothing here
judges, and paper sessions report what is absent as absent.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from hft.core.errors import DataError, JournalError, ValidationError
from hft.core.json_text import line
from hft.runs.nearest import nearest
from hft.storage.atomic import write_folder

META, SCORECARD, REPORT = "meta.json", "scorecard.json", "backtest_report.json"
SIGNALS, EQUITY = "signals.npy", "equity.npy"
MARKET = "market.npy"  # the price of each row; runs from before it was kept have none
FILES = {
    "scorecard_path": SCORECARD,
    "backtest_report_path": REPORT,
    "signals_path": SIGNALS,
    "equity_path": EQUITY,
}
META_KEYS = (
    *("run_id", "alpha_id", "config_hash", "timestamp", "data_paths", "metrics", "gate_status"),
    *FILES,
)
TIMED = np.dtype([("ts_ns", np.int64), ("value", np.float64)])
_STAMP = "%Y%m%dT%H%M%SZ"
_HEX = re.compile(r"[0-9a-f]{8,}")


@dataclass(frozen=True)
class Series:
    """Values of a run, with their times where they were kept. `ts_ns` is None otherwise."""

    values: np.ndarray
    ts_ns: np.ndarray | None = None


@dataclass(frozen=True)
class Experiment:
    """One run folder; `meta` as it was written."""

    path: Path
    meta: Mapping[str, Any]

    @property
    def run_id(self) -> str:
        return str(self.meta["run_id"])

    @property
    def alpha_id(self) -> str:
        return str(self.meta["alpha_id"])

    @property
    def timestamp(self) -> str:
        """When it was written, ISO with zone."""
        return str(self.meta["timestamp"])

    def metric(self, name: str) -> float | None:
        """A figure by name; None when it is absent or no number."""
        value = self.meta["metrics"].get(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return float(value) if np.isfinite(value) else None

    @property
    def scorecard(self) -> dict[str, Any]:
        """Raises: DataError when it cannot be read."""
        return read_object(self.path / SCORECARD)

    @property
    def backtest_report(self) -> dict[str, Any]:
        """Raises: DataError when it cannot be read."""
        return read_object(self.path / REPORT)

    @property
    def signals(self) -> Series | None:
        """The signals, None when the run kept none. Raises: DataError."""
        return _read_series(self.path / SIGNALS)

    @property
    def equity(self) -> Series | None:
        """The equity, None when the run kept none. Raises: DataError."""
        return _read_series(self.path / EQUITY)

    @property
    def market(self) -> Series | None:
        """The price of each row, None when the run kept none. Raises: DataError."""
        return _read_series(self.path / MARKET)


@dataclass(frozen=True)
class Listing:
    """Runs, newest first, and the names of folders whose meta cannot be read."""

    runs: tuple[Experiment, ...]
    unreadable: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "runs": [dict(run.meta) for run in self.runs],
            "unreadable": len(self.unreadable),
            "unreadable_runs": list(self.unreadable),
        }


def write_run(
    experiments: Path,
    *,
    alpha_id: str,
    now_ns: int,
    config_hash: str,
    data_hash: str,
    data_paths: Sequence[str] = (),
    metrics: Mapping[str, Any] | None = None,
    gate_status: Mapping[str, str] | None = None,
    scorecard: Mapping[str, Any] | None = None,
    backtest_report: Mapping[str, Any] | None = None,
    signals: Any = None,
    equity: Any = None,
    market: Any = None,
    ts_ns: Any = None,
) -> Experiment:
    """Write one run; `ts_ns` are the times of signals, and of equity when it is as long. `market`
    is the price of each row of one name, which the pool's returns are made of.

    Raises: DataError for values that do not fit, JournalError when it cannot be written.
    """
    files: dict[str, bytes] = {
        SCORECARD: json_text(dict(scorecard or {})).encode(),
        REPORT: json_text(dict(backtest_report or {})).encode(),
    }
    for name, values in ((SIGNALS, signals), (EQUITY, equity), (MARKET, market)):
        if values is not None:
            files[name] = _packed(name, values, ts_ns)
    meta: dict[str, Any] = {
        "alpha_id": alpha_id,
        "config_hash": config_hash,
        "timestamp": _moment(now_ns).isoformat(),
        "data_paths": [str(path) for path in data_paths],
        "metrics": _finite(dict(metrics or {})),
        "gate_status": {key: str(value) for key, value in (gate_status or {}).items()},
        **{key: name if name in files else None for key, name in FILES.items()},
    }
    run_id, runs = run_id_of(now_ns, config_hash, data_hash), experiments / "runs"
    while True:
        named = {"run_id": run_id} | meta
        if _write_folder(runs / run_id, files | {META: json_text(named).encode()}):
            return Experiment(runs / run_id, named)
        run_id = _next_id(run_id)


def run_id_of(now_ns: int, config_hash: str, data_hash: str) -> str:
    """`<UTC stamp>_<8 hex of config and data hash>`."""
    import hashlib

    mixed = hashlib.sha256(f"{config_hash}:{data_hash}".encode()).hexdigest()[:8]
    return f"{_moment(now_ns).strftime(_STAMP)}_{mixed}"


def _next_id(run_id: str) -> str:
    """Another id for another run of the same second, configuration and data."""
    stem, _, count = run_id.partition("-")
    return f"{stem}-{int(count or 1) + 1}"


def _write_folder(folder: Path, files: Mapping[str, bytes]) -> bool:
    """All files under one name; False when somebody has the name already."""
    try:
        return write_folder(folder, files)
    except OSError as error:
        raise JournalError(f"{folder}: cannot be written: {error.strerror or error}") from None


def list_runs(experiments: Path, alpha_id: str | None = None) -> Listing:
    """Every run, newest first; those of one alpha when it is named."""
    found, unreadable = [], []
    for path in sorted((experiments / "runs").glob("[!.]*")):
        if not path.is_dir():
            continue
        try:
            run = Experiment(path, _checked_meta(path / META))
        except DataError:
            unreadable.append(path.name)
            continue
        if alpha_id is None or run.alpha_id == alpha_id:
            found.append(run)
    found.sort(key=lambda run: (run.timestamp, run.run_id), reverse=True)
    return Listing(tuple(found), tuple(unreadable))


def compare(experiments: Path, ids: Sequence[str]) -> tuple[Experiment, ...]:
    """The runs of these ids (or unique beginnings), in the order asked for.

    Raises: ValidationError naming an id that is unknown or not unique.
    """
    runs = list_runs(experiments).runs
    return tuple(_named(runs, one) for one in ids)


def best(
    experiments: Path, metric: str = "sharpe_oos", top: int = 10, alpha_id: str | None = None
) -> Listing:
    """The `top` runs by a figure, descending; those without it last, newest first.

    Raises: ValidationError when no run has the figure, listing those there are.
    """
    listing = list_runs(experiments, alpha_id)
    values = {run.run_id: run.metric(metric) for run in listing.runs}
    known = sorted({name for run in listing.runs for name in run.meta["metrics"]})
    if listing.runs and metric not in known:
        raise ValidationError(
            f"metric {metric!r}: no run has it{nearest(metric, known) or ';'} there are "
            f"{', '.join(known) or 'none'}"
        )

    def rank(run: Experiment) -> tuple[bool, float]:
        value = values[run.run_id]
        return (value is None, 0.0 if value is None else -value)

    return Listing(tuple(sorted(listing.runs, key=rank)[:top]), listing.unreadable)


def latest(experiments: Path, *, with_signals: bool = False) -> dict[str, Experiment]:
    """The newest run of each alpha, by id; the newest that kept signals when asked."""
    newest: dict[str, Experiment] = {}
    for run in list_runs(experiments).runs:
        if not with_signals or (run.path / SIGNALS).is_file():
            newest.setdefault(run.alpha_id, run)
    return dict(sorted(newest.items()))


def _named(runs: Sequence[Experiment], wanted: str) -> Experiment:
    exact = [run for run in runs if run.run_id == wanted]
    close = exact or [run for run in runs if wanted and run.run_id.startswith(wanted)]
    if len(close) == 1:
        return close[0]
    if close:
        names = ", ".join(run.run_id for run in close)
        raise ValidationError(f"run {wanted!r} is not unique: {names}")
    if not runs:
        raise ValidationError(
            f"run {wanted!r}: there is no run yet; `hft alpha validate` makes one"
        )
    known = ", ".join(run.run_id for run in runs[:10])
    near = nearest(wanted, (run.run_id for run in runs)) or ";"
    raise ValidationError(f"run {wanted!r}: there is no such run{near} the newest are {known}")


def _checked_meta(path: Path) -> dict[str, Any]:
    meta = read_object(path)
    missing = [key for key in META_KEYS if key not in meta]
    texts = all(isinstance(meta.get(key), str) for key in ("run_id", "alpha_id", "timestamp"))
    if missing or not texts or not isinstance(meta["metrics"], dict):
        raise DataError(f"{path}: is no meta of a run; {missing[:1] or 'a field'} does not fit")
    return meta


def read_object(path: Path) -> dict[str, Any]:
    """A JSON object of a file. Raises: DataError naming it."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError:
        raise DataError(f"{path}: is not JSON") from None
    if not isinstance(data, dict):
        raise DataError(f"{path}: is no JSON object")
    return data


def json_text(data: Any) -> str:
    """Canonical JSON: sorted keys, compact, what is no finite number as null."""
    return line(_finite(data)) + "\n"


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, np.ndarray):
        return [_finite(item) for item in value.tolist()]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _packed(name: str, values: Any, ts_ns: Any) -> bytes:
    """A .npy: plain float64, or TIMED where there are as many times as values."""
    import io

    array: np.ndarray = np.asarray(values, np.float64)
    if array.ndim != 1:
        raise DataError(f"{name}: has {array.ndim} dimensions; give one value per row")
    times = None if ts_ns is None else np.asarray(ts_ns, np.int64)
    if times is not None and len(times) != len(array):
        if name == SIGNALS:
            raise DataError(f"{name}: {len(array)} values for {len(times)} times")
        times = None
    if times is not None:
        timed = np.empty(len(array), TIMED)
        timed["ts_ns"], timed["value"] = times, array
        array = timed
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _read_series(path: Path) -> Series | None:
    if not path.is_file():
        return None
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        raise DataError(f"{path}: is no array that can be read") from None
    if array.dtype.names and {"ts_ns", "value"} <= set(array.dtype.names) and array.ndim == 1:
        return Series(array["value"].astype(np.float64), array["ts_ns"].astype(np.int64))
    if array.ndim != 1 or array.dtype.kind not in "fiub":
        raise DataError(f"{path}: is no series of numbers")
    return Series(array.astype(np.float64))


def _moment(now_ns: int) -> datetime:
    whole, rest = divmod(int(now_ns), 1_000_000_000)
    return datetime.fromtimestamp(whole, UTC).replace(microsecond=rest // 1000)
