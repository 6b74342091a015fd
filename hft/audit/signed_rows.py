"""What the signature in an audit row covers: the row itself, in one form for every table.

The payload is the prefix, then table, time and own columns (all but `signature`) as canonical JSON
with a newline; `pack_check` makes the same bytes from the standard library. It decides which rows
need a signature and of which role; whose key it was and whether it counts is asked of `sign`.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from hft.audit.keys import Keys, moment
from hft.audit.records import own_values, table_of
from hft.audit.sign import Signer, sign, signed_by, verify
from hft.audit.walk import Finding
from hft.core.errors import GovernanceError, Unavailable
from hft.storage.chain import canonical

PREFIX = b"hft-audit-row:"
SIGNATURE = "signature"
BAD_SIGNATURE = "BAD_SIGNATURE"
STEPPERS = ("validator", "operator")
CONSENTING = ("owner", "validator")
OWN_WORD = (
    "force",
    "self_approval",
    "asserted",
    "vault_look",
    "vault_budget",
)  # overrides a person answers for


def payload(table: str, row: Mapping[str, Any], ts: int) -> bytes:
    """The bytes to sign for a row recorded at `ts`. Raises: DataError for a row that does not fit.

    `row` may be given as the caller has it or as the journal stores it: both are the same bytes.
    """
    shape = table_of(table)
    return _stored(shape.name, own_values(shape, row), ts)


def sign_row(table: str, row: Mapping[str, Any], ts: int, key: Path) -> dict[str, Any]:
    """The row with its signature. Raises: GovernanceError, Unavailable, DataError."""
    return {**row, SIGNATURE: sign(payload(table, row, ts), key)}


def signer_of(row: Mapping[str, Any], keys: Keys) -> Signer:
    """Who signed a journal row, when the signature fits and counted then.

    Raises: GovernanceError, Unavailable.
    """
    own, ts = row["row"], int(row["ts"])
    signature = str(own.get(SIGNATURE, ""))
    if not signature:
        raise GovernanceError("is not signed")
    name = signed_by(signature, keys).name
    signer = verify(_stored(row["table"], own, ts), signature, name, keys, ts)
    if signer.fingerprint != row.get("key_fp"):
        raise GovernanceError(f"names key {row['key_fp']}, but is signed with {signer.fingerprint}")
    return signer


def check_rows(rows: Iterable[Mapping[str, Any]], keys: Keys) -> list[Finding]:
    """Rows whose signature is missing, wrong, used twice or of a person without the role."""
    findings: list[Finding] = []
    seen: dict[str, int] = {}
    newest = 0  # of every row so far: a row that says an older time was written after it
    for row in rows:
        own, seq = row["row"], int(row["seq"])
        newest = max(newest, int(row["ts"]))
        signature = str(own.get(SIGNATURE, ""))
        needed, roles = demanded(row["table"], own)
        wrong = ""
        if signature or needed:
            wrong = _wrong(row, keys, roles, newest)
            if not wrong and signature in seen:
                wrong = f"has the signature of row {seen[signature]}"
            seen.setdefault(signature, seq)
        if wrong:
            place = f"audit.{row['table']}"
            words = f"{place}: row {seq}: {wrong}"
            findings.append(Finding(BAD_SIGNATURE, place, seq, SIGNATURE, words))
    return findings


def demanded(table: str, own: Mapping[str, Any]) -> tuple[bool, tuple[str, ...]]:
    """Whether a row must be signed, and the roles one of which the signer needs; none: any."""
    match table:
        case "alpha_promotion_log":
            if own.get("stage") == "propose":
                return bool(own.get("approved")), ("owner",)
            return bool(own.get("approved")), () if own.get("self_approved") else ("validator",)
        case "alpha_canary_log":
            if own.get("action") in ("escalate", "graduate"):
                return bool(own.get("applied")), STEPPERS
            return _consents(own), CONSENTING if _consents(own) else ()
        case "override_log":
            return own.get("kind") in OWN_WORD, ()
    return False, ()


def _consents(own: Mapping[str, Any]) -> bool:
    """A hold that carries one person's word for a graduation."""
    try:
        return own.get("action") == "hold" and "consent" in json.loads(own.get("checks") or "{}")
    except (ValueError, TypeError):
        return False


def _stored(table: str, own: Mapping[str, Any], ts: int) -> bytes:
    """A row as it stands in the journal: nothing is put right, whatever it says."""
    kept = {name: value for name, value in own.items() if name != SIGNATURE}
    return PREFIX + canonical({"row": kept, "table": table, "ts": ts}) + b"\n"


def _wrong(row: Mapping[str, Any], keys: Keys, roles: tuple[str, ...], newest: int) -> str:
    try:
        signer = signer_of(row, keys)
        refused = next(key for key in keys if key.fingerprint == signer.fingerprint).refusal(newest)
        if refused:
            return (
                f"{refused}; the row says {moment(int(row['ts']))}, and stands behind one of "
                f"{moment(newest)}"
            )
    except (GovernanceError, Unavailable) as error:
        return str(error)
    if roles and not set(roles) & set(signer.roles):
        return f"{signer.name} has none of the roles {', '.join(roles)}"
    return ""
