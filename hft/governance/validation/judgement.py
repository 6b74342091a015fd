"""The verdicts of Gates A to C from what was found: the one function for whoever asks.

`validate` calls it with what it measured of an alpha and its ledger, `power` and the study with
what they drew. Nothing here runs an alpha, reads a file or knows the time.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from hft.governance.gates.a import History, gate_a
from hft.governance.gates.b import Correctness, gate_b, structural_failure
from hft.governance.gates.c import ReplayFacts, gate_c
from hft.governance.ledger.family import FamilyView
from hft.governance.ledger.ledger import Ledger
from hft.governance.profile import Profile
from hft.governance.validation import trials
from hft.governance.verdict import Check, GateResult, Verdict
from hft.research.measures.evidence import (
    Evidence,
    Levels,
    days_of_history,
    sharpe_for_history,
    weigh,
)
from hft.research.measures.measurement import Measured
from hft.research.trial import LABEL_FAMILY


@dataclass(frozen=True)
class Structure:
    """The structural checks of Gate A, and what its report keeps beside them."""

    checks: tuple[Check, ...]
    context: Mapping[str, Any] = field(default_factory=dict)


def judge(
    found: Measured,
    evidence: Evidence,
    structure: Structure,
    correct: Correctness,
    profile: Profile,
    replayed: Callable[[], ReplayFacts | None] = lambda: None,
    advice: Sequence[Check] = (),
) -> tuple[GateResult, ...]:
    """Gates A and B, and C where it runs; `replayed` is asked only then."""
    past = history(profile, found, evidence)
    first = gate_a(structure.checks, past, profile, structure.context)
    second = gate_b(correct, profile)
    if not _goes_on(first, second):
        return first, second
    return first, second, gate_c(found, evidence, profile, replayed(), advice)


def _goes_on(first: GateResult, second: GateResult) -> bool:
    """Does Gate C run? Not after a failed B, unless a short history is to show its scorecard."""
    if structural_failure(second):
        return False
    return second.verdict is not Verdict.FAIL or first.verdict is Verdict.INSUFFICIENT


def counted(
    ledger: Ledger, profile: Profile, found: Measured, code: tuple[str, str]
) -> tuple[Evidence, FamilyView]:
    """The evidence with everything that was tried on this data and label; the tries themselves."""
    start, end = found.data.interval
    view = ledger.family(interval=(start, end + 1), label_family=LABEL_FAMILY)
    return weighed(view, profile, found, code), view


def weighed(view: FamilyView, profile: Profile, found: Measured, code: tuple[str, str]) -> Evidence:
    """The evidence beside these trials; `code` is the alpha's own (`trials.code_of`)."""
    tries = trials.tries(view, found, code)
    asked = levels(profile, found.options.seed)
    return weigh(found.returns, found.sweep, tries, asked, _reach(found))


def history(profile: Profile, found: Measured, evidence: Evidence) -> History:
    """How long the data is, and how long the profile wants it."""
    last = found.data.sessions[-1]
    share = profile.number("gate_a.history_horizons_per_block_min")
    horizon_days = found.options.horizon_ns / 86_400_000_000_000
    return History(
        len(found.data.sessions),
        date(last // 10_000, last // 100 % 100, last % 100),
        days_of_history(evidence),
        int(int(profile.number("gate_c.pbo_blocks")) * max(2.0, share * horizon_days)),
        sharpe_for_history(evidence),
        max(evidence.tries.effective, 1.0),
    )


def levels(profile: Profile, seed: int) -> Levels:
    """What the profile asks of the evidence; the standard value where it does not ask."""
    given = {
        "dsr": profile.get("gate_c.dsr_min"),
        "psr": profile.get("gate_c.psr_min"),
        "benchmark_annual": profile.get("gate_c.psr_benchmark_annual"),
        "configs_min": profile.get("gate_c.pbo_configs_min"),
        "blocks": profile.get("gate_c.pbo_blocks"),
        "spa_reps": profile.get("gate_c.spa_reps"),
    }
    return Levels(seed=seed, **{name: value for name, value in given.items() if value is not None})


def _reach(found: Measured) -> int:
    """How many of its periods a label reaches over."""
    return found.horizon_days if found.basis == "daily" else 1
