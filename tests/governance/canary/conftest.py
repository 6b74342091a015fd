"""A fresh workspace a test; the people's keys are made once."""

from pathlib import Path

import pytest
from promotion_world import World


@pytest.fixture(scope="session")
def key_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


@pytest.fixture
def world(tmp_path: Path, key_store: Path) -> World:
    return World.made(tmp_path, key_store)
