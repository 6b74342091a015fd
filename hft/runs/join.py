"""A researcher's signals joined to tapes: rows that strategies see as `view.signal[k]`.

A value reaches strategies at its own time plus a latency, never before, and never reaches the
venue, so a run that does not look at signals has the digest it had. What was known before a tape's
first row comes with that row. The joined tapes are sealed files of their own, so that a run over
them can be verified.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from hft.core.codes import EventKind, Flag
from hft.core.errors import ConfigError, DataError
from hft.feeds.times import times_ns
from hft.runs.durations import united
from hft.runs.given import as_frame
from hft.runs.ingest import write_settled
from hft.strategies.base import duration_ns
from hft.strategies.context import SIGNALS_MAX
from hft.tape.dataset import Tapes, full_name
from hft.tape.reader import Tape
from hft.tape.schema import Columns, Feed

WHERE = "the joined frame"
SCALE = 10**9
LARGEST = 1 << 62


def join(
    tapes: Tapes,
    frame: Any,
    *,
    ts: str,
    columns: str | Sequence[str],
    out: str | Path,
    latency: str | int | None = None,
) -> Tapes:
    """The tapes with the named columns as signals 0, 1, ... of each instrument, written into `out`.

    A null or NaN says nothing new: the value before stands. Raises: ConfigError, DataError.
    """
    names = [columns] if isinstance(columns, str) else list(columns)
    given = as_frame(frame)
    if given is None:
        raise ConfigError("join: the signals are a frame (polars, pandas, pyarrow), not a path")
    missing = [name for name in (ts, *names) if name not in given.columns]
    if missing:
        there = ", ".join(given.columns)
        raise ConfigError(f"join: the frame has no column {missing[0]!r}; it has {there}")
    if not 1 <= len(names) <= SIGNALS_MAX:
        raise ConfigError(f"join: {len(names)} columns of signals; give 1 to {SIGNALS_MAX}")
    folder = Path(out)
    if any(tape.path.resolve().parent == folder.resolve() for tape in tapes):
        raise ConfigError(f"join: out={str(out)!r} holds the tapes themselves; name another folder")
    signals = _signals(given, ts, names, duration_ns(united(latency, "latency"), "latency"))
    joined = write_settled(_joined(tapes, signals), folder)
    return Tapes(joined.tapes, order=[full_name(tape) for tape in tapes])


def _signals(frame: pl.DataFrame, ts: str, names: Sequence[str], latency_ns: int) -> Columns:
    """Every value as a row, in the order in which strategies hear of them."""
    made = times_ns(frame[ts], f"{WHERE}, column {ts!r}", np.arange(frame.height) + 1)
    parts = []
    for k, name in enumerate(names):
        values = _values(frame, name)
        kept = ~np.isnan(values)
        rows = Columns.empty(int(kept.sum()))
        rows.exch_ts[:] = made[kept]
        rows.local_ts[:] = made[kept] + latency_ns
        rows.kind[:], rows.side[:] = EventKind.SIGNAL.value, 2
        rows.price[:] = np.rint(values[kept] * SCALE).astype(np.int64)
        rows.order_id[:], rows.flags[:] = k, Flag.VIEW_ONLY.value
        parts.append(rows)
    joined = Columns(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    order = np.lexsort((joined.order_id, joined.local_ts))
    return Columns(*(column[order] for column in joined))


def _values(frame: pl.DataFrame, name: str) -> np.ndarray:
    series = frame[name]
    if not (series.dtype.is_numeric() or series.dtype == pl.Boolean):
        raise DataError(f"{WHERE}, column {name!r}: {series.dtype} is no number; cast it first")
    values = series.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    wild = np.isinf(values) | (np.abs(values) * SCALE > LARGEST)
    if wild.any():
        row = int(np.argmax(wild))
        raise DataError(
            f"{WHERE}, row {row + 1}, column {name!r}: {values[row]} is too large; scale it"
        )
    return np.asarray(values)


def _joined(tapes: Tapes, signals: Columns) -> Iterator[Feed]:
    there = {tape.sha256 for tape in tapes}
    for tape in tapes:
        source = dict(tape.source, joined=True, of=tape.sha256)
        if tape.waived:
            source["waived"] = list(tape.waived)
        if tape.continues in there:
            source["continues"] = True
        columns = _with_signals(tape, signals)
        yield Feed(tape.instrument, columns, tape.findings, source)


def _with_signals(tape: Tape, signals: Columns) -> Columns:
    """The tape's rows and the signals of its time: a signal stands after the rows of its moment."""
    rows = tape.columns()
    seen = np.flatnonzero((rows.flags & Flag.VENUE_ONLY.value) == 0)
    times = rows.local_ts[seen]
    if not len(times):
        return rows
    mine = _of_span(signals, int(times[0]), int(times[-1]))
    after = np.searchsorted(times, mine.local_ts, side="right")
    at = np.append(seen, len(rows.kind))[after]
    return Columns(*(np.insert(row, at, new) for row, new in zip(rows, mine, strict=True)))


def _of_span(signals: Columns, first_ns: int, last_ns: int) -> Columns:
    """The signals up to `last_ns`; of those before `first_ns` the newest of each column, then."""
    before = int(np.searchsorted(signals.local_ts, first_ns, side="left"))
    until = int(np.searchsorted(signals.local_ts, last_ns, side="right"))
    known = [
        int(rows[-1])
        for k in range(SIGNALS_MAX)
        if len(rows := np.flatnonzero(signals.order_id[:before] == k))
    ]
    chosen = np.array([*sorted(known), *range(before, until)], np.int64)
    mine = Columns(*(column[chosen] for column in signals))
    return mine._replace(local_ts=np.maximum(mine.local_ts, first_ns))
