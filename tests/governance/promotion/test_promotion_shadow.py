"""Shadow runs of a real alpha through the gateway, read back as evidence."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from promotion_world import ALPHA, START_NS, profile

from hft.core.errors import DataError, PromotionError
from hft.gateway.limits import Limits
from hft.governance.gates import d, e
from hft.governance.gates.e import Shadow
from hft.governance.paper import log_session, sessions_folder, summarize
from hft.governance.promotion.parity import comparer, stream
from hft.governance.promotion.shadow import asserted, from_runs, with_paper
from hft.research.alphas import examples
from hft.research.alphas.scaffold import scaffold
from hft.research.backtest import Rules
from hft.research.data.planted_tapes import write_tapes
from hft.research.worker.client import WorkerAlpha
from hft.research.worker.roster import find
from hft.research.workspace import Workspace
from hft.runs.ingest import synthetic


@pytest.fixture(scope="module")
def shadowed(tmp_path_factory: pytest.TempPathFactory) -> tuple[WorkerAlpha, list[Path]]:
    """One synthetic day, the queue-imbalance example streamed over it."""
    root = tmp_path_factory.mktemp("shadow")
    tapes = synthetic(seed=5, out=root / "tapes", events=20_000, kind="l2")
    workspace = Workspace(root)
    scaffold(workspace, "queue", source="queue_imbalance", date="2026-11-02", owner="ann")
    alpha = find(workspace, "queue")
    rules = Rules(threshold=0.1, max_position=1.0)
    folder = root / "shadow"
    return alpha, [Path(p) for p in stream(alpha, tapes, rules, limits=Limits(), folder=folder)]


def test_a_shadow_day_verifies_and_repeats_every_value(
    shadowed: tuple[WorkerAlpha, list[Path]],
) -> None:
    alpha, paths = shadowed
    found = from_runs(paths, profile("base"), compare=comparer(alpha))
    assert not found.problems, found.problems
    assert found.evidence == "runs" and found.sessions == 2  # over midnight
    assert (found.decisions or 0) > 0 and found.drift_alerts == 0 and found.identical == 1.0
    assert e.evaluate(found, profile("base")).verdict == "INSUFFICIENT"  # two sessions of five


def test_a_run_of_another_alpha_is_no_evidence(
    shadowed: tuple[WorkerAlpha, list[Path]], tmp_path: Path
) -> None:
    _, paths = shadowed
    workspace = Workspace(tmp_path)
    scaffold(workspace, "other", source="trade_sign_momentum", date="2026-11-02", owner="ann")
    found = from_runs(paths, profile("base"), compare=comparer(find(workspace, "other")))
    assert found.problems and not found.sessions
    assert e.evaluate(found, profile("base")).verdict == "FAIL"


def test_a_run_whose_digest_was_changed_is_no_evidence(
    shadowed: tuple[WorkerAlpha, list[Path]], tmp_path: Path
) -> None:
    alpha, paths = shadowed
    copy = tmp_path / paths[0].name
    shutil.copytree(paths[0], copy)
    (copy / "digest").write_text("0" * 64 + "\n")
    found = from_runs([copy], profile("base"), compare=comparer(alpha))
    assert found.problems and found.sessions is None


def test_the_same_run_given_twice_counts_once(
    shadowed: tuple[WorkerAlpha, list[Path]],
) -> None:
    alpha, paths = shadowed
    once = from_runs(paths, profile("base"), compare=comparer(alpha))
    twice = from_runs([*paths, *paths], profile("base"), compare=comparer(alpha))
    assert once == twice


def test_shadow_runs_stand_in_the_order_of_their_sessions(tmp_path: Path) -> None:
    """Not of their folders, whose names say when somebody ran them."""
    workspace = Workspace(tmp_path)
    scaffold(workspace, "flow", source="order_flow_imbalance", date="2026-11-02", owner="ann")
    alpha = find(workspace, "flow")
    tapes = write_tapes(tmp_path / "tapes", 0.0, days=2)
    given: dict[str, Any] = {"limits": Limits(), "folder": tmp_path / "shadow", "clock": "60s"}
    paths = [Path(p) for p in stream(alpha, tapes, Rules(threshold=0.1), **given)]
    for k, path in enumerate(paths):
        path.rename(path.with_name(f"2026110{9 - k}T000000Z_{path.name[-8:]}"))
    found = from_runs([paths[0].parent], profile("base"), compare=comparer(alpha))
    days = [row["from"] for row in found.runs]
    assert len(days) == 2 and days == sorted(days)


def test_a_folder_without_runs_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no run folder"):
        from_runs([tmp_path], profile("base"), compare=lambda run: None)  # type: ignore[arg-type, return-value]


def test_nothing_typed_stays_absent_and_typed_is_marked() -> None:
    assert asserted(None, None, None).evidence == ""
    found = asserted(6, None, None)
    assert found.evidence == "asserted" and found.drift_alerts is None
    assert e.evaluate(found, profile("standard")).verdict == "FAIL"
    assert e.evaluate(found, profile("base")).verdict == "INSUFFICIENT"


def test_the_examples_are_there() -> None:
    assert {"queue_imbalance", "trade_sign_momentum"} <= set(examples.examples())


def test_logged_paper_trade_sessions_are_the_ones_a_promotion_reads(tmp_path: Path) -> None:
    hour = 3_600_000_000_000
    for day, regime in ((0, "calm"), (2, "wild")):
        started = START_NS + day * 24 * hour
        log_session(
            tmp_path,
            ALPHA,
            f"s{day}",
            started_ns=started,
            ended_ns=started + hour,
            drift_alerts=0,
            execution_reject_rate=0.0,
            regime=regime,
        )
    folder = sessions_folder(tmp_path, ALPHA)
    found = with_paper(Shadow(), folder).paper
    assert found is not None and found == summarize(folder)
    assert (found.calendar_span_days, found.distinct_trading_days) == (3, 2)
    assert found.shortest_minutes == 60.0 and found.regimes_covered == ("calm", "wild")
    checks = {one.id: one for one in e.evaluate(Shadow(paper=found), profile("base")).checks}
    assert checks["paper_session_minutes"].verdict == "PASS"
    assert checks["paper_trading_days"].verdict == "FAIL"
    assert checks["paper_regimes"].verdict == "PASS"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"started_ns": 1', "s9.json"),
        ('{"started_ns": 5, "ended_ns": "late"}', "ended_ns: 'late' is no time in ns"),
        ('{"started_ns": 5, "ended_ns": 5}', "ended_ns: is not after started_ns"),
    ],
)
def test_a_paper_session_that_is_none_is_refused_by_its_file(
    tmp_path: Path, text: str, told: str
) -> None:
    log_session(tmp_path, ALPHA, "s1", started_ns=START_NS, ended_ns=START_NS + 1)
    folder = sessions_folder(tmp_path, ALPHA)
    (folder / "s9.json").write_text(text)
    with pytest.raises(PromotionError, match=f"s9.json.*{told}" if told != "s9.json" else told):
        with_paper(Shadow(), folder)
    with pytest.raises(PromotionError, match="holds no paper-trade session"):
        with_paper(Shadow(), tmp_path)


def test_an_absent_figure_says_why_it_is_absent() -> None:
    words = {"cost": "too few days with fills"}
    shadow = Shadow(evidence="runs", notes=words)
    found = {one.id: one for one in e.evaluate(shadow, profile("standard")).checks}
    assert found["cost_ratio_upper"].verdict == "INSUFFICIENT"
    assert found["cost_ratio_upper"].reason == "too few days with fills"
    held = d.Portfolio(live=("other",), notes={"spanning_t": "the live alphas do not span"})
    checks = {one.id: one for one in d.evaluate({}, held, profile("standard")).checks}
    assert checks["spanning_t"].reason == "the live alphas do not span"
    assert checks["spanning_t"].missing == ("a measured spanning_t",)
