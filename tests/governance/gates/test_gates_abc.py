"""Gates A, B and C: what stops, what stays undecided, and what it says would turn it."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from hft.governance.gates.a import History, gate_a, none_of
from hft.governance.gates.b import Correctness, gate_b, structural_failure
from hft.governance.gates.c import ReplayFacts, gate_c
from hft.governance.gates.f import Twin, gate_f
from hft.governance.profile import Profile
from hft.governance.validation import judgement
from hft.governance.validation.judgement import Structure, judge
from hft.governance.validation.result import overall
from hft.governance.verdict import GateResult, Verdict, at_least, holds
from hft.reports.governance.words import needed
from hft.research.alphas.signals import Difference
from hft.research.data.load import load
from hft.research.data.planted import planted
from hft.research.measures.evidence import Evidence, Levels, Tries, weigh
from hft.research.measures.measurement import Measured, Options, measure
from hft.settings import read_profile

BAR = 60_000_000_000


def profile(name: str = "standard") -> Profile:
    return Profile.from_dict(read_profile(name), name)


def history(days: int, backtest: int | None = 100) -> History:
    return History(days, date(2024, 12, 27), backtest, 32, 2.4, 9.6)


BETTER = "true SR >= 2.4, what luck shows in the best of 9.6 worthless trials in 300 days"

FINE = [none_of("ledger", []), holds("complexity", True)]


def test_a_structural_failure_fails_whatever_the_history() -> None:
    result = gate_a([none_of("ledger", ["LEDGER_ROLLED_BACK: ..."])], history(1000), profile())
    assert result.verdict is Verdict.FAIL and "LEDGER_ROLLED_BACK" in result.reason


def test_a_short_history_is_undecided_and_says_how_many_days_are_missing() -> None:
    result = gate_a(FINE, history(100), profile())
    assert result.verdict is Verdict.INSUFFICIENT
    assert result.missing[0] == "152 more days (about 2025-08)"


def test_many_tries_ask_for_more_history_or_a_higher_sharpe_ratio() -> None:
    result = gate_a(FINE, history(300, backtest=400), profile())
    assert result.missing == (f"100 more days (about 2025-05), or {BETTER}",)


def test_a_loss_has_no_history_that_is_long_enough() -> None:
    result = gate_a(FINE, history(300, backtest=None), profile())
    assert result.missing == (BETTER,)


def test_base_waives_the_history_and_prints_it_as_advice() -> None:
    result = gate_a(FINE, history(20, backtest=400), profile("base"))
    assert result.passed
    assert [check.id for check in result.checks if not check.applicable] == [
        "history",
        "min_backtest_length",
    ]


def correct(**changes: object) -> Correctness:
    given = {
        "tests_passed": True,
        "tests_reason": "",
        "hashes": ["a", "a", "a", "a"],
        "parity": Difference(0.0, None),
        "streamed": Difference(0.0, None),
        "elsewhere": Difference(0.0, None),
        "finite_share": 1.0,
        "coverage": 0.99,
        "permutation_p": 0.001,
        "permutation_draws": 999,
        "lag1_retention": 0.8,
        "sharpe": 2.0,
    }
    return Correctness(**(given | changes))  # type: ignore[arg-type]


def test_what_is_correct_passes() -> None:
    assert gate_b(correct(), profile()).passed
    assert gate_b(correct(parity=None), profile()).passed


@pytest.mark.parametrize(
    ("changes", "verdict", "structural"),
    [
        ({"tests_passed": False}, Verdict.FAIL, True),
        ({"tests_passed": None}, Verdict.INSUFFICIENT, False),
        ({"hashes": ["a", "b", "a", "a"]}, Verdict.FAIL, True),
        ({"hashes": ["a", "a"]}, Verdict.FAIL, True),
        ({"parity": Difference(1e-8, 3)}, Verdict.FAIL, True),
        ({"parity": Difference(np.inf, 3)}, Verdict.FAIL, True),
        ({"streamed": Difference(1e-8, 3)}, Verdict.FAIL, True),
        ({"streamed": Difference(np.inf, 3)}, Verdict.FAIL, True),
        ({"elsewhere": Difference(1e-8, 3)}, Verdict.FAIL, True),
        ({"elsewhere": Difference(np.inf, 3)}, Verdict.FAIL, True),
        ({"finite_share": 0.999}, Verdict.FAIL, True),
        ({"finite_share": None}, Verdict.INSUFFICIENT, False),
        ({"coverage": 0.9}, Verdict.FAIL, False),
        ({"permutation_p": 0.02}, Verdict.FAIL, False),
        ({"permutation_draws": 10}, Verdict.INSUFFICIENT, False),
        ({"lag1_retention": 0.4}, Verdict.FAIL, False),
        ({"lag1_retention": None, "sharpe": -1.0}, Verdict.FAIL, False),
    ],
)
def test_each_line_of_gate_b_decides(
    changes: dict[str, object], verdict: Verdict, structural: bool
) -> None:
    result = gate_b(correct(**changes), profile())
    assert result.verdict is verdict
    assert structural_failure(result) is structural


def test_batch_and_stream_that_differ_are_told_by_their_row() -> None:
    for apart, told in (
        (Difference(2e-3, 6), "batch and stream are 0.002 apart at row 7"),
        (
            Difference(np.inf, 0),
            "one of batch and stream has no signal or no side at row 1, the other has",
        ),
    ):
        result = gate_b(correct(parity=apart), profile())
        assert result.verdict is Verdict.FAIL and result.reason == told


def test_base_asks_for_no_statistics_in_gate_b_but_for_every_correctness() -> None:
    poor = correct(permutation_p=0.9, lag1_retention=0.0, coverage=0.5)
    assert gate_b(poor, profile("base")).passed
    assert not gate_b(correct(hashes=["a", "b", "a"]), profile("base")).passed


def lean(data: object) -> np.ndarray:
    flow, decay = data.field("ofi"), float(np.exp(-0.1))  # type: ignore[attr-defined]
    found, top, size = np.zeros(len(flow)), 0.0, 0.0
    for row, value in enumerate(flow):
        top, size = decay * top + value, decay * size + abs(value)
        found[row] = top / size if size > 0 else 0.0
    return found


def judged(snr: float, days: int, effective: float = 2.0) -> tuple[Measured, Evidence]:
    data = load(planted(snr, days=days, seed=0))
    found = measure(data, lean(data), Options(horizon_ns=BAR, latency_ns=36_250_000))
    periods = max(len(found.returns) - 1, 1)
    tries = Tries(12, effective, 1 / periods)
    return found, weigh(found.returns, found.sweep, tries, Levels(), 1)


@pytest.fixture(scope="module")
def strong() -> tuple[Measured, Evidence]:
    return judged(0.05, 1008)


def test_a_planted_edge_of_four_years_passes_standard(strong: tuple[Measured, Evidence]) -> None:
    result = gate_c(*strong, profile())
    assert result.verdict is Verdict.PASS, result.reason


def test_the_same_edge_fails_once_very_many_were_tried(strong: tuple[Measured, Evidence]) -> None:
    found, _ = strong
    tries = Tries(100_000, 100_000.0, 0.02)
    evidence = weigh(found.returns, found.sweep, tries, Levels(), 1)
    result = gate_c(found, evidence, profile())
    assert result.verdict is Verdict.FAIL
    assert "DSR" in result.reason


def test_noise_fails_standard_on_its_evidence() -> None:
    result = gate_c(*judged(0.0, 504), profile())
    failed = {check.id for check in result.deciding if check.verdict is Verdict.FAIL}
    assert {"dsr", "hac_t", "spa_p", "ic_t"} <= failed


def test_days_too_few_for_evidence_are_undecided_with_a_list() -> None:
    result = gate_c(*judged(0.05, 15), profile())
    undecided = {check.id for check in result.deciding if check.verdict is Verdict.INSUFFICIENT}
    assert {"evidence", "cpcv", "ic", "walk_forward"} <= undecided
    assert result.missing and all("more days" in text for text in result.missing)
    assert not {"dsr", "psr", "hac_t"} & {check.id for check in result.checks}


def test_a_track_too_short_is_undecided_and_shows_what_it_is_asked_for(
    strong: tuple[Measured, Evidence],
) -> None:
    found, evidence = strong
    short = replace(evidence, psr=0.9, track_days=evidence.n + 100.0)
    psr = next(check for check in gate_c(found, short, profile()).checks if check.id == "psr")
    assert psr.verdict is Verdict.INSUFFICIENT and "days of the" in psr.reason
    assert (psr.value, psr.threshold) == (0.9, 0.95) and psr.missing
    assert needed(psr.to_dict()) == "≥ 0.95"


def test_a_replay_that_loses_fails_whatever_the_vector_engine_says(
    strong: tuple[Measured, Evidence],
) -> None:
    facts = ReplayFacts(-1.0, -5.0, 100, 0.0, -0.01, -9.0, "d")
    result = gate_c(*strong, profile(), facts)
    assert result.verdict is Verdict.FAIL and "replay_net" in result.reason
    silent = gate_c(*strong, profile(), ReplayFacts(None, 0.0, 0, None, 0.0, None, "d"))
    assert silent.verdict is Verdict.FAIL and "replay_fills" in silent.reason


def results(*verdicts: str) -> tuple[GateResult, ...]:
    made = []
    for gate, verdict in zip("ABC", verdicts, strict=False):
        value = {"PASS": 1.0, "FAIL": 0.0, "INSUFFICIENT": None}[verdict]
        id = "coverage" if gate == "B" else "x"
        made.append(GateResult(gate, (at_least(id, value, 0.5),)))
    return tuple(made)


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (("PASS", "PASS", "PASS"), "PASS"),
        (("FAIL",), "FAIL"),
        (("INSUFFICIENT", "FAIL", "FAIL"), "INSUFFICIENT"),
        (("INSUFFICIENT", "PASS", "PASS"), "INSUFFICIENT"),
        (("PASS", "FAIL"), "FAIL"),
        (("PASS", "INSUFFICIENT", "PASS"), "INSUFFICIENT"),
        (("PASS", "INSUFFICIENT", "FAIL"), "FAIL"),
        (("PASS", "PASS"), "INSUFFICIENT"),
    ],
)
def test_the_verdict_of_all_gates(verdicts: tuple[str, ...], expected: str) -> None:
    assert overall(results(*verdicts)).value == expected


def test_wrong_code_fails_even_where_the_history_is_short() -> None:
    short = results("INSUFFICIENT")[0]
    wrong = GateResult("B", (holds("deterministic", False, "two results"),))
    assert overall((short, wrong)) is Verdict.FAIL


def test_a_twin_that_got_slower_fails_gate_f_and_no_verdict() -> None:
    fine = Twin(True, "", True, "", 0.05)
    assert gate_f(fine, profile("base")).passed
    slow = gate_f(replace(fine, slower=0.2), profile("base"))
    assert slow.verdict is Verdict.FAIL and "20% longer" in slow.reason and slow.advisory
    fast = GateResult("A", (holds("x", True),))
    others = tuple(replace(fast, gate=name) for name in "ABC")
    assert overall((*others, slow)) is Verdict.PASS
    # A page of the same inputs is the same page: seconds that pass are not on it.
    assert (
        gate_f(fine, profile("base")).to_dict()
        == gate_f(replace(fine, slower=-0.5), profile("base")).to_dict()
    )


def test_ranks_and_values_that_disagree_on_the_sign_fail(
    strong: tuple[Measured, Evidence],
) -> None:
    found, evidence = strong
    days = found.information.days
    assert days is not None
    turned = replace(found.information, days=replace(days, pearson=-days.pearson))
    checks = gate_c(replace(found, information=turned), evidence, profile()).checks
    sign = next(one for one in checks if one.id == "ic_same_sign")
    assert sign.verdict is Verdict.FAIL and "outliers" in sign.reason


def test_a_process_that_gave_no_signal_fails_although_the_others_agree() -> None:
    result = gate_b(correct(failed_process="killed"), profile())
    line = next(one for one in result.checks if one.id == "deterministic")
    assert line.verdict is Verdict.FAIL and "killed" in line.reason


def test_no_scorecard_of_evidence_is_made_for_wrong_code_on_a_short_history() -> None:
    found, evidence = judged(0.05, 40)
    wrong = correct(hashes=("a", "b", "c", "d"))
    gates = judge(found, evidence, Structure(()), wrong, profile())
    assert [one.gate for one in gates] == ["A", "B"]
    assert gates[0].verdict is Verdict.INSUFFICIENT and gates[1].verdict is Verdict.FAIL
    whole = judge(found, evidence, Structure(()), correct(), profile())
    assert [one.gate for one in whole] == ["A", "B", "C"]


def test_blocks_are_as_long_as_eight_labels() -> None:
    found, evidence = judged(0.05, 40)
    week = replace(found, options=replace(found.options, horizon_ns=3 * 86_400_000_000_000))
    short, long = (judgement.history(profile(), one, evidence) for one in (found, week))
    assert (short.block_days, long.block_days) == (16 * 2, 16 * 8 * 3)
