"""One life: a drawn market judged as an alpha's rows are, with the trials that stand beside it.

What hangs on the process that runs an alpha (its own tests, fresh processes, walls) is taken as
good: it says nothing of an edge. Leak tests, data audit, every figure and every line run.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import sqrt

import numpy as np
import polars as pl

from hft.governance.gates.b import Correctness
from hft.governance.gates.inputs import audit, manifest_checks
from hft.governance.gates.leakage import leak_checks
from hft.governance.ledger.family import FamilyView, view
from hft.governance.ledger.vectors import Vector
from hft.governance.power.market import BAR_NS, FIELD, FLOW, Alpha, Market, decayed
from hft.governance.profile import Profile
from hft.governance.validation.judgement import Structure, judge, weighed
from hft.governance.validation.trials import periods_of
from hft.governance.verdict import GateResult, Verdict
from hft.research.alphas.manifest import AlphaManifest
from hft.research.alphas.signals import Difference
from hft.research.backtest import DAYS_A_YEAR, INITIAL_EQUITY
from hft.research.execution.latency import SIM_P95
from hft.research.leakage import check_alpha
from hft.research.measures.measurement import Measured, Options, measure
from hft.statistics.hac import hac_t

NAME = "drawn_flow"
EQUAL = Difference(0.0, None)
CODE = (NAME, "drawn")
T_SLACK = 0.5  # below the level by so much the t of the drawn P&L decides without the gates


class FlowAlpha:
    """What a life trades, as the leak tests run it."""

    def __init__(self, alpha: Alpha) -> None:
        self.memory = alpha.memory
        self.manifest = AlphaManifest(
            alpha_id=NAME,
            hypothesis="Order flow leans on the price for some bars.",
            formula="decayed sum of the flow, of variance 1",
            data_fields=(FIELD,),
            complexity="O(1)",
            horizon_ns=BAR_NS,
            owner="drawn",
            family=NAME,
            threshold=alpha.threshold,
        )

    def signals(self, frame: pl.DataFrame) -> np.ndarray:
        """The signal of all rows."""
        return decayed(frame[FIELD].to_numpy() / FLOW, self.memory)


@dataclass(frozen=True, eq=False)
class Life:
    """A verdict, and the realised annual Sharpe ratio it is of; `gates` is empty where the t alone
    refused it.
    """

    passed: bool
    sharpe: float
    gates: tuple[GateResult, ...] = ()

    @property
    def stopping(self) -> tuple[str, ...]:
        """The lines that keep it from passing, `C dsr` and so on."""
        return tuple(
            f"{gate.gate} {check.id}"
            for gate in self.gates
            for check in gate.deciding
            if check.verdict is not Verdict.PASS
        )


@dataclass(frozen=True, eq=False)
class Rivals:
    """Other trials on the same days: their returns, sessions x trials, as shares of equity.

    `like` is a family's own effective number and variance of the per-period Sharpe ratios, where
    they are known from a ledger: they stand in place of what the returns say.
    """

    returns: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
    like: tuple[float, float] | None = None


def live(
    market: Market,
    alpha: Alpha,
    profile: Profile,
    rivals: Rivals | None = None,
    *,
    seed: int = 42,
    hopeless: bool = True,
    leaks: bool = True,
) -> Life:
    """Judge one life. With `hopeless` one whose t is far below the level is not judged further.

    The leak tests take most of the time and say nothing of an edge: without `leaks` they are taken
    as good, and with `hopeless` they run on what passes all else.
    """
    signal = decayed(market.flow / FLOW, alpha.memory)
    daily = market.daily(signal, alpha.rules) / INITIAL_EQUITY
    sharpe = float(daily.mean() / daily.std(ddof=1) * sqrt(DAYS_A_YEAR))
    least = profile.get("gate_c.hac_t_min")
    if hopeless and least is not None and (hac_t(daily).t or 0.0) < float(least) - T_SLACK:
        return Life(False, sharpe)
    data = market.data
    found = measure(data, signal, options(alpha, profile, seed))
    evidence = weighed(_ledger(found, rivals or Rivals()), profile, found, CODE)
    correct, made = _correct(found, profile), FlowAlpha(alpha)
    gates = judge(found, evidence, _structure(made, market, profile), correct, profile)
    if leaks and (_all(gates) or not hopeless):
        structure = _structure(made, market, profile, seed)
        gates = judge(found, evidence, structure, correct, profile)
    return Life(_all(gates), sharpe, gates)


def _all(gates: Sequence[GateResult]) -> bool:
    """Did all three run and pass?"""
    return len(gates) == 3 and all(gate.passed for gate in gates)


def options(alpha: Alpha, profile: Profile, seed: int = 42) -> Options:
    """What a validation of it would be told."""
    return Options(
        rules=alpha.rules,
        horizon_ns=BAR_NS,
        cpcv_folds=int(profile.number("gate_c.cpcv_folds")),
        cpcv_test_folds=int(profile.number("gate_c.cpcv_test_folds")),
        stress_factor=profile.number("gate_c.stress_factor"),
        latency_ns=SIM_P95.local_ns + SIM_P95.submit_ns,
        permutation_draws=int(profile.number("gate_b.permutation_draws_min")),
        seed=seed,
        declared=True,
    )


def _structure(
    made: FlowAlpha, market: Market, profile: Profile, seed: int | None = None
) -> Structure:
    """Manifest and data, and with a seed the leak tests."""
    data, least = market.data, profile.number("gate_a.coverage_min")
    now_ns = int(market.ts_ns[-1]) + BAR_NS
    checks = (
        *manifest_checks(made.manifest, data),
        *audit(data, made.manifest, now_ns=now_ns, coverage_min=least),
    )
    if seed is None:
        return Structure(checks)
    cuts = int(profile.number("gate_a.cuts_min"))
    report = check_alpha(made, data, cuts=max(cuts, 12), seed=seed)
    return Structure((*checks, *leak_checks(report, cuts)), {"leaks": report.to_dict()})


def _correct(found: Measured, profile: Profile) -> Correctness:
    finite = np.isfinite(found.signal)
    first = int(np.argmax(finite)) if finite.any() else len(finite)
    return Correctness(
        tests_passed=True,
        tests_reason="",
        hashes=["equal"] * (int(profile.number("gate_b.runs_min")) + 1),
        parity=None,
        streamed=EQUAL,
        elsewhere=EQUAL,
        finite_share=float(finite[first:].mean()) if first < len(finite) else None,
        coverage=float(finite.mean()),
        permutation_p=found.information.permutation_p,
        permutation_draws=found.information.draws,
        lag1_retention=found.stress.lag1_retention,
        sharpe=dict(found.stress.lag)[0],
    )


def _ledger(found: Measured, rivals: Rivals) -> FamilyView:
    """The life's own trial and its rivals, as the ledger would show them."""
    days, own = periods_of(found), found.returns
    columns = [own, *rivals.returns.T]
    vectors = {f"{k}": Vector(one, float(DAYS_A_YEAR), days) for k, one in enumerate(columns)}
    trials = pl.DataFrame(
        {
            "trial_id": list(vectors),
            "returns_sha256": list(vectors),
            "repeats": [0] * len(columns),
            "family": [NAME] * len(columns),
            "data_hash": [found.data.fingerprint] * len(columns),
            "alpha_id": [NAME, *(f"rival_{k}" for k in range(1, len(columns)))],
            "code_hash": ["drawn"] * len(columns),
            "source": ["validate"] * len(columns),
            "sharpe_per_period": sharpes(columns),
        }
    )
    seen = view(trials, vectors)
    if rivals.like is None:
        return seen
    effective, variance = rivals.like
    return replace(seen, effective=effective, variance=max(variance, seen.variance or 0.0))


def sharpes(columns: Sequence[np.ndarray]) -> list[float]:
    """Per-period Sharpe ratios."""
    return [float(one.mean() / one.std(ddof=1)) if one.std() > 0 else 0.0 for one in columns]
