"""Folders of segments, loaders on them, and what a database has afterwards.

As a program (`python -m`): load a folder, killed at a step: `WAL DSN NAME STEP NUMBER`.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hft.recorder.inserts import Target
from hft.recorder.loader import Counters, Loader, load_all
from hft.recorder.manifest import Manifest
from hft.recorder.schema import schema_of
from hft.recorder.segments import sealed_paths
from hft.recorder.wal_first import WALFirstWriter
from hft.storage.database import Database, Source, opened
from hft.storage.disk import REAL
from tests.recorder.recorder_world import Told, rows_of

COUNTS = {"orders": 700, "market_data": 2000, "latency": 50}
STEPS = ("before the insert", "after the insert", "before the manifest", "after the manifest")


def record(folder: Path, segments: int = 3, writer_id: str = "w1") -> None:
    """Segments with rows of three tables, all sealed."""
    one = WALFirstWriter(folder, writer_id, Told().monitor)
    for k in range(segments):
        for table, count in COUNTS.items():
            for at in range(k * count, (k + 1) * count, 500):
                one.write(table, rows_of(table, range(at, min(at + 500, (k + 1) * count))))
                one.commit()
        one.seal()
    one.close()


def target_of(source: Source, name: str) -> Target:
    """A database of this name, with its tables."""
    with opened(source) as database:
        schema_of(name).apply(database)
    shown, embedded = source.shown, source.is_embedded
    return Target(lambda: opened(source), shown, name, is_embedded=embedded)


def load(folder: Path, target: Target, workers: int = 1, **options: Any) -> Counters:
    team = [Loader(folder, target, **options) for _ in range(workers)]
    return load_all(team, sealed_paths(folder, REAL))


def there(source: Source, name: str, table: str) -> list[tuple[str, int, int]]:
    """Of each row of a table its writer, its number, and the number its columns tell."""
    with opened(source) as database:
        rows = database.rows(
            f"SELECT writer_id, wal_seq, seq FROM {name}.{table} ORDER BY writer_id, wal_seq"
        )
    return [(str(writer), int(number), int(told)) for writer, number, told in rows]


def expected(table: str, segments: int = 3, writer_id: str = "w1") -> list[tuple[str, int, int]]:
    return [(writer_id, n + 1, n) for n in range(COUNTS[table] * segments)]


def _kill(*given: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _around(original: Callable[..., Any], when: str, at: int) -> Callable[..., Any]:
    """Die before or after the call of this number."""
    calls = [0]

    def call(*given: Any, **named: Any) -> Any:
        calls[0] += 1
        if when == "before" and calls[0] == at:
            _kill()
        done = original(*given, **named)
        if when == "after" and calls[0] == at:
            _kill()
        return done

    return call


if __name__ == "__main__":
    wal, dsn, name, step, at = sys.argv[1:]
    when, _, what = step.partition(" the ")
    owner, method = (Database, "insert_arrow") if what == "insert" else (Manifest, "write")
    setattr(owner, method, _around(getattr(owner, method), when, int(at)))
    load(Path(wal), target_of(Source(dsn), name))
    print("loaded")
