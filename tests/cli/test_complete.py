"""TAB offers strategies, runs, alphas and frames, and waits for nothing compiled."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from made_runs import records, write_run

from hft.cli import complete
from hft.strategies.registry import SHIPPED

RUNS = ("20260101T000000Z_aaaaaaaa", "20260102T000000Z_bbbbbbbb")
FILE = """
import hft
from hft import strategy

@hft.strategy(every="1s")
def mine(view, order, p, s): ...

@strategy
class Yours: ...

def helper(): ...
raise SystemExit("this file is read, never run")
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("tab")
    for run_id in RUNS:
        write_run(made / "runs", records(wakes=5), run_id=run_id, digest="a" * 64)
    for name in ("alpha_one", "alpha_two"):
        (made / "research" / "alphas" / name).mkdir(parents=True)
        (made / "research" / "alphas" / name / "impl.py").write_text("")
    (made / "own.py").write_text(FILE)
    (made / "other.py").write_text("x = 1\n")
    (made / "below").mkdir()
    return made


def offered(folder: Path, words: str, cword: int | None = None) -> list[str]:
    """What bash is told for the words typed so far, the last one incomplete."""
    code = (
        "import sys; from hft.cli.app import main\n"
        "try: main()\n"
        "finally: print('loaded', *[m for m in ('numba', 'polars') if m in sys.modules])"
    )
    environment = os.environ | {
        "_HFT_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1 if cword is None else cword),
        "_TYPER_COMPLETE_TESTING": "True",
    }
    made = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=folder, capture_output=True, text=True
    )
    lines = made.stdout.splitlines()
    assert "loaded" in lines, f"numba or polars is loaded: {lines} {made.stderr}"
    return [line for line in lines if line != "loaded"]


def test_commands_options_and_frames_are_offered(folder: Path) -> None:
    assert offered(folder, "hft replay sh") == ["show"]
    assert offered(folder, "hft replay show --fra") == ["--frame"]
    assert offered(folder, "hft replay show --frame de") == ["decisions"]


def test_strategies_are_offered_with_those_of_own_files(folder: Path) -> None:
    assert offered(folder, "hft replay run x -s mo") == ["momentum"]
    assert offered(folder, "hft replay run x -s ") == [*SHIPPED, "own.py:"]
    assert offered(folder, "hft replay run x -s own.py:") == ["own.py:mine", "own.py:Yours"]
    assert complete.strategies("slow=tw") == ["slow=two_sided"]
    assert complete.STRATEGIES == SHIPPED


def test_runs_are_offered_newest_first(folder: Path) -> None:
    newest = ["last", "last~1", RUNS[1], RUNS[0]]
    assert offered(folder, "hft replay show ") == newest
    assert offered(folder, "hft replay show 20260101") == [RUNS[0]]
    assert offered(folder, "hft replay diff last 20260102") == [RUNS[1]]
    assert offered(folder, "hft replay show --out nowhere ") == ["last"]


def test_alphas_are_offered_from_a_folder_below_too(folder: Path) -> None:
    assert offered(folder, "hft alpha try ") == ["alpha_one", "alpha_two"]
    assert offered(folder / "below", "hft alpha validate alpha_t") == ["alpha_two"]
    assert offered(folder, "hft alpha why --alpha-id alpha_o") == ["alpha_one"]
    assert offered(folder, "hft alpha canary status --he") == ["--head", "--help"]
