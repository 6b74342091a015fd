"""`pytest --hft-replays FILE` in a repository that has only the wheel: a test a replay."""

import os
import shutil
import subprocess
from pathlib import Path

import foreign_repo
import pytest
import replays_world as world

pytestmark = pytest.mark.slow

OWN = """import sys


def test_of_ours(request):
    if request.config.getoption("--hft-replays"):
        return
    assert sys.modules.get("numpy") is None, "hft imported something heavy"
    found = sorted(name for name in sys.modules if name.partition(".")[0] == "hft")
    assert found in (["hft", "hft.cli", "hft.cli.pytest_plugin"], [])
"""


@pytest.fixture(scope="module")
def blessed(foreign_bin: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of somebody else's, its replays blessed by the installed command."""
    folder = tmp_path_factory.mktemp("theirs") / "repo"
    folder.mkdir()
    world.make(folder)
    (folder / "test_own.py").write_text(OWN)
    done = run(foreign_bin, folder, "hft", "replay", "check", "--bless")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def here(blessed: Path, tmp_path: Path) -> Path:
    shutil.copytree(blessed, tmp_path / "repo")
    return tmp_path / "repo"


def run(bin_: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    variables = foreign_repo.variables(bin_, NUMBA_DISABLE_JIT="1", COLUMNS="100")
    return subprocess.run(words, cwd=folder, env=variables, capture_output=True, text=True)


def test_a_replay_is_a_test_beside_those_of_the_repository(here: Path, foreign_bin: Path) -> None:
    done = run(foreign_bin, here, "pytest", "-v", "-W", "error", "--hft-replays", "replays.yaml")
    assert done.returncode == 0, done.stdout
    for name in ("test_own.py::test_of_ours", "replays.yaml::quoting", "replays.yaml::wider"):
        assert f"{name} PASSED" in done.stdout
    assert "3 passed" in done.stdout
    one = run(foreign_bin, here, "pytest", "--hft-replays=replays.yaml", "replays.yaml::wider")
    assert "1 passed" in one.stdout
    chosen = run(foreign_bin, here, "pytest", "--hft-replays=replays.yaml", "-k", "quoting")
    assert "1 passed, 2 deselected" in chosen.stdout


def test_a_replay_that_differs_fails_with_what_the_check_says(
    here: Path, foreign_bin: Path
) -> None:
    world.change(here / "replays.yaml", lambda text: text.replace("half_ticks: 2", "half_ticks: 3"))
    done = run(foreign_bin, here, "pytest", "--hft-replays", "replays.yaml", "replays.yaml")
    assert done.returncode == 1 and "1 failed, 1 passed" in done.stdout
    for words in ("wider: the digest changed; moved: config (params)", "differ first at step 2"):
        assert words in done.stdout
    assert "Traceback" not in done.stdout and "hft/api" not in done.stdout
    assert (here / "runs" / "regression" / "wider.html").is_file()


def test_a_file_edited_by_hand_is_a_sentence_and_no_test(here: Path, foreign_bin: Path) -> None:
    world.change(
        here / "replays.yaml", lambda text: text.replace("      fills: ", "      fills: 1")
    )
    done = run(foreign_bin, here, "pytest", "--hft-replays", "replays.yaml")
    assert done.returncode == 2 and "was edited by hand" in done.stdout
    assert "Traceback" not in done.stdout
    gone = run(foreign_bin, here, "pytest", "--hft-replays", "none.yaml")
    assert gone.returncode == 4 and "none.yaml" in gone.stderr


def test_settings_that_cannot_be_used_are_a_sentence_of_each_replay(
    here: Path, foreign_bin: Path
) -> None:
    (here / "config").mkdir()
    (here / "config" / "default.yaml").write_text("feees: {maker_bps: 1}\n")
    done = run(foreign_bin, here, "pytest", "--hft-replays", "replays.yaml", "replays.yaml")
    assert done.returncode == 1 and "2 failed" in done.stdout
    assert "config/default.yaml: line 1: " in done.stdout.replace("\n", " ")
    assert "hft/api" not in done.stdout


def test_without_the_option_pytest_is_as_it_was(here: Path, foreign_bin: Path) -> None:
    done = run(foreign_bin, here, "pytest", "-v", "-W", "error")
    assert done.returncode == 0 and "1 passed" in done.stdout
    assert "replays.yaml" not in done.stdout
    named = run(foreign_bin, here, "pytest", "--help").stdout
    assert "--hft-replays=FILE" in named


def test_two_processes_of_xdist_share_the_replays(here: Path, foreign_bin: Path) -> None:
    pytest.importorskip("xdist", reason="the extra `dev` is not installed")
    done = run(foreign_bin, here, "pytest", "-n2", "--hft-replays", "replays.yaml", "replays.yaml")
    assert done.returncode == 0 and "2 passed" in done.stdout, done.stdout


def test_the_environment_is_not_ours(foreign_bin: Path, tmp_path: Path) -> None:
    done = run(foreign_bin, tmp_path, "python", "-c", "import hft; print(hft.__file__)")
    assert Path(done.stdout.strip()).is_relative_to(foreign_bin.parent)
    assert os.fspath(foreign_repo.ROOT) not in done.stdout
