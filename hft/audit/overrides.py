"""Every time somebody went round a rule, on one page: who, when, what, why.

Forced promotions, self-approvals, asserted evidence, waivers, limit changes, kills, resets and
looks at the vault, from the rows of the journal alone. It judges none of them.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from hft.audit.journal import Row
from hft.audit.keys import moment

CONTROL = {"limits": "limit change", "kill": "kill", "reset": "reset"}
WORDS = {
    "force": "forced promotion",
    "self_approval": "self-approval",
    "asserted": "asserted evidence",
    "waiver": "waiver",
    "vault_look": "vault look",
    "vault_refused": "vault look refused",
    "vault_budget": "vault budget overridden",
}
KINDS = (*WORDS.values(), *CONTROL.values())


@dataclass(frozen=True)
class Override:
    """One line of the page."""

    ts: int
    seq: int
    kind: str
    alpha_id: str
    subject: str
    reason: str
    actor: str
    signed: bool

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, with the time in words."""
        return {**asdict(self), "time": moment(self.ts)}


def overrides(rows: Iterable[Row], since_ns: int = 0) -> list[Override]:
    """The overrides from a time on, oldest first; the same one told by two tables stands once."""
    found = [one for row in rows if row["ts"] >= since_ns for one in _of(row)]
    told = {(one.kind, one.alpha_id, one.ts) for one in found if one.seq > 0}
    kept = [
        one if one.seq > 0 else _direct(one)
        for one in found
        if one.seq > 0 or (one.kind, one.alpha_id, one.ts) not in told
    ]
    return sorted(kept, key=lambda one: (one.ts, one.seq, one.kind))


def counts(found: Iterable[Override]) -> dict[str, int]:
    """How many of each kind, every kind named."""
    totals = dict.fromkeys(KINDS, 0)
    for one in found:
        totals[one.kind] += 1
    return totals


def _of(row: Row) -> list[Override]:
    """The overrides a row tells of; those that `override_log` tells better have a negative seq."""
    own, table = row["row"], row["table"]
    match table:
        case "override_log":
            kind = WORDS[own["kind"]]
            return [_line(row, kind, own["alpha_id"], named(own["subject"]), own["reason"])]
        case "control_log" if own["kind"] in CONTROL:
            change = f"{own['scope']}: {own['old_state']} -> {own['new_state']}"
            return [_line(row, CONTROL[own["kind"]], "", change, own["cause"])]
        case "alpha_promotion_log":
            kinds = [WORDS["force"]] * bool(own["forced"])
            kinds += [WORDS["self_approval"]] * bool(own["self_approved"])
            subject = f"{own['stage']} {own['bundle_sha256'][:12]}"
            return [_line(row, k, own["alpha_id"], subject, own["reasons"], -1) for k in kinds]
        case "alpha_canary_log" if own["evidence"] == "asserted":
            subject = f"canary {own['action']}"
            return [_line(row, WORDS["asserted"], own["alpha_id"], subject, own["reason"], -1)]
    return []


def named(subject: str) -> str:
    """A subject as a person reads it: a look also lists the days it saw, which stay in the row."""
    try:
        told = json.loads(subject)
        days = told["rows"]["days"]
        about = f"family {told['family']}, dataset {told['dataset'][:16]}"
        return f"{about}, {days[0]} to {days[-1]}"
    except (ValueError, KeyError, TypeError, IndexError):
        return subject


def _line(row: Row, kind: str, alpha_id: str, subject: str, reason: str, sign: int = 1) -> Override:
    signed = bool(row["row"].get("signature"))
    seq = sign * int(row["seq"])
    return Override(int(row["ts"]), seq, kind, alpha_id, subject, reason, row["actor"], signed)


def _direct(one: Override) -> Override:
    return Override(**{**asdict(one), "seq": -one.seq})
