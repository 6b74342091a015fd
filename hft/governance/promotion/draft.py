"""The promotion file that approval writes, from what the bundle froze.

Every value comes from the bundle or the moment of approval; nothing is typed here. A renewal keeps
the canary's weight and state.
"""

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from hft.audit.sign import sign
from hft.governance.profile import Profile
from hft.governance.promotion.bundle import Bundle
from hft.governance.promotion.document import LOWEST_RUNG, Promotion, rollback_block, utc_date
from hft.governance.promotion.office import Office
from hft.governance.promotion.people import Person
from hft.governance.promotion.promotions import read
from hft.governance.promotion.unseen import Look

PLACEHOLDER = {"name": "nobody", "sig": "none"}


def draft(
    office: Office,
    bundle: Bundle,
    validator: Person,
    memo: str,
    owner_signature: str,
    self_approved: bool,
    look: Look | None = None,
) -> Promotion:
    data, plan = bundle.data, bundle.data["plan"]
    card, profile = data["scorecard"], bundle.profile
    expiry = utc_date(office.now_ns) + timedelta(days=int(plan["expiry_days"]))
    most = min(plan["max_weight"], LOWEST_RUNG) if self_approved else plan["max_weight"]
    moving = _moving(office, bundle, most)
    return Promotion.from_data(
        {
            "config_version": plan["config_version"],
            "parent_config_version": plan["parent_config_version"],
            "alpha_id": bundle.alpha_id,
            "enabled": True,
            "weight": moving["weight"],
            "profile": profile.name,
            "owner": data["owner"]["name"],
            "validator": validator.name,
            "self_approved": self_approved,
            "expiry_review_date": expiry.isoformat(),
            "forced": bundle.forced,
            "source_commit": data["source_commit"],
            "run_id": data["run_id"],
            "hashes": _hashes(bundle, memo, look),
            "heads": office.heads(),
            "trust": office.trust_mark,
            "scorecard_snapshot": _snapshot(card),
            "thresholds": _thresholds(profile),
            "readiness": _readiness(data["readiness"]),
            "guardrails": {name: float(value) for name, value in plan["guardrails"].items()},
            "canary": {
                "ladder": [float(step) for step in plan["ladder"]],
                "max_weight": float(most),
                **moving["canary"],
            },
            "rollback": rollback_block(
                {name: float(value) for name, value in plan["guardrails"].items()}
            ),
            "signatures": {
                "owner": {"name": data["owner"]["name"], "sig": owner_signature},
                "validator": dict(PLACEHOLDER),
                "state": dict(PLACEHOLDER),
            },
        },
        "the promotion",
    )


def _moving(office: Office, bundle: Bundle, most: float) -> dict[str, Any]:
    """Weight and canary state: a renewal keeps them, anything else begins on the first rung."""
    fresh = {"state": "canary", "last_action": None, "last_ts_ns": None}
    if bundle.data["renews"]:
        current = read(office.promotions).file(bundle.alpha_id)
        assert current is not None and current.promotion is not None
        kept = current.promotion.data["canary"]
        state = {name: kept[name] for name in fresh}
        if state["state"] == "graduated":
            state["state"] = "escalated"  # the rollback block is back; it graduates anew
        return {"weight": min(current.promotion.weight, most), "canary": state}
    return {"weight": min(float(bundle.data["plan"]["weight"]), most), "canary": fresh}


def _hashes(bundle: Bundle, memo: str, look: Look | None) -> dict[str, str | None]:
    names = ("config", "data", "code", "thresholds", "scorecard", "limits")
    return {name: bundle.hashes[name] for name in names} | {
        "bundle": bundle.sha256,
        "memo": hashlib.sha256(memo.encode()).hexdigest(),
        "unseen": None if look is None else look.sha256,
    }


def _thresholds(profile: Profile) -> dict[str, float]:
    return {
        "min_sharpe_oos": float(profile.number("gate_d.sharpe_oos_min")),
        "max_abs_drawdown": abs(float(profile.number("gate_d.drawdown_min"))),
        "max_turnover": float(profile.number("gate_d.turnover_max")),
        "max_correlation": float(profile.number("gate_d.correlation_pool_max")),
    }


def _snapshot(card: Mapping[str, Any]) -> dict[str, Any]:
    def number(name: str) -> float | None:
        value = card.get(name)
        return None if value is None else float(value)

    names = ("sharpe_oos", "max_drawdown", "turnover", "correlation_pool_max")
    return {name: number(name) for name in names} | {
        "pool_empty": bool(card.get("pool_empty")),
        "n_trials": int(card.get("n_trials") or 0),
        "n_effective": number("n_effective"),
    }


def _readiness(given: Mapping[str, Any]) -> dict[str, Any]:
    rate = given["execution_reject_rate"]
    return {**given, "execution_reject_rate": None if rate is None else float(rate)}


def signed(draft: Promotion, name: str, key: Path, *, approval: bool = False) -> Promotion:
    """The promotion with the approval and the state signature, or the latter alone."""
    current = draft
    if approval:
        own = {"name": name, "sig": sign(current.approval_payload, key)}
        current = current.replace(signatures={"validator": own})
    state = {"name": name, "sig": sign(current.state_payload, key)}
    return current.replace(signatures={"state": state})
