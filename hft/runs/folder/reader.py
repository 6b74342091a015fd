"""The run folder read: manifest, figures, frames and journal; nothing recorded is ever changed.

Frames are scanned when first asked for and kept. Where a crash left a table without its end, the
rows come from the journal.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import polars as pl
import pyarrow as pa

from hft.core.dtypes import STEP
from hft.core.errors import JournalError
from hft.reports.figures import Figures
from hft.reports.performance import distinct
from hft.runs.folder import guards, tables
from hft.runs.folder.damage import damage_is_a_sentence
from hft.runs.folder.journal import has_journal, read_steps, torn_bytes
from hft.runs.folder.layout import (
    DIGEST,
    JOURNAL,
    LIMITS,
    LOGS,
    MANIFEST,
    METRICS,
    NAMES,
    PARTIAL,
    SNAPSHOT,
    read_json,
)
from hft.runs.folder.names import RunNames
from hft.runs.folder.orders import orders_frame
from hft.runs.folder.places import with_places


@damage_is_a_sentence
@dataclass(frozen=True, repr=False)
class RunReader:
    """What one replay left behind, as its folder has it.

    Times in frames are UTC nanoseconds; `price` (float) stands beside `price_tick`, quantities are
    lots, money is in the settlement currency. Raises: JournalError for a folder that is not a run.
    """

    path: Path

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """The run in a folder, checked to be one."""
        run = cls(Path(path))
        if not (run.path / NAMES).is_file():
            raise JournalError(f"{run.path}: not a run folder ({NAMES} is missing)")
        return run

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """What the run depends on: hashes of code, configuration, tapes, instruments, seed; source.

        Paths of tapes and of strategies' files are there where this machine knows them.
        """
        return with_places(read_json(self.path / MANIFEST), self.path)

    @cached_property
    def names(self) -> RunNames:
        """The instruments and strategies behind the indices."""
        return RunNames.from_json(read_json(self.path / NAMES))

    @property
    def id(self) -> str:
        """The folder's name without its state."""
        return self.path.name.removesuffix(PARTIAL)

    @property
    def digest(self) -> str:
        """The run's digest; empty when it never ended."""
        path = self.path / DIGEST
        return path.read_text(errors="replace").strip() if path.is_file() else ""

    @property
    def record(self) -> str:
        """How much was kept: digest, summary or full."""
        return str(self.manifest.get("record", "digest"))

    @property
    def partial(self) -> bool:
        """Was the run interrupted?"""
        return bool(self.manifest.get("partial", True))

    @property
    def stopped(self) -> str:
        """What ended a partial run; empty for a whole one."""
        return (str(self.manifest.get("stopped", "")) or self._torn) if self.partial else ""

    @cached_property
    def _torn(self) -> str:
        """Of a run that was killed, or lost its power: what its journal lost, in words."""
        try:
            lost = 0 if self.digest else torn_bytes(self.path / JOURNAL)
        except JournalError:
            return ""  # whoever reads the steps is told
        return (
            f"killed while writing; the last {lost:,} bytes of its journal are torn" if lost else ""
        )

    @property
    def resumable(self) -> bool:
        """Can `resume=` continue it? Runs of compiled strategies can."""
        return self.partial and (self.path / SNAPSHOT).is_file()

    @property
    def config(self) -> dict[str, Any]:
        """Strategies, venue, limits, faults and times as they were asked for."""
        return dict(self.manifest.get("config", {}))

    @property
    def source(self) -> str:
        """The strategies' source text as it was replayed."""
        entries = self.config.get("strategies", {})
        texts = {name: str(entry.get("source", "")) for name, entry in entries.items()}
        if len(texts) == 1:
            return next(iter(texts.values()))
        return "\n\n".join(f"# {name}\n{text}" for name, text in texts.items())

    @property
    def limits(self) -> str:
        """The resolved limits as YAML text."""
        path = self.path / LIMITS
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    @cached_property
    def metrics(self) -> Figures:
        """Figures by name, each with its unit."""
        if not (self.path / METRICS).is_file():
            return Figures()
        return Figures.from_json(read_json(self.path / METRICS)["metrics"])

    @cached_property
    def totals(self) -> dict[str, Any]:
        """What the engine counted, and its final positions."""
        if not (self.path / METRICS).is_file():
            return {}
        return dict(read_json(self.path / METRICS)["totals"])

    @cached_property
    def fills(self) -> pl.DataFrame:
        """One row per fill as it reached us."""
        return self._frame("fills").collect()

    @cached_property
    def equity(self) -> pl.DataFrame:
        """Samples of position and P&L per strategy and symbol."""
        return distinct(self._frame("equity")).collect()

    @cached_property
    def decisions(self) -> pl.DataFrame:
        """One row per intent with the gateway's reason and margin (record full)."""
        return self._frame("decisions").collect()

    @cached_property
    def events(self) -> pl.DataFrame:
        """What happened to orders at the venue and on the way back (record full)."""
        return self._frame("events").collect()

    @cached_property
    def trips(self) -> pl.DataFrame:
        """What guards did: each trip, escalation and release, with its cause, value and limit."""
        return self._frame("trips").collect()

    @cached_property
    def controls(self) -> pl.DataFrame:
        """What was said to the gateway from outside, each input at its time."""
        return self._frame("controls").collect()

    @cached_property
    def orders(self) -> pl.DataFrame:
        """One row per order sent: its way, status, fills and times (record full)."""
        return orders_frame(self._frame("decisions"), self._frame("events")).collect()

    @cached_property
    def positions(self) -> pl.DataFrame:
        """The position after each fill, with what it had earned and paid until then."""
        by = ("strategy", "symbol")
        return self.fills.select(
            "ts",
            *by,
            "position_lots",
            "price",
            realized=pl.col("realized").cum_sum().over(by),
            fees=pl.col("fee").cum_sum().over(by),
        )

    @cached_property
    def series(self) -> pl.DataFrame:
        """Tracked state of the strategies, a column a name (record full)."""
        frame = self._frame("series").collect()
        parts = []
        for s, name in enumerate(self.names.strategies):
            track = self.names.track(s)
            columns = [pl.col(f"v{k}").alias(label) for k, label in enumerate(track)]
            rows = frame.filter(pl.col("strategy") == name)
            parts.append(rows.select("ts", "strategy", *columns))
        return pl.concat(parts, how="diagonal").sort("ts") if parts else frame

    @cached_property
    def logs(self) -> pl.DataFrame:
        """What strategies logged: ts, strategy, code, text, value (record full)."""
        path = self.path / LOGS
        if path.is_file():
            return pl.read_parquet(path)
        return _polars(tables.logs_table(np.zeros(0, _LOG), "", {}))

    def steps(self) -> Iterator[np.ndarray]:
        """The journal, a block of STEP rows at a time (record full)."""
        if not has_journal(self.path / JOURNAL):
            raise JournalError(f'{self.path}: no journal; run it again with record="full"')
        return read_steps(self.path / JOURNAL)

    def order(self, order_id: int) -> pl.DataFrame:
        """Everything that happened to one order, in order."""
        return self.events.filter(pl.col("order_id") == order_id)

    def _kept(self, name: str) -> pl.DataFrame | None:
        """A table, or None where this run has none."""
        return self._frame(name).collect() if (self.path / f"{name}.parquet").is_file() else None

    def _frame(self, name: str) -> pl.LazyFrame:
        """A table of the folder; from the journal when the table has no end."""
        path = self.path / f"{name}.parquet"
        level = "full" if name in ("decisions", "events", "series") else "summary"
        if not path.is_file():
            raise JournalError(f'{self.path}: {name} was not recorded; use record="{level}"')
        try:
            scanned = pl.scan_parquet(path)
            scanned.collect_schema()
            return scanned
        except (pl.exceptions.PolarsError, OSError):
            return self._rebuilt(name, path)

    def _rebuilt(self, name: str, path: Path) -> pl.LazyFrame:
        makers: dict[str, Callable[[np.ndarray, RunNames], pa.Table]] = {
            "decisions": tables.decisions_table,
            "events": tables.events_table,
            "trips": guards.trips_table,
            "controls": guards.controls_table,
            "fills": tables.fills_from_steps,
        }
        known = has_journal(self.path / JOURNAL)
        # Killed before its first record, a full run has no journal yet, and no digest.
        none_yet = self.record == "full" and not known and self.digest == ""
        if name not in makers or not (known or none_yet):
            raise JournalError(f"{path}: has no end; the run was killed while writing it") from None
        blocks = read_steps(self.path / JOURNAL) if known else ()
        parts = [makers[name](steps, self.names) for steps in (np.zeros(0, STEP), *blocks)]
        return _polars(pa.concat_tables(parts)).lazy()


_LOG = np.dtype([("ts_ns", np.int64), ("code", np.int64), ("value", np.float64)])


def _polars(table: pa.Table) -> pl.DataFrame:
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    return frame
