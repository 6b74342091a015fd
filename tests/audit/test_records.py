"""What may stand in an audit row, and what of it is evidence."""

import math
from typing import Any

import pytest

from hft.audit.records import COMMON, TABLES, evidence_digest, own_values, table_of
from hft.core.errors import DataError

OVERRIDE = {"kind": "force", "alpha_id": "a", "subject": "s", "reason": "r"}


CONTRACT = """
orders_log: strategy_id intent_id order_id symbol action price price_text qty side status
    broker_msg latency_us reason fence
risk_log: strategy_id intent_id check_name approved reason threshold value
guardrail_log: strategy_id old_state new_state pnl_drawdown
control_log: scope kind old_state new_state cause evidence
alpha_gate_log: alpha_id run_id gate passed verdict missing trial_id config_hash thresholds_hash
    profile convention evidence_digest details
alpha_promotion_log: alpha_id run_id approved stage forced self_approved bundle_sha256 signature
    gate_d_passed gate_e_passed canary_weight config_hash reasons scorecard yaml_sha256
alpha_canary_log: alpha_id action old_weight new_weight reason checks evidence applied signature
override_log: kind alpha_id subject reason signature
"""
COMMON_COLUMNS = (
    "seq ts event_ts row_hash prev_hash schema_version actor key_fp keys_hash limits_hash "
    "ledger_heads"
)


def test_the_tables_and_columns_are_those_of_the_contract() -> None:
    told = [
        f"{name}: {' '.join(column.name for column in table.columns)}"
        for name, table in TABLES.items()
    ]
    assert " ".join(told) == " ".join(CONTRACT.split())
    assert " ".join(name for name, _ in COMMON) == COMMON_COLUMNS


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": "shrug"}, "audit.override_log: kind: 'shrug' is none of force"),
        ({"kind": None}, "audit.override_log: kind: None is not a text"),
        ({"reason": 7}, "audit.override_log: reason: 7 is not a text"),
        ({"colour": "red"}, "audit.override_log: colour: is no column"),
    ],
)
def test_a_value_that_does_not_fit_is_named(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError) as raised:
        own_values(TABLES["override_log"], {**OVERRIDE, **changes})
    assert words in str(raised.value)


def test_a_number_and_a_word_must_be_given_and_a_text_may_be_left_out() -> None:
    with pytest.raises(DataError, match="kind: is missing"):
        own_values(TABLES["override_log"], {})
    with pytest.raises(DataError, match="pnl_drawdown: is missing"):
        own_values(TABLES["guardrail_log"], {"strategy_id": "s"})
    assert own_values(TABLES["override_log"], {"kind": "force"})["reason"] == ""


@pytest.mark.parametrize("value", [2, -1, "yes", None, 0.5])
def test_a_flag_is_true_or_false(value: Any) -> None:
    with pytest.raises(DataError, match="approved"):
        own_values(TABLES["risk_log"], {"approved": value, "intent_id": 1, "value": 0.0})


@pytest.mark.parametrize("value", [2**63, 1.5, "1", True, None])
def test_an_integer_is_one_of_64_bits(value: Any) -> None:
    with pytest.raises(DataError, match="intent_id"):
        own_values(TABLES["risk_log"], {"intent_id": value, "approved": 1})


def test_what_is_not_a_number_becomes_null_and_never_zero() -> None:
    given = {"strategy_id": "s", "intent_id": 1, "approved": 1, "threshold": math.nan}
    row = own_values(TABLES["risk_log"], {**given, "value": math.inf})
    assert row["threshold"] is None and row["value"] is None
    gate = {"gate": "A", "passed": 0, "verdict": "FAIL", "details": {"x": [math.nan, 1]}}
    assert own_values(TABLES["alpha_gate_log"], gate)["details"] == '{"x":[null,1]}'


def test_an_unknown_table_lists_the_known_ones() -> None:
    with pytest.raises(DataError, match=r"gates: is no audit table.*alpha_gate_log"):
        table_of("gates")
    assert table_of("audit.risk_log") is TABLES["risk_log"]


def test_the_digest_follows_the_evidence_and_nothing_else() -> None:
    table = TABLES["alpha_gate_log"]
    row = {"alpha_id": "a", "gate": "C", "verdict": "PASS", "run_id": "r1", "details": "{}"}
    same = {**row, "run_id": "r2", "seq": 9, "ts": 4, "actor": "bob", "row_hash": "h"}
    assert evidence_digest(table, row) == evidence_digest(table, same)
    for name, value in [("verdict", "FAIL"), ("details", '{"x":1}'), ("alpha_id", "b")]:
        assert evidence_digest(table, row) != evidence_digest(table, {**row, name: value})
    assert evidence_digest(table, row) != evidence_digest(TABLES["risk_log"], row)
