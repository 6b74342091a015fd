"""A side of our own making, in place of hft or a peer."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import worker
from benchmarks.worker import Worker

SIDE = """
import os
import time
from benchmarks.worker import serve

def loud(value):
    print("a library that prints")
    os.write(1, b"and one that writes to the descriptor\\n")
    return {"twice": 2 * value}

def broken():
    raise ValueError("row 3: no such thing\\nand a second line")

def heavy(megabytes):
    held = bytearray(os.urandom(1024)) * (1024 * megabytes)
    time.sleep(0.3)
    return {"held": len(held)}

serve({"loud": loud, "broken": broken, "heavy": heavy, "gone": lambda: os._exit(3)})
"""


@pytest.fixture
def side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    """A running worker of the text above."""
    (tmp_path / "side.py").write_text(SIDE)
    start = worker.subprocess.Popen

    def elsewhere(*command, **options):
        options["env"]["PYTHONPATH"] += f":{tmp_path}"
        return start(*command, **options)

    monkeypatch.setattr(worker.subprocess, "Popen", elsewhere)
    with Worker(sys.executable, "side") as running:
        yield running
