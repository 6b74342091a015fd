"""Verdicts: only PASS passes, absence is never a pass, and the reason is in words."""

import itertools
import math

import pytest

from hft.governance.verdict import (
    Check,
    GateResult,
    Verdict,
    at_least,
    at_most,
    holds,
    insufficient,
    not_applicable,
)


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_insufficient_and_never_passes(value: float | None) -> None:
    for compare in (at_least, at_most):
        check = compare("sharpe", value, 1.0)
        assert check.verdict is Verdict.INSUFFICIENT
        assert not GateResult("C", (check,)).passed


def test_the_threshold_itself_passes_and_the_margin_is_to_its_good_side() -> None:
    assert at_least("x", 1.0, 1.0).verdict is Verdict.PASS
    assert at_most("x", 1.0, 1.0).verdict is Verdict.PASS
    assert at_least("x", 1.5, 1.0).margin == 0.5
    assert at_most("x", 1.5, 1.0).margin == -0.5


def test_the_worst_deciding_check_decides() -> None:
    of = {verdict: Check(verdict, 1, 1, verdict) for verdict in Verdict}
    order = [Verdict.FAIL, Verdict.INSUFFICIENT, Verdict.PASS]
    for size in (1, 2, 3):
        for some in itertools.combinations(Verdict, size):
            expected = next(verdict for verdict in order if verdict in some)
            assert GateResult("A", tuple(of[one] for one in some)).verdict is expected


def test_advice_and_what_does_not_apply_never_decide() -> None:
    failing = at_least("x", 0.0, 1.0, blocking=False)
    absent = not_applicable("y", "no tapes")
    passing = holds("z", True)
    assert GateResult("A", (failing, absent, passing)).verdict is Verdict.PASS
    assert GateResult("A", (failing, absent)).verdict is Verdict.INSUFFICIENT


def test_the_shopping_list_names_each_thing_once() -> None:
    one = insufficient("a", "short", ("10 more days",))
    two = insufficient("b", "short too", ("10 more days", "5 more trials"))
    result = GateResult("A", (one, two))
    assert result.missing == ("10 more days", "5 more trials")
    assert result.reason == "short; short too"


def test_equal_decisions_have_equal_digests_and_any_change_shows() -> None:
    result = GateResult("C", (at_least("x", 1.0, 0.5),), {"n": 1})
    assert (
        result.evidence_digest
        == GateResult("C", (at_least("x", 1.0, 0.5),), {"n": 1}).evidence_digest
    )
    others = [
        GateResult("B", (at_least("x", 1.0, 0.5),), {"n": 1}),
        GateResult("C", (at_least("x", 1.1, 0.5),), {"n": 1}),
        GateResult("C", (at_least("x", 1.0, 0.6),), {"n": 1}),
        GateResult("C", (at_least("x", 1.0, 0.5),), {"n": 2}),
    ]
    assert len({result.evidence_digest, *(one.evidence_digest for one in others)}) == 5


def test_json_has_null_where_there_is_no_number() -> None:
    data = GateResult("C", (Check("x", math.nan, math.inf, Verdict.FAIL),)).to_dict()
    assert data["checks"][0]["value"] is None and data["checks"][0]["threshold"] is None
