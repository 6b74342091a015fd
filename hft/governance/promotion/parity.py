"""Is a shadow run of this alpha, and did it see what a replay sees?

The signal a run followed stands on its tape as rows. They are compared, value by value, with what
the alpha says on the same tapes now. A run that followed something else is refused.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from datetime import date as Date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from hft.core.codes import EventKind
from hft.core.errors import DataError
from hft.gateway.limits import Limits
from hft.governance.promotion.expectation import Pairs
from hft.governance.promotion.shadow import Compare, Parity
from hft.research.alphas import signals
from hft.research.alphas.remote import RemoteAlpha
from hft.research.backtest import Rules
from hft.research.data.dataset import ResearchData
from hft.research.data.tapes import from_tapes
from hft.research.execution.job import How, clock_of
from hft.research.execution.simulation import replay_alpha
from hft.research.rl.quotes import quotes_of
from hft.runs.ingest import open_tapes
from hft.runs.result import Run
from hft.tape.dataset import Tapes

FOLLOWER = "follow"
SCALE = 1e9  # a signal on a tape has nine decimals
TOLERANCE = 1e-9


def comparer(alpha: RemoteAlpha, *, clock: str | None = None) -> Compare:
    """Compares a run with this alpha on the tapes of the run."""

    def compare(run: Run) -> Parity:
        if list(run.names.strategies) != [FOLLOWER]:
            raise DataError(
                f"it ran {', '.join(run.names.strategies)}, not the signal of {alpha.alpha_id}; "
                "`hft alpha shadow` makes shadow runs"
            )
        times, values = followed([str(entry["path"]) for entry in run.manifest["tapes"]])
        if len(times) < 2:
            raise DataError("there is no signal on its tape")
        data = _rows(run, clock or f"{clock_of(times)}ns")
        found = signals.counted(alpha, data)
        known = np.isfinite(found)
        counted = _counted(times, values, (data.ts_ns[known], found[known]))
        return replace(counted, pairs=_pairs(data, times, values, alpha.manifest.horizon_ns))

    return compare


def followed(paths: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Times and values of the signal rows on tapes."""
    times, values = [], []
    for tape in open_tapes(list(paths)):
        columns = tape.columns()
        rows = np.flatnonzero((columns.kind == EventKind.SIGNAL.value) & (columns.order_id == 0))
        times.append(np.asarray(columns.exch_ts[rows], np.int64))
        values.append(np.asarray(columns.price[rows], np.float64) / SCALE)
    if not times:
        return np.zeros(0, np.int64), np.zeros(0)
    return np.concatenate(times), np.concatenate(values)


def _rows(run: Run, clock: str) -> ResearchData:
    """The rows of the run's tapes at the clock of its signal."""
    return from_tapes(open_tapes([str(entry["path"]) for entry in run.manifest["tapes"]]), clock)


def _pairs(data: ResearchData, times: np.ndarray, values: np.ndarray, horizon_ns: int) -> Pairs:
    """What was followed beside the forward return of its row."""
    label = data.labels(horizon_ns).value
    at = np.minimum(np.searchsorted(data.ts_ns, times), len(data) - 1)
    known = (data.ts_ns[at] == times) & np.isfinite(values) & np.isfinite(label[at])
    return Pairs(data.session[at][known], values[known], label[at][known])


def _counted(times: np.ndarray, values: np.ndarray, again: tuple[np.ndarray, np.ndarray]) -> Parity:
    """Values at the same moment, by UTC date; a moment that only one side has is a difference."""
    mine = pl.DataFrame({"ts": times, "was": values}).unique("ts", keep="last")
    theirs = pl.DataFrame({"ts": again[0], "now": again[1]}).unique("ts", keep="last")
    both = mine.join(theirs, on="ts", how="full", coalesce=True).sort("ts")
    close = (pl.col("was") - pl.col("now")).abs() <= TOLERANCE * pl.max_horizontal(
        pl.lit(1.0), pl.col("now").abs()
    )
    daily = (
        both.with_columns(day=pl.col("ts") // 86_400_000_000_000, same=close.fill_null(False))
        .group_by("day")
        .agg(count=pl.len(), same=pl.col("same").sum())
        .sort("day")
    )
    compared = {_date(row["day"]): int(row["count"]) for row in daily.to_dicts()}
    equal = {_date(row["day"]): int(row["same"]) for row in daily.to_dicts()}
    if not sum(equal.values()):
        raise DataError("none of its signal values is the alpha's: it followed something else")
    return Parity(compared, equal)


def _date(day: int) -> Date:
    return datetime.fromtimestamp(day * 86_400, UTC).date()


def stream(
    alpha: RemoteAlpha,
    tapes: Tapes,
    rules: Rules,
    *,
    limits: Limits,
    folder: Path,
    how: How | None = None,
    clock: str = "1s",
    may: Callable[[ResearchData], None] = lambda data: None,
) -> list[Any]:
    """Shadow runs: each day of tapes streamed row by row, its signal followed through the gateway.

    An alpha that is a policy with two quotes places these; the signal is carried and compared.
    `may` refuses rows that nobody may see. Returns the sealed runs' folders, a run a day and name.
    """
    paths: list[Any] = []
    quotes, how = quotes_of(alpha), how or How()
    if quotes is not None:
        how = replace(how, execution="quotes", quotes=quotes)
    for day in tapes.days:
        data = from_tapes(tapes[day], clock)
        may(data)
        found = signals.counted(alpha, data)
        replayed = replay_alpha(
            data, found, rules, limits=limits, folder=folder, how=how, record="full"
        )
        paths += replayed.paths
    return paths
