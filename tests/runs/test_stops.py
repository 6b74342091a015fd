"""A run that loops is told so, and cannot fill a disk."""

import json
from pathlib import Path

import polars as pl
import pytest

import hft
from hft.cli import app
from hft.core.codes import Reason
from hft.core.errors import StrategyError
from hft.core.reasons import MEANINGS
from hft.gateway.limits import Limits
from hft.runs.code import sources
from hft.runs.folder.writer import JournalFull
from hft.runs.ingest import synthetic
from hft.runs.result import Run
from hft.tape.dataset import Tapes

LOOPS = 200  # intents a wake-up, of which its buffer holds 64


@hft.strategy(every="300s")
def looping(view, order, p, s):  # type: ignore[no-untyped-def]
    for k in range(200):
        order.new(0, view.bid_tick - k, 1)


@hft.strategy(every="2s", track=("n",), state={"n": 0})
def restless(view, order, p, s):  # type: ignore[no-untyped-def]
    s["n"] += 1
    order.quote(0, view.bid_tick - s["n"] % 5, 1)


@pytest.fixture(scope="module")
def tapes(tmp_path_factory: pytest.TempPathFactory) -> Tapes:
    return synthetic(seed=5, out=tmp_path_factory.mktemp("m") / "t", events=20_000)


def test_intents_beyond_the_buffer_are_refusals_wherever_refusals_are_counted(
    tapes, tmp_path, capsys
):
    run = hft.replay(tapes, looping, out=tmp_path)
    summary = hft.replay(tapes, looping, out=tmp_path / "s", record="summary")
    wakes = run.totals["wakes"]
    lost = (LOOPS - 64) * wakes
    assert wakes > 10 and run.totals["lost_intents"] == lost
    for one in (run, summary):
        get = one.metrics.get_value
        assert get("decisions") == LOOPS * wakes == one.totals["decisions"]
        row = one.refusals.row(by_predicate=pl.col("reason") == "INTENT_BUFFER_FULL", named=True)
        assert row["count"] == lost and row["share"] == pytest.approx(lost / (LOOPS * wakes))
        assert get("refused") == one.refusals["count"].sum() == one.totals["refused"]
        assert get("refused_share") == get("refused") / get("decisions")
        assert f"({get('refused'):,} of {LOOPS * wakes:,})" in repr(one).splitlines()[0]
        assert "INTENT_BUFFER_FULL" in repr(one)
    assert run.decisions.height == 64 * wakes, "what never reached the gateway has no decision"
    page = run.report(tmp_path / "r.html").read_text()
    assert page.index("of the intents were refused") < page.index("<h2>")
    assert "INTENT_BUFFER_FULL" in page
    assert app.run(["replay", "show", str(run.path), "--frame", "refusals"]) == 0
    assert "INTENT_BUFFER_FULL" in capsys.readouterr().out
    assert run.verify()


def test_when_the_buffer_refuses_most_the_first_line_says_why(tapes, tmp_path):
    run = hft.replay(tapes, looping, out=tmp_path, limits=hft.Limits.off())
    first = repr(run).splitlines()[0]
    why = MEANINGS[Reason.INTENT_BUFFER_FULL].text.rstrip(".")
    assert first.endswith(why[0].lower() + why[1:])
    checked = looping.check(tapes, wakes=5)
    assert checked.refusals["INTENT_BUFFER_FULL"] == (LOOPS - 64) * checked.wakes


def test_a_journal_beyond_its_size_ends_the_run_in_order_and_can_go_on(
    tapes, tmp_path, monkeypatch, capsys
):
    whole = hft.replay(tapes, restless, out=tmp_path / "whole")
    written = sum(f.stat().st_size for f in (whole.path / "journal").iterdir())
    monkeypatch.setenv("HFT_RUNS_MAX_JOURNAL_GB", f"{written / 2 / 1e9:.9f}")
    with pytest.raises(JournalFull, match=r"runs\.max_journal_gb") as stopped:
        hft.replay(tapes, restless, out=tmp_path / "cut")
    run = stopped.value.run
    assert stopped.value.exit_code == 74
    assert run.partial and len(run.digest) == 64 and run.digest != whole.digest
    seqs = [seq for steps in run.steps() for seq in steps["seq"].tolist()]
    assert seqs == list(range(1, len(seqs) + 1)) and len(seqs) > 1000
    assert run.decisions.equals(whole.decisions.head(run.decisions.height))
    assert run.report(tmp_path / "r.html").is_file()
    with pytest.raises(JournalFull):  # still over: at once, and nothing is lost
        hft.replay(tapes, restless, out=tmp_path / "cut", resume=run)
    monkeypatch.setenv("HFT_RUNS_MAX_JOURNAL_GB", "0")
    resumed = hft.replay(tapes, restless, out=tmp_path / "cut", resume=run)
    assert resumed.digest == whole.digest and not resumed.partial
    assert resumed.decisions.equals(whole.decisions) and resumed.fills.equals(whole.fills)
    assert resumed.equity.equals(whole.equity) and resumed.series.equals(whole.series)


def test_the_command_line_says_the_size_in_one_sentence(tapes, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HFT_RUNS_MAX_JOURNAL_GB", "0.000001")
    words = ["replay", "run", str(tapes[0].path), "-s", "two_sided", "--out", str(tmp_path)]
    assert app.run(words) == 74
    error = capsys.readouterr().err
    assert "runs.max_journal_gb" in error and "kept" in error and "--record summary" in error
    assert len(list(Path(tmp_path).glob("*.partial"))) >= 1
    assert app.run([*words, "--record", "summary"]) == 0, "only a journal has a size"


@hft.strategy(every="100ms")
class Failing:
    """Quotes until its sixtieth wake-up."""

    def __init__(self) -> None:
        self.wakes = 0

    def on_wake(self, view, order):  # type: ignore[no-untyped-def]
        self.wakes += 1
        order.quote(hft.BUY, view.mid_tick - 2, 1)
        if self.wakes == 60:
            raise ValueError("sixty is enough")


def test_a_strategy_that_raises_leaves_every_step_before_it_in_the_journal(tapes, tmp_path):
    with pytest.raises(StrategyError, match="sixty is enough at wake-up 60"):
        hft.replay(tapes, Failing, limits=Limits.off(), out=tmp_path)
    (folder,) = tmp_path.iterdir()
    run = Run.open(folder)
    kept = [int(seq) for steps in run.steps() for seq in steps["seq"]]
    assert run.partial
    assert kept == list(range(1, run.totals["steps"] + 1))
    assert len(kept) >= 60
    assert "sixty is enough at wake-up 60" in run.stopped
    assert f"stopped: {run.stopped}" in repr(run) and "sixty is enough" in run.to_json()["stopped"]
    assert "sixty is enough" in run.report(tmp_path / "r.html").read_text()


def test_the_command_line_says_where_the_run_so_far_is(tapes, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sources, "find", lambda _: Failing)
    words = ["replay", "run", str(tapes[0].path), "-s", "failing", "--out", str(tmp_path)]
    assert app.run([*words, "--limits", "off", "--json"]) == 65
    captured = capsys.readouterr()
    said = json.loads(captured.out)
    assert said["kind"] == "StrategyError" and Run.open(said["run"]).partial
    assert f"the run so far is kept in {said['run']}" in captured.err
    (label,) = [text for name, text in run_labels(said["run"]).items() if name == "tape 1"]
    assert label.startswith(f"{tapes[0].symbol} {tapes[0].day}: ")


def run_labels(path):
    return Run.open(path).view().labels


def test_a_run_that_can_go_on_says_how(tapes, tmp_path, monkeypatch):
    monkeypatch.setenv("HFT_RUNS_MAX_JOURNAL_GB", "0.000001")
    with pytest.raises(JournalFull) as stopped:
        hft.replay(tapes, "two_sided", out=tmp_path)
    run = stopped.value.run
    assert run.resumable and f"goes on with: --resume {run.id}" in repr(run)
    assert "runs.max_journal_gb" in run.stopped


@hft.strategy(every="300s")
class Leaver:
    def __init__(self):
        self.wakes = 0

    def on_wake(self, view, order):  # type: ignore[no-untyped-def]
        self.wakes += 1
        if self.wakes > 3:
            raise SystemExit(7)


def test_a_strategy_that_leaves_the_process_ends_its_run_in_order(tapes, tmp_path):
    with pytest.raises(StrategyError, match="'Leaver' raised SystemExit: 7 at wake-up 4"):
        hft.replay(tapes, Leaver, out=tmp_path)
    (run,) = hft.runs(out=tmp_path).to_dicts()
    assert run["state"] == "partial" and run["events"] > 0
    assert "SystemExit: 7" in (Path(run["path"]) / "manifest.json").read_text()
