"""A validation measured once more, by whoever approves: figures, trial, Gates A and C, pool, claim.

Scorecard, reports and journal lie in the workspace of who proposes; none of them is believed. It
is a repeat of a known trial: nothing is written to the ledger, and N stays as it is. The replays
of a maker or of tapes run in a folder aside, so that no sealed run of the workspace is opened.
"""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hft.core.errors import PromotionError
from hft.gateway.limits import Limits
from hft.governance.gates.a import gate_a
from hft.governance.gates.b import gate_b
from hft.governance.gates.c import gate_c
from hft.governance.ledger.ledger import Ledger
from hft.governance.profile import Profile
from hft.governance.promotion.evidence import Remade, claim_from
from hft.governance.promotion.office import Office
from hft.governance.promotion.recheck import Again
from hft.governance.promotion.verdicts import Validated
from hft.governance.scorecard import measured_again
from hft.governance.validation.correctness import correctness, tests_of
from hft.governance.validation.judgement import counted, history
from hft.governance.validation.replay import played, quoted, replays
from hft.governance.validation.request import Request
from hft.governance.validation.structure import admission, leak_tests
from hft.governance.validation.trials import code_of, trials_of
from hft.research.alphas.recount import CONFIRMED
from hft.research.execution.latency import PROFILES, SIM_P95, LatencyProfile
from hft.research.measures.measurement import Measured, measure
from hft.research.pool import pool_correlation_max
from hft.research.trial import Trial

OF_THE_TRIAL = (
    *("data_start_ns", "data_end_ns", "label_family", "data_hash", "code_hash", "config_hash"),
    *("sharpe_per_period", "n_obs", "skew", "kurtosis"),
)
OF_THE_CLAIM = ("mu0", "sd0", "n", "drawdown")


@dataclass(frozen=True)
class Means:
    """What it is measured with; `tell` hears of each stage."""

    office: Office
    ledger: Ledger
    profile: Profile
    limits: Limits
    tell: Callable[[str], None] = lambda stage: None


def remeasure(means: Means, validated: Validated, made: Remade) -> Again:
    """The validation on the same rows with the same options. Raises: HftError."""
    _declared(validated, made)
    request = quoted(_request(means.profile, validated), made.alpha)
    means.tell("figures, measured again")
    with tempfile.TemporaryDirectory() as folder:
        found = measure(made.data, made.signal, validated.options)
        if request.by_replay:
            found = played(found, request, means.limits, Path(folder))
        verdicts = _verdicts(means, validated, made, found, request, Path(folder))
    trial = next(one for one in trials_of(made.alpha, found) if one.source == "validate")
    pool = pool_correlation_max(
        made.signal,
        means.office.workspace.experiments,
        ts_ns=made.data.ts_ns,
        alpha_id=validated.alpha_id,
    )
    rows = means.ledger.trials()
    return Again(
        trial_id=trial.id,
        figures=measured_again(found),
        trial=_row(trial),
        recorded=rows.filter(rows["trial_id"] == trial.id).to_dicts(),
        returns=trial.returns,
        kept=means.ledger.vectors([trial.id]).get(trial.id),
        verdicts=verdicts,
        correlation=pool.value,
        claim=_claim(means.profile, validated, made),
    )


def _declared(validated: Validated, made: Remade) -> None:
    """Only the manifest declares a threshold. Raises: PromotionError where it did not."""
    options, said = validated.options, made.alpha.manifest.threshold
    if options.declared and said != options.rules.threshold:
        raise PromotionError(
            f"alpha {validated.alpha_id!r}: was judged by a declared threshold of "
            f"{options.rules.threshold:g}, and its manifest declares {said}; validate it again"
        )


def _claim(profile: Profile, validated: Validated, made: Remade) -> dict[str, Any]:
    """The claim's figures that data, options and thresholds decide; what shadow runs and the size
    of a contract add is not among them.
    """
    found = claim_from(validated, made, profile, ())
    told = {} if found is None else found.to_dict()
    return {name: told.get(name) for name in OF_THE_CLAIM}


def _request(profile: Profile, validated: Validated) -> Request:
    """What was asked for, as far as a replay needs it."""
    options = validated.options
    return Request(
        alpha_id=validated.alpha_id,
        data=None,
        profile=profile,
        seed=options.seed,
        execution="maker" if options.execution == "maker" else "taker",
        maker_bps=options.maker_bps,
        latency=_latency(validated),
    )


def _latency(validated: Validated) -> LatencyProfile:
    """The profile that the scorecard names: no figure of it is measured, so it must be a known one.

    Raises: PromotionError naming what it has.
    """
    told = validated.scorecard.get("latency_profile") or SIM_P95.to_dict()
    known = next((one for one in PROFILES.values() if one.to_dict() == told), None)
    if known is None:
        raise PromotionError(f"latency_profile: {told} in the scorecard is no known profile")
    return known


def _verdicts(
    means: Means,
    validated: Validated,
    made: Remade,
    found: Measured,
    request: Request,
    folder: Path,
) -> dict[str, tuple[str, str]]:
    """Gates A and B as at the validation, and C with every trial there is by now."""
    office, profile = means.office, means.profile
    means.tell("gate A, decided again")
    checks = admission(made.alpha, made.data, means.ledger, (), profile, office.now_ns)
    checks += leak_tests(made.alpha, made.data, profile)[0]
    evidence, _ = counted(means.ledger, profile, found, code_of(made.alpha))
    first = gate_a(checks, history(profile, found, evidence), profile)
    means.tell("gate B, decided again")
    tests = tests_of(made.alpha, request.pytest_timeout_s)
    correct, _ = correctness(made.alpha, found, profile, tests, CONFIRMED)
    second = gate_b(correct, profile)
    means.tell("gate C, decided again")
    facts = None
    if made.data.tapes is not None:  # whatever engine the owner chose
        again = replays(found, request, means.limits, folder)
        facts = None if again is None else again.facts
    third = gate_c(found, evidence, profile, facts)
    return {gate.gate: (gate.verdict.value, gate.reason) for gate in (first, second, third)}


def _row(trial: Trial) -> Mapping[str, Any]:
    row = trial.to_row("", 0)
    start, end = row["data_interval"]
    whole = {**row, "data_start_ns": start, "data_end_ns": end}
    return {name: whole[name] for name in OF_THE_TRIAL}
