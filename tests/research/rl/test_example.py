"""The example in research/rl, small: it trains, logs, and leaves an alpha that is causal."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hft.governance.training import newest_run
from hft.research.worker.roster import find
from hft.research.workspace import Workspace

ROOT = Path(__file__).resolve().parents[3]
SMALL = ("--rounds", "1", "--population", "4", "--events", "9000", "--seconds", "600")


@pytest.mark.slow
def test_the_example_goes_from_training_to_an_alpha(tmp_path: Path) -> None:
    (tmp_path / "config" / "strategy_promotions").mkdir(parents=True)
    script = ROOT / "research" / "rl" / "market_making" / "train.py"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(script), "--workspace", str(tmp_path), *SMALL]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert "gate RL:" in done.stdout and "round 1:" in done.stdout
    workspace = Workspace(tmp_path)
    run = newest_run(workspace.experiments, "rl_quotes")
    checks = {check["id"]: check["verdict"] for check in run.backtest_report["checks"]}
    assert checks["sealed_run"] == checks["deterministic"] == "PASS"
    with find(workspace, "rl_quotes") as alpha:
        assert alpha.manifest.tier == "RL" and not alpha.manifest.problems()
        (weights,) = alpha.manifest.files
    assert weights.path == "policy.npz" and weights.fitted_until.endswith("Z")
    tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    folder = workspace.alphas / "rl_quotes"
    told = subprocess.run(
        tests, cwd=folder, capture_output=True, text=True, env=environment, check=False
    )
    assert told.returncode == 0, told.stdout + told.stderr
