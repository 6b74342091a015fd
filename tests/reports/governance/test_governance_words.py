import pytest
from made_documents import check, gate, high, low, validation

from hft.reports.governance import words
from hft.reports.governance.document import Document


def document(*gates: dict, **more: object) -> Document:
    return Document.of({"title": "x", "gates": list(gates)} | more)


def test_one_failing_gate_makes_the_verdict_fail_and_is_named_first() -> None:
    doc = Document.of(validation("fail"))
    assert words.overall(doc) == "FAIL" and words.headline(doc) == "Not passed"
    assert words.sentence(doc).startswith(
        "Gate C fails on deflated Sharpe (DSR) (0.873, needed ≥ 0.95) and"
    )


def test_too_little_evidence_is_not_decided_and_lists_what_is_missing() -> None:
    doc = Document.of(validation("wait"))
    assert words.headline(doc) == "Not decided yet"
    assert words.shopping(doc) == [
        ("wait", "Gate A", "152 more days (about 2027-06), or true SR >= 2.4; all else passes")
    ]


def test_all_gates_passing_names_the_closest_line() -> None:
    doc = Document.of(validation("pass"))
    assert words.headline(doc) == "Passed" and words.shopping(doc) == []
    assert "the closest line is probabilistic Sharpe (PSR) (0.957" in words.sentence(doc)


def test_an_open_check_without_a_list_of_its_own_still_appears() -> None:
    doc = document(gate("E", check("memo", None, None, None, reason="no memo is on file")))
    assert words.shopping(doc) == [("wait", "Gate E", "memo: no memo is on file")]


def test_a_table_says_once_what_its_next_rows_wait_for_too() -> None:
    runs = [check(name, None, 1.0, None, missing=("give runs",)) for name in ("a", "b", "c")]
    spare = [check(name, 2.0, 1.0, 1.0) for name in ("d", "e")]
    said = words.turns([*runs, *spare])
    assert said[:3] == ["give runs", "as above", "as above"] and said[3:] == ["1 to spare"] * 2


def test_what_is_missing_names_the_check_that_asks() -> None:
    open_one = check("psr", 0.54, None, None, missing=("a higher SR",))
    assert words.shopping(document(gate("C", open_one))) == [
        ("wait", "Gate C", "probabilistic Sharpe (PSR): a higher SR")
    ]


def test_a_count_that_hft_chose_itself_is_never_the_closest_line() -> None:
    doc = document(gate("A", low("leak_cuts", 13, 12), low("x", 0.9, 0.3)))
    assert words.closest(doc).startswith("x (")


def test_advice_neither_decides_nor_is_asked_for() -> None:
    doc = document(gate("A", low("cuts", 14, 12), low("x", 0.1, 1.0, blocking=False)))
    assert words.overall(doc) == "PASS" and words.shopping(doc) == []


@pytest.mark.parametrize(
    ("one", "needed", "turn"),
    [
        (low("psr", 0.96, 0.95), "≥ 0.95", "0.01 to spare"),
        (low("psr", 0.9, 0.95), "≥ 0.95", "0.05 too low"),
        (high("pbo", 0.31, 0.2), "≤ 0.2", "0.11 too high"),
        (high("vif", 5.0, 5.0), "5", "exactly as needed"),
        (low("ic_hit_rate", 0.535, 0.52), "≥ 52%", "1.5% to spare"),
        (low("max_drawdown", -0.35, -0.3), "≥ −30%", "5% too low"),
        (low("dsr", 0.9, 0.95, reason="dsr 0.9 is below 0.95"), "≥ 0.95", "0.05 too low"),
        (low("dsr", 0.9, 0.95, reason="it takes 40 more days"), "≥ 0.95",
         "0.05 too low; it takes 40 more days"),
        (check("ledger", True, True, None, verdict="PASS"), "must hold", ""),
        (check("pbo", None, 0.2, None, applicable=False, reason="nothing swept"), "–",
         "nothing swept"),
        (check("history", 9, 252, -243, verdict="INSUFFICIENT", missing=["243 days"]), "≥ 252",
         "243 days"),
    ],
)  # fmt: skip
def test_a_check_says_what_it_needs_and_what_would_turn_it(
    one: dict, needed: str, turn: str
) -> None:
    assert words.needed(one) == needed and words.turn(one) == turn


def test_the_margin_of_a_confidence_is_measured_against_what_is_left_of_it() -> None:
    assert words.share_of_threshold(low("dsr", 0.975, 0.95)) == pytest.approx(0.5)
    assert words.share_of_threshold(low("dsr", 0.5, 0.95)) == -1.0
    assert words.share_of_threshold(low("hac_t", 4.5, 3.0)) == pytest.approx(0.5)
    assert words.share_of_threshold(low("cpcv_low", 0.3, 0.0)) == pytest.approx(0.3)
    assert words.share_of_threshold(check("x", None, 1.0, None)) is None


@pytest.mark.parametrize(
    ("verdict", "tone", "word"),
    [
        ("escalate", "pass", "One rung up"),
        ("rolled_back", "fail", "Rolled back"),
        ("hold", "wait", "Hold"),
        ("rollback", "fail", "Roll back"),
        ("not_found", "none", "Not found"),
        ("PROPOSED", "wait", "Proposed"),
        ("approved", "pass", "Approved"),
    ],
)
def test_every_action_has_a_light_and_a_headline(verdict: str, tone: str, word: str) -> None:
    doc = document(verdict=verdict)
    assert words.tone(words.overall(doc)) == tone and words.headline(doc) == word


def test_an_unknown_check_is_said_by_its_own_id() -> None:
    assert words.check_name({"id": "psr_of_worst_ic"}) == "PSR of worst IC"
    assert words.check_name({"id": "dsr", "title": "luck"}) == "luck"


@pytest.mark.parametrize(
    ("value", "name", "text"),
    [
        (None, "", "–"),
        (True, "", "yes"),
        (412, "fills", "412"),
        (0.0031, "reject_rate", "0.31%"),
        (12, "win_rate_days", "12"),
        (1.12, "haircut_sharpe", "1.12"),
        ("mid", "", "mid"),
        ([1, 2.5], "", "1, 2.5"),
        ({"anna": {"seq": 18, "hash": "4e34"}}, "", "anna seq 18, hash 4e34"),
        (83027.7, "", "83,028"),
        (-0.016, "max_drawdown", "−1.6%"),
    ],
)
def test_values_are_said_for_people(value: object, name: str, text: str) -> None:
    assert words.figure(value, name) == text
