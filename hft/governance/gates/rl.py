"""Gate RL: is a training run's evaluation real, whole and not plainly bad?

It stands before gates C, D and E, never instead of them. What nobody showed is INSUFFICIENT.
"""

import hashlib
from typing import Any

import numpy as np

from hft.governance.verdict import Check, GateResult, at_least, holds, insufficient
from hft.research.rl.policy import ArrayPolicy
from hft.runs.result import Run
from hft.storage.chain import canonical

LEAST_STEPS = 20
SHARPE_MIN, DRAWDOWN_MIN, TURNOVER_MIN = 0.0, -0.30, 1e-6
PROBES = 64


def evaluate(
    scorecard: dict[str, Any],
    rewards: np.ndarray,
    *,
    policy: ArrayPolicy | None = None,
    run: Run | None = None,
) -> GateResult:
    """The checks of one run; `run` is the sealed evaluation whose net the rewards add up to."""
    checks = (
        _finite(rewards),
        _steps(rewards),
        _sealed(rewards, run),
        _deterministic(policy),
        at_least("reward_sharpe", scorecard["sharpe_oos"], SHARPE_MIN),
        at_least("max_drawdown", scorecard["max_drawdown"], DRAWDOWN_MIN),
        at_least("turnover", scorecard["turnover"], TURNOVER_MIN),
    )
    context = {"n_steps": len(rewards), "run_digest": None if run is None else run.digest}
    return GateResult("RL", checks, context)


def thresholds_hash() -> str:
    """SHA-256 of what the gate decides by."""
    values = {
        "steps_min": LEAST_STEPS,
        "sharpe_min": SHARPE_MIN,
        "drawdown_min": DRAWDOWN_MIN,
        "turnover_min": TURNOVER_MIN,
    }
    return hashlib.sha256(canonical(values)).hexdigest()


def _finite(rewards: np.ndarray) -> Check:
    bad = int((~np.isfinite(rewards)).sum())
    return holds("rewards_finite", bad == 0, f"{bad} of {len(rewards)} rewards are no numbers")


def _steps(rewards: np.ndarray) -> Check:
    if len(rewards) >= LEAST_STEPS:
        return at_least("steps", len(rewards), LEAST_STEPS)
    missing = f"{LEAST_STEPS - len(rewards)} more steps of evaluation"
    return insufficient("steps", f"only {len(rewards)} steps", [missing], len(rewards))


def _sealed(rewards: np.ndarray, run: Run | None) -> Check:
    """Does a sealed run replay to the same digest, and earn what the rewards say?"""
    if run is None:
        return insufficient(
            "sealed_run", "no sealed run shows the rewards", ["a sealed run of the evaluation"]
        )
    if not run.verify().same:
        return holds("sealed_run", False, f"the run {run.digest[:16]} does not verify")
    net, told = float(run.metrics.get_value("net") or 0.0), float(np.nansum(rewards))
    same = abs(net - told) <= 1e-6 * max(1.0, abs(net))
    return holds("sealed_run", same, f"the sealed run earned {net:.6g}, the rewards say {told:.6g}")


def _deterministic(policy: ArrayPolicy | None) -> Check:
    """The same features give the same action to the last bit, read back from its arrays too."""
    if policy is None:
        return insufficient("deterministic", "no policy was given", ["the policy as arrays"])
    again = ArrayPolicy.unflat(policy.shape, policy.flat())
    stream = np.random.Generator(np.random.Philox(PROBES))
    probes = stream.uniform(-10, 10, (PROBES, policy.shape[0]))
    same = all(policy.act(row).tobytes() == again.act(row).tobytes() for row in probes)
    return holds("deterministic", same, "the same features give another action")
