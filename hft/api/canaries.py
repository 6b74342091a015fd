"""Looking at canaries: what counts now, and what was decided. Deciding is `hft.api.canary`."""

import json
from pathlib import Path
from typing import Any

from hft.api.desk import open_desk
from hft.api.promotion import office_of
from hft.core.errors import PromotionError
from hft.governance.promotion.promotions import read
from hft.governance.promotion.signatures import Effective, effective
from hft.research.alphas.ids import alpha_id as proper


def status(
    *,
    promotions_dir: str | Path | None = None,
    root: str | Path | None = None,
    now: Any = None,
) -> dict[str, Any]:
    """Every promotion that speaks for an alpha, what it counts as, and files that do not count."""
    desk = open_desk(root, now=now)
    lost = desk.anchored.wrong
    office = office_of(desk, promotions_dir, asked=False)
    found, recorded = read(office.promotions), office.recorded()
    rows = []
    for file in found.speaking():
        counts = effective(file, desk.keys, desk.now_ns, recorded)
        promotion = file.promotion
        if lost and counts.weight:
            counts = Effective(0.0, "JOURNAL_CUT", lost)
        rows.append(
            {
                "alpha_id": file.alpha_id,
                "state": promotion.state if promotion else "unreadable",
                "weight": promotion.weight if promotion else None,
                "counts": counts.weight,
                "why": counts.code,
                "reason": counts.reason,
                "profile": promotion.profile if promotion else None,
                "next_step": promotion.next_step() if promotion and promotion.enabled else None,
                "expires": promotion.expiry.isoformat() if promotion else None,
                "last_action": promotion.data["canary"]["last_action"] if promotion else None,
                "file": f"{file.path.parent.name}/{file.path.name}",
            }
        )
    findings = [{"code": one.code, "sentence": one.sentence} for one in found.findings]
    return {"promotions": rows, "findings": findings}


def history(
    alpha_id: str,
    *,
    promotions_dir: str | Path | None = None,
    root: str | Path | None = None,
    now: Any = None,
) -> dict[str, Any]:
    """Every canary decision and change of an alpha, oldest first.

    Raises: PromotionError for an id the journal does not know.
    """
    desk = open_desk(root, now=now)
    office = office_of(desk, promotions_dir)
    name = proper(alpha_id)
    rows = []
    for row in office.audit.rows():
        own = row["row"]
        if row["table"] == "alpha_canary_log" and own.get("alpha_id") == name:
            checks = json.loads(own["checks"] or "{}")
            rows.append(
                {
                    "ts_ns": row["ts"],
                    "action": own["action"],
                    "old_weight": own["old_weight"],
                    "new_weight": own["new_weight"],
                    "reason": own["reason"],
                    "evidence": own["evidence"],
                    "applied": bool(own["applied"]),
                    "actor": row["actor"],
                    "evidence_digest": checks.get("evidence_digest", ""),
                    "row_hash": row["row_hash"],
                }
            )
    changed = [
        {"ts_ns": c.ts_ns, "cause": c.cause, "weight": c.weight, "state": c.state}
        for c in office.changes(name)
    ]
    if not rows and not changed:
        raise PromotionError(f"{name}: the audit journal knows no promotion of it")
    return {"alpha_id": name, "decisions": rows, "changes": changed}
