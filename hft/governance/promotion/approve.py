"""The validator's signature: everything in the bundle is checked again, and then the file written.

Refusals are audited with every objection. Nothing is written before the last check; the file and
its rows are put in place by `commit`, which survives a crash at any step.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hft.audit.records import REHEARSED
from hft.audit.sign import verify
from hft.core.errors import Busy, GovernanceError, PromotionError
from hft.governance.promotion import countersign, recheck, unseen
from hft.governance.promotion.bundle import DECISION, Bundle, find
from hft.governance.promotion.commit import Change, Row, change_row, commit, exclusive
from hft.governance.promotion.document import Promotion
from hft.governance.promotion.draft import draft, signed
from hft.governance.promotion.office import Office
from hft.governance.promotion.people import Person, last_author, same_person, uncommitted
from hft.governance.promotion.promotions import path_for, read
from hft.governance.promotion.recheck import Again, Hurdle
from hft.governance.promotion.signatures import effective, owner_payload
from hft.governance.promotion.status import live_until
from hft.governance.promotion.unseen import Look, waived
from hft.research.alphas.loader import idea_hash
from hft.storage.atomic import write_atomic


@dataclass(frozen=True)
class Now:
    """The facts behind a bundle as they are at approval."""

    hashes: Mapping[str, str | None]
    hurdle: Hurdle | None
    again: Again | None
    thresholds: Mapping[str, Any]  # those in force, with the flags of the proposal
    unproven: tuple[str, ...]  # gates A to C, under these thresholds
    unmeasured: str = ""  # why there is no second measurement
    look: Look | None = None  # at rows that the author never had


@dataclass(frozen=True)
class Approval:
    """What `approve` decided."""

    alpha_id: str
    approved: bool
    stage: str
    bundle_sha256: str
    objections: tuple[str, ...]
    weight: float = 0.0
    path: Path | None = None
    yaml_sha256: str = ""
    self_approved: bool = False
    expiry: str = ""
    owner: str = ""
    validator: str = ""
    unseen: str = ""  # what rows showed that the author never had

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            **self.__dict__,
            "objections": list(self.objections),
            "path": None if self.path is None else f"{self.path.parent.name}/{self.path.name}",
        }


def approve(
    office: Office,
    alpha_id: str,
    *,
    validator: Person,
    key: Path,
    memo: Path,
    now: "Facts",
    bundle_sha256: str | None = None,
) -> Approval:
    """Check everything again; sign and put the file in place, or refuse with every objection.

    `now` computes the facts of a bundle, lazily: they may need the data. Raises: PromotionError
    for evidence that cannot be read, Busy.
    """
    text = _memo(memo)
    with exclusive(office.stage):
        folder, bundle = find(office.reports, alpha_id, bundle_sha256)
        objections, self_approved, signature, look = _objections(
            office, folder, bundle, validator, now
        )
        stage = "renew" if bundle.data["renews"] else "approve"
        shown = "" if look is None else look.sentence
        if objections:
            done = Approval(alpha_id, False, stage, bundle.sha256, tuple(objections), unseen=shown)
            _refused(office, bundle, validator, done, look)
            return done
        if more := countersign.missing(office, bundle, validator):
            done = Approval(
                alpha_id, False, countersign.STAGE, bundle.sha256, (more,), unseen=shown
            )
            _refused(office, bundle, validator, done, look, key)
            return done
        return _carry_out(
            office, folder, bundle, validator, key, text, signature, self_approved, stage, look
        )


class Facts:
    """Computes the facts behind a bundle; the layer above knows data and ledger.

    `brings_rows`: are there rows to show it that its author never had?
    """

    brings_rows = True

    def of(self, bundle: Bundle) -> Now:
        """The hashes and the hurdle now."""
        raise NotImplementedError


def _memo(path: Path) -> str:
    """The validator's memo. Raises: PromotionError for one that is absent or says nothing."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is not UTF-8 text"
        raise PromotionError(f"--memo: {path}: {reason}") from None
    if not text.strip():
        raise PromotionError(f"--memo: {path}: is empty; write what you checked and its limits")
    return text


def _objections(
    office: Office, folder: Path, bundle: Bundle, validator: Person, now: Facts
) -> tuple[list[str], bool, str, Look | None]:
    """Everything against it; a self-approval or not; the owner's signature; the unseen rows."""
    found: list[str] = []
    look: Look | None = None
    signature = ""
    where = office.workspace.alphas / bundle.alpha_id
    try:
        signature = _owner_signature(office, folder, bundle)
    except GovernanceError as error:
        found.append(str(error))
    found += _proposed_here(office, bundle)
    found += recheck.stale(bundle, office.now_ns, office.bundle_days)
    found += recheck.heads_gone(bundle, office.ledger.verify([bundle.data["heads"]["ledger"]]))
    found += _standing(office, bundle)
    found += [text for text in (office.unrooted(bundle.profile.name),) if text]
    people, self_approved = _four_eyes(office, bundle, validator)
    found += people
    if not waived(bundle):
        code, idea = str(bundle.hashes["code"]), idea_hash(where)
        trial = str(bundle.data["validation"]["trial_id"])
        found += unseen.fell_short(office, code, idea, trial, bundle.profile)
        if not now.brings_rows:  # said before minutes of measuring
            found += unseen.objections(None, bundle.profile)
    if not found:  # the facts may need the data; they are not made for a lost cause
        facts = now.of(bundle)
        look = facts.look  # on record whatever else is found: it was shown
        found += recheck.moved(bundle, facts.hashes, facts.thresholds)
        found += () if bundle.forced else facts.unproven
        if not found:  # of what moved there is nothing to compare
            found += recheck.measured(bundle, facts.again, facts.unmeasured)
            found += recheck.hurdle(bundle, facts.hurdle)
            found += () if waived(bundle) else unseen.objections(look, bundle.profile)
    return found, self_approved, signature, look


def _owner_signature(office: Office, folder: Path, bundle: Bundle) -> str:
    """Raises: GovernanceError when the owner's signature does not cover this bundle."""
    try:
        decision = json.loads((folder / DECISION).read_bytes())
        entry = decision["signature"]
        name, signature = str(entry["name"]), str(entry["sig"])
    except (OSError, ValueError, KeyError, TypeError):
        raise GovernanceError(f"{folder / DECISION}: holds no signature of the owner") from None
    if name != bundle.data["owner"]["name"]:
        raise GovernanceError(f"the bundle is signed by {name}, not by its owner")
    payload = owner_payload(bundle.sha256)
    signer = verify(payload, signature, name, office.keys, int(bundle.data["created_ns"]))
    if "owner" not in signer.roles:
        raise GovernanceError(f"{name}: the key has no role owner in config/keys.yaml")
    own = next(key for key in office.keys.of(name) if key.fingerprint == signer.fingerprint)
    refused = own.refusal(office.now_ns)  # the time of the bundle is the owner's word
    if refused:
        raise GovernanceError(f"the owner's signature does not count any more: {refused}")
    return signature


def _proposed_here(office: Office, bundle: Bundle) -> list[str]:
    """The audit journal knows the proposal, and that nobody approved it before."""
    told = [
        row
        for row in office.audit.rows()
        if row["table"] == "alpha_promotion_log"
        and row["row"].get("bundle_sha256") == bundle.sha256
        and row["row"].get("approved")
    ]
    rows = [row["row"] for row in told]
    rehearsed = any(str(row.get("actor", "")).endswith(REHEARSED) for row in told)
    if not any(row["stage"] == "propose" for row in rows):
        return ["the audit journal has no proposal of this bundle; promote again"]
    if any(row["stage"] != "propose" for row in rows):
        return ["this bundle was approved before; a new approval needs a new proposal"]
    if rehearsed and not office.rehearsal:
        return [
            "it was proposed in a rehearsal, where the clock is set and evidence may be of any "
            "origin; promote again"
        ]
    return []


def _standing(office: Office, bundle: Bundle) -> list[str]:
    """What the alpha's own past allows: attempts, re-entry after a rollback, renewal."""
    past = office.changes(bundle.alpha_id)
    found = []
    if bundle.data["renews"]:
        current = read(office.promotions).file(bundle.alpha_id)
        if current is None or current.promotion is None or not current.promotion.enabled:
            return ["there is no enabled promotion to renew"]
        state = effective(current, office.keys, office.now_ns, office.recorded())
        if state.code not in ("", "EXPIRED"):
            found.append(f"the promotion to renew does not count: {state.reason}")
        return found
    starts = [change.ts_ns for change in past if change.cause == "approve"]
    found += recheck.attempts(starts, office.now_ns, bundle.profile)
    outs = [change.ts_ns for change in past if change.state == "rolled_back"]
    if outs and int(bundle.data["validation"]["now_ns"]) <= max(outs):
        found.append(
            "it was rolled back after this validation; re-entry is through Gate C with a new one"
        )
    if live_until(office, bundle.alpha_id):
        found.append("it is live already; renew it with `hft alpha promote --renew`")
    return found


def _four_eyes(office: Office, bundle: Bundle, validator: Person) -> tuple[list[str], bool]:
    """Refused when owner and validator are one; profile base records it instead."""
    where = office.workspace.root, office.workspace.alphas / bundle.alpha_id
    same = same_person(bundle.data["owner"], validator, last_author(*where))
    same += [text for text in (uncommitted(*where),) if text]
    lenient = bundle.profile.lenient
    own = bool(same) and lenient
    found = [] if own else [f"four eyes: {words}" for words in same]
    if not own and "validator" not in validator.key.roles:
        found.append(f"{validator.name}: the key has no role validator in config/keys.yaml")
    return found, own


def _refused(
    office: Office,
    bundle: Bundle,
    validator: Person,
    done: Approval,
    look: Look | None,
    key: Path | None = None,
) -> None:
    """The row of an approval that put nothing in place; signed with a key where one is given."""
    row = Row("alpha_promotion_log", _values(bundle, done, look))
    office.audit.record(
        row.table,
        row.values if key is None else row.signed(key, office.now_ns).values,
        now_ns=office.now_ns,
        key_fp=validator.key.fingerprint,
        limits_hash=str(bundle.hashes["limits"] or ""),
        ledger_heads=office.ledger.heads(),
    )


def _carry_out(
    office: Office,
    folder: Path,
    bundle: Bundle,
    validator: Person,
    key: Path,
    memo: str,
    owner_signature: str,
    self_approved: bool,
    stage: str,
    look: Look | None,
) -> Approval:
    office.assert_anchored()  # it was asked before the measurement, which took minutes
    before = office.recorded().get(bundle.alpha_id, "")
    if _standing(office, bundle):  # rolled back while the facts were made
        raise Busy(f"{bundle.alpha_id}: was changed while it was checked; approve again")
    write_atomic(folder / "memo.md", memo)
    if look is not None:
        write_atomic(folder / unseen.FILE, look.content)
    unsigned = draft(office, bundle, validator, memo, owner_signature, self_approved, look)
    promotion = signed(unsigned, validator.name, key, approval=True)
    path = path_for(office.promotions, bundle.alpha_id, office.now_ns)
    done = Approval(
        bundle.alpha_id,
        True,
        stage,
        bundle.sha256,
        (),
        promotion.weight,
        path,
        promotion.sha256,
        self_approved,
        promotion.data["expiry_review_date"],
        promotion.data["owner"],
        promotion.data["validator"],
        "" if look is None else look.sentence,
    )
    change = Change(
        bundle.alpha_id,
        path,
        promotion,
        tuple(_rows(office, bundle, promotion, path, (done, look), validator, key)),
        office.now_ns,
        before,
    )
    commit(office.stage, office.audit, change)
    return done


def _rows(
    office: Office,
    bundle: Bundle,
    promotion: Promotion,
    path: Path,
    decided: tuple[Approval, Look | None],
    validator: Person,
    key: Path,
) -> list[Row]:
    """The decision first: it names the file by its hash."""
    done, look = decided
    print_ = validator.key.fingerprint
    limits = str(bundle.hashes["limits"] or "")
    heads = office.ledger.heads()
    rows = [Row("alpha_promotion_log", _values(bundle, done, look), print_, limits, heads)]
    if done.self_approved:
        override = {
            "kind": "self_approval",
            "alpha_id": bundle.alpha_id,
            "subject": f"bundle {bundle.sha256}",
            "reason": "profile base allows it",
        }
        rows.append(Row("override_log", override, print_, limits, heads))
    rows = [row.signed(key, office.now_ns) for row in rows]
    before = read(office.promotions).file(bundle.alpha_id)
    old = before.promotion.state if before and before.promotion else ""
    rows.append(change_row(promotion, path, old_state=old, cause=done.stage))
    return rows


def _values(bundle: Bundle, done: Approval, look: Look | None) -> dict[str, Any]:
    verdicts = bundle.data["verdicts"]
    card = dict(bundle.data["scorecard"])
    if look is not None:
        card[unseen.FIELD] = look.to_dict() | {
            "short": unseen.is_short(look, bundle.profile),
            "trial": str(bundle.data["validation"]["trial_id"]),
        }
    return {
        "alpha_id": bundle.alpha_id,
        "run_id": bundle.data["run_id"],
        "approved": done.approved,
        "stage": done.stage,
        "forced": bundle.forced,
        "self_approved": done.self_approved,
        "bundle_sha256": bundle.sha256,
        "gate_d_passed": verdicts["D"]["verdict"] == "PASS",
        "gate_e_passed": verdicts["E"]["verdict"] == "PASS",
        "canary_weight": done.weight,
        "config_hash": str(bundle.hashes["config"] or ""),
        "reasons": list(done.objections) or list(bundle.data["reasons"]),
        "scorecard": card,
        "yaml_sha256": done.yaml_sha256,
    }
