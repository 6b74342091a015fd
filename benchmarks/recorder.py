"""The recorder's append path beside the bare disk, and its questions beside a dictionary.

`python -m benchmarks.recorder` takes turns: rows of orders written and made durable in groups, and
the same blocks written and synced by hand. Then the level and the policy of a table are asked, and
a dictionary. It prints medians and the ratios within a round.
"""

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.machine import describe
from benchmarks.measure import Goal, Series
from hft.recorder.blocks import batch_of, encode
from hft.recorder.options import DROPPABLE, KEPT, options
from hft.recorder.pressure import DiskPressureMonitor, Reading
from hft.recorder.tables import TABLES
from hft.recorder.wal_first import Sizes, WALFirstWriter

TABLE = "orders"
BATCHES = (256, 4096)
AIM_APPEND, AIM_ASK = 0.6, 2.0
ASKED = 200_000


def monitor() -> DiskPressureMonitor:
    budget = options({}, "").budget
    policies = dict.fromkeys(DROPPABLE, "write")
    return DiskPressureMonitor(lambda: Reading(0, 1 << 40), budget, policies, KEPT)


def rows(count: int) -> pa.RecordBatch:
    """Orders as a session has them."""
    numbers = np.arange(count, dtype=np.int64) + 1_700_000_000_000_000_000
    words = ["BUY", "market_making", "BTCUSDT", "ARRIVED_NEW"]
    columns: dict[str, Any] = {}
    for at, (name, kind) in enumerate(TABLES[TABLE].columns):
        columns[name] = numbers if kind == "int" else [words[at % len(words)]] * count
    return batch_of(TABLES[TABLE], columns)


def ours(folder: Path, batch: pa.RecordBatch, groups: int) -> float:
    """Rows a second."""
    sizes = Sizes(segment_ns=1 << 60)
    writer = WALFirstWriter(folder / "wal", "bench", monitor(), sizes=sizes)
    began = time.perf_counter()
    for _ in range(groups):
        writer.write(TABLE, batch)
        writer.commit()
    seconds = time.perf_counter() - began
    writer.close()
    return groups * batch.num_rows / seconds


def raw(folder: Path, batch: pa.RecordBatch, groups: int) -> float:
    block = encode([(TABLE, 1, batch)], dict.fromkeys(TABLES, 1), 0)
    file = os.open(folder / "raw", os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    began = time.perf_counter()
    for _ in range(groups):
        os.write(file, block)
        os.fdatasync(file)
    seconds = time.perf_counter() - began
    os.close(file)
    return groups * batch.num_rows / seconds


def in_folder(place: Path, way: Callable[[Path, pa.RecordBatch, int], float], *given: Any) -> float:
    folder = Path(tempfile.mkdtemp(prefix="bench-recorder-", dir=place))
    try:
        return way(folder, *given)
    finally:
        shutil.rmtree(folder)


def ask_level(found: DiskPressureMonitor) -> float:
    began = time.perf_counter()
    for _ in range(ASKED):
        found.get_level()
    return (time.perf_counter() - began) / ASKED * 1e9


def ask_policy(found: DiskPressureMonitor) -> float:
    began = time.perf_counter()
    for _ in range(ASKED):
        found.get_topic_policy("orders")
    return (time.perf_counter() - began) / ASKED * 1e9


def look_up(found: dict[str, str]) -> float:
    began = time.perf_counter()
    for _ in range(ASKED):
        found.get("orders")
    return (time.perf_counter() - began) / ASKED * 1e9


def said(name: str, pairs: list[tuple[float, float]], goal: Goal, unit: str) -> str:
    mine, other = (Series(tuple(column)) for column in zip(*pairs, strict=True))
    ratio = Series(tuple(one / two for one, two in pairs))
    return (
        f"{name:32}{mine.median:12,.0f} {unit}{other.median:12,.0f} {unit}   "
        f"{ratio.median:.2f} [{ratio.low:.2f} .. {ratio.high:.2f}], aim {goal.bound:g}: "
        f"{goal.verdict(ratio)}"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--groups", type=int, default=100, help="a round and way")
    parser.add_argument("--folder", type=Path, default=Path("."), help="on the disk to measure")
    given = parser.parse_args()
    facts = describe()
    print(
        f"{facts['cores']} cores of {facts['processor']}, Python {facts['python']}, "
        f"load {facts['load_at_start']}"
    )
    for size in BATCHES:
        batch, pairs = rows(size), []
        for number in range(given.rounds + 1):
            mine = in_folder(given.folder, ours, batch, given.groups)
            disk = in_folder(given.folder, raw, batch, given.groups)
            if number:  # the first one warms up
                pairs.append((mine, disk))
        print(said(f"{size} rows a sync / raw", pairs, Goal(AIM_APPEND), "rows/s"))
    found, plain = monitor(), {"orders": "write"}
    for name, way in (("get_level", ask_level), ("get_topic_policy", ask_policy)):
        asked = [(way(found), look_up(plain)) for _ in range(given.rounds)]
        print(said(f"{name} / dict.get", asked, Goal(AIM_ASK, at_least=False), "ns"))


if __name__ == "__main__":
    main()
