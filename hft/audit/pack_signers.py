"""Which rows of a pack must be signed, by whom, and by how many.

Its text goes into `verify.py` before that of `pack_evidence`, so that nothing of hft is imported
here.
"""

import base64
import hashlib
import json
from collections.abc import Iterator
from typing import Any

OWN_WORD = ("force", "self_approval", "asserted", "vault_look")
Rows = list[dict[str, Any]]


def demanded(table: str, own: dict[str, Any]) -> tuple[bool, tuple[str, ...]]:
    """Whether a row must be signed, and the roles one of which its signer needs; none: any."""
    approved = bool(own.get("approved"))
    if table == "alpha_promotion_log":
        if own.get("stage") == "propose":
            return approved, ("owner",)
        return approved, () if own.get("self_approved") else ("validator",)
    if table == "alpha_canary_log":
        if own.get("action") in ("escalate", "graduate"):
            return bool(own.get("applied")), ("validator", "operator")
        consents = own.get("action") == "hold" and '"consent":' in (own.get("checks") or "")
        return consents, ("owner", "validator") if consents else ()
    return table == "override_log" and own.get("kind") in OWN_WORD, ()


def demanded_rows(rows: Rows, keys: list[dict[str, Any]]) -> Iterator[str]:
    """Rows that must be signed and are not, or by nobody who may."""
    for row in rows:
        needed, roles = demanded(row["table"], row["row"])
        place = f"journal.jsonl: row {row['seq']}"
        signer = signer_of_armour(row["row"].get("signature") or "", keys)
        if needed and signer is None:
            yield f"{place}: must be signed and is not, or by a key that is not listed"
        elif needed and roles and not set(roles) & set(signer["roles"] if signer else ()):
            yield f"{place}: is signed by somebody without the role {' or '.join(roles)}"


def countersigned(files: dict[str, bytes], rows: Rows, keys: list[dict[str, Any]]) -> Iterator[str]:
    """Approvals that fewer validators signed than the thresholds of their bundle ask for."""
    bundles = {
        hashlib.sha256(data).hexdigest(): data
        for name, data in files.items()
        if name.endswith("/bundle.json")
    }
    signed: dict[str, set[str]] = {}
    for row in rows:
        own = row["row"]
        if row["table"] != "alpha_promotion_log" or own.get("stage") == "propose":
            continue
        signer = signer_of_armour(own.get("signature") or "", keys)
        if signer is not None and "validator" in signer["roles"]:
            signed.setdefault(own["bundle_sha256"], set()).add(signer["name"])
        data = bundles.get(own["bundle_sha256"])
        if data is None or not own.get("approved"):
            continue
        bundle = json.loads(data)
        wanted = int(bundle["thresholds"].get("promotion.validators_min") or 1)
        have = signed.get(own["bundle_sha256"], set()) - {bundle["owner"]["name"]}
        if wanted > 1 and len(have) < wanted:
            yield (
                f"journal.jsonl: row {row['seq']}: its bundle asks for {wanted} validators, "
                f"{len(have)} signed rows of it"
            )


def used_twice(rows: Rows) -> Iterator[str]:
    seen: dict[str, int] = {}
    for row in rows:
        signature = row["row"].get("signature")
        if signature and signature in seen:
            yield f"journal.jsonl: row {row['seq']}: has the signature of row {seen[signature]}"
        if signature:
            seen[signature] = row["seq"]


def signer_of_armour(armour: str, keys: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The listed key that a signature names; that it fits is checked elsewhere."""
    body = "".join(line for line in armour.splitlines() if not line.startswith("-----"))
    try:
        blob = base64.b64decode(body)
    except ValueError:
        return None
    found = [key for key in keys if base64.b64decode(key["key"].split()[1]) in blob]
    return found[0] if found else None
