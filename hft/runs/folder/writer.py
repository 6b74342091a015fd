"""The run folder: written while a replay runs, sealed by a rename, and found again by its key.

`<run_id>.partial/` becomes `<run_id>/` when everything is in it; a crash, a full disk or Ctrl-C
leaves the partial folder with all that was written. The writer owns the folder until then. Wall
time enters only the name. Records are copied when they are taken and written beside the engine, in
order: by one thread to the journal, then by one to the tables. `settle`, `marks` and `seal` wait.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from hft.core.codes import StepKind
from hft.core.dtypes import FILL, STEP
from hft.core.errors import ConfigError, JournalError
from hft.metrics.gateway import read_measures
from hft.metrics.readings import Readings
from hft.metrics.steps import StepMeasures
from hft.runs.folder import guards, tables
from hft.runs.folder.beside import Beside
from hft.runs.folder.journal import StepJournal, has_journal, most_bytes, read_steps
from hft.runs.folder.layout import (
    DIGEST,
    FIGURES,
    JOURNAL,
    LIMITS,
    LOGS,
    MANIFEST,
    METRICS,
    NAMES,
    PARTIAL,
    RECORDS,
    dump_json,
)
from hft.runs.folder.names import RunNames
from hft.runs.folder.places import PLACES, split_places
from hft.runs.folder.records import copied, words
from hft.runs.folder.row_file import RowFile, read_rows, row_file_path
from hft.runs.folder.summary import summarize
from hft.storage.atomic import sync_folder, write_atomic

if TYPE_CHECKING:
    from hft.runs.folder.table_file import TableFile

Maker = Callable[[np.ndarray, RunNames], pa.Table]
# The tables of steps with the kinds that they are of; the first few are kept at every level.
RARE: dict[str, tuple[Maker, tuple[int, ...]]] = {
    "trips": (guards.trips_table, (StepKind.GUARD.value,)),
    "controls": (guards.controls_table, (StepKind.CONTROL.value,)),
}
OF_STEPS = RARE | {
    "decisions": (tables.decisions_table, (StepKind.DECISION.value,)),
    "events": (tables.events_table, tables.EVENT_KINDS),
}
# Steps of these tables are read from the journal again, the others' rows have files.
IN_JOURNAL = tuple(name for name in OF_STEPS if name not in RARE)
RING_STEPS = 1 << 15  # what an engine brings at most
# That may wait for each thread, the one in work among them: a group of rows holds tables up.
BATCHES, TABULATED = 2, 8
MARK = "folder."  # before the name of a table in a snapshot
RESERVE, RESERVE_BYTES = ".reserve", 1 << 20  # given up when the disk is full, to end in order


class JournalFull(JournalError):
    """The journal of a run has reached the size it may have."""


class RunWriter:
    """The sink of a replay and the author of its folder.

    `record`: full writes everything, summary fills and equity, digest only what `seal` is given.
    `manifest` is written at once, so that a run that never ends can still be listed.
    A `resumable` run keeps the records of its tables until it is whole; see `row_file`.
    Raises: JournalError naming the file when the disk is full, one or more takes later than the one
    that it is about; JournalFull from the take that passed `max_journal_bytes` (0: any size).
    """

    def __init__(
        self,
        out: str | Path,
        run_id: str,
        record: str = "full",
        *,
        names: RunNames,
        manifest: dict[str, Any] | None = None,
        limits: str = "",
        max_journal_bytes: int = 0,
        resumable: bool = False,
    ) -> None:
        if record not in RECORDS:
            raise ConfigError(f"record: {record!r} is none of {', '.join(RECORDS)}")
        self.record, self.names = record, names
        self.path = _new_folder(Path(out), run_id)
        self.run_id = self.path.name.removesuffix(PARTIAL)
        self._manifest, places = split_places(manifest or {})
        self._tables: dict[str, TableFile] = {}
        self._rows: dict[str, RowFile] = {}
        self._resumable = resumable
        self._logs: list[pa.Table] = []
        self._max_journal_bytes = max_journal_bytes
        self._journal = StepJournal(self.path / JOURNAL)
        self._journaling, self._tabulating = Beside(BATCHES), Beside(TABULATED)
        self._spare: list[np.ndarray] = []
        self._taken = 0  # steps for the journal, written or not
        self._measures = StepMeasures(len(names.strategies)) if record == "full" else None
        with self._guarded("the run folder"):
            (self.path / RESERVE).write_bytes(bytes(RESERVE_BYTES))
            if places:
                write_atomic(self.path / PLACES, dump_json(places))
            write_atomic(self.path / NAMES, dump_json(names.to_json()))
            write_atomic(self.path / MANIFEST, dump_json(self._head() | self._manifest))
            if limits:
                write_atomic(self.path / LIMITS, limits)
            self._open_tables()

    def take(
        self, steps: np.ndarray, fills: np.ndarray, equity: np.ndarray, series: np.ndarray
    ) -> None:
        """Have the records since last time written; the arrays may be reused afterwards."""
        if self.record == "digest":
            return
        kept = self._copied(steps)
        rest = {"fills": copied(fills), "equity": copied(equity)}
        if self.record == "full":
            self._taken += len(steps)
            rest["series"] = np.empty(len(series), tables.tracked(self.names))
            for name in ("ts_ns", "strategy_idx"):
                rest["series"][name] = series[name]
            width = rest["series"]["values"].shape[1]
            rest["series"]["values"] = series["values"][:, :width]
        with self._guarded("the journal"):
            self._journaling.put(partial(self._write, kept, len(steps), rest))
        self._refuse_full()

    def settle(self) -> None:
        """Wait until everything taken is written. Raises: JournalError as `take` does."""
        with self._guarded("the journal"):
            self._journaling.settle()
            self._tabulating.settle()

    def rest(self) -> None:
        """Wait until nothing is being written any more, whatever came of it: a disk that is full
        ends both threads, and the first to say so says it for both."""
        for one in (self._journaling, self._tabulating):
            one.rest()
            one.heard()

    def marks(self) -> dict[str, np.ndarray]:
        """How far each table has come, for a snapshot of this moment; all of it is durable then."""
        self.settle()
        with self._guarded("the journal"):
            self._journal.sync()
            for rows in self._rows.values():
                rows.sync()
            sync_folder(self.path)
            sync_folder(self.path.parent)
        return {f"{MARK}{name}": rows.mark() for name, rows in self._rows.items()}

    def adopt(self, other: Path, saved: Mapping[str, np.ndarray], steps: int) -> None:
        """Begin with the `steps` that another run of the same job has recorded, to resume it.

        `saved` has the marks of its snapshot; what it wrote later is left alone.
        Raises: JournalError when its files are not those that it wrote.
        """
        with self._guarded("the journal"):
            for name in self._rows:
                dtype = self._makers()[name][1]
                mark = saved[f"{MARK}{name}"]
                for rows in read_rows(row_file_path(other, name), mark, dtype):
                    self._add(name, rows)
            if self.record == "full" and has_journal(other / JOURNAL):
                for rows in read_steps(other / JOURNAL):
                    mine = rows[rows["seq"] <= steps]
                    self._journal.take(mine)
                    if self._measures is not None:
                        self._measures.take(mine)
                    self._tabulate(_sorted(mine, IN_JOURNAL))
        self._taken = self._journal.steps
        if self.record == "full" and self._journal.steps != steps:
            raise JournalError(
                f"{other / JOURNAL}: has {self._journal.steps:,} of {steps:,} records, "
                "so the run cannot be resumed; replay anew"
            )

    def logs(self, rows: np.ndarray, strategy_idx: int, texts: dict[int, str]) -> None:
        """The log entries of one strategy, at the end of the run; a full record keeps them."""
        if self.record == "full":
            name = self.names.strategies[strategy_idx]
            self._logs.append(tables.logs_table(rows, name, texts))

    def seal(
        self,
        manifest: dict[str, Any],
        digest: str,
        metrics: dict[str, Any],
        *,
        figures: Readings | None = None,
        partial: bool = False,
    ) -> Path:
        """Write what is known at the end; rename the folder unless the run is partial.

        A record of the digest alone keeps no `figures`. The manifest gets `run_id`, `record`,
        `digest` and `partial`. Returns: the folder.
        """
        self.settle()
        with self._guarded("the run folder"):
            self._close()
            if self._logs:
                import pyarrow.parquet as pq

                pq.write_table(pa.concat_tables(self._logs), self.path / LOGS, compression="zstd")
            summary = summarize(self.path, self.names, metrics)
            write_atomic(self.path / METRICS, dump_json(summary))
            if figures is not None and self.record != "digest":
                self._show(figures)
            whole = self._head() | self._manifest | manifest
            whole |= {"digest": digest, "partial": partial}
            if not partial:
                for rows in self._rows.values():
                    rows.remove()
            write_atomic(self.path / MANIFEST, dump_json(whole))
            (self.path / RESERVE).unlink(missing_ok=True)
            write_atomic(self.path / DIGEST, digest + "\n")
            return self.path if partial else self._rename()

    def close(self) -> None:
        """Give up: what was taken stays readable in the partial folder."""
        self.settle()
        with self._guarded("the run folder"):
            self._close()
            (self.path / RESERVE).unlink(missing_ok=True)

    def _head(self) -> dict[str, Any]:
        return {"run_id": self.run_id, "record": self.record, "partial": True}

    def _makers(self) -> dict[str, tuple[Maker, np.dtype]]:
        """The tables of this record with their rows."""
        if self.record == "digest":
            return {}
        from hft.replay.state import EQUITY

        of_steps = OF_STEPS if self.record == "full" else RARE
        made: dict[str, tuple[Maker, np.dtype]] = {
            "fills": (tables.fills_table, FILL),
            "equity": (tables.equity_table, EQUITY),
            **{name: (make, STEP) for name, (make, _) in of_steps.items()},
        }
        if self.record == "full":
            made["series"] = (tables.series_table, tables.tracked(self.names))
        return made

    def _open_tables(self) -> None:
        made = self._makers()
        if not made:
            return
        from hft.runs.folder.table_file import TableFile

        for name, (make, dtype) in made.items():
            path = self.path / f"{name}.parquet"
            self._tables[name] = TableFile(path, self._of(make), dtype)
            if self._resumable and name not in IN_JOURNAL:
                self._rows[name] = RowFile(row_file_path(self.path, name))

    def _of(self, make: Maker) -> Callable[[np.ndarray], pa.Table]:
        return lambda rows: make(rows, self.names)

    def _copied(self, steps: np.ndarray) -> np.ndarray:
        """The steps at the begin of an array that is used again when they are written."""
        kept = self._spare.pop() if self._spare else np.empty(RING_STEPS, STEP)
        if len(kept) < len(steps):
            kept = np.empty(len(steps), STEP)
        words(kept[: len(steps)])[:] = words(steps)
        return kept

    def _write(self, kept: np.ndarray, count: int, rest: Mapping[str, np.ndarray]) -> None:
        """The steps of one take to the journal, then what tables have of it to the tables."""
        if self.record == "full":
            self._journal.take(kept[:count])
        rows = _sorted(kept[:count], OF_STEPS if self.record == "full" else RARE)
        if self._measures is not None:
            self._measures.take_apart(rows["decisions"], rows["events"], rows["controls"])
        self._spare.append(kept)
        self._tabulating.put(partial(self._tabulate, {**rows, **rest}))

    def _show(self, figures: Readings) -> None:
        """The figures of the run's end; they can be made again, so nobody waits for the disk."""
        if self._measures is not None:
            facts = {"strategies": list(self.names.strategies)}
            read_measures(self._measures.columns(), facts, figures)
        (self.path / FIGURES).write_text(figures.text(), encoding="utf-8")

    def _tabulate(self, rows: Mapping[str, np.ndarray]) -> None:
        for name, one in rows.items():
            self._add(name, one)

    def _add(self, name: str, rows: np.ndarray) -> None:
        if len(rows) == 0:
            return
        if name in self._rows:
            self._rows[name].add(rows)
        self._tables[name].add(rows)

    def _refuse_full(self) -> None:
        """Raises: JournalFull when what was taken has passed the size; waits only near it."""
        most = self._max_journal_bytes
        waiting = self._taken - self._journal.steps
        if most == 0 or self._journal.size + most_bytes(waiting) <= most:
            return
        self.settle()
        if self._journal.size > most:
            raise JournalFull(
                f"{self.path}: the journal has passed runs.max_journal_gb ({most / 1e9:g} GB) "
                f"after {self._journal.steps:,} steps; the run so far is kept; raise the setting, "
                "or take --record summary"
            )

    def _files(self) -> "list[TableFile | RowFile]":
        return [*self._tables.values(), *self._rows.values()]

    def _close(self) -> None:
        for one in self._files():
            one.close()
        self._journal.close()

    def _rename(self) -> Path:
        final = self.path.with_name(self.run_id)
        os.replace(self.path, final)
        sync_folder(final.parent)
        self.path = final
        return final

    def _guarded(self, what: str) -> "_Guard":
        return _Guard(self, what)


def _sorted(steps: np.ndarray, to: Iterable[str]) -> dict[str, np.ndarray]:
    """Copies of the steps that these tables are of."""
    kinds = steps["kind"].astype(np.uint8)
    rows = {}
    for name in to:
        wanted = np.zeros(256, bool)
        wanted[list(OF_STEPS[name][1])] = True
        rows[name] = steps.take(np.flatnonzero(wanted[kinds]))
    return rows


class _Guard:
    """Turns a failed write into one sentence and ends the files in order first."""

    def __init__(self, writer: RunWriter, what: str) -> None:
        self.writer, self.what = writer, what

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if not isinstance(error, OSError | JournalError):
            return
        path = self.writer.path
        self.writer.rest()
        (path / RESERVE).unlink(missing_ok=True)
        for one in self.writer._files():
            try:
                one.close()
            except OSError:
                continue  # the journal still has these rows
        if isinstance(error, JournalError):
            return
        reason = error.strerror or str(error)
        raise JournalError(
            f"{error.filename or path}: {self.what} cannot be written: {reason}; "
            f"what was written before is kept in {path}"
        ) from None


def _new_folder(out: Path, run_id: str) -> Path:
    """`<run_id>.partial`, with a number when a run of the same second and key is there."""
    name, count = run_id, 1
    try:
        out.mkdir(parents=True, exist_ok=True)
        while True:
            if not (out / name).exists():
                try:
                    (out / f"{name}{PARTIAL}").mkdir()
                    return out / f"{name}{PARTIAL}"
                except FileExistsError:
                    pass
            count += 1
            name = f"{run_id}.{count}"
    except OSError as error:
        raise JournalError(f"{out}: run folders cannot be made: {error.strerror}") from None
