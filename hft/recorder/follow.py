"""A recorder behind a journal: it reads what is durable there, and nobody waits for it.

How many steps were read stands in the same block as their rows, so that a recorder that was killed
goes on with the next step, whatever it had written.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from hft.recorder.inserts import Insert, Target
from hft.recorder.steps import STEP_TABLES, Names, StepRows
from hft.recorder.verify import Verified, compare
from hft.recorder.wal_first import WALFirstWriter

STEPS = 4096  # of one block
COMPARED = 50_000  # in one question


class Follower:
    """Records the steps of one session; the writer's folder is for that session alone."""

    def __init__(self, writer: WALFirstWriter, names: Names) -> None:
        self._writer, self._rows = writer, StepRows(names)

    def follow(self, blocks: Iterable[np.ndarray]) -> int:
        """Steps from the first on; those recorded before are only looked at.

        Returns: how many are new. Raises: JournalError.
        """
        new = 0
        for part in joined(blocks):
            for rest in self._unknown(part):
                for table, rows in self._rows.take(rest):
                    self._writer.write(table, rows, marked=True)
                self._writer.commit(mark=self._rows.steps)
                new += len(rest)
        return new

    def _unknown(self, part: np.ndarray) -> Iterator[np.ndarray]:
        """What of these is not recorded yet."""
        known = min(len(part), max(0, self._writer.mark - self._rows.steps))
        if known:
            for _ in self._rows.take(part[:known]):
                pass
        if known < len(part):
            yield part[known:]


def joined(blocks: Iterable[np.ndarray], size: int | None = None) -> Iterator[np.ndarray]:
    """Steps in parts of about `size`, however they were written."""
    size = size or STEPS
    waiting: list[np.ndarray] = []
    for block in blocks:
        for at in range(0, len(block), size):
            waiting.append(block[at : at + size])
            if sum(map(len, waiting)) >= size:
                yield np.concatenate(waiting)
                waiting = []
    if waiting:
        yield np.concatenate(waiting)


def verify_steps(
    blocks: Iterable[np.ndarray], names: Names, writer_id: str, target: Target
) -> Verified:
    """Compare the tables with a journal: every step its row, in order, and none besides."""
    found, rows = Verified(), StepRows(names)
    following = dict.fromkeys(STEP_TABLES, 1)
    with target.open() as database:
        for steps in joined(blocks, COMPARED):
            for table, batch in rows.take(steps):
                insert = Insert.of(table, following[table], batch)
                compare(insert, writer_id, database, target.database, found)
                following[table] = insert.last + 1
        for table, first in following.items():
            query = (
                f"SELECT count() FROM {target.database}.{table} WHERE writer_id = "
                "{writer:String} AND wal_seq >= {first:UInt64}"
            )
            asked: dict[str, object] = {"writer": writer_id, "first": first}
            ((more,),) = database.rows(query, asked)
            if more:
                found.find(f"{table}: {more} rows are there that the journal has not")
    return found
