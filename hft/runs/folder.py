"""The run folder: written while a replay runs, sealed by a rename, and found again by its key.

`<run_id>.partial/` becomes `<run_id>/` when everything is in it; a crash, a full disk or Ctrl-C
leaves the partial folder with all that was written. The writer owns the folder until then. Wall
time enters only the name.
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hft.core.dtypes import FILL, STEP
from hft.core.errors import ConfigError, JournalError
from hft.runs import tables
from hft.runs.damage import file_sha256
from hft.runs.journal import StepJournal, has_journal, read_steps
from hft.runs.names import RunNames
from hft.storage.atomic import sync_folder, write_atomic

PARTIAL = ".partial"
MANIFEST, METRICS, DIGEST, NAMES = "manifest.json", "metrics.json", "digest", "instruments.json"
LIMITS, JOURNAL, LOGS = "limits.yaml", "journal", "logs.parquet"
SNAPSHOT = "snapshot.npz"  # where a partial run can go on
RECORDS = ("digest", "summary", "full")
GROUP_ROWS = 1 << 16
RESERVE, RESERVE_BYTES = ".reserve", 1 << 20  # given up when the disk is full, to end in order
ZSTD_LEVEL = 1


def run_id(key: str, now_ns: int | None = None) -> str:
    """`<UTC stamp>_<first 8 hex of key>`; `key` is the hash of code, config, tape and seed."""
    seconds = (time.time_ns() if now_ns is None else now_ns) // 1_000_000_000
    return f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(seconds))}_{key[:8]}"


def find_sealed(out: str | Path, key: str, record: str = "digest") -> Path | None:
    """The newest sealed run of the same key that recorded at least as much, or None."""
    for path in sorted(Path(out).glob(f"*_{key[:8]}*"), reverse=True):
        if path.name.endswith(PARTIAL) or not (path / DIGEST).is_file():
            continue
        try:
            manifest = read_json(path / MANIFEST)
        except JournalError:
            continue  # a damaged folder is no reason not to run
        enough = RECORDS.index(manifest.get("record", "digest")) >= RECORDS.index(record)
        if manifest.get("key") == key and enough:
            return path
    return None


def folders(out: str | Path) -> Iterator[Path]:
    """Every run folder of `out`, oldest first, partial ones too."""
    for path in sorted(Path(out).glob("*_*")):
        if path.is_dir() and (path / NAMES).is_file():
            yield path


def read_json(path: Path) -> dict[str, Any]:
    """Raises: JournalError when the file is absent or is not JSON."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise JournalError(f"{path}: missing; this is not a whole run folder") from None
    except (OSError, ValueError) as error:
        raise JournalError(f"{path}: cannot be read: {error}") from None
    if not isinstance(data, dict):
        raise JournalError(f"{path}: not a JSON object")
    return data


def dump_json(data: Any) -> str:
    """JSON of a run folder: sorted keys, so that equal content is equal bytes."""
    return json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False, default=_plain) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    return str(value)


class JournalFull(JournalError):
    """The journal of a run has reached the size it may have."""


class TableFile:
    """One Parquet file that grows by row groups."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.path, self._schema = path, schema
        coded = [field.name for field in schema if pa.types.is_dictionary(field.type)]
        counted = [f.name for f in schema if pa.types.is_int64(f.type) or f.type == tables.TIME]
        self._writer: pq.ParquetWriter | None = pq.ParquetWriter(
            path,
            schema,
            compression="zstd",
            compression_level=ZSTD_LEVEL,
            use_dictionary=coded,
            column_encoding=dict.fromkeys(counted, "DELTA_BINARY_PACKED"),
            store_schema=False,  # so that readers see text where we hold codes
        )
        self._waiting: list[pa.Table] = []
        self._rows = 0

    def add(self, table: pa.Table) -> None:
        if table.num_rows == 0:
            return
        self._waiting.append(table)
        self._rows += table.num_rows
        if self._rows >= GROUP_ROWS:
            self._flush()

    def copy(self, other: Path) -> None:
        """Add the rows of another file of the same columns."""
        with pq.ParquetFile(other) as file:
            for batch in file.iter_batches(GROUP_ROWS):
                columns = [_coded(batch.column(field.name), field.type) for field in self._schema]
                self.add(pa.Table.from_arrays(columns, schema=self._schema))

    def close(self) -> None:
        """Write what is waiting and the footer."""
        if self._writer is None:
            return
        self._flush()
        writer, self._writer = self._writer, None
        writer.close()

    def _flush(self) -> None:
        waiting, self._waiting, self._rows = self._waiting, [], 0
        if waiting and self._writer is not None:
            self._writer.write_table(pa.concat_tables(waiting))


def _coded(column: Any, wanted: pa.DataType) -> Any:
    """Text as the codes of a file's schema; a file is read back without them."""
    if not pa.types.is_dictionary(wanted):
        return column.cast(wanted)
    found = column.cast(wanted.value_type).dictionary_encode()
    return pa.DictionaryArray.from_arrays(found.indices.cast(wanted.index_type), found.dictionary)


class RunWriter:
    """The sink of a replay and the author of its folder.

    `record`: full writes everything, summary fills and equity, digest only what `seal` is given.
    `manifest` is written at once, so that a run that never ends can still be listed.
    Raises: JournalError naming the file when the disk is full; JournalFull after the write that
    passed `max_journal_bytes` (0: any size).
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
    ) -> None:
        if record not in RECORDS:
            raise ConfigError(f"record: {record!r} is none of {', '.join(RECORDS)}")
        self.record, self.names = record, names
        self.path = _new_folder(Path(out), run_id)
        self.run_id = self.path.name.removesuffix(PARTIAL)
        self._manifest = dict(manifest or {})
        self._tables: dict[str, TableFile] = {}
        self._logs: list[pa.Table] = []
        self._max_journal_bytes = max_journal_bytes
        self._journal = StepJournal(self.path / JOURNAL)
        with self._guarded("the run folder"):
            (self.path / RESERVE).write_bytes(bytes(RESERVE_BYTES))
            write_atomic(self.path / NAMES, dump_json(names.to_json()))
            write_atomic(self.path / MANIFEST, dump_json(self._head() | self._manifest))
            if limits:
                write_atomic(self.path / LIMITS, limits)
            self._open_tables()

    def take(
        self, steps: np.ndarray, fills: np.ndarray, equity: np.ndarray, series: np.ndarray
    ) -> None:
        """Write the records since last time; the arrays may be reused afterwards."""
        if self.record == "digest":
            return
        with self._guarded("the journal"):
            if self.record == "full":
                self._journal.take(steps)
                self._add("decisions", tables.decisions_table, steps)
                self._add("events", tables.events_table, steps)
                self._add("series", tables.series_table, series)
            self._add("fills", tables.fills_table, fills)
            self._add("equity", tables.equity_table, equity)
        if 0 < self._max_journal_bytes < self._journal.size:
            raise JournalFull(
                f"{self.path}: the journal has passed runs.max_journal_gb "
                f"({self._max_journal_bytes / 1e9:g} GB) after {self._journal.steps:,} steps; "
                "the run so far is kept; raise the setting, or take --record summary"
            )

    def adopt(self, other: Path, steps: int) -> None:
        """Begin with the `steps` that another run of the same job has recorded, to resume it.

        Raises: JournalError when its files are not those that it ended with.
        """
        left = read_json(other / MANIFEST).get("tables", {})
        with self._guarded("the journal"):
            for name, table in self._tables.items():
                path = other / f"{name}.parquet"
                if not path.is_file() or left.get(name) != file_sha256(path):
                    raise JournalError(
                        f"{path}: is not as the run left it, so it cannot be resumed; replay anew"
                    )
                table.copy(path)
            if self.record == "full" and has_journal(other / JOURNAL):
                for rows in read_steps(other / JOURNAL):
                    self._journal.take(rows)
        if self.record == "full" and self._journal.steps != steps:
            raise JournalError(
                f"{other / JOURNAL}: has {self._journal.steps:,} of {steps:,} records, "
                "so the run cannot be resumed; replay anew"
            )

    def logs(self, rows: np.ndarray, strategy_idx: int, texts: dict[int, str]) -> None:
        """The log entries of one strategy, at the end of the run."""
        self._logs.append(tables.logs_table(rows, self.names.strategies[strategy_idx], texts))

    def seal(
        self,
        manifest: dict[str, Any],
        digest: str,
        metrics: dict[str, Any],
        *,
        partial: bool = False,
    ) -> Path:
        """Write what is known at the end; rename the folder unless the run is partial.

        Returns: the folder. The manifest gets `run_id`, `record`, `digest` and `partial`.
        """
        from hft.runs.summary import summarize

        with self._guarded("the run folder"):
            self._close()
            if self._logs and self.record == "full":
                pq.write_table(pa.concat_tables(self._logs), self.path / LOGS, compression="zstd")
            summary = summarize(self.path, self.names, metrics)
            write_atomic(self.path / METRICS, dump_json(summary))
            whole = self._head() | self._manifest | manifest
            whole |= {"digest": digest, "partial": partial}
            if partial:  # what a resumed run begins with
                whole["tables"] = {
                    name: file_sha256(self.path / f"{name}.parquet") for name in self._tables
                }
            write_atomic(self.path / MANIFEST, dump_json(whole))
            (self.path / RESERVE).unlink(missing_ok=True)
            write_atomic(self.path / DIGEST, digest + "\n")
            return self.path if partial else self._rename()

    def close(self) -> None:
        """Give up: what was taken stays readable in the partial folder."""
        with self._guarded("the run folder"):
            self._close()
            (self.path / RESERVE).unlink(missing_ok=True)

    def _head(self) -> dict[str, Any]:
        return {"run_id": self.run_id, "record": self.record, "partial": True}

    def _open_tables(self) -> None:
        if self.record == "digest":
            return
        from hft.replay.state import EQUITY, SERIES

        wanted: dict[str, tuple[Callable[[np.ndarray, RunNames], pa.Table], np.dtype]] = {
            "fills": (tables.fills_table, FILL),
            "equity": (tables.equity_table, EQUITY),
        }
        if self.record == "full":
            wanted["decisions"] = (tables.decisions_table, STEP)
            wanted["events"] = (tables.events_table, STEP)
            wanted["series"] = (tables.series_table, SERIES)
        for name, (make, dtype) in wanted.items():
            schema = make(np.zeros(0, dtype), self.names).schema
            self._tables[name] = TableFile(self.path / f"{name}.parquet", schema)

    def _add(
        self, name: str, make: Callable[[np.ndarray, RunNames], pa.Table], rows: np.ndarray
    ) -> None:
        if len(rows):
            self._tables[name].add(make(rows, self.names))

    def _close(self) -> None:
        for table in self._tables.values():
            table.close()
        self._journal.close()

    def _rename(self) -> Path:
        final = self.path.with_name(self.run_id)
        os.replace(self.path, final)
        sync_folder(final.parent)
        self.path = final
        return final

    def _guarded(self, what: str) -> "_Guard":
        return _Guard(self, what)


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
        (path / RESERVE).unlink(missing_ok=True)
        for close in [*(table.close for table in self.writer._tables.values())]:
            try:
                close()
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
