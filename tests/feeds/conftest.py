"""The recorded Databento day, where it is at hand."""

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def es(shared_data: Path) -> Any:
    folder = shared_data / "databento_dbn_es"
    if not folder.is_dir():
        pytest.skip(f"no recording in {folder}")
    return lambda name: folder / f"{name}.dbn.zst"
