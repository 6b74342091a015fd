"""A process that commits rows and says what is durable, until it is killed; then the next one.

`python killed_writer.py FOLDER` recovers, prints how many records it found, and then the number of
each group's last record as soon as that is durable.
"""

import asyncio
import itertools
import os
import sys
from pathlib import Path

from hft.storage.commit import Commit
from hft.storage.groups import read_groups
from hft.storage.log import LogWriter, read_segments

ROW = 256


def row(number: int) -> bytes:
    return number.to_bytes(8, "little") * (ROW // 8)


def last_of(folder: Path) -> int:
    """The number of the last record. Raises: AssertionError where one is not what was written."""
    last = 0
    for _, group in read_groups(read_segments(folder), ROW, first=1):
        assert group.rows == b"".join(row(last + k) for k in range(1, group.size + 1))
        last = group.last
    return last


async def live(folder: Path) -> None:
    log = LogWriter(folder, "killed", fsync="always", segment_bytes=20_000)
    last = last_of(folder)
    say(last)
    commit = Commit(log, ROW, first=last + 1)
    for number in itertools.count(last + 1):
        commit.add(row(number), 0)
        if number % 50 == 0:
            await commit.durable(number - 25)
            say(commit.last_durable)


def say(number: int) -> None:
    os.write(1, f"{number}\n".encode())


if __name__ == "__main__":
    asyncio.run(live(Path(sys.argv[1])))
