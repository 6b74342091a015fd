"""A workspace and its first alpha, as a new user makes them: from nothing, in an empty folder."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from hft.cli import app
from hft.core.errors import ValidationError
from hft.research import exploration
from hft.research.alphas import examples, scaffold
from hft.research.data import usage
from hft.research.data.load import load
from hft.research.data.sample import sample
from hft.research.measures.information import information
from hft.research.worker.roster import find, roster
from hft.research.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    assert app.run(["--quiet", "init", "desk"]) == 0
    monkeypatch.chdir(tmp_path / "desk")
    return tmp_path / "desk"


def pytest_in(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The workspace's tests in a process of their own, from the workspace."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )


def test_a_workspace_has_the_places_of_the_contract(desk: Path) -> None:
    for name in (
        *("research/alphas/_templates", "research/ledger/returns", "research/experiments/runs"),
        *("research/data/raw", "config/strategy_promotions", "research/combinatorial/results"),
    ):
        assert (desk / name).is_dir(), name
    for name in (
        *("config/governance/standard.yaml", "config/limits/live.yaml", "config/keys.yaml"),
        *("config/default.yaml", ".gitignore", "README.md"),
    ):
        assert (desk / name).is_file(), name
    key = desk / ".state" / "keys"
    [private] = [path for path in key.iterdir() if path.suffix != ".pub"]
    assert private.stat().st_mode & 0o777 == 0o600


def test_git_sees_the_ledger_and_not_the_key_or_experiments(desk: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=desk, check=True)
    (desk / "research/experiments/runs/x.json").write_text("{}")
    (desk / "research/data/raw/x.csv").write_text("1")
    seen = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        *(),
        cwd=desk,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert "research/ledger/returns/.gitkeep" in seen and "config/keys.yaml" in seen
    assert not [name for name in seen if name.startswith((".state", "research/experiments"))]
    assert "research/data/raw/x.csv" not in seen


def test_a_workspace_is_not_made_twice_and_force_only_adds(desk: Path) -> None:
    keys = (desk / "config/keys.yaml").read_bytes()
    (desk / "config/governance/base.yaml").write_text("mine")
    (desk / "README.md").unlink()
    assert app.run(["init", str(desk)]) == 73
    assert app.run(["--quiet", "init", str(desk), "--force"]) == 0
    assert (desk / "config/keys.yaml").read_bytes() == keys
    assert (desk / "config/governance/base.yaml").read_text() == "mine"
    assert (desk / "README.md").is_file()


def test_a_given_public_key_is_registered(tmp_path: Path) -> None:
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "id")], check=True
    )
    public = tmp_path / "id.pub"
    assert app.run(["--quiet", "init", str(tmp_path / "desk"), "--key", str(public)]) == 0
    assert public.read_text().split()[1] in (tmp_path / "desk/config/keys.yaml").read_text()
    assert not (tmp_path / "desk/.state/keys").exists()
    for wrong in (tmp_path / "id", tmp_path / "nowhere.pub"):
        assert app.run(["init", str(tmp_path / "other"), "--key", str(wrong)]) == 78
    assert not (tmp_path / "other").exists()


def test_a_rehearsal_says_so_in_its_settings(tmp_path: Path) -> None:
    from hft.settings import load_settings

    assert app.run(["--quiet", "init", str(tmp_path / "desk"), "--rehearsal"]) == 0
    assert load_settings(workspace=tmp_path / "desk").alpha_rehearsal is True


def test_every_example_and_the_template_pass_their_own_tests(desk: Path) -> None:
    names = {"plain": None} | {f"copy_of_{name}": name for name in examples.examples()}
    for name, source in names.items():
        words = ["alpha", "scaffold", name, "--hypothesis", "It works.", "--horizon", "5min"]
        assert app.run([*words, *(["--from", source] if source else [])]) == 0
    done = pytest_in(desk, "research/alphas")
    assert done.returncode == 0, done.stdout[-2000:]
    found = roster(Workspace(desk))
    assert sorted(found.alphas) == sorted(names) and found.errors == ()
    for one in found.alphas.values():
        manifest = one.manifest
        assert manifest.problems() == []
        assert (manifest.hypothesis, manifest.horizon_ns) == ("It works.", 300_000_000_000)
        assert (manifest.status, manifest.tier) == ("DRAFT", "ENSEMBLE")
        words = (one.folder / "README.md").read_text()
        assert "It works." in words and "5min" in words
        assert "registered" in (one.folder / "CHANGELOG.md").read_text()


def test_a_copy_is_formatted_like_everything_else(desk: Path) -> None:
    text = "Large orders are worked in pieces, so that " * 6
    scaffold.scaffold(
        Workspace(desk),
        "mine",
        date="2026-01-01",
        owner="ann",
        source="vpin_conditioned_reversion",
        hypothesis=text,
        papers=["A paper (2020)", "Another one"],
        complexity="ON",
    )
    impl = (desk / "research/alphas/mine/impl.py").read_text()
    assert max(map(len, impl.splitlines())) <= 100
    manifest = find(Workspace(desk), "mine").manifest
    assert manifest.hypothesis == text and manifest.owner == "ann"
    assert manifest.paper_refs == ("A paper (2020)", "Another one")
    assert manifest.complexity == "O(N)" and manifest.family == "vpin"


def test_an_existing_folder_is_kept_and_force_deletes_nothing(desk: Path) -> None:
    assert app.run(["alpha", "scaffold", "mine"]) == 0
    folder = desk / "research/alphas/mine"
    (folder / "notes.txt").write_text("keep me")
    (folder / "impl.py").write_text("x = 1")
    assert app.run(["alpha", "scaffold", "mine"]) == 73
    assert (folder / "impl.py").read_text() == "x = 1"
    assert app.run(["alpha", "scaffold", "mine", "--force"]) == 0
    assert (folder / "notes.txt").read_text() == "keep me"
    assert "MineAlpha" in (folder / "impl.py").read_text()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["validate"], "is a word of `hft alpha`"),
        (["!!!"], "holds no letter or digit"),
        (["a", "--horizon", "soon"], "is not a duration"),
        (["a", "--from", "nothing"], "there is no such alpha; there are microprice_reversion"),
    ],
)
def test_a_wrong_word_is_one_sentence_and_leaves_nothing(
    desk: Path, words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert app.run(["alpha", "scaffold", *words]) == (78 if "--horizon" in words else 65)
    said = capsys.readouterr().err
    assert sentence in said and "Traceback" not in said
    assert sorted(path.name for path in (desk / "research/alphas").iterdir()) == ["_templates"]


def test_a_look_is_free_and_sees_the_explore_split_only(
    desk: Path, shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    days = str(shared_data / "qqq_micro_bars_1m" / "202310*.parquet")
    assert app.run(["alpha", "scaffold", "mine", "--from", "trade_sign_momentum"]) == 0
    assert app.run(["data", "features", days, "--horizons", "5min", "--out", "set"]) == 0
    capsys.readouterr()
    assert app.run(["alpha", "try", "mine", "--data", "set", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["trial"] is False and told["rows"] < 0.45 * 390 * 22
    assert told["last"] < 20231020 and len(told["decay"]) == 7
    assert all(abs(one["spearman"]) < 0.2 for one in told["decay"])
    assert not list((desk / "research/ledger").glob("*.jsonl"))
    assert app.run(["alpha", "try", "mine", "--data", days]) == 0
    assert "has no splits" in capsys.readouterr().out
    looked = usage.looks(usage.uses(Workspace(desk), load(days)))
    assert len(looked) == 1 and looked[0][0] == 20231002 and looked[0][1] < 20231020
    assert usage.looks(usage.uses(Workspace(desk), load("set"))) == looked


def looking(desk: Path, moves: np.ndarray, level: np.ndarray) -> exploration.Explored:
    """A look at a signal that is the column `level`, on closes that make these moves."""
    code = desk / "research/alphas/mine/impl.py"
    if not code.exists():
        assert app.run(["--quiet", "alpha", "scaffold", "mine", "--horizon", "10min"]) == 0
        code.write_text(
            code.read_text()
            .replace('("ofi",)', '("level",)')
            .replace("*, ofi: float) -> float:", "*, level: float) -> float:\n        return level")
        )
    mid = 100.0 * np.exp(np.cumsum(moves))
    times = sample(rows=len(moves), minutes=60).frame["ts"]
    frame = pl.DataFrame({"ts": times, "mid": mid, "level": level})
    with find(Workspace(desk), "mine") as alpha:
        return exploration.explore(alpha, load(frame))


@pytest.mark.parametrize("span", [5, 30, 200])
def test_a_reversion_to_a_mean_shows_nothing_on_a_random_walk(desk: Path, span: int) -> None:
    """Within a session a level foretells its own later change, whatever the market does."""
    ts = []
    for seed in range(8):
        moves = np.random.default_rng(seed).normal(0.0, 2e-4, 8000)
        walk, mean = np.cumsum(moves), np.zeros(8000)
        for row in range(1, 8000):
            mean[row] = mean[row - 1] + (walk[row] - mean[row - 1]) * 2 / (span + 1)
        look = looking(desk, moves, mean - walk)
        ts += [one.t for one in look.decay if one.t is not None]
    assert len(ts) >= 8 * 6
    assert sum(abs(t) < 3.0 for t in ts) >= 0.95 * len(ts), ts
    assert abs(np.mean(ts)) < 1.0


def test_a_true_alpha_stands_out_in_the_first_look(desk: Path) -> None:
    random = np.random.default_rng(3)
    level = random.normal(0.0, 1.0, 8000)
    moves = random.normal(0.0, 2e-4, 8000)
    moves[1:] += 0.15 * 2e-4 * level[:-1]
    look = looking(desk, moves, level)
    assert look.decay[0].t is not None and look.decay[0].t > 6
    other = looking(desk, moves, -level)
    assert other.decay[0].t == pytest.approx(-look.decay[0].t)


def test_the_t_of_a_look_is_the_one_gate_c_asks_for(desk: Path) -> None:
    """The signal knows the side of the day, and within the day it is wrong each time."""
    horizon = 600_000_000_000
    side = np.where(np.arange(6000) // 60 % 2, 1.0, -1.0)
    wave = np.cos(np.arange(6000) * 1.7)
    moves = 1e-4 * side + 1e-5 * wave
    level = np.concatenate([side[1:] - 0.1 * wave[1:], [0.0]])
    found = looking(desk, moves, level)
    [look] = [one for one in found.decay if one.horizon_ns == horizon]
    times = sample(rows=6000, minutes=60).frame["ts"]
    mid = 100.0 * np.exp(np.cumsum(moves))
    rows = load(pl.DataFrame({"ts": times, "mid": mid, "level": level}))
    part, _ = exploration.explore_part(rows, horizon)
    gate = information(part, part.frame["level"].to_numpy(), horizon, draws=20, seed=1).days
    assert gate is not None and gate.t is not None
    assert look.t == gate.t.t and look.spearman == gate.mean
    assert look.spearman is not None and look.spearman > 0.5 and look.t is not None and look.t > 0
    assert "IC   its t" in found.text()
    assert f"{look.spearman:>8.4f}  {look.t:>6.1f}" in found.text()


def test_a_look_says_what_loading_dropped_and_what_is_odd_about_the_rows(desk: Path) -> None:
    look = looking(desk, np.random.default_rng(1).normal(0.0, 2e-4, 6000), np.arange(6000.0))
    assert not [note for note in look.notes if "row" in note or "missing" in note], "whole data"
    frame = sample(rows=6000, minutes=60).frame.select("ts", "mid", level="mid")
    frame = frame.with_row_index("n")
    mid = pl.when(pl.col("n") % 5 == 4).then(float("nan")).otherwise("mid")
    ts = pl.when(pl.col("n").is_in([11, 13])).then(pl.col("ts").shift(1)).otherwise("ts")
    lost = (pl.col("n") >= 20 * 60) & (pl.col("n") < 32 * 60)
    odd = frame.with_columns(mid=mid, ts=ts).filter(~lost).drop("n")
    odd = pl.concat([odd.tail(10), odd.head(odd.height - 10), odd.head(3)])
    with find(Workspace(desk), "mine") as alpha:
        told = "\n".join(exploration.explore(alpha, load(odd)).notes)
    for words in (
        "1,056 rows without a price: dropped",
        "3 rows repeated as a whole: counted once",
        "earlier than the row before: sorted by time",
        "2 rows at the time of an earlier row: kept, the first at 20",
        "12 sessions are missing between",
    ):
        assert words in told, told


def test_a_look_at_few_sessions_shows_the_coefficient_and_no_t(desk: Path) -> None:
    look = looking(desk, np.random.default_rng(1).normal(0.0, 2e-4, 1200), np.arange(1200.0))
    assert look.decay[0].spearman is not None and look.decay[0].t is None
    assert "a t takes 20 sessions, and 8 were looked at" in look.text()


def test_a_look_at_rows_too_far_apart_for_the_alpha_says_so(desk: Path) -> None:
    assert app.run(["--quiet", "alpha", "scaffold", "mine", "--horizon", "5s"]) == 0
    alpha = find(Workspace(desk), "mine")
    said = exploration.explore(alpha, sample()).text()
    assert "the alpha predicts over 5s, and no row is followed by another" in said
    assert not [line for line in said.splitlines() if line.split()[-1:] == ["0"]]
    assert app.run(["--quiet", "alpha", "scaffold", "fine", "--horizon", "1min"]) == 0
    fine = exploration.explore(find(Workspace(desk), "fine"), sample())
    assert "predicts over" not in fine.text() and len(fine.decay) == 7


def test_looking_at_data_without_a_field_names_it(
    desk: Path, shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert app.run(["alpha", "scaffold", "mine"]) == 0
    bars = shared_data / "us_etf_bars_1m" / "SPY" / "2006-12.parquet"
    assert app.run(["alpha", "try", "mine", "--data", str(bars)]) == 65
    assert "has no field 'ofi'" in capsys.readouterr().err
    assert app.run(["alpha", "try", "nobody", "--data", str(bars)]) == 65
    assert app.run(["alpha", "try", "mine"]) == 65


def test_the_list_says_what_can_be_copied_and_what_is_broken(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert app.run(["alpha", "list"]) == 0
    assert "order_flow_imbalance" in capsys.readouterr().out
    assert app.run(["alpha", "scaffold", "mine"]) == 0
    (desk / "research/alphas/bad").mkdir()
    (desk / "research/alphas/bad/impl.py").write_text("import nowhere")
    capsys.readouterr()
    assert app.run(["alpha", "list", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["alpha_id"] for one in told["alphas"]] == ["mine"]
    assert "bad" in told["errors"][0]


def test_an_alpha_that_cannot_be_copied_says_why(desk: Path) -> None:
    folder = desk / "research/alphas/odd"
    folder.mkdir()
    (folder / "impl.py").write_text("x = 1")
    with pytest.raises(ValidationError, match=r"writes no AlphaManifest"):
        scaffold.scaffold(Workspace(desk), "new", date="d", owner="o", source="odd")
    assert not (desk / "research/alphas/new").exists()


def test_the_leak_test_of_a_scaffold_knows_a_field_of_the_users_own(desk: Path) -> None:
    assert app.run(["--quiet", "alpha", "scaffold", "mine"]) == 0
    folder = desk / "research/alphas/mine"
    code = folder / "impl.py"
    code.write_text(code.read_text().replace("ofi", "my_feature"))
    done = pytest_in(desk, str(folder / "tests" / "test_anti_leak.py"))
    assert done.returncode == 0, done.stdout


def test_a_look_from_python_prints_its_table(desk: Path) -> None:
    assert app.run(["--quiet", "alpha", "scaffold", "mine"]) == 0
    found = exploration.explore(find(Workspace(desk), "mine"), sample())
    assert repr(found) == found.text() and "horizon" in repr(found)
