"""What a promotion file counts as now: its weight, or 0 with the reason.

The approval signature (validator) covers all but what the canary moves; the state signature covers
the whole file; the owner's covers the bundle. A file that is edited, unsigned, expired, disabled
or not the one that the audit journal last recorded carries no weight. Nothing here writes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from hft.audit.keys import Keys
from hft.audit.sign import verify
from hft.core.errors import HftError
from hft.governance.promotion.document import Promotion
from hft.governance.promotion.promotions import UNAUDITED, UNSIGNED, File

STATE_ROLES = ("validator", "operator")
DAY_NS = 86_400_000_000_000


@dataclass(frozen=True)
class Effective:
    """The weight that counts and why it is not the one in the file."""

    weight: float
    code: str = ""
    reason: str = ""


def owner_payload(bundle_sha256: str) -> bytes:
    """What the owner signs at `promote`: the hash of the frozen bundle."""
    return f"hft-bundle:{bundle_sha256}\n".encode()


def effective(
    file: File, keys: Keys, now_ns: int, recorded: Mapping[str, str] | None = None
) -> Effective:
    """The weight that counts at `now_ns`.

    `recorded`: sha256 of the file last written for each alpha, from the audit journal; None where
    no journal is at hand (the signatures alone decide then).
    """
    promotion = file.promotion
    if promotion is None:
        finding = file.finding
        return Effective(0.0, finding.code if finding else UNAUDITED, _words(file))
    if not promotion.enabled:
        return Effective(0.0, "DISABLED", f"{file.path}: is disabled")
    wrong = check_signatures(promotion, keys, signed_ns(file, now_ns))
    if wrong:
        return Effective(0.0, UNSIGNED, f"{file.path}: {wrong}")
    if recorded is not None and recorded.get(file.alpha_id) != promotion.sha256:
        return Effective(
            0.0, UNAUDITED, f"{file.path}: is not the file that the audit journal last recorded"
        )
    if promotion.expired(now_ns):  # last: a renewal trusts what an expired file says
        return Effective(
            0.0, "EXPIRED", f"{file.path}: its review date {promotion.expiry} is over; renew it"
        )
    return Effective(promotion.weight)


def check_signatures(promotion: Promotion, keys: Keys, at_ns: int) -> str:
    """What is wrong with the three signatures; empty when they hold."""
    signatures = promotion.data["signatures"]
    approver = () if promotion.data["self_approved"] else ("validator",)
    parts: tuple[tuple[str, bytes, tuple[str, ...]], ...] = (
        ("owner", owner_payload(promotion.data["hashes"]["bundle"]), ("owner",)),
        ("validator", promotion.approval_payload, approver),
        ("state", promotion.state_payload, _state_roles(promotion)),
    )
    for part, payload, roles in parts:
        entry = signatures[part]
        wrong = _signed(payload, entry, keys, at_ns, roles)
        if wrong:
            return f"signatures.{part}: {wrong}"
    for part in ("owner", "validator"):
        if signatures[part]["name"] != promotion.data[part]:
            return f"signatures.{part}: is by {signatures[part]['name']}, not {part}"
    return ""


def signed_ns(file: File, now_ns: int) -> int:
    """When the file was signed, as far as the file itself can say; never after now."""
    last = file.promotion.data["canary"]["last_ts_ns"] if file.promotion else None
    if last is not None:
        return min(int(last), now_ns)
    try:
        day = datetime.strptime(file.date, "%Y%m%d").replace(tzinfo=UTC)
    except ValueError:
        return now_ns
    return min(int(day.timestamp()) * 1_000_000_000 + DAY_NS - 1, now_ns)


def _state_roles(promotion: Promotion) -> tuple[str, ...]:
    """A rollback may be signed by any registered key."""
    out = promotion.state == "rolled_back"
    lowest = promotion.data["self_approved"]
    return () if out else (*STATE_ROLES, "owner") if lowest else STATE_ROLES


def _signed(
    payload: bytes, entry: Mapping[str, str], keys: Keys, at_ns: int, roles: tuple[str, ...]
) -> str:
    try:
        signer = verify(payload, entry["sig"], entry["name"], keys, at_ns)
    except HftError as error:
        return str(error)
    if roles and not set(roles) & set(signer.roles):
        return f"{entry['name']} has none of the roles {', '.join(roles)}"
    return ""


def _words(file: File) -> str:
    return file.finding.sentence if file.finding else f"{file.path}: cannot be read"
