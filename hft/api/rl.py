"""`hft alpha rl-promote` from Python: the newest run must stand, then the promotion of any alpha.

A policy is promoted as the alpha that it is: gates C, D and E, the ledger and both signatures are
those of `hft.alpha.promote`; gate RL comes before them, never instead.
"""

from pathlib import Path
from typing import Any

from hft.api.desk import open_desk
from hft.api.refusals import refusals_recorded
from hft.core.errors import PromotionError
from hft.governance import training as runs
from hft.governance.training import GATE, Logged, Training, newest_run
from hft.research.alphas.ids import alpha_id as proper
from hft.research.experiments import Experiment


def log_rl_run(
    training: Training,
    rewards: Any,
    signals: Any,
    *,
    root: str | Path | None = None,
    now: Any = None,
    **given: Any,
) -> Logged:
    """Log one training run of a workspace: its trial, its experiment, gate RL and the audit row.

    `given` are `equity`, `ts_ns`, `policy` and `run` of `hft.governance.training.log_rl_run`.
    """
    desk = open_desk(root, now=now)

    def record(table: str, row: dict[str, Any], *, now_ns: int) -> Any:
        heads = desk.ledger.heads()
        return desk.auditor.record(table, row, now_ns=now_ns, ledger_heads=heads)

    done = runs.log_rl_run(
        desk.workspace.experiments,
        training,
        rewards,
        signals,
        record_trial=lambda trial: desk.ledger.append([trial], desk.now_ns)[0],
        record=record,
        now_ns=desk.now_ns,
        **given,
    )
    desk.auditor.deliver()
    return done


def rl_promote(
    alpha_id: str,
    *,
    base_dir: str | Path | None = None,
    root: str | Path | None = None,
    now: Any = None,
    **given: Any,
) -> Any:
    """Propose an alpha whose newest reinforcement-learning run stands; see `ready`.

    `given` are the keywords of `hft.alpha.promote`, whose outcome is returned.

    >>> import hft
    >>> hft.alpha.rl_promote("demo")
    Traceback (most recent call last):
    hft.core.errors.PromotionError: ...
    """
    from hft.api.promotion import promote

    ready(alpha_id, base_dir=base_dir, root=root, now=now)
    return promote(alpha_id, root=root, now=now, **given)


def ready(
    alpha_id: str,
    *,
    base_dir: str | Path | None = None,
    root: str | Path | None = None,
    now: Any = None,
) -> Experiment:
    """The newest run of a policy, which passed gate RL and was validated since.

    A refusal leaves an audit row, as one of `promote`. Raises: PromotionError when there is no run,
    it did not pass, or no validation is as new.
    """
    desk = open_desk(root, now=now)
    folder = desk.workspace.experiments if base_dir is None else desk.root / base_dir
    with refusals_recorded(desk, alpha_id, "propose"):
        name = proper(alpha_id)
        run = newest_run(folder, name)
        status = str(run.meta["gate_status"][GATE])
        if status != "PASS":
            reason = str(run.backtest_report.get("reason", ""))
            raise PromotionError(f"{name}: gate RL of run {run.run_id} is {status}: {reason}")
        _validated_since(folder / "validations" / name, run)
    return run


def _validated_since(validations: Path, run: Experiment) -> None:
    """Gates A to C judged the policy of this run, not the one before it."""
    stamps = sorted(path.parent.name for path in validations.glob("*/scorecard.json"))
    if not stamps or stamps[-1][:16] < run.run_id[:16]:
        newest = f"the newest is {stamps[-1]}" if stamps else "there is none"
        raise PromotionError(
            f"{run.alpha_id}: no validation since run {run.run_id} ({newest}); "
            f"run `hft alpha validate {run.alpha_id} --data DATA` first"
        )
