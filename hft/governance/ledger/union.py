"""All chains of a ledger folder read as one: whatever any writer of any clone recorded.

Every line is compared with its own hash and with the row before it as it is read; what was read
once is kept in memory and only what was added since is read again. It never writes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from hft.core.errors import DataError, JournalError
from hft.research.trial import FIELDS, Row, decode_row
from hft.storage.chain import GENESIS, Chain, Head, Mark
from hft.storage.chain_row import NotARow, check_hash

SUFFIX = ".jsonl"
SCHEMA = {
    "writer_id": pl.String,
    "seq": pl.Int64,
    "ts_ns": pl.Int64,
    "prev_hash": pl.String,
    "row_hash": pl.String,
    "trial_id": pl.String,
    "alpha_id": pl.String,
    "family": pl.String,
    "label_family": pl.String,
    "data_start_ns": pl.Int64,
    "data_end_ns": pl.Int64,
    "config_hash": pl.String,
    "data_hash": pl.String,
    "code_hash": pl.String,
    "sharpe_per_period": pl.Float64,
    "n_obs": pl.Int64,
    "skew": pl.Float64,
    "kurtosis": pl.Float64,
    "returns_sha256": pl.String,
    "source": pl.String,
    "seed": pl.Int64,
    "reentry": pl.Int64,
}


@dataclass(frozen=True)
class Broken:
    """The first line of a chain that does not fit."""

    line: int
    seq: int
    what: str
    forked: bool = False


@dataclass
class WriterChain:
    """What is known of one writer's file."""

    writer: str
    path: Path
    mark: Mark | None = None
    head: Head = field(default_factory=lambda: Head(0, GENESIS))
    rows: list[Row] = field(default_factory=list)
    torn_bytes: int = 0
    broken: Broken | None = None
    readings: int = 0  # how often it was read from its start

    def refresh(self) -> bool:
        """Read what was added since the last time; returns whether anything changed."""
        lines, mark, torn = Chain(self.path).follow(self.mark)
        if mark.again:
            self.head, self.rows, self.broken = Head(0, GENESIS), [], None
            self.readings += 1
        changed = mark.again or bool(lines)
        self.mark, self.torn_bytes = mark, torn
        if self.broken is None:
            self._take(lines)
        return changed

    def _take(self, lines: list[bytes]) -> None:
        for number, line in enumerate(lines, start=len(self.rows) + 1):
            try:
                check_hash(line)
                row = decode_row(line)
            except (NotARow, DataError) as error:
                self.broken = Broken(number, self.head.seq + 1, str(error))
                return
            self.broken = self._misfit(row, number)
            if self.broken is not None:
                return
            self.rows.append(row)
            self.head = Head(row.seq, row.row_hash)

    def _misfit(self, row: Row, number: int) -> Broken | None:
        expected = self.head.seq + 1
        if row.writer_id != self.writer:
            what = f"it belongs to writer {row.writer_id[:32]}"
        elif 1 <= row.seq < expected and row.row_hash != self.rows[row.seq - 1].row_hash:
            what = f"it is a second row {row.seq} of the same writer"
            return Broken(number, row.seq, what, forked=True)
        elif row.seq != expected:
            what = f"its seq is {row.seq} where {expected} is expected"
        elif row.prev_hash != self.head.hash:
            what = f"its prev_hash is {row.prev_hash[:12]}, the row before {self.head.hash[:12]}"
        else:
            return None
        return Broken(number, expected, what)


class Union:
    """Every chain of a folder, refreshed on demand."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.chains: dict[str, WriterChain] = {}
        self._unique: pl.DataFrame | None = None
        self._ids: set[str] = set()
        self._counted: dict[tuple[str, int], int] = {}

    def refresh(self) -> "Union":
        """Look again at the folder and read what is new."""
        changed = False
        found = {path.stem: path for path in chain_files(self.folder)}
        for gone in set(self.chains) - set(found):
            del self.chains[gone]
            changed = True
        for writer in sorted(found):
            if writer not in self.chains:
                self.chains[writer] = WriterChain(writer, found[writer])
            changed = self.chains[writer].refresh() or changed
        if changed:
            self._unique = None
        return self

    def broken(self) -> Iterator[WriterChain]:
        """The chains that do not fit somewhere."""
        return (chain for _, chain in sorted(self.chains.items()) if chain.broken is not None)

    def ids(self) -> set[str]:
        """The ids of all trials recorded so far; grows with the chains."""
        for writer, chain in self.chains.items():
            reading = (writer, chain.readings)
            start = self._counted.get(reading, 0)
            self._ids.update(row.trial_id for row in chain.rows[start:])
            self._counted[reading] = len(chain.rows)
        return self._ids

    def unique(self) -> pl.DataFrame:
        """One row a trial id, the first recorded, with `repeats`; in the order of recording.

        The same id with other returns is another trial: something moved that no hash covers.

        Raises: JournalError where a chain is broken: a count over a part of the trials is no count.
        """
        for chain in self.broken():
            assert chain.broken is not None
            raise JournalError(
                f"{chain.path}: line {chain.broken.line} does not fit: {chain.broken.what}"
            )
        if self._unique is None:
            self._unique = _unique([row for chain in self.chains.values() for row in chain.rows])
        return self._unique


def chain_files(folder: Path) -> list[Path]:
    """The chain files of a ledger, by name."""
    return sorted(path for path in folder.glob(f"*{SUFFIX}") if not path.name.startswith("."))


def _unique(rows: list[Row]) -> pl.DataFrame:
    columns: dict[str, list] = {}
    for name in FIELDS:
        values = [getattr(row, name) for row in rows]
        if name == "data_interval":
            columns["data_start_ns"] = [start for start, _ in values]
            columns["data_end_ns"] = [end for _, end in values]
        else:
            columns[name] = values
    frame = pl.DataFrame(columns, schema=SCHEMA)
    frame = frame.sort("ts_ns", "writer_id", "seq")
    same = ["trial_id", "returns_sha256"]
    frame = frame.with_columns((pl.len().over(same) - 1).cast(pl.Int64).alias("repeats"))
    return frame.unique(same, keep="first", maintain_order=True)
