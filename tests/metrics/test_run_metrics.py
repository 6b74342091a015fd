"""A run's folder has the figures that a live gateway shows, so that one dashboard reads both."""

import json
from pathlib import Path

import polars as pl
import pytest
from prometheus_client.parser import text_string_to_metric_families

import hft
from hft.api.metrics import Watch
from hft.cli.app import run as command
from hft.metrics.catalogue import CATALOGUE, PAPER, RUN
from hft.metrics.exporter import samples
from hft.runs.folder.layout import FIGURES
from hft.runs.folder.writer import JournalFull
from hft.runs.ingest import synthetic
from hft.runs.result import Run
from hft.tape.dataset import Tapes
from tests.services.paper_world import Machine, trade

VENUE = {"latency": "1ms"}


@pytest.fixture(scope="module")
def tapes(tmp_path_factory: pytest.TempPathFactory) -> Tapes:
    return synthetic(seed=5, out=tmp_path_factory.mktemp("m") / "t", events=100_000)


@pytest.fixture(scope="module")
def made(tapes: Tapes, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return hft.replay(tapes, "market_making", venue=VENUE, out=tmp_path_factory.mktemp("runs"))


def figures(path: Path) -> dict[tuple[str, ...], float]:
    """Value by name and labels."""
    text = (path / FIGURES).read_text()
    return {(one["name"], *one["labels"].values()): one["value"] for one in samples(text)}


def test_the_figures_are_those_of_the_runs_tables(made: Run) -> None:
    found = figures(made.path)
    text = (made.path / FIGURES).read_text()
    names = {one.name for one in text_string_to_metric_families(text)}
    theirs = {name for name, one in CATALOGUE.items() if RUN in one.of}
    assert names == {name.removesuffix("_total") for name in theirs}
    filled = made.fills["order_id"].n_unique()
    assert found["gateway_orders_filled_total",] == filled > 10
    assert found["gateway_order_fill_latency_us_count",] == filled
    assert found["gateway_orders_submitted_total",] == made.totals["orders"]
    assert found["gateway_risk_checks_total",] == made.decisions.height
    ratio = filled / made.totals["orders"]
    assert found["gateway_fill_ratio", "market_making"] == pytest.approx(ratio)
    refused = {row["reason"]: row["count"] for row in made.refusals.iter_rows(named=True)}
    counted = {key[1]: n for key, n in found.items() if key[0] == "gateway_reject_total" and n}
    assert counted == refused
    net = made.metrics.get_value("net")
    assert found["gateway_total_pnl",] == pytest.approx(net)


def test_how_long_orders_waited_is_what_the_tables_of_steps_say(made: Run) -> None:
    found = figures(made.path)
    first = made.fills.group_by("order_id").agg(pl.col("ts").min().alias("filled"))
    decided = made.decisions.filter(intent="NEW", reason="OK").select("intent_id", "ts")
    waits = first.join(decided, left_on="order_id", right_on="intent_id").select(
        (pl.col("filled") - pl.col("ts")).dt.total_nanoseconds() // 1000
    )
    assert found["gateway_order_fill_latency_us_sum",] == waits.sum().item()
    sent = made.decisions.filter(reason="OK").height
    at_once = found["gateway_dispatch_latency_ns_bucket", "1000000.0"]
    assert 0 < at_once == found["gateway_dispatch_latency_ns_count",] <= sent
    assert found["gateway_dispatch_latency_ns_sum",] == at_once * 1_000_000, "1 ms each"


def test_the_same_run_has_the_same_bytes_also_when_it_was_stopped_and_went_on(
    made: Run, tapes: Tapes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = sum(file.stat().st_size for file in (made.path / "journal").iterdir())
    monkeypatch.setenv("HFT_RUNS_MAX_JOURNAL_GB", f"{written / 2 / 1e9:.9f}")
    with pytest.raises(JournalFull) as stopped:
        hft.replay(tapes, "market_making", venue=VENUE, out=tmp_path)
    cut = stopped.value.run
    assert cut is not None
    early = figures(cut.path)["gateway_order_fill_latency_us_count",]
    monkeypatch.setenv("HFT_RUNS_MAX_JOURNAL_GB", "0")
    whole = hft.replay(tapes, "market_making", venue=VENUE, out=tmp_path, resume=cut)
    assert early < figures(whole.path)["gateway_order_fill_latency_us_count",]
    assert (whole.path / FIGURES).read_bytes() == (made.path / FIGURES).read_bytes()


def test_a_session_leaves_what_it_showed_last(
    tmp_path: Path, tapes: Tapes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = trade(Machine(), tmp_path / "home", tapes, end="2024-01-02T00:30:00Z")
    shown = samples(Watch(tmp_path / "home").text())
    live = {(one["name"], *one["labels"].values()): one["value"] for one in shown}
    left = figures(done.run.path)
    of_both = {name for name, one in CATALOGUE.items() if {PAPER, RUN} <= {*one.of}}
    own_clocks = {"gateway_dispatch_latency_ns"}  # of the machine there, of the tape here
    parts = ("", "_bucket", "_sum", "_count")
    names = {name + part for name in of_both - own_clocks for part in parts}
    same = {key: value for key, value in left.items() if key[0] in names}
    assert len(same) > 100 and {key: live[key] for key in same} == same


def test_a_summary_has_no_figures_of_steps_and_a_digest_none(
    tapes: Tapes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = {"venue": VENUE, "out": tmp_path}
    summary = hft.replay(tapes, "market_making", record="summary", **asked)
    found = figures(summary.path)
    assert ("gateway_orders_filled_total",) not in found
    assert found["gateway_orders_submitted_total",] == summary.totals["orders"]
    digest = hft.replay(tapes, "market_making", record="digest", fresh=True, **asked)
    assert command(["metrics", "show", "--run", str(digest.path)]) == 65
    said = capsys.readouterr().err
    assert "metrics.prom: is not there" in said and "--record full --fresh" in said


def test_the_command_shows_a_run_as_text_and_as_json(
    made: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(["metrics", "show", "--run", str(made.path)]) == 0
    assert capsys.readouterr().out == (made.path / FIGURES).read_text()
    assert command(["metrics", "show", "--run", str(made.path), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert {"name": "gateway_leader", "labels": {}, "value": 1.0} in shown


def test_a_measure_that_fails_ends_no_run(
    made: Run, tapes: Tapes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hft.metrics.orders.Orders.heard", lambda *given: 1 // 0)
    run = hft.replay(tapes, "market_making", venue=VENUE, out=tmp_path)
    assert run.digest == made.digest and run.fills.equals(made.fills)
    found = figures(run.path)
    assert ("gateway_orders_filled_total",) not in found
    assert found["gateway_orders_submitted_total",] == run.totals["orders"]
