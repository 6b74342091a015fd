"""`hft warmup` compiles all that a first ingest, replay and validation would wait for."""

import inspect
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hft.api import warmup
from hft.cli import members
from hft.cli.app import run
from hft.core.jit import JIT_DISABLED

HFT = "from hft.cli.app import main; main()"
PARTS = ["engine", "ingest", "strategies", "replay", "features", "expressions"]


@pytest.mark.skipif(JIT_DISABLED, reason="nothing is compiled")
def test_it_says_each_part_and_leaves_nothing_behind(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["warmup", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert list(said["parts"]) == PARTS and said["seconds"] >= 0
    assert not list(tmp_path.iterdir())


@pytest.mark.nojit
def test_its_strategy_names_every_member_of_view_and_order() -> None:
    text = inspect.getsource(warmup._everything)
    for table, owner in ((members.VIEW, "view"), (members.ORDER, "order")):
        names = {re.split(r"[\[(]", name)[0] for name in table} - {owner}
        missing = [name for name in names if f"{owner}.{name}" not in text]
        assert not missing, f"{owner}: {missing}"


CSV = "ts,bid,ask,bid_qty,ask_qty\n" + "".join(
    f"2024-01-02T12:{k // 60:02}:{k % 60:02}Z,{bid},{bid + 0.25},5,{3 + k % 4}\n"
    for k in range(1_200)
    for bid in [100 + k // 3 % 7 / 4]
)
FIRST = (
    ("data", "ingest", "own.csv", "--tick", "0.25", "--lot", "1", "--symbol", "X", "--out", "own"),
    ("replay", "run", "own", "-s", "market_making"),
    ("replay", "run", "own", "-s", "momentum", "--queue", "prob_log"),
    ("data", "synth", "--alpha", "0.05", "--kind", "bars", "--days", "300", "--out", "bars"),
    ("init", "."),
    ("alpha", "scaffold", "mine", "--from", "order_flow_imbalance", "--horizon", "1min"),
    ("alpha", "validate", "mine", "--data", "bars", "--yes"),
)


@pytest.mark.soak
def test_after_it_no_first_command_compiles_anything(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "own.csv").write_text(CSV)
    variables = {name: text for name, text in os.environ.items() if "NUMBA_" not in name}
    variables |= {"HFT_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": os.getcwd()}

    def hft(*words: str) -> set[str]:
        command = [sys.executable, "-c", HFT, *words]
        done = subprocess.run(command, cwd=home, env=variables, capture_output=True, text=True)
        assert done.returncode in (0, 2), done.stderr
        return {path.name for path in (tmp_path / "cache").rglob("*.nbc")}

    compiled = hft("warmup")
    assert len(compiled) > 50
    for words in FIRST:
        assert hft(*words) == compiled, f"{' '.join(words)} compiled more"
    shutil.rmtree(tmp_path / "cache")
