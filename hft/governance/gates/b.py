"""Gate B, correct and reproducible: the same answer everywhere, and an edge that can be filled."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from hft.governance.gates.thresholds import asked, unasked
from hft.governance.profile import Profile
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
from hft.research.alphas.signals import Difference

# What no history could mend.
STRUCTURAL = (
    *("unit_tests", "deterministic", "batch_equals_stream", "all_equals_blocks"),
    *("blocks_alike", "finite_outputs"),
)


@dataclass(frozen=True)
class Correctness:
    """What was run again, in other ways.

    `hashes` are those of the signals of fresh processes; `parity` how far two ways to
    evaluate are apart, None where the alpha has only one; `streamed` how far all rows at once are
    from block by block, `elsewhere` the signal of blocks that end where it earned; `tests_passed`
    None when they were skipped. `permutation_p` counts `permutation_draws` draws. `failed_process`:
    the last words of a fresh process that gave no hash.
    """

    tests_passed: bool | None
    tests_reason: str
    hashes: Sequence[str]
    parity: Difference | None
    streamed: Difference
    elsewhere: Difference
    finite_share: float | None
    coverage: float | None
    permutation_p: float | None
    permutation_draws: int
    lag1_retention: float | None
    sharpe: float | None
    failed_process: str = ""


def gate_b(found: Correctness, profile: Profile) -> GateResult:
    """Tests, determinism, parity, coverage, permutation null and lag retention."""
    return GateResult(
        "B",
        (
            _tests(found),
            _deterministic(found, profile),
            _parity(found, profile),
            _streamed(found, profile),
            _apart("blocks_alike", found.elsewhere, profile, "two ways to end blocks"),
            at_least(
                "finite_outputs",
                found.finite_share,
                profile.number("gate_b.finite_min"),
                reason="the signal is not finite at every row after its warm-up",
            ),
            asked(profile, "gate_b.coverage_min", "coverage", found.coverage),
            _permutation(found, profile),
            _retention(found, profile),
        ),
    )


def untested(reason: str) -> GateResult:
    """Gate B of an alpha whose own tests fail: they run first, and nothing else is looked at."""
    said = f"{reason}; they run first, and no trial was counted"
    return GateResult("B", (holds("unit_tests", False, said),))


def structural_failure(result: GateResult) -> bool:
    """Did something fail that is not a matter of evidence?"""
    return any(
        check.verdict is Verdict.FAIL and check.id in STRUCTURAL for check in result.deciding
    )


def _tests(found: Correctness) -> Check:
    if found.tests_passed is None:
        sentence = "run the alpha's own tests: leave out --skip-gate-b-tests"
        return insufficient("unit_tests", found.tests_reason, (sentence,))
    return holds("unit_tests", found.tests_passed, found.tests_reason)


def _deterministic(found: Correctness, profile: Profile) -> Check:
    needed = int(profile.number("gate_b.runs_min"))
    if len(found.hashes) < needed:
        text = f"{len(found.hashes)} of {needed} fresh processes gave a signal"
        text = f"{text}: {found.failed_process}" if found.failed_process else text
        return Check("deterministic", len(found.hashes), needed, Verdict.FAIL, reason=text)
    if found.failed_process:  # the others agree: it does not always answer
        text = f"a fresh process gave no signal: {found.failed_process}"
        return Check("deterministic", len(found.hashes), needed, Verdict.FAIL, reason=text)
    distinct = len(set(found.hashes))
    text = "" if distinct == 1 else f"{len(found.hashes)} fresh processes gave {distinct} results"
    verdict = Verdict.PASS if distinct == 1 else Verdict.FAIL
    return Check("deterministic", distinct, 1, verdict, reason=text)


def _parity(found: Correctness, profile: Profile) -> Check:
    if found.parity is None:
        return not_applicable("batch_equals_stream", "the alpha has only one way to be evaluated")
    ways = "batch and stream"
    return _apart("batch_equals_stream", found.parity, profile, ways)


def _streamed(found: Correctness, profile: Profile) -> Check:
    """The signal that counts was made block by block, by a process without later rows."""
    ways = "all rows at once and block by block"
    return _apart("all_equals_blocks", found.streamed, profile, ways)


def _apart(id: str, found: Difference, profile: Profile, ways: str) -> Check:
    """Two ways to one signal; a number on one side only is as far apart as can be."""
    key = "gate_b.parity_abs_max"
    at = "" if found.row is None else f" at row {found.row + 1}"
    if not isfinite(found.largest):
        reason = f"one of {ways} has no signal or no side{at}, the other has"
        return Check(id, None, profile.get(key), Verdict.FAIL, reason=reason)
    reason = f"{ways} are {found.largest:.3g} apart{at}"
    return at_most(id, found.largest, profile.number(key), reason=reason)


def _permutation(found: Correctness, profile: Profile) -> Check:
    key = "gate_b.permutation_p_max"
    if profile.get(key) is None:
        return unasked(profile, "permutation_p", found.permutation_p)
    needed = int(profile.number("gate_b.permutation_draws_min"))
    if found.permutation_draws < needed:
        text = f"{found.permutation_draws} distinct shifts are possible, {needed} are asked for"
        more = (f"{needed - found.permutation_draws} more rows",)
        return insufficient("permutation_p", text, more, found.permutation_p)
    return asked(profile, key, "permutation_p", found.permutation_p)


def _retention(found: Correctness, profile: Profile) -> Check:
    key, id = "gate_b.lag1_retention_min", "lag1_retention"
    if profile.get(key) is not None and found.sharpe is not None and found.sharpe <= 0:
        text = "the Sharpe ratio is not above 0: there is no edge to retain"
        return Check(id, None, profile.get(key), Verdict.FAIL, reason=text)
    return asked(profile, key, id, found.lag1_retention)
