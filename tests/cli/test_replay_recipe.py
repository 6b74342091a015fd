"""The steps of the workflow in docs/recipes, in a repository that has neither hft nor its checkout.

A runner is played: each `run` is given to bash as GitHub does, steps after a failure only where
they say so. What actions do (check out, set up Python, cache, upload) is looked at, not run.
"""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import foreign_repo
import pytest
import replays_world as world
import yaml

pytestmark = pytest.mark.slow

RECIPE = foreign_repo.ROOT / "docs" / "recipes" / "replays.yml"
JOB = yaml.safe_load(RECIPE.read_text())["jobs"]["replays"]
STEPS: list[dict[str, Any]] = JOB["steps"]
BASH = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"]


class Runner:
    """A machine of GitHub's: an environment without hft, a clone of the repository."""

    def __init__(self, folder: Path, wheel: Path) -> None:
        self.folder = folder
        self.bin = foreign_repo.make_environment(folder / "env")
        self.summary = folder / "summary.md"
        self.wheel = wheel

    def play(self, repository: Path) -> dict[str, int]:
        """The exit code of each step that ran, by name."""
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        self.summary.unlink(missing_ok=True)
        variables = foreign_repo.variables(
            self.bin,
            **{name: str(value) for name, value in JOB["env"].items()},
            **{"CI": "true", "GITHUB_STEP_SUMMARY": str(self.summary), "HOME": str(home)},
            **{"NUMBA_DISABLE_JIT": "1", "PIP_NO_INDEX": "1", "PYTHONIOENCODING": "utf-8"},
        )
        variables["PACKAGE"] = str(self.wheel)
        codes: dict[str, int] = {}
        for step in STEPS:
            failed = any(codes.values())
            if "run" not in step or (failed and step.get("if") != "always()"):
                continue
            done = subprocess.run([*BASH, step["run"]], cwd=repository, env=variables)
            codes[step["name"]] = done.returncode
        return codes


@pytest.fixture(scope="module")
def runner(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Runner:
    return Runner(tmp_path_factory.mktemp("runner"), wheel)


@pytest.fixture(scope="module")
def blessed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is in version control: file, strategy, tapes; the runs are not."""
    folder = tmp_path_factory.mktemp("theirs") / "repo"
    folder.mkdir()
    world.make(folder)
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(foreign_repo.ROOT)}
    words = ["-m", "hft.cli.app", "replay", "check", "--bless"]
    subprocess.run([foreign_repo.PYTHON, *words], cwd=folder, env=environment, check=True)
    shutil.rmtree(folder / "runs")
    return folder


@pytest.fixture(scope="module")
def played(
    runner: Runner, blessed: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, int], str]:
    """A clone in which the steps were played once, their exit codes, and what they summed up."""
    clone = shutil.copytree(blessed, tmp_path_factory.mktemp("played") / "clone")
    codes = runner.play(clone)
    return clone, codes, runner.summary.read_text()


def test_the_steps_are_green_in_a_clean_clone_with_the_wheel_alone(
    played: tuple[Path, dict[str, int], str],
) -> None:
    clone, codes, summary = played
    assert codes == {"install": 0, "check": 0, "summary": 0}
    assert "2 same" in summary and "replayed" in summary
    assert 'failures="0"' in (clone / "replays.xml").read_text()
    assert not (clone / "pages").exists() and (clone / "runs").is_dir()


def test_a_changed_strategy_is_red_and_leaves_what_is_uploaded(
    runner: Runner, blessed: Path, tmp_path: Path
) -> None:
    clone = shutil.copytree(blessed, tmp_path / "clone")
    world.change(clone / "quoter.py", lambda text: text.replace("ask_tick +", "ask_tick + 1 +"))
    assert runner.play(clone) == {"install": 0, "check": 2, "summary": 0}
    said = runner.summary.read_text()
    assert "moved: code" in said and "the runs part after step" in said
    upload = next(step for step in STEPS if "upload-artifact" in step.get("uses", ""))
    assert upload["if"] == "always()"
    for name in upload["with"]["path"].split():
        assert (clone / name).exists(), f"nothing writes {name}"
    assert {page.name for page in (clone / "pages").iterdir()} == {"quoting.html", "wider.html"}


def test_with_the_runs_of_the_cache_the_first_step_itself_is_named(
    runner: Runner, played: tuple[Path, dict[str, int], str], tmp_path: Path
) -> None:
    cache = next(step for step in STEPS if "actions/cache@" in step.get("uses", ""))
    assert "runs" in cache["with"]["path"].split()
    clone = shutil.copytree(played[0], tmp_path / "clone")
    assert not any(played[1].values())
    world.change(clone / "quoter.py", lambda text: text.replace("ask_tick +", "ask_tick + 1 +"))
    assert runner.play(clone)["check"] == 2
    assert "the runs differ first at step 3, in price" in runner.summary.read_text()


def test_actions_are_those_of_github_at_a_version() -> None:
    used = [step["uses"] for step in STEPS if "uses" in step]
    assert all(name.startswith("actions/") and "@v" in name for name in used)
    assert all(step.get("shell") == "bash" for step in STEPS if "run" in step)
