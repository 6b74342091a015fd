"""Several validators: each measures a bundle again and signs, and only the last puts it in place.

What the earlier ones found stands in the journal as a signed row of stage countersign. Who signed
twice, or with a key that does not count, is nobody.
"""

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
    found: set[str] = set()
    for row in office.audit.rows():
        own = row["row"]
        if row["table"] != "alpha_promotion_log" or own.get("stage") != STAGE:
            continue
        if own.get("bundle_sha256") != bundle.sha256:
            continue
        try:
            signer = signer_of(row, office.keys)
        except (GovernanceError, Unavailable):
            continue
        if "validator" in signer.roles and signer.fingerprint != validator.key.fingerprint:
            found.add(signer.name)
    return found - {validator.name, str(bundle.data["owner"]["name"])}


def missing(office: Office, bundle: Bundle, validator: Person) -> str:
    """Why this signature is not the last one; empty where it is."""
    count, most = len(before(office, bundle, validator)) + 1, wanted(bundle)
    if count >= most:
        return ""
    return (
        f"signed as validator {count} of {most} (promotion.validators_min): another validator "
        "approves the same bundle next, and measures it again"
    )
