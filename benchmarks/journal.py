"""Records made durable while 512 wait: our group commit beside SQLite's and the bare disk.

`python -m benchmarks.journal` runs its ways in turns, round after round, each in a new file of one
folder: ours, the same group commit on SQLite (WAL, synchronous=FULL), ours with a sync for each
record, and write and fdatasync without anything else at the same records a sync. Those who wait
bring their records in batches, as a gateway decides them, or one by one, a task each. It prints
medians, and the ratios of ours to the others in the same round.
"""

import argparse
import asyncio
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.machine import describe
from benchmarks.measure import Goal, Series
from hft.storage.commit import Commit, Log
from hft.storage.groups import FIRST, GROUP_MAX
from hft.storage.log import LogWriter

RECORD_BYTES = 256
WAITING = 512
BATCH = 64
OURS, SQLITE, EACH, RAW = "ours", "SQLite", "a sync each", "raw"
AIMS = {SQLITE: 1.3, EACH: 100.0, RAW: 0.6}


@dataclass(frozen=True)
class Measured:
    """One way in one round."""

    records: int
    seconds: float
    syncs: int
    waits_ms: list[float]  # from adding a record to hearing that it is durable

    @property
    def rate(self) -> float:
        return self.records / self.seconds

    def wait_ms(self, share: float) -> float:
        return sorted(self.waits_ms)[int(share * (len(self.waits_ms) - 1))]


class SqliteLog:
    """A group as one transaction, a row for each record."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=FULL")
        self._database.execute(
            "CREATE TABLE journal (number INTEGER PRIMARY KEY, ts_ns INTEGER, row BLOB)"
        )

    def append(self, ts_ns: int, kind: int, payload: bytes) -> int:
        (first,) = FIRST.unpack_from(payload)
        starts = range(FIRST.size, len(payload), RECORD_BYTES)
        rows = [(first + k, ts_ns, payload[at : at + RECORD_BYTES]) for k, at in enumerate(starts)]
        self._database.execute("BEGIN")
        self._database.executemany("INSERT INTO journal VALUES (?, ?, ?)", rows)
        self._database.execute("COMMIT")
        return int(first)

    def close(self) -> None:
        self._database.close()


async def serve(log: Log, records: int, batch: int, most: int = GROUP_MAX) -> Measured:
    """So many wait, in tasks of so many records each, for what they brought before they go on."""
    commit = Commit(log, RECORD_BYTES, most=most)
    rows, waits, left = os.urandom(RECORD_BYTES * batch), [], records
    clock = time.perf_counter

    async def client() -> None:
        nonlocal left
        while left > 0:
            left -= batch
            began = clock()
            await commit.durable(commit.add(rows, 0))
            waits.append((clock() - began) * 1e3)

    began = clock()
    await asyncio.gather(*(client() for _ in range(WAITING // batch)))
    seconds = clock() - began
    await commit.close()
    return Measured(commit.counters.records, seconds, commit.counters.groups, waits)


def live_log(folder: Path) -> LogWriter:
    return LogWriter(folder / "journal", "bench", fsync="always")


def ours(folder: Path, records: int, batch: int) -> Measured:
    return asyncio.run(serve(live_log(folder), records, batch))


def on_sqlite(folder: Path, records: int, batch: int) -> Measured:
    return asyncio.run(serve(SqliteLog(folder / "journal.sqlite"), records, batch))


def a_sync_each(folder: Path, records: int) -> Measured:
    return asyncio.run(serve(live_log(folder), max(records // 100, 2 * WAITING), 1, 1))


def raw(folder: Path, records: int, a_sync: int) -> Measured:
    """The disk alone: blocks of the same records, written and synced one after the other."""
    file = os.open(folder / "raw", os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    block = os.urandom(RECORD_BYTES * a_sync)
    count, waits = max(1, records // a_sync), []
    clock = time.perf_counter
    began = clock()
    for _ in range(count):
        at = clock()
        os.write(file, block)
        os.fdatasync(file)
        waits.append((clock() - at) * 1e3)
    seconds = clock() - began
    os.close(file)
    return Measured(count * a_sync, seconds, count, waits)


def a_round(place: Path, records: int, batch: int) -> dict[str, Measured]:
    """Every way once; the raw disk takes as many records a sync as ours did."""

    def run(way: Callable[[Path], Measured]) -> Measured:
        folder = Path(tempfile.mkdtemp(prefix="bench-journal-", dir=place))
        try:
            return way(folder)
        finally:
            shutil.rmtree(folder)

    mine = run(lambda folder: ours(folder, records, batch))
    return {
        OURS: mine,
        RAW: run(lambda folder: raw(folder, records, round(mine.records / mine.syncs))),
        SQLITE: run(lambda folder: on_sqlite(folder, records, batch)),
        EACH: run(lambda folder: a_sync_each(folder, records)),
    }


def table(rounds: list[dict[str, Measured]]) -> list[str]:
    """A line a way, then the ratios and whether they are what was aimed at."""
    head = ("records/s", "low", "high", "a sync", "p50 ms", "p99 ms")
    lines = [" " * 12 + "".join(f"{name:>11}" for name in head)]
    for name in rounds[0]:
        runs = [one[name] for one in rounds]
        rate = Series(tuple(run.rate for run in runs))
        a_sync = Series(tuple(run.records / run.syncs for run in runs)).median
        p50, p99 = (Series(tuple(run.wait_ms(p) for run in runs)).median for p in (0.5, 0.99))
        lines.append(
            f"{name:12}{rate.median:11,.0f}{rate.low:11,.0f}{rate.high:11,.0f}"
            f"{a_sync:11,.0f}{p50:11.2f}{p99:11.2f}"
        )
    for name, aim in AIMS.items():
        ratio = Series(tuple(one[OURS].rate / one[name].rate for one in rounds))
        lines.append(
            f"ours / {name}: {ratio.median:.2f} [{ratio.low:.2f} .. {ratio.high:.2f}], "
            f"aim {aim:g}: {Goal(aim).verdict(ratio)}"
        )
    return lines


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--records", type=int, default=50_000, help="a round and way")
    parser.add_argument("--folder", type=Path, default=Path("."), help="on the disk to measure")
    given = parser.parse_args()
    facts = describe()
    print(
        f"{WAITING} waiting, records of {RECORD_BYTES} bytes; {facts['cores']} cores of "
        f"{facts['processor']}, Python {facts['python']}, SQLite {sqlite3.sqlite_version}, "
        f"load {facts['load_at_start']}"
    )
    batches = (BATCH, 1)
    rounds: dict[int, list[dict[str, Measured]]] = {batch: [] for batch in batches}
    for number in range(given.rounds + 1):
        for batch in batches:
            found = a_round(given.folder, given.records, batch)
            if number:  # the first one warms up
                rounds[batch].append(found)
    for batch in batches:
        print(f"\n{WAITING // batch} tasks of {batch} record{'s' * (batch > 1)} each")
        print("\n".join(table(rounds[batch])))


if __name__ == "__main__":
    main()
