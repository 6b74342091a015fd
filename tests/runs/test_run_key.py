"""A run's key moves with every source below the line."""

from pathlib import Path

import pytest

from hft.runs.job import PACKAGES_BELOW_THE_LINE, code_hash, hash_below_the_line

pytestmark = pytest.mark.nojit
SOURCES = (
    f"{PACKAGES_BELOW_THE_LINE[0]}/book.py",
    f"{PACKAGES_BELOW_THE_LINE[-1]}/models/own/queue.py",
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in SOURCES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x = 1\n")
    return tmp_path


@pytest.mark.parametrize("name", SOURCES)
def test_an_edit_however_deep_is_another_key(root: Path, name: str) -> None:
    before = hash_below_the_line(root)
    (root / name).write_text("x = 2\n")
    assert hash_below_the_line(root) != before
    (root / name).write_text("x = 1\n")
    assert hash_below_the_line(root) == before


@pytest.mark.parametrize("name", SOURCES)
def test_another_name_is_another_key(root: Path, name: str) -> None:
    before = hash_below_the_line(root)
    (root / name).rename(root / name.replace(".py", "_s.py"))
    assert hash_below_the_line(root) != before


def test_what_lies_above_the_line_or_is_no_source_moves_no_key(root: Path) -> None:
    before = hash_below_the_line(root)
    (root / "runs").mkdir()
    (root / "runs" / "job.py").write_text("x = 1\n")
    (root / PACKAGES_BELOW_THE_LINE[0] / "notes.txt").write_text("x")
    assert hash_below_the_line(root) == before


def test_the_key_of_a_run_is_of_the_installed_sources() -> None:
    import hft.core

    installed = Path(hft.core.__file__).resolve().parent.parent
    assert code_hash() == hash_below_the_line(installed)
