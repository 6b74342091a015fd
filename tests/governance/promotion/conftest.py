"""A fresh workspace a test; the people's keys are made once."""

from pathlib import Path

import pytest
from promotion_desk import PlantedDesk
from promotion_world import World


@pytest.fixture(scope="session")
def key_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


@pytest.fixture
def world(tmp_path: Path, key_store: Path) -> World:
    return World.made(tmp_path, key_store)


@pytest.fixture(scope="session")
def planted_desk(tmp_path_factory: pytest.TempPathFactory) -> PlantedDesk:
    """Nothing was judged yet; only to be copied."""
    return PlantedDesk.made(tmp_path_factory.mktemp("planted") / "desk")


@pytest.fixture(scope="session")
def judged_desk(planted_desk: PlantedDesk, tmp_path_factory: pytest.TempPathFactory) -> PlantedDesk:
    """Judged once; only to be copied."""
    desk = planted_desk.copy(tmp_path_factory.mktemp("judged") / "desk")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HFT_ALPHA_AUDIT_ENABLED", "0")
        assert desk.validate().passed
    return desk


@pytest.fixture
def judged(
    judged_desk: PlantedDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> PlantedDesk:
    """A workspace of one's own with an alpha that passed; the journal is what counts."""
    monkeypatch.setenv("HFT_ALPHA_AUDIT_ENABLED", "0")
    return judged_desk.copy(tmp_path / "desk")
