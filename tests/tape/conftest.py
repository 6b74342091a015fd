"""A small sealed tape to damage and to read."""

from pathlib import Path

import pytest
from tape_samples import level_feed

from hft.tape.writer import write_tape


@pytest.fixture
def tape_path(tmp_path: Path) -> Path:
    """A sealed tape of 500 rows."""
    path = tmp_path / "own_test_20240102.tape.arrow"
    write_tape(path, level_feed(500))
    return path
