"""A backlog into the embedded engine: our loader beside the engine's own file reader and lists.

`python -m benchmarks.loader` records rows once, then runs each way in a process and a database of
its own, round after round: `hft recorder load`'s path, `INSERT SELECT FROM file(Arrow)` of the same
rows, and lists of columns through the driver. It prints rows a second, peak memory, and the ratios.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.machine import describe
from benchmarks.measure import Goal, Series
from benchmarks.recorder import monitor
from hft.recorder.blocks import batch_of
from hft.recorder.inserts import INSERT_ROWS, Target, named
from hft.recorder.loader import Loader, load_all
from hft.recorder.schema import schema_of
from hft.recorder.segments import sealed_paths
from hft.recorder.tables import TABLES
from hft.recorder.wal_first import Sizes, WALFirstWriter
from hft.storage.database import Source, opened
from hft.storage.disk import REAL

TABLE, WRITER = "market_data", "bench"
OURS, FILE, LISTS = "ours", "file(Arrow)", "column lists"
AIMS = {FILE: 0.45, LISTS: 1.7}
MEMORY_GB = 1.2


def batch(first: int, count: int) -> pa.RecordBatch:
    """Market data as a feed brings it."""
    draw = np.random.default_rng(first)
    columns: dict[str, Any] = {
        name: draw.integers(0, 1 << 30, count) for name, _ in TABLES[TABLE].columns
    }
    columns |= {"session": ["s"] * count, "symbol": ["BTCUSDT"] * count}
    columns["seq"] = np.arange(first, first + count)
    return batch_of(TABLES[TABLE], columns)


def record(folder: Path, rows: int) -> None:
    """The same rows as segments and as an Arrow file."""
    sizes = Sizes(batch_rows=1 << 40, segment_ns=1 << 60)
    writer = WALFirstWriter(folder / "wal", WRITER, monitor(), sizes=sizes)
    sink = None
    for first in range(1, rows + 1, 50_000):
        one = batch(first, min(50_000, rows + 1 - first))
        writer.write(TABLE, one)
        writer.commit()
        table = named(pa.Table.from_batches([one]), WRITER, np.arange(first, first + one.num_rows))
        sink = sink or pa.ipc.new_file(str(folder / "rows.arrow"), table.schema)
        sink.write_table(table)
    writer.close()
    if sink is not None:
        sink.close()


def run(way: str, folder: Path, database: Path) -> dict[str, float]:
    """One way in this process: seconds, peak memory, and rows in the end."""
    source = Source(f"chdb://{database}", answer_s=3600)
    full = f"hft.{TABLE}"
    with opened(source) as engine:
        schema_of().apply(engine)
        began = time.perf_counter()
        if way == OURS:
            wal = folder / "wal"
            target = Target(lambda: opened(source), source.shown, "hft", is_embedded=True)
            load_all([Loader(wal, target)], sealed_paths(wal, REAL))
        elif way == FILE:
            engine.command(f"INSERT INTO {full} SELECT * FROM file('{folder}/rows.arrow', Arrow)")
        else:
            with pa.ipc.open_file(pa.memory_map(str(folder / "rows.arrow"))) as file:
                for number in range(file.num_record_batches):
                    _insert_lists(engine, full, file.get_batch(number))
        seconds = time.perf_counter() - began
        ((count, distinct),) = engine.rows(f"SELECT count(), uniqExact(wal_seq) FROM {full}")
    assert count == distinct, (count, distinct)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)
    return {"seconds": seconds, "rows": count, "peak_gb": peak}


def _insert_lists(engine: Any, full: str, rows: pa.RecordBatch) -> None:
    for at in range(0, rows.num_rows, INSERT_ROWS):
        part = rows.slice(at, INSERT_ROWS)
        columns = [column.to_pylist() for column in part.columns]
        engine._client.insert(full, columns, column_names=part.schema.names, column_oriented=True)


def apart(way: str, folder: Path, kept: Path) -> dict[str, float]:
    """The same in a process of its own; segments are put back afterwards."""
    words = [sys.executable, "-m", "benchmarks.loader", "--way", way, "--at", str(folder)]
    with tempfile.TemporaryDirectory(dir=kept) as database:
        done = subprocess.run(
            [*words, "--database", f"{database}/engine"], capture_output=True, text=True, check=True
        )
    for path in (folder / "wal" / "archive").glob("*.wal"):
        path.rename(folder / "wal" / path.name)
    for path in (folder / "wal" / "manifest").glob("*.json"):
        path.unlink()
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, default=Path("."), help="on the disk to measure")
    parser.add_argument("--way", choices=(OURS, FILE, LISTS), help=argparse.SUPPRESS)
    parser.add_argument("--at", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--database", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.way:
        print(json.dumps(run(given.way, given.at, given.database)))
        return
    facts = describe()
    print(
        f"{given.rows:,} rows of {TABLE}; {facts['cores']} cores of {facts['processor']}, "
        f"load {facts['load_at_start']}"
    )
    with tempfile.TemporaryDirectory(prefix="bench-loader-", dir=given.folder) as kept:
        folder = Path(kept).resolve()
        record(folder, given.rows)
        rounds = [
            {way: apart(way, folder, folder) for way in (OURS, FILE, LISTS)}
            for _ in range(given.rounds)
        ]
    for way in rounds[0]:
        rate = Series(tuple(one[way]["rows"] / one[way]["seconds"] for one in rounds))
        peak = max(one[way]["peak_gb"] for one in rounds)
        print(f"{way:14}{rate.median:12,.0f} rows/s [{rate.low:,.0f} .. {rate.high:,.0f}]", end="")
        print(f", {peak:.2f} GB, {rounds[0][way]['rows']:,.0f} rows")
    for way, aim in AIMS.items():
        ratio = Series(tuple(one[way]["seconds"] / one[OURS]["seconds"] for one in rounds))
        print(
            f"ours / {way}: {ratio.median:.2f} [{ratio.low:.2f} .. {ratio.high:.2f}], aim {aim:g}: "
            f"{Goal(aim).verdict(ratio)}"
        )
    peak = Series(tuple(one[OURS]["peak_gb"] for one in rounds))
    verdict = Goal(MEMORY_GB, at_least=False).verdict(peak)
    print(f"peak memory of ours: {peak.high:.2f} GB, aim {MEMORY_GB:g}: {verdict}")


if __name__ == "__main__":
    main()
