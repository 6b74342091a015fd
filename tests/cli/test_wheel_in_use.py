"""The wheel is the product: alone, from an empty folder, it does what the README promises.

One day of one user, a test a step: each goes on where the one before it ended.
"""

import json
import os
import subprocess
from pathlib import Path

import foreign_repo
import pytest

pytestmark = pytest.mark.slow

OWN_CSV = "time,bid,ask,bid_lots,ask_lots\n" + "".join(
    f"2024-01-02T12:{k // 600:02}:{k // 10 % 60:02}.{k % 10}Z,{bid},{bid + 0.25},5,{3 + k % 4}\n"
    for k in range(3_000)
    for bid in [100 + k // 3 % 7 / 4]
)
OWN_STRATEGY = """
import hft


@hft.strategy(every="100ms", params=dict(half_ticks=1))
def own(view, order, p, s):
    if view.book_valid:
        order.quote(hft.BUY, view.bid_tick - p["half_ticks"], 1)
        order.quote(hft.SELL, view.ask_tick + p["half_ticks"], 1)
"""
EXECUTE = """
import sys
import nbclient
import nbformat

notebook = nbformat.read(sys.argv[1], as_version=4)
nbclient.NotebookClient(notebook, timeout=300).execute()
nbformat.write(notebook, "done.ipynb")
"""


class User:
    """Somebody with the wheel and a folder."""

    def __init__(self, bin_: Path, home: Path) -> None:
        self.bin, self.home = bin_, home

    def run(self, *words: str, where: str = "", code: int = 0) -> str:
        """What a command writes to stdout; `where` is a folder below home."""
        flags = {name: os.environ[name] for name in ("NUMBA_BOUNDSCHECK",) if name in os.environ}
        variables = foreign_repo.variables(
            self.bin, COLUMNS="100", OPENBLAS_NUM_THREADS="1", **flags
        )
        done = subprocess.run(
            words, cwd=self.home / where, env=variables, capture_output=True, text=True
        )
        assert done.returncode == code, f"{' '.join(words)}\n{done.stdout}\n{done.stderr}"
        assert os.fspath(foreign_repo.ROOT) not in done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def user(foreign_bin: Path, tmp_path_factory: pytest.TempPathFactory) -> User:
    return User(foreign_bin, tmp_path_factory.mktemp("user"))


def test_nothing_of_the_checkout_can_be_imported(user: User) -> None:
    program = """
import sys
from importlib.util import find_spec
assert not list(__import__("pathlib").Path().iterdir()), "an empty folder"
for name in ("tests", "benchmarks", "foreign_repo", "quick"):
    assert find_spec(name) is None, name
import hft
print(hft.__file__)
print(*sys.path, sep="\\n")
"""
    said = user.run("python", "-c", program)
    assert Path(said.splitlines()[0]).is_relative_to(user.bin.parent)


def test_the_demo_replays_a_day_and_writes_its_report(user: User) -> None:
    said = user.run("hft", "demo")
    assert "market_making on SYNTH" in said and "digest" in said
    (report,) = user.home.glob("runs/*/report.html")
    assert report.stat().st_size > 100_000
    (day,) = json.loads(user.run("hft", "data", "show", "synthetic", "--json"))
    assert day["symbol"] == "SYNTH" and day["rows"] > 1_000_000


def test_a_workspace_a_scaffold_and_a_verdict(user: User) -> None:
    user.run("hft", "init", "desk")
    synth = ("--alpha", "0.05", "--seed", "1", "--kind", "bars", "--days", "300")
    synth += ("--out", "data/planted")
    user.run("hft", "data", "synth", *synth, where="desk")
    scaffold = ("my_alpha", "--from", "order_flow_imbalance", "--horizon", "1min")
    user.run("hft", "alpha", "scaffold", *scaffold, where="desk")
    judged = ("hft", "alpha", "validate", "my_alpha", "--data", "data/planted", "--yes", "--json")
    verdict = json.loads(user.run(*judged, where="desk"))
    assert verdict["verdict"] == "PASS", verdict


def test_a_csv_and_a_strategy_of_ones_own_are_replayed(user: User) -> None:
    (user.home / "quotes.csv").write_text(OWN_CSV)
    (user.home / "own.py").write_text(OWN_STRATEGY)
    columns = ("ts=time", "bid_qty=bid_lots", "ask_qty=ask_lots")
    named = [word for one in columns for word in ("--columns", one)]
    grid = ("--tick", "0.25", "--lot", "1", "--symbol", "X", "--out", "tapes/own")
    user.run("hft", "data", "ingest", "quotes.csv", *named, *grid)
    run = json.loads(user.run("hft", "replay", "run", "tapes/own", "-s", "own.py", "--json"))
    assert len(run["digest"]) == 64 and run["metrics"]["fills"]["value"] > 0


def test_a_notebook_that_comes_with_it_runs_from_top_to_bottom(user: User) -> None:
    pytest.importorskip("nbclient", reason="the extra `notebook` is not installed")
    pytest.importorskip("ipykernel", reason="the extra `notebook` is not installed")
    (place,) = user.bin.parent.glob("lib/python*/site-packages/hft/notebooks/01_replay.ipynb")
    user.run("python", "-c", EXECUTE, str(place))
    done = json.loads((user.home / "done.ipynb").read_text())
    outputs = [out for cell in done["cells"] for out in cell.get("outputs", [])]
    assert any("text/html" in out.get("data", {}) for out in outputs)
    assert not [out for out in outputs if out["output_type"] == "error"]


def test_the_documentation_of_this_version_is_in_it(user: User) -> None:
    pages = {row["page"] for row in json.loads(user.run("hft", "docs", "--json"))}
    assert {"strategies", "governance", "reference/cli", "regression"} <= pages
    assert "view.bid_tick" in user.run("hft", "docs", "strategies")


def test_the_doctor_finds_nothing_bad(user: User) -> None:
    rows = json.loads(user.run("hft", "doctor", "--json", where="desk"))
    assert "bad" not in {row["state"] for row in rows}
    assert any(row["what"] == "workspace" and row["state"] == "ok" for row in rows)
