"""What tier1 asks beyond standard: each line of the table, shown by evidence between the two."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from promotion_world import UNSEEN, portfolio, profile, shadow

from hft.governance.gates import d, e
from hft.governance.gates.origins import Origins
from hft.governance.gates.thresholds import asked
from hft.governance.profile import Profile
from hft.governance.promotion.office import ROOTED
from hft.governance.promotion.unseen import objections
from hft.governance.verdict import Check, GateResult

ROOT = Path(__file__).resolve().parents[2]
MARKET = Origins(
    tapes=22, data="recorded", oldest_days=40, instruments=("X",), named=True, data_witnessed=True
)


def of_e(id: str, **changed: object) -> Callable[[Profile], Check]:
    return lambda under: one(e.evaluate(shadow(**changed), under), id)


def of_d(id: str, **changed: object) -> Callable[[Profile], Check]:
    return lambda under: one(d.evaluate({"sharpe_oos": 2.0}, portfolio(**changed), under), id)


def one(gate: GateResult, id: str) -> Check:
    (found,) = [check for check in gate.checks if check.id == id]
    return found


def of_c(key: str, value: float) -> Callable[[Profile], Check]:
    return lambda under: asked(under, f"gate_c.{key}", key, value)


# threshold: a check of evidence that standard takes and tier1 does not
BETWEEN: dict[str, Callable[[Profile], Check]] = {
    "gate_c.dsr_min": of_c("dsr_min", 0.97),
    "gate_c.pbo_max": of_c("pbo_max", 0.15),
    "gate_d.capacity_multiple_min": of_d("capacity_multiple", capacity_multiple=4.0),
    "gate_d.stress_loss_max": of_d(
        "stress_gap", stress_loss=dict.fromkeys(("volatility", "spread", "gap", "latency"), 0.15)
    ),
    "gate_e.sessions_min": of_e("shadow_sessions", sessions=30),
    "gate_e.decisions_min": of_e("shadow_decisions", decisions=700),
    "gate_e.provenance_min": of_e("provenance", origins=replace(MARKET, unwitnessed=1)),
    "gate_e.evidence_age_days_max": of_e("evidence_age", origins=replace(MARKET, oldest_days=80)),
}
# and those that a person's signature or look decides; see the tests named
ELSEWHERE = {"promotion.validators_min", "promotion.unseen_sessions_min"}


def differing() -> set[str]:
    standard, tier1 = profile("standard"), profile("tier1")
    return {key for key, value in tier1.values.items() if value != standard.get(key)}


def test_every_difference_has_its_evidence_here_and_its_line_on_the_page() -> None:
    assert differing() == {*BETWEEN, *ELSEWHERE}
    text = (ROOT / "docs" / "governance.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| `([a-z_.0-9]+)` \| ([^|]*) \| ([^|]*) \|", text, re.MULTILINE)
    told = {key: (low.strip(), high.strip()) for key, low, high in table if "_m" in key}
    both = profile("standard"), profile("tier1")
    assert told == {key: tuple(f"{one.number(key):g}" for one in both) for key in differing()}


@pytest.mark.parametrize("key", sorted(BETWEEN))
def test_evidence_between_the_two_passes_standard_and_not_tier1(key: str) -> None:
    standard, tier1 = (BETWEEN[key](profile(name)) for name in ("standard", "tier1"))
    assert standard.verdict.value == "PASS", standard
    assert tier1.verdict.value in ("FAIL", "INSUFFICIENT"), tier1
    assert standard.applicable and tier1.applicable


def test_thirty_unseen_sessions_are_enough_for_standard_alone() -> None:
    look = replace(UNSEEN, sessions=30)
    assert objections(look, profile("standard")) == []
    (said,) = objections(look, profile("tier1"))
    assert "at least 60 sessions are asked for" in said


def test_two_validators_and_keys_from_outside_are_asked_for_by_tier1_alone() -> None:
    """What they do: `test_countersign.py`, `test_with_promotions.py`."""
    assert [profile(name).get("promotion.validators_min") for name in ("standard", "tier1")] == [
        1,
        2,
    ]
    assert ROOTED == ("tier1",)
