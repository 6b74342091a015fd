"""The promotion file: exact schema, exact bytes, and what each signature stands for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from promotion_world import World

from hft.core.errors import PromotionError
from hft.governance.promotion.document import Promotion
from hft.governance.promotion.drill import _sample

SAMPLE = _sample("queue_imbalance", "ann")
KEYS = (
    *("config_version", "parent_config_version", "alpha_id", "enabled", "weight", "profile"),
    *("owner", "validator", "self_approved", "expiry_review_date", "forced", "source_commit"),
    *("run_id", "hashes", "heads", "scorecard_snapshot", "thresholds", "readiness"),
    *("guardrails", "canary", "rollback", "signatures"),
)


def test_the_keys_stand_in_the_order_of_the_contract() -> None:
    lines = [line for line in SAMPLE.text.splitlines() if not line.startswith(" ")]
    assert [line.split(":")[0] for line in lines] == list(KEYS)
    assert "weight: 0.01" in lines and "parent_config_version: null" in lines
    assert "expiry_review_date: 9999-12-31" in lines


def test_text_that_looks_like_something_else_is_quoted_and_comes_back() -> None:
    for name in ("1234e567", "null", "true", "no", "2026", "x: y", "ä", "a\nb", "0x1f", "~"):
        again = SAMPLE.replace(run_id=name)
        assert Promotion.from_bytes(again.text.encode(), "x").data["run_id"] == name


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("owner: ann\n", "owner: ann\nextra: 1\n"), "extra: unknown key"),
        (("forced: false\n", ""), "forced: is missing"),
        (("weight: 0.01\n", "weight: 1\n"), "weight: 1 is not a decimal number"),
        (("weight: 0.01\n", "weight: 1.5\n"), "not between 0 and 1"),
        (("weight: 0.01\n", 'weight: "0.01"\n'), "weight: '0.01'"),
        (("enabled: true\n", "enabled: yes\n"), "enabled: 'yes'"),
        (("profile: standard\n", "profile: mine\n"), "none of standard"),
        (("9999-12-31", "9999-13-31"), "is not a date"),
        (("[0.01, 0.05]", "[0.05, 0.01]"), "does not rise"),
        (("owner: ann\n", "owner: ann\nowner: ann\n"), "given twice"),
        (("weight: 0.01\n", "weight: 0.06\n"), "above canary.max_weight"),
        (('validator: "not ann"', "validator: ann"), "is the owner"),
        (("self_approved: false", "self_approved: true"), "lowest rung"),
        (("forced: false", "forced: true"), "lowest rung"),
        (("evidence: runs", "evidence: asserted"), "base only"),
        (("open_incident: true", "open_incident: 1"), "neither true nor false"),
        (("weight: 0.01\n", "weight:  0.01\n"), "edited by hand"),
        (("alpha_id: queue_imbalance\n", "alpha_id: Queue\n"), "is not an alpha id"),
    ],
)
def test_what_does_not_fit_is_one_sentence_naming_the_key(
    change: tuple[str, str], said: str
) -> None:
    text = SAMPLE.text.replace(*change, 1)
    assert text != SAMPLE.text
    with pytest.raises(PromotionError, match=r"x\.yaml") as caught:
        Promotion.from_bytes(text.encode(), "x.yaml")
    assert said in str(caught.value) and "\n" not in str(caught.value)


@given(st.data())
def test_any_changed_byte_is_refused(data: st.DataObject) -> None:
    content = bytearray(SAMPLE.text.encode())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] = data.draw(st.integers(0, 255).filter(lambda b: b != content[at]))
    try:
        found = Promotion.from_bytes(bytes(content), "x")
    except PromotionError:
        return
    # A changed letter of a name or a digit of a number reads well, and no signature fits it.
    assert found.state_payload != SAMPLE.state_payload or found.data["signatures"] != dict(
        SAMPLE.data["signatures"]
    )


@given(st.binary(max_size=300))
def test_bytes_are_a_promotion_or_refused_in_a_sentence(content: bytes) -> None:
    with pytest.raises(PromotionError):
        Promotion.from_bytes(content, "x")


def test_the_approval_covers_all_but_what_the_canary_moves() -> None:
    moved = SAMPLE.replace(
        weight=0.05, canary={"state": "escalated", "last_action": "escalate", "last_ts_ns": 5}
    )
    assert moved.approval_payload == SAMPLE.approval_payload
    assert moved.state_payload != SAMPLE.state_payload
    for change in (
        {"profile": "tier1"},
        {"expiry_review_date": "2027-01-01"},
        {"canary": {"max_weight": 0.04}},
        {"guardrails": {"max_live_slippage_bps": 30.0}},
        {"hashes": {"code": "1" * 64}},
        {"rollback": {"trigger": {**SAMPLE.trigger, "live_slippage_bps_gt": 30.0}}},
    ):
        assert SAMPLE.replace(**change).approval_payload != SAMPLE.approval_payload


def test_a_graduated_file_without_its_rollback_block_keeps_its_approval() -> None:
    done = SAMPLE.replace(rollback=None, canary={"state": "graduated"})
    assert "rollback" not in done.data
    assert done.approval_payload == SAMPLE.approval_payload
    with pytest.raises(PromotionError, match="rollback"):
        SAMPLE.replace(rollback=None)


def test_a_real_file_has_no_placeholder_signature(world: World) -> None:
    world.promoted()
    promotion = world.file().promotion
    assert promotion is not None
    for part in ("owner", "validator", "state"):
        assert "BEGIN SSH SIGNATURE" in promotion.data["signatures"][part]["sig"]
