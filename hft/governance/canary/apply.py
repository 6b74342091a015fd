"""Carrying a canary's decision out: the signed file, the audit rows, the incident of a rollback.

A hold writes no file and one row. A rollback takes effect whatever fails: a file whose signature
could not be made counts as 0 as well, and is written with the weight 0 anyway.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hft.audit.artifacts import FILES
from hft.audit.signed_rows import sign_row, signer_of
from hft.core.errors import GovernanceError, HftError, JournalError, Unavailable
from hft.governance.canary.decide import CanaryDecision
from hft.governance.promotion.commit import Change, Row, change_row, commit, exclusive
from hft.governance.promotion.document import Promotion, rollback_block
from hft.governance.promotion.draft import PLACEHOLDER, signed
from hft.governance.promotion.office import Office
from hft.governance.promotion.people import Person
from hft.governance.promotion.promotions import File
from hft.governance.stages import Event, Stage, after

APPLIERS = ("validator", "operator")
CONSENTS = ("owner", "validator")


@dataclass(frozen=True)
class Applied:
    """What was done. `notice`: what went wrong on the way without stopping it."""

    decision: CanaryDecision
    written: bool
    yaml_sha256: str = ""
    notice: str = ""
    waiting_for: tuple[str, ...] = ()  # roles whose signature a graduation still needs

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return self.decision.to_dict() | {
            "applied": True,
            "written": self.written,
            "yaml_sha256": self.yaml_sha256,
            "notice": self.notice,
            "waiting_for": list(self.waiting_for),
        }


def apply(
    office: Office,
    file: File,
    decision: CanaryDecision,
    *,
    person: Person | None,
    key: Path | None,
    consents: Mapping[str, str] | None = None,
) -> Applied:
    """Carry a decision out.

    `consents`: roles that signed this very decision before (a graduation by non-contradiction needs
    owner and validator). Raises: GovernanceError for a key without the role, Busy.
    """
    promotion = file.promotion
    if promotion is None or decision.state == "not_found":
        raise GovernanceError(f"{decision.alpha_id}: there is no enabled promotion to act on")
    after(Stage(promotion.state), Event(decision.action))
    with exclusive(office.stage, urgent=decision.action == "rollback"):
        if decision.action == "rollback":
            return _out(office, file, promotion, decision, person, key)
        if decision.action == "hold":
            _record(office, decision, person)
            return Applied(decision, False)
        assert_may_apply(decision, person)
        return _step(office, file, promotion, decision, person, key, consents or {})


def assert_may_apply(decision: CanaryDecision, person: Person | None) -> None:
    """More weight needs a key of the right role. Raises: GovernanceError."""
    if person is None:
        raise GovernanceError(f"{decision.action} needs a signature: --key or HFT_SIGNING_KEY")
    wanted = CONSENTS if decision.arm == "non_contradiction" else APPLIERS
    allowed = {*wanted, *APPLIERS} if decision.arm == "non_contradiction" else set(wanted)
    if not allowed & set(person.key.roles):
        raise GovernanceError(
            f"{person.name}: {decision.action} needs a key with a role of {', '.join(wanted)}"
        )


def _step(
    office: Office,
    file: File,
    promotion: Promotion,
    decision: CanaryDecision,
    person: Person | None,
    key: Path | None,
    consents: Mapping[str, str],
) -> Applied:
    assert person is not None and key is not None
    waiting = _waiting(decision, person, consents)
    if waiting:
        _record(office, decision, person, key, consent=_consented(person), applied=False)
        return Applied(decision, False, waiting_for=waiting)
    changes: dict[str, Any] = {
        "weight": decision.new_weight,
        "canary": {
            "state": decision.state,
            "last_action": decision.action,
            "last_ts_ns": office.now_ns,
        },
    }
    if decision.state == "graduated":
        changes["rollback"] = None
    if not set(APPLIERS) & set(person.key.roles):
        raise GovernanceError(
            f"{person.name}: the state is signed with a role of {', '.join(APPLIERS)}"
        )
    written = signed(promotion.replace(**changes), person.name, key)
    _commit(office, file, promotion, written, decision, person, key)
    return Applied(decision, True, written.sha256)


def _waiting(
    decision: CanaryDecision, person: Person, consents: Mapping[str, str]
) -> tuple[str, ...]:
    """Roles that have yet to sign a graduation by non-contradiction, by two people."""
    if decision.arm != "non_contradiction":
        return ()
    given = dict(consents)
    for role in _consented(person):
        given.setdefault(role, person.name)
    missing = [role for role in CONSENTS if role not in given]
    if not missing and given["owner"] == given["validator"]:
        return ("validator",) if "owner" in person.key.roles else ("owner",)
    return tuple(missing)


def _consented(person: Person) -> tuple[str, ...]:
    return tuple(role for role in CONSENTS if role in person.key.roles)


def _out(
    office: Office,
    file: File,
    promotion: Promotion,
    decision: CanaryDecision,
    person: Person | None,
    key: Path | None,
) -> Applied:
    """Weight 0, whatever fails on the way; the file is in place before the journal is asked."""
    draft = promotion.replace(
        weight=0.0,
        enabled=False,
        canary={"state": "rolled_back", "last_action": "rollback", "last_ts_ns": office.now_ns},
        # Graduation took the block away, and a file that is rolled back has one.
        rollback=rollback_block(promotion.data["guardrails"]),
    )
    notice = ""
    try:
        if person is None or key is None:
            raise GovernanceError("no key to sign with")
        written, own = signed(draft, person.name, key), key
    except HftError as error:
        notice = f"the rollback took effect without a signature: {error}"
        written, own = draft.replace(signatures={"state": dict(PLACEHOLDER)}), None
    try:
        _commit(office, file, promotion, written, decision, person, own, file_first=True)
    except HftError as error:
        if not _in_place(file.path, written.text):
            raise JournalError(
                f"{file.alpha_id}: the rollback did NOT take effect: {error}; take {file.path} "
                "away, or make it writable, and roll back again"
            ) from None
        words = f"the rollback took effect, but is not recorded yet: {error}"
        words += "; roll back once more when it can be"
        return Applied(decision, True, written.sha256, f"{notice}; {words}" if notice else words)
    return Applied(decision, True, written.sha256, notice)


def _in_place(path: Path, text: str) -> bool:
    try:
        return path.read_bytes() == text.encode()
    except OSError:
        return False


def _commit(
    office: Office,
    file: File,
    before: Promotion,
    written: Promotion,
    decision: CanaryDecision,
    person: Person | None,
    key: Path | None,
    *,
    file_first: bool = False,
) -> None:
    print_ = person.key.fingerprint if person else ""
    limits = str(written.data["hashes"]["limits"] or "")
    heads = office.ledger.heads()
    values = _values(decision, written.sha256)
    row = Row("alpha_canary_log", values, print_, limits, heads)
    rows = [
        row if key is None else row.signed(key, office.now_ns),
        change_row(written, file.path, old_state=before.state, cause=decision.action),
    ]
    if decision.action == "rollback":
        rows.append(_incident(decision, before, written))
    commit(
        office.stage,
        office.audit,
        Change(
            written.alpha_id,
            file.path,
            written,
            tuple(rows),
            office.now_ns,
            before.sha256,
            file_first,
        ),
    )


def _incident(decision: CanaryDecision, before: Promotion, written: Promotion) -> Row:
    evidence = {
        "alpha_id": decision.alpha_id,
        "incident": True,
        "reason": decision.reason,
        "old_weight": before.weight,
        "evidence_digest": decision.evidence_digest,
        "re_entry": "through Gate C",
    }
    values = {
        "scope": decision.alpha_id,
        "kind": "promotion",
        "old_state": before.state,
        "new_state": written.state,
        "cause": f"incident: {decision.reason}",
        "evidence": evidence,
    }
    return Row("control_log", values)


def _record(
    office: Office,
    decision: CanaryDecision,
    person: Person | None,
    key: Path | None = None,
    *,
    consent: tuple[str, ...] = (),
    applied: bool = True,
) -> None:
    values = _values(decision, "") | {"applied": applied}
    if consent:
        assert person is not None
        values["checks"] = {
            **values["checks"],
            "consent": {"roles": list(consent), "name": person.name},
        }
        values["action"] = "hold"
        values["reason"] = f"graduation signed by {person.name}; another signature is needed"
        values["new_weight"] = decision.old_weight
    if key is not None:
        values = sign_row("alpha_canary_log", values, office.now_ns, key)
    office.audit.record(
        "alpha_canary_log",
        values,
        now_ns=office.now_ns,
        key_fp=person.key.fingerprint if person else "",
        ledger_heads=office.ledger.heads(),
    )


def _values(decision: CanaryDecision, yaml_sha256: str) -> dict[str, Any]:
    return {
        "alpha_id": decision.alpha_id,
        "action": decision.action,
        "old_weight": decision.old_weight,
        "new_weight": decision.new_weight,
        "reason": decision.reason,
        "checks": {
            "evidence_digest": decision.evidence_digest,
            "yaml_sha256": yaml_sha256,
            "arm": decision.arm,
            "human": decision.human,
            "missing": list(decision.missing),
            "reasons": list(decision.reasons),
            "checks": [check.to_dict() for check in decision.checks],
            "figures": dict(decision.figures),
            "metrics": decision.metrics.to_dict(),
            "counted": {day: list(digests) for day, digests in decision.counted.items()},
            **({FILES: dict(decision.files)} if decision.files else {}),
        },
        "evidence": decision.kind or "runs",
        "applied": True,
    }


def consents_for(office: Office, digest: str, alpha_id: str) -> dict[str, str]:
    """Who signed this very decision before, by role; a consent whose signature fails is none."""
    import json

    found: dict[str, str] = {}
    for row in office.audit.rows():
        if row["table"] != "alpha_canary_log" or row["row"].get("alpha_id") != alpha_id:
            continue
        checks = json.loads(row["row"].get("checks") or "{}")
        if checks.get("evidence_digest") == digest and "consent" in checks:
            try:
                signer = signer_of(row, office.keys)
            except (GovernanceError, Unavailable):
                continue
            for role in CONSENTS:
                if role in signer.roles:
                    found.setdefault(role, signer.name)
    return found


def rollback_by_hand(promotion: Promotion, reason: str) -> CanaryDecision:
    """The decision of `canary rollback`. Raises: GovernanceError without a reason."""
    if not reason.strip():
        raise GovernanceError("--reason: say why; it stands in the audit and opens the incident")
    return CanaryDecision(
        promotion.alpha_id,
        "rolled_back",
        reason.strip(),
        promotion.weight,
        0.0,
        kind="asserted",
        reasons=(reason.strip(),),
        deadline=promotion.expiry.isoformat(),
    )
