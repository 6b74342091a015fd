"""A training run on disk: one trial in the ledger first, then its experiment with gate RL.

The trial is appended before any figure is shown; a run whose figures cannot be written has been
counted all the same.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hft.core.errors import DataError, PromotionError
from hft.governance.gates import rl
from hft.governance.verdict import GateResult
from hft.research.backtest import DAYS_A_YEAR, INITIAL_EQUITY, annual_sharpe
from hft.research.experiments import Experiment, json_text, list_runs, write_run
from hft.research.pool import pool_correlation_max
from hft.research.rl.policy import ArrayPolicy
from hft.research.trial import LABEL_FAMILY, Trial
from hft.runs.result import Run
from hft.storage.chain import canonical

GATE = "RL"


@dataclass(frozen=True)
class Training:
    """What a training run is, besides its result; equal values are a repeat of one trial.

    `config` is JSON-ready; `interval` [start, end) ns of the evaluation; `label_family` groups
    trials that compete.
    """

    alpha_id: str
    config: Mapping[str, Any]
    data_hash: str
    code_hash: str
    interval: tuple[int, int]
    seed: int
    family: str = "rl"
    label_family: str = LABEL_FAMILY
    data_paths: Sequence[str] = ()

    @property
    def config_hash(self) -> str:
        """First 16 hex of the sha-256 of the sorted compact JSON."""
        return hashlib.sha256(canonical(dict(self.config))).hexdigest()[:16]


@dataclass(frozen=True)
class Logged:
    """The experiment written, the gate's report, and what the ledger answered."""

    experiment: Experiment
    gate: GateResult
    recorded: Any


def log_rl_run(
    experiments: Path,
    training: Training,
    rewards: Any,
    signals: Any,
    *,
    record_trial: Callable[[Trial], Any],
    now_ns: int,
    equity: Any = None,
    ts_ns: Any = None,
    policy: ArrayPolicy | None = None,
    run: Run | None = None,
    record: Callable[..., Any] | None = None,
) -> Logged:
    """Count the trial, judge the run, write it, and hand the gate's audit row to `record`.

    `equity` defaults to the sum of rewards on 1 000 000. `ts_ns` are times of the steps; with
    them the trial's returns are per day. Raises: DataError for arrays that do not fit.
    """
    earned, held = np.asarray(rewards, np.float64), np.asarray(signals, np.float64)
    if earned.ndim != 1 or held.shape != earned.shape:
        raise DataError(
            f"rl run: {held.size} signals for {earned.size} rewards; one of each a step"
        )
    curve = INITIAL_EQUITY + np.cumsum(earned) if equity is None else np.asarray(equity, np.float64)
    times = None if ts_ns is None else np.asarray(ts_ns, np.int64)
    recorded = record_trial(_trial(training, earned, times))
    scorecard = _scorecard(experiments, training, earned, held, curve, times)
    report = rl.evaluate(scorecard, earned, policy=policy, run=run)
    written = write_run(
        experiments,
        alpha_id=training.alpha_id,
        now_ns=now_ns,
        config_hash=training.config_hash,
        data_hash=training.data_hash,
        data_paths=training.data_paths,
        metrics={name: value for name, value in scorecard.items() if _is_figure(value)},
        gate_status={GATE: report.verdict.value},
        scorecard=scorecard,
        backtest_report=report.to_dict()
        | {
            "config": dict(training.config),
            "policy_sha256": None if policy is None else policy_sha256(policy),
        },
        signals=held,
        equity=curve,
        ts_ns=times,
    )
    if record is not None:
        trial_id = str(getattr(recorded, "trial_id", ""))
        record("alpha_gate_log", _row(training, report, written.run_id, trial_id), now_ns=now_ns)
    return Logged(written, report, recorded)


def newest_run(experiments: Path, alpha_id: str) -> Experiment:
    """The newest run of an alpha that gate RL has judged. Raises: PromotionError."""
    for run in list_runs(experiments, alpha_id).runs:
        if GATE in run.meta["gate_status"]:
            return run
    raise PromotionError(
        f"{alpha_id}: has no reinforcement-learning run; log one with hft.api.rl.log_rl_run"
    )


def policy_sha256(policy: ArrayPolicy) -> str:
    """The identity of a policy: its shape and weights."""
    digest = hashlib.sha256(json_text(list(policy.shape)).encode())
    digest.update(np.ascontiguousarray(policy.flat(), "<f8").tobytes())
    return digest.hexdigest()


def _trial(training: Training, rewards: np.ndarray, ts_ns: np.ndarray | None) -> Trial:
    returns: np.ndarray = rewards / INITIAL_EQUITY
    periods = None
    if ts_ns is not None and len(ts_ns):
        days, at = np.unique(ts_ns // 86_400_000_000_000, return_inverse=True)
        returns = np.bincount(at, returns, len(days))
        periods = days * 86_400_000_000_000
    return Trial(
        alpha_id=training.alpha_id,
        family=training.family,
        label_family=training.label_family,
        canonical=f"rl:{training.alpha_id}:{training.config_hash}:{training.seed}",
        interval=training.interval,
        config_hash=training.config_hash,
        data_hash=training.data_hash,
        code_hash=training.code_hash,
        returns=returns,
        periods_per_year=float(DAYS_A_YEAR),
        source="rl",
        seed=training.seed,
        periods_ns=periods,
    )


def _row(training: Training, report: GateResult, run_id: str, trial_id: str) -> dict[str, Any]:
    """The gate's row of the audit; its thresholds are those of every profile."""
    return {
        "alpha_id": training.alpha_id,
        "run_id": run_id,
        "gate": GATE,
        "passed": int(report.passed),
        "verdict": report.verdict.value,
        "missing": list(report.missing),
        "trial_id": trial_id,
        "config_hash": training.config_hash,
        "thresholds_hash": rl.thresholds_hash(),
        "profile": "",
        "convention": "",
        "evidence_digest": report.evidence_digest,
        "details": {"reason": report.reason, "checks": [one.to_dict() for one in report.checks]},
    }


def _scorecard(
    experiments: Path,
    training: Training,
    rewards: np.ndarray,
    signals: np.ndarray,
    equity: np.ndarray,
    ts_ns: np.ndarray | None,
) -> dict[str, Any]:
    peak = np.maximum(np.maximum.accumulate(equity), INITIAL_EQUITY) if len(equity) else equity
    against = pool_correlation_max(signals, experiments, ts_ns=ts_ns, alpha_id=training.alpha_id)
    return {
        "sharpe_oos": annual_sharpe(rewards) if np.isfinite(rewards).all() else None,
        "sharpe_basis": "step",
        "max_drawdown": float(((equity - peak) / peak).min(initial=0.0)),
        "turnover": float(np.abs(np.diff(signals)).mean()) if len(signals) > 1 else 0.0,
        "correlation_pool_max": against.value,
        "pool_empty": against.empty,
        "reward_total": float(rewards.sum()),
        "n_steps": len(rewards),
        "data_fingerprint": training.data_hash,
        "code_hash": training.code_hash,
        "config_hash": training.config_hash,
        "rng_seed": training.seed,
        "tier": "RL",
        "schema_version": 1,
    }


def _is_figure(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))
