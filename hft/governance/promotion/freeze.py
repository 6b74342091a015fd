"""When somebody who does not own it saw the code as it is: a validator's signed word on its hash.

The ledger's times are the clock of whoever validated, the dates of commits that of whoever pushed:
their machine says what they please. A validator's row is signed over its time, and only a
validator's clock is in it. It decides from when on rows are ones that the author cannot have had.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from hft.audit.keys import Keys
from hft.audit.records import REHEARSED
from hft.audit.signed_rows import signer_of
from hft.core.errors import GovernanceError, Unavailable

STAGE, TABLE = "freeze", "alpha_promotion_log"


def row(alpha_id: str, code: str, idea: str) -> dict[str, Any]:
    """The row to sign."""
    return {
        "alpha_id": alpha_id,
        **dict.fromkeys(("approved", "forced", "self_approved"), False),
        **dict.fromkeys(("gate_d_passed", "gate_e_passed"), False),
        "stage": STAGE,
        "canary_weight": 0.0,
        "scorecard": {"code_hash": code, "idea_hash": idea},
    }


def frozen_ns(
    rows: Iterable[Mapping[str, Any]],
    keys: Keys,
    code: str,
    owner: str,
    now_ns: int,
    *,
    rehearsal: bool = False,
) -> int | None:
    """The earliest time at which a validator other than the owner signed this code's hash.

    A key that counts no more counts for nothing here: whoever stole it could date a row back.
    Neither does a freeze of a rehearsal outside of one: its clock was set.
    """
    found = []
    for one in rows:
        own = one["row"]
        if one["table"] != TABLE or own.get("stage") != STAGE:
            continue
        if not rehearsal and str(one.get("actor", "")).endswith(REHEARSED):
            continue
        if json.loads(own.get("scorecard") or "{}").get("code_hash") != code:
            continue
        try:
            signer = signer_of(one, keys)
        except (GovernanceError, Unavailable):
            continue
        key = next((key for key in keys if key.fingerprint == signer.fingerprint), None)
        refused = key is None or bool(key.refusal(now_ns))
        if "validator" in signer.roles and signer.name != owner and not refused:
            found.append(int(one["ts"]))
    return min(found, default=None)
