"""Real processes, killed at random moments: what was said to be durable is there.

This proves locks, recovery and numbering with real files; that syncs are done it cannot prove,
since memory survives a process (`tests/simulation/test_journal_crashes.py` does).
"""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hft.storage.log import segment_paths
from tests.storage import killed_writer

pytestmark = pytest.mark.nojit

LIVES = 6


def test_a_journal_outlives_processes_that_are_killed(tmp_path: Path) -> None:
    draw, said = random.Random(0), 0
    for _ in range(LIVES):
        process = subprocess.Popen(
            [sys.executable, killed_writer.__file__, str(tmp_path)], stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        assert int(process.stdout.readline()) >= said
        time.sleep(draw.uniform(0.0, 0.08))
        process.kill()
        lines = process.stdout.read().split(b"\n")[:-1]
        process.wait()
        process.stdout.close()
        said = max([said, *map(int, lines)])
        assert killed_writer.last_of(tmp_path) >= said
    assert said > 100 and len(segment_paths(tmp_path)) > 1
