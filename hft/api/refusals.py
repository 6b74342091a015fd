"""The rows of decisions that were asked for and could not be made: who asked for what, and why not.

A refusal is decided elsewhere, as an error; this only keeps it in the journal, and lets it go on.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from hft.api.desk import Desk
from hft.core.errors import (
    ConfigError,
    DataError,
    GovernanceError,
    HftError,
    JournalError,
    Unavailable,
)
from hft.governance.vault import REFUSED, TABLE
from hft.research.alphas.ids import alpha_id as proper

REFUSALS = (GovernanceError, DataError, ConfigError, Unavailable)
WEIGHING = ("optimize", "marginal")  # views of the pool that give weights
ID_MAX = 200  # of what somebody typed in place of an id


@contextmanager
def refusals_recorded(desk: Desk, name: str, stage: str) -> Iterator[None]:
    """Of `promote` (stage propose), `approve` and `freeze`; `name` is what somebody typed."""
    try:
        yield
    except REFUSALS as error:
        row = {
            "alpha_id": _known_as(name),
            **dict.fromkeys(("approved", "forced", "self_approved"), False),
            **dict.fromkeys(("gate_d_passed", "gate_e_passed"), False),
            "stage": stage,
            "canary_weight": 0.0,
            "reasons": [str(error)],
            "scorecard": {},
        }
        desk.auditor.record("alpha_promotion_log", row, now_ns=desk.now_ns)
        raise


@contextmanager
def of_canary(desk: Desk, alpha_id: str, asked: str) -> Iterator[None]:
    """Of `canary`; `asked` is what was to be carried out, empty where nothing was.

    Every error is one but that of the journal itself, which takes no row.
    """
    try:
        yield
    except JournalError:
        raise
    except HftError as error:
        if asked:
            record_refusal(desk, _known_as(alpha_id), f"{asked} refused: {error}")
        raise


def record_refusal(desk: Desk, alpha_id: str, reason: str) -> None:
    """Nothing is done about a canary: a hold."""
    row = {
        "alpha_id": alpha_id,
        "action": "hold",
        **dict.fromkeys(("old_weight", "new_weight"), 0.0),
        "reason": reason,
        "evidence": "runs",
        "applied": False,
    }
    desk.auditor.record("alpha_canary_log", row, now_ns=desk.now_ns)


@contextmanager
def of_vault(desk: Desk, name: str, reason: str) -> Iterator[None]:
    """Of a look at the vault: asked for, not given, and not taken from the budget."""
    try:
        yield
    except REFUSALS as error:
        row = {
            "kind": REFUSED,
            "alpha_id": name,
            "reason": f"{reason}: {error}",
        }
        desk.auditor.record(TABLE, row, now_ns=desk.now_ns, ledger_heads=desk.ledger.heads())
        raise


@contextmanager
def of_pool(desk: Desk, view: str) -> Iterator[None]:
    """Of weights that were asked of the pool; its other views are looks, and leave no row."""
    try:
        yield
    except REFUSALS as error:
        row = {
            "scope": "pool",
            "kind": "refused",
            **dict.fromkeys(("old_state", "new_state"), ""),
            "cause": f"pool {view} refused: {error}",
            "evidence": {"kind": type(error).__name__},
        }
        if view in WEIGHING:
            desk.auditor.record("control_log", row, now_ns=desk.now_ns)
        raise


def _known_as(typed: str) -> str:
    """The id of what somebody typed; its beginning where it is none."""
    try:
        return proper(typed)
    except HftError:
        return typed[:ID_MAX]
