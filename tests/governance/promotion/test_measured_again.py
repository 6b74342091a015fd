"""Approval believes no file of the workspace: what a forger with every key but bob's can write.

The forger owns the folder, so that scorecard, reports, journal rows and ledger rows can all be
made to agree with one another. They cannot be made to agree with the data.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from promotion_desk import ALPHA, CARD, MANIFEST, PlantedDesk, at

from hft.api.desk import open_desk
from hft.governance.ledger.ledger import Ledger
from hft.research.data.planted_tapes import write_tapes
from hft.research.trial import Trial
from hft.storage.chain import canonical

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("shared_judgements")]


def journal_row(desk: PlantedDesk, gate: str, report: dict[str, Any]) -> None:
    """A gate row that agrees with a forged report, chained as every row is."""
    here = open_desk(desk.root, now=at(10))
    own = next(
        row["row"]
        for row in here.auditor.rows()
        if row["table"] == "alpha_gate_log" and row["row"]["gate"] == gate
    )
    forged = {
        **{name: value for name, value in own.items() if name != "details"},
        "verdict": report["verdict"],
        "passed": int(report["verdict"] == "PASS"),
        "evidence_digest": report["evidence_digest"],
        "missing": [],
        "details": {},
    }
    here.auditor.record("alpha_gate_log", forged, now_ns=here.now_ns)


def objections(desk: PlantedDesk) -> list[str]:
    """Proposed with success, then answered by bob; nothing is in place."""
    proposed = desk.promote()
    assert proposed.decided.accepted, proposed.decided.reasons
    done = desk.approve().decided
    assert not done.approved
    assert not list((desk.root / "config" / "strategy_promotions").glob("2*"))
    return list(done.objections)


def test_an_honest_proposal_is_measured_again_and_approved_without_another_trial(
    judged: PlantedDesk, judged_anew: None
) -> None:
    before = judged.ledger.trials()
    assert judged.promote().decided.accepted
    told: list[str] = []
    done = judged.approve(tell=told.append).decided
    assert done.approved, done.objections
    assert [text.split(",")[0] for text in told] == [
        *("load", "figures", "gate A", "gate B", "gate C")
    ]
    after = judged.ledger.trials()
    assert len(before) == 12 and after.equals(before)


def test_forged_figures_of_the_scorecard_are_named_with_both_values(judged: PlantedDesk) -> None:
    card = judged.read(CARD)
    forged = {
        "sharpe_oos": 25.0,
        "max_drawdown": -1e-9,
        "turnover": 0.01,
        "walk_forward_sharpe_min": 40.0,
        "cost_sensitivity_ratio": 1.0,
        "rng_seed": 7,
    }
    within = {**card["regime_sharpe"], "high_vol": 99.0}
    kept = {name: value for name, value in card.items() if name != "ic_mean"}
    changed = {**kept, **forged, "regime_sharpe": within}
    (judged.validation / CARD).write_bytes(canonical(changed))
    true = {name: card[name] for name in forged}
    assert all(true[name] != value for name, value in forged.items())
    wanted = {
        f"{name}: {shown(value)} in the bundle's scorecard, {shown(true[name])} measured again"
        for name, value in forged.items()
    }
    found = objections(judged)
    others = [text for text in found if text not in wanted]
    assert wanted <= set(found) and len(found) == len(wanted) + 2
    assert [text.split(":")[0] for text in others] == ["ic_mean", "regime_sharpe.high_vol"]


def shown(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


@pytest.mark.parametrize(("field", "value"), [("sharpe_oos", 25.0), ("rng_seed", 7)])
def test_one_forged_figure_is_the_only_objection(
    judged: PlantedDesk, field: str, value: float
) -> None:
    true = judged.read(CARD)[field]
    judged.forge(CARD, **{field: value})
    wanted = f"{field}: {shown(value)} in the bundle's scorecard, {shown(true)} measured again"
    assert objections(judged) == [wanted]


def test_a_scorecard_of_an_alpha_that_earns_nothing_is_found_whatever_agrees_with_it(
    planted_desk: PlantedDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole forgery: a losing alpha, a scorecard of a winner, reports and rows that agree."""
    monkeypatch.setenv("HFT_ALPHA_AUDIT_ENABLED", "0")
    desk = planted_desk.copy(tmp_path / "desk")
    judged = desk.validate(taker_bps=40.0, skip_gate_b_tests=True)
    assert judged.gate("C").verdict == "FAIL"
    card = desk.read(CARD)
    assert card["sharpe_oos"] < 0
    desk.forge(CARD, sharpe_oos=3.0, sharpe_is=3.1, max_drawdown=-0.01)
    for gate, name in (("B", "correctness_report.json"), ("C", "backtest_report.json")):
        report = desk.read(name)
        report["verdict"], report["reason"] = "PASS", "all checks pass"
        report["evidence_digest"] = hashlib.sha256(gate.encode()).hexdigest()
        (desk.validation / name).write_bytes(canonical(report))
        journal_row(desk, gate, report)
    found = objections(desk)
    starts = {text.split(":")[0] for text in found}
    assert {"sharpe_oos", "sharpe_is", "max_drawdown"} <= starts
    assert any(text.startswith("gate C is FAIL when it is decided again") for text in found)


def test_a_ledger_row_with_better_returns_is_named_by_its_period(judged: PlantedDesk) -> None:
    """The forger writes the trial anew, with returns that deflate to a better Sharpe ratio."""
    [own] = [row for row in judged.ledger.trials().to_dicts() if row["source"] == "validate"]
    kept = judged.ledger.vectors([own["trial_id"]])[own["trial_id"]]
    better = kept.copy()
    better[3] += 0.01
    for path in (judged.root / "research" / "ledger").glob("*.jsonl"):
        path.unlink()
    forged = Trial(
        ALPHA,
        own["family"],
        own["label_family"],
        f"alpha:{ALPHA}",
        (own["data_start_ns"], own["data_end_ns"]),
        own["config_hash"],
        own["data_hash"],
        own["code_hash"],
        better,
        252.0,
        "validate",
        int(own["seed"]),
    )
    assert forged.id == own["trial_id"]
    Ledger.open(judged.root / "research" / "ledger").append([forged], 1)
    found = objections(judged)
    assert any("sharpe_per_period:" in text and "in the ledger" in text for text in found)
    [said] = [text for text in found if "returns differ" in text]
    assert f"1 of {len(kept)} returns differ, the first in period 3: {better[3]:.6g}" in said


def test_a_trial_that_another_alpha_earned_is_not_the_one_of_the_bundle(
    judged: PlantedDesk,
) -> None:
    """The journal's rows name a trial of the sweep instead of the alpha's own."""
    other = next(
        row["trial_id"] for row in judged.ledger.trials().to_dicts() if row["source"] == "sweep"
    )
    here = open_desk(judged.root, now=at(10))
    rows = [row["row"] for row in here.auditor.rows() if row["table"] == "alpha_gate_log"]
    for row in rows:
        forged = {**row, "trial_id": other, "details": {}, "missing": []}
        here.auditor.record("alpha_gate_log", forged, now_ns=here.now_ns)
    [said] = objections(judged)
    assert said.startswith(f"trial_id: {other} in the bundle,")


def signed_again(judged: PlantedDesk, section: str, **changed: Any) -> tuple[str, ...]:
    """The owner edits a section of the frozen bundle and signs it again; what approval says."""
    from hft.audit.sign import sign
    from hft.governance.promotion.signatures import owner_payload

    proposed = judged.promote()
    path = proposed.decided.folder / "bundle.json"
    bundle = json.loads(path.read_bytes())
    bundle[section] |= changed
    content = canonical(bundle)
    path.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    [public] = (judged.root / ".state" / "keys").glob("*.pub")
    decision = json.loads((path.parent / "promotion_decision.json").read_bytes())
    decision["signature"]["sig"] = sign(owner_payload(digest), public.with_suffix(""))
    (path.parent / "promotion_decision.json").write_bytes(canonical(decision))
    here = open_desk(judged.root, now=at(11))
    row = next(row["row"] for row in here.auditor.rows() if row["table"] == "alpha_promotion_log")
    fresh = {**row, "bundle_sha256": digest, "reasons": [], "scorecard": {}}
    here.auditor.record("alpha_promotion_log", fresh, now_ns=here.now_ns)
    done = judged.approve().decided
    assert not done.approved
    return tuple(done.objections)


def test_a_bundle_whose_scorecard_is_not_the_one_it_names_is_found(judged: PlantedDesk) -> None:
    """The figure is none that is measured again."""
    assert signed_again(judged, "scorecard", dsr=0.999) == (
        "the scorecard in the bundle is not the one whose hash the bundle names",
    )


def test_a_claim_that_is_wider_than_the_data_is_named_before_a_canary_hides_behind_it(
    judged: PlantedDesk,
) -> None:
    """A large spread and deep limits would keep whatever loses; fewer lots make each loss small."""
    found = signed_again(
        judged, "claim", sd0=0.5, lots=1000, drawdown={"10": 0.9, "20": 0.9, "60": 0.9}
    )
    starts = {text.split(":")[0] for text in found}
    limits = {f"claim.drawdown.{days}" for days in (10, 20, 60, 120, 250)}
    assert starts == {"claim.sd0", "claim.lots", *limits}
    assert "claim.lots: 1000 in the bundle, its plan has 100" in found


def test_a_latency_that_nobody_measures_again_is_a_known_one(judged: PlantedDesk) -> None:
    latency = judged.read(CARD)["latency_profile"]
    judged.forge(CARD, latency_profile={**latency, "submit_ns": 0, "name": "mine"})
    [said] = objections(judged)
    assert said.startswith("the scorecard cannot be measured again: latency_profile: {")


def test_options_that_were_edited_since_are_another_configuration(judged: PlantedDesk) -> None:
    judged.promote()
    options = judged.read(MANIFEST)["options"]
    judged.forge(MANIFEST, options={**options, "seed": 7})
    done = judged.approve().decided
    assert not done.approved and "configuration moved" in done.objections[0]


def test_the_same_returns_in_the_last_digits_are_the_same() -> None:
    """Another processor may round the last digit; a forger gains nothing by it."""
    from hft.governance.promotion.recheck import _returns_differ

    kept = np.array([0.01, -0.02, 0.0])
    assert not _returns_differ(kept, kept * (1 + 1e-13))
    assert _returns_differ(kept, kept * (1 + 1e-6))


def test_a_makers_figures_are_those_of_replays_made_again(
    planted_desk: PlantedDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One figure is forged; all others come out of the queue as they did at the validation."""
    monkeypatch.setenv("HFT_ALPHA_AUDIT_ENABLED", "0")
    desk = planted_desk.copy(tmp_path / "desk")
    write_tapes(desk.root / "tapes", 0.3, days=2, seed=2)
    quick = {"skip_gate_b_tests": True, "set": {"gate_b.runs_min": 1}}
    desk.validate(data=str(desk.root / "tapes"), execution="maker", **quick)
    true = desk.read(CARD)["sharpe_oos"]
    desk.forge(CARD, sharpe_oos=5.0)
    assert desk.promote(force=True, reason="a rehearsal").decided.forced
    done = desk.approve().decided
    assert not done.approved
    wanted = f"sharpe_oos: 5 in the bundle's scorecard, {true:.6g} measured again"
    assert done.objections == (wanted,)
