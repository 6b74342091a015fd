"""What the owner asks for, and what `promote` decided, as records."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hft.governance.verdict import GateResult
from hft.reports.governance.document import Document

GUARDRAILS = {
    "max_live_slippage_bps": 3.0,
    "max_live_drawdown_contribution": 0.02,
    "max_execution_error_rate": 0.01,
}


@dataclass(frozen=True)
class Asked:
    """The owner's wishes. `hashes`: code, config, data, limits, simulator as they are now."""

    hashes: Mapping[str, str | None]
    inputs: Mapping[str, Any]
    trial_id: str = ""
    family: str = ""
    guardrails: Mapping[str, float] = field(default_factory=lambda: dict(GUARDRAILS))
    canary_weight: float | None = None
    target_lots: int | None = None  # of the whole position; a rung trades its weight of them
    expiry_days: int | None = None
    config_version: str = "v1"
    parent_config_version: str | None = None
    renews: str | None = None  # sha256 of the promotion file that is renewed
    force: bool = False
    reason: str = ""
    source_commit: str = "unknown"


@dataclass(frozen=True)
class Proposal:
    """What `promote` decided; `bundle` is None when it was refused."""

    alpha_id: str
    folder: Path
    accepted: bool
    forced: bool
    gate_d: GateResult
    gate_e: GateResult
    reasons: tuple[str, ...]
    missing: tuple[str, ...]
    weight: float
    bundle_sha256: str = ""
    owner: str = ""
    expiry_days: int = 0
    before: Mapping[str, str] = field(default_factory=dict)  # verdicts of A, B and C
    unseen_sessions: int = 0  # that who approves has to show it beside the rows it was judged on
    document: Document | None = field(default=None, repr=False, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "alpha_id": self.alpha_id,
            "accepted": self.accepted,
            "forced": self.forced,
            "weight": self.weight,
            "bundle": self.bundle_sha256,
            "owner": self.owner,
            "expiry_days": self.expiry_days,
            "reasons": list(self.reasons),
            "missing": list(self.missing),
            "before": dict(self.before),
            "gate_d": self.gate_d.to_dict(),
            "gate_e": self.gate_e.to_dict(),
            "folder": self.folder.name,
        }
