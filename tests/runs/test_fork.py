"""A fork is the same run until its step, and another one from there on."""

import subprocess
import tarfile

import polars as pl
import pytest

import hft
from hft.cli import app
from hft.core.errors import ConfigError, DataError, StrategyError
from hft.core.instruments import Instrument
from hft.runs.folder.writer import JournalFull
from hft.runs.ingest import ingest, synthetic
from hft.runs.result import Run


@hft.strategy(every="60s", params={"away": 2}, state={"n": 0})
def stepping(view, order, p, s):  # type: ignore[no-untyped-def]
    s["n"] += 1
    if view.book_valid:
        order.quote(0, view.bid_tick - p["away"] - s["n"] % 3, 1)
        order.quote(1, view.ask_tick + p["away"], 1)


@hft.strategy(every="60s", params={"away": 2})
class Called:
    def __init__(self, away):  # type: ignore[no-untyped-def]
        self.away = away

    def on_wake(self, view, order):  # type: ignore[no-untyped-def]
        pass


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("fork")
    tapes = synthetic(seed=8, out=folder / "t", events=20_000)
    return hft.replay(tapes, stepping, out=folder / "runs", venue=hft.Venue("2ms"))


def test_a_fork_is_equal_until_its_step_and_has_the_parameter_after_it(base: Run) -> None:
    at = base.totals["steps"] // 2
    forked = base.fork(at, away=5)
    assert forked.path != base.path and forked.digest != base.digest
    where = base.diff(forked)
    assert not where and at <= where.step < at + 200
    before = pl.col("seq") <= at
    assert forked.decisions.filter(before).equals(base.decisions.filter(before))
    whole = hft.replay(
        hft.tapes(base.manifest["tapes"][0]["path"]),
        stepping,
        params={"away": 5},
        venue=hft.Venue("2ms"),
        out=base.path.parent,
        fresh=True,
    )
    late = pl.col("seq") > at * 3 // 2
    sells = [run.decisions.filter(late, side="SELL", intent="NEW") for run in (forked, whole)]
    both = sells[0].join(sells[1], on="ts")
    assert both.height > 5
    assert both["price_tick"].equals(both["price_tick_right"]), "it quotes as if it always had"
    assert "from step" in base.fork(at, away=5).report().read_text()
    assert base.fork(at, away=5).path == forked.path, "the same fork is the same run"
    assert forked.verify()


def test_a_fork_that_changes_nothing_keeps_the_digest(base: Run) -> None:
    assert base.fork(1_000, away=2).digest == base.digest


def test_parameters_of_a_fork_are_taken_as_a_replay_takes_them_and_diff_a_runs_name(
    base: Run,
) -> None:
    forked = base.fork(1_000, away=6)
    assert base.fork(1_000, params={"away": 6}).path == forked.path
    named = base.diff(forked.id)
    assert not named and named.step == base.diff(forked).step
    assert base.diff(str(base.path))
    with pytest.raises(DataError, match="no run 'x' in folder"):
        base.diff("x")
    with pytest.raises(ConfigError, match="diff: 5 is no run and no name of one"):
        base.diff(5)  # type: ignore[arg-type]


def test_a_time_is_the_last_step_before_it(base: Run) -> None:
    row = next(base.steps())[500]
    moment = pl.Series([int(row["ts_ns"])]).cast(pl.Datetime("ns", "UTC"))
    forked = base.fork(str(moment[0]), away=4)
    seq = [int(s) for steps in base.steps() for s in steps["seq"][steps["ts_ns"] < row["ts_ns"]]]
    assert forked.config["fork"]["at_step"] == max(seq)


@pytest.mark.parametrize(
    ("at", "params", "words"),
    [
        (0, {"away": 1}, "inside the run"),
        (10**9, {"away": 1}, "inside the run"),
        ("yesterday", {"away": 1}, "at: 'yesterday'"),
        (100, {}, "changes a parameter"),
        (100, {"awya": 1}, "no parameter 'awya'"),
        (100, {"away": "x"}, "away='x'"),
    ],
)
def test_what_cannot_be_forked_is_a_sentence(base: Run, at, params, words) -> None:
    before = sorted(base.path.parent.iterdir())
    with pytest.raises(ConfigError, match=words):
        base.fork(at, **params)
    assert sorted(base.path.parent.iterdir()) == before


def test_a_class_and_a_fork_cannot_be_forked(base: Run, tmp_path) -> None:
    tapes = hft.tapes(base.manifest["tapes"][0]["path"])
    run = hft.replay(tapes, Called, out=tmp_path)
    with pytest.raises(ConfigError, match="only compiled strategies"):
        run.fork(10, away=3)
    with pytest.raises(ConfigError, match="is a fork itself"):
        base.fork(1_000, away=7).fork(2_000, away=8)


def test_the_command_line_forks_and_says_what_it_did(base: Run, capsys) -> None:
    words = ["replay", "fork", str(base.path), "--at", "1500", "--set", "away=6"]
    assert app.run(words) == 0
    assert "net P&L" in capsys.readouterr().out
    assert app.run([*words[:4], "5", "--set", "away=6", "--set", "away=7"]) == 64
    assert app.run([*words[:4], "0", "--set", "away=6"]) == 78


def test_an_archive_is_the_run_on_another_machine(base: Run, tmp_path, capsys) -> None:
    first, second = base.export(tmp_path / "a.tar.gz"), base.export(tmp_path / "b.tar.gz")
    assert first.read_bytes() == second.read_bytes()
    with tarfile.open(first) as archive:
        assert {entry.name.split("/")[0] for entry in archive.getmembers()} == {base.id}
        assert all(entry.uid == entry.mtime == 0 for entry in archive.getmembers())
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    subprocess.run(["tar", "xf", first, "-C", elsewhere], check=True)
    there = hft.load("last", elsewhere)
    assert there.digest == base.digest and there.fills.equals(base.fills)
    assert repr(there).splitlines()[:-1] == repr(base).splitlines()[:-1]
    assert base.diff(there)
    args = ["--json", "replay", "export", str(base.path), str(tmp_path / "c.tar.gz")]
    assert app.run(args) == 0
    assert (tmp_path / "c.tar.gz").read_bytes() == first.read_bytes()
    assert app.run([*args[:-1], str(tmp_path)]) == 78


def test_a_class_that_does_not_take_its_parameters_leaves_no_folder(base: Run, tmp_path) -> None:
    @hft.strategy(every="60s", params={"away": 2})
    class Deaf:
        def on_wake(self, view, order):  # type: ignore[no-untyped-def]
            pass

    tapes = hft.tapes(base.manifest["tapes"][0]["path"])
    with pytest.raises(StrategyError, match="'Deaf'"):
        hft.replay(tapes, Deaf, out=tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_a_real_day_forks_resumes_and_verifies(shared_data, tmp_path, monkeypatch) -> None:
    """ES order by order with true queue positions: the richest state there is to stop in."""
    file = shared_data / "databento_dbn_es" / "esh4-glbx-mdp3-20231225.mbo.dbn.zst"
    table = {"ESH4": Instrument("ESH4", "0.25", "1", "50")}
    tapes = ingest(file, tmp_path / "es", instruments=table)
    venue = hft.Venue("1ms", "fifo")
    named = {"venue": venue, "out": tmp_path / "runs", "params": {"lots": 2}}
    run = hft.replay(tapes, "two_sided", **named)
    assert run.totals["fills"] > 0
    at = run.totals["steps"] // 3
    forked = run.fork(at, lots=1)
    where = run.diff(forked)
    assert not where and where.step >= at
    sizes = forked.decisions.filter(pl.col("seq") > where.step, intent="NEW")["lots"]
    assert sizes.max() == 1 and forked.verify()
    journal = sum(one.stat().st_size for one in (run.path / "journal").iterdir())
    monkeypatch.setenv("HFT_RUNS_MAX_JOURNAL_GB", f"{journal / 3e9:.9f}")
    with pytest.raises(JournalFull) as stopped:
        hft.replay(tapes, "two_sided", fresh=True, **named)
    monkeypatch.delenv("HFT_RUNS_MAX_JOURNAL_GB")
    resumed = hft.replay(tapes, "two_sided", resume=stopped.value.run, **named)
    assert resumed.digest == run.digest and resumed.fills.equals(run.fills)
