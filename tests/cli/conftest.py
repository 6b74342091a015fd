"""An environment that has the wheel alone, made once a session."""

from pathlib import Path

import foreign_repo
import pytest


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    return foreign_repo.build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def foreign_bin(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment with the wheel installed."""
    found = foreign_repo.make_environment(tmp_path_factory.mktemp("foreign") / "env")
    foreign_repo.install(found, str(wheel))
    return found
