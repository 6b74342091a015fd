"""Several validators: each measures a bundle again and signs, and only the last puts it in place.

What the earlier ones found stands in the journal as a signed row of stage countersign. Who signed
twice, or with a key that does not count, is nobody.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from hft.audit.keys import Keys
from hft.audit.signed_rows import signer_of
from hft.core.errors import GovernanceError, Unavailable
from hft.governance.promotion.bundle import Bundle
from hft.governance.promotion.office import Office
from hft.governance.promotion.people import Person

STAGE = "countersign"


def wanted(bundle: Bundle) -> int:
    """Validators that the bundle's thresholds ask for."""
    return int(bundle.data["thresholds"].get("promotion.validators_min") or 1)


def before(office: Office, bundle: Bundle, validator: Person) -> set[str]:
    """The other validators who signed this bundle, by name; the owner is none."""
    found = signers(office.audit.rows(), bundle.sha256, office.keys)
    return found - {validator.name, str(bundle.data["owner"]["name"])}


def signers(rows: Iterable[Mapping[str, Any]], sha256: str, keys: Keys) -> set[str]:
    """The validators whose signed row of this stage names a bundle."""
    found: set[str] = set()
    for row in rows:
        own = row["row"]
        if row["table"] != "alpha_promotion_log" or own.get("stage") != STAGE:
            continue
        if own.get("bundle_sha256") != sha256:
            continue
        try:
            signer = signer_of(row, keys)
        except (GovernanceError, Unavailable):
            continue
        if "validator" in signer.roles:
            found.add(signer.name)
    return found


def lacking(
    rows: Sequence[Mapping[str, Any]], bundles: Callable[[str], Bundle | None], keys: Keys
) -> Iterator[tuple[int, str]]:
    """Approvals with fewer signatures of validators before them than their bundle asks for: the
    row of each, and what lacks. A bundle that is not there is told elsewhere.
    """
    for at, row in enumerate(rows):
        own = row["row"]
        stands = row["table"] == "alpha_promotion_log" and own.get("approved")
        if not stands or own.get("stage") not in ("approve", "renew"):
            continue
        bundle = bundles(str(own.get("bundle_sha256")))
        if bundle is None or wanted(bundle) < 2:
            continue
        found = signers(rows[:at], bundle.sha256, keys) - {str(bundle.data["owner"]["name"])}
        with contextlib.suppress(GovernanceError, Unavailable):  # a finding of its own
            found.add(signer_of(row, keys).name)
        if len(found) < wanted(bundle):
            yield (
                int(row["seq"]),
                f"row {row['seq']}: bundle {bundle.sha256[:12]} asks for {wanted(bundle)} "
                f"validators, and rows have the signatures of {', '.join(sorted(found)) or 'none'}",
            )


def missing(office: Office, bundle: Bundle, validator: Person) -> str:
    """Why this signature is not the last one; empty where it is."""
    count, most = len(before(office, bundle, validator)) + 1, wanted(bundle)
    if count >= most:
        return ""
    return (
        f"signed as validator {count} of {most} (promotion.validators_min): another validator "
        "approves the same bundle next, and measures it again"
    )
