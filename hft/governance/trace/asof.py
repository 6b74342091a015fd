"""What was live at a time: by the changes in the audit journal, whatever the files say today.

A change counts from its own moment on; a weight counts through its review date, in UTC.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hft.governance.promotion.changes import Change
from hft.governance.promotion.document import utc_date


@dataclass(frozen=True)
class Standing:
    """One alpha at a time: the weight that counted, and on whose word."""

    alpha_id: str
    weight: float
    state: str
    reason: str  # why the weight is 0; empty while it counts
    since_ns: int
    profile: str
    expiry: str
    limits: str
    owner: str
    validator: str
    signer: str
    forced: bool
    self_approved: bool
    yaml_sha256: str
    bundle: str
    row_hash: str

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return dict(self.__dict__)


def asof(found: Sequence[Change], at_ns: int) -> list[Standing]:
    """Every alpha that had a promotion by then, by id."""
    newest: dict[str, Change] = {}
    for change in found:
        if change.ts_ns <= at_ns:
            newest[change.alpha_id] = change  # in the order of the journal
    return [_standing(newest[name], at_ns) for name in sorted(newest)]


def _standing(change: Change, at_ns: int) -> Standing:
    given, expired = change.evidence, utc_date(at_ns) > change.expiry
    reason = "" if change.enabled else "rolled back"
    if not reason and expired:
        reason = f"expired after {change.expiry}"
    return Standing(
        alpha_id=change.alpha_id,
        weight=0.0 if reason else change.weight,
        state="expired" if expired and change.enabled else change.state,
        reason=reason,
        since_ns=change.ts_ns,
        profile=str(given.get("profile", "")),
        expiry=change.expiry.isoformat(),
        limits=str(given.get("limits") or ""),
        owner=str(given.get("owner", "")),
        validator=str(given.get("validator", "")),
        signer=str(given.get("signer", "")),
        forced=bool(given.get("forced")),
        self_approved=bool(given.get("self_approved")),
        yaml_sha256=change.yaml_sha256,
        bundle=str(given.get("bundle", "")),
        row_hash=change.row_hash,
    )
