"""What a look at rows in keeping costs: one of the vault's, signed and durable before it is taken.

An interrupted look was a look. A look beyond hft's own budget is an override, with a row of its
own.
"""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from hft.audit.signed_rows import sign_row
from hft.core.errors import GovernanceError
from hft.governance import shared_looks
from hft.governance.promotion.office import Office
from hft.governance.promotion.people import Person
from hft.governance.vault import BUDGET, KIND, OVERRIDE, TABLE, Budget, decide, subject
from hft.research.data.footprint import Footprint
from hft.storage.lock import locked


def pay(
    office: Office,
    family: str,
    alpha_id: str,
    dataset: str,
    rows: Footprint,
    *,
    budget: int,
    reason: str,
    signer: Person,
    key: Path,
) -> Budget:
    """One look off the budget of these rows; `family` is whose look it is.

    Raises: GovernanceError when it is spent, Unavailable where the registry of the desk is away.
    """

    def record(row: Mapping[str, Any]) -> None:
        office.audit.record(
            TABLE,
            sign_row(TABLE, row, office.now_ns, key),
            now_ns=office.now_ns,
            key_fp=signer.key.fingerprint,
            ledger_heads=office.ledger.heads(),
        )

    row = {
        "kind": KIND,
        "alpha_id": alpha_id,
        "subject": subject(family, dataset, rows),
        "reason": reason,
    }
    # The next one decides when this look is in the journal.
    registry, doing = office.ledger.registry, "is taking a look at the vault"
    with ExitStack() as held:
        held.enter_context(locked(office.workspace.state / "vault.lock", doing=doing))
        if registry is not None:
            held.enter_context(shared_looks.only_one(registry, doing))
        audited = shared_looks.exchanged(registry, office.audit.rows())
        found = decide(audited, family=family, dataset=dataset, budget=budget, vault=rows)
        if not found.allowed:
            raise GovernanceError(found.sentence)
        if found.overrides:
            beyond = f"alpha.vault_looks is {budget} here, hft's is {BUDGET}; look {found.used + 1}"
            record(row | {"kind": OVERRIDE, "reason": beyond})
        record(row)
        shared_looks.exchanged(registry, office.audit.rows())
    return found
