"""The owner's proposal: Gates D and E decided, the evidence frozen in a bundle, its hash signed.

A refusal is a result too: reports and audit rows, weight 0, no file. A forced proposal names every
failing check, starts on the lowest rung and lasts five days at most; it still needs approval.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from hft.audit.artifacts import FILES, hashes_of
from hft.audit.sign import sign
from hft.core.errors import GovernanceError, PromotionError
from hft.governance.gates import d, e
from hft.governance.profile import Profile
from hft.governance.promotion import unseen
from hft.governance.promotion.bundle import DECISION, NAME, Bundle
from hft.governance.promotion.claim import Claim
from hft.governance.promotion.commit import Row, override
from hft.governance.promotion.ladder import Start, start
from hft.governance.promotion.office import Office
from hft.governance.promotion.page import of_proposal
from hft.governance.promotion.people import Person
from hft.governance.promotion.proposal import Asked, Proposal
from hft.governance.promotion.signatures import owner_payload
from hft.governance.promotion.status import refuse_live
from hft.governance.promotion.verdicts import Validated
from hft.governance.verdict import Check, GateResult, Verdict
from hft.reports.governance.pages import promotion_page
from hft.storage.atomic import staged
from hft.storage.chain import canonical


def propose(
    office: Office,
    alpha_id: str,
    *,
    owner: Person,
    key: Path,
    validated: Validated,
    portfolio: d.Portfolio,
    shadow: e.Shadow,
    claim: Claim | None,
    profile: Profile,
    asked: Asked,
) -> Proposal:
    """Decide D and E, freeze, sign and record.

    Raises: GovernanceError for keys that will not do or --force without a reason; PromotionError
    when the validation is of another alpha, or the alpha is live.
    """
    _entitled(office, alpha_id, owner, validated, profile, asked)
    if asked.renews is None:
        refuse_live(office, alpha_id)
    gate_d = d.evaluate(validated.scorecard, portfolio, profile)
    gate_e = e.evaluate(shadow, profile)
    reasons = (*validated.unproven(office.audit.rows(), profile), *_reasons(gate_d, gate_e))
    forced = asked.force and bool(reasons)
    accepted = not reasons or forced
    begin = start(
        profile,
        validated.scorecard.get("sharpe_oos"),
        forced=forced,
        canary_weight=asked.canary_weight,
        expiry_days=asked.expiry_days,
    )
    bundle = _bundle(
        office, alpha_id, owner, validated, (gate_d, gate_e), shadow, claim, profile, asked, begin,
        reasons, forced,
    ) if accepted else None  # fmt: skip
    signature = "" if bundle is None else sign(owner_payload(bundle.sha256), key)
    folder = office.reports / alpha_id / _stamp(office.now_ns, validated, reasons)
    proposal = Proposal(
        *(alpha_id, folder, accepted, forced, gate_d, gate_e, reasons),
        tuple(dict.fromkeys([*gate_d.missing, *gate_e.missing])),
        begin.weight if accepted else 0.0,
        "" if bundle is None else bundle.sha256,
        owner.name,
        begin.expiry_days,
        {gate: told["verdict"] for gate, told in validated.summary().items()},
        0 if bundle is None or unseen.waived(bundle) else unseen.asked(profile),
    )
    hashes = {**asked.hashes, "scorecard": validated.scorecard_hash, "thresholds": profile.hash}
    shown = of_proposal(office, proposal, validated, shadow.runs, hashes)
    proposal = replace(proposal, document=shown)
    _write(folder, proposal, bundle, signature, portfolio, shadow)
    _record(office, proposal, owner, validated, profile, shadow, asked, key)
    return proposal


def _entitled(
    office: Office,
    alpha_id: str,
    owner: Person,
    validated: Validated,
    profile: Profile,
    asked: Asked,
) -> None:
    if unrooted := office.unrooted(profile.name):
        raise GovernanceError(unrooted)
    if "owner" not in owner.key.roles:
        raise GovernanceError(f"{owner.name}: the key has no role owner in config/keys.yaml")
    if validated.alpha_id != alpha_id:
        raise PromotionError(
            f"{validated.path}: is a validation of {validated.alpha_id}, not of {alpha_id}"
        )
    if asked.force and not asked.reason.strip():
        raise GovernanceError("--force: needs --reason TEXT; it stands in the audit")


def _reasons(*gates: GateResult) -> list[str]:
    """Every failing check, by gate; empty when all are PASS."""
    found = []
    for gate in gates:
        if not gate.passed:
            found += [f"{gate.gate} {check.verdict}: {_words(check)}" for check in _guilty(gate)]
    return found


def _guilty(gate: GateResult) -> list[Check]:
    return [check for check in gate.deciding if check.verdict is not Verdict.PASS]


def _words(check: Check) -> str:
    if not check.reason or check.reason.startswith(check.id):
        return check.reason or check.id
    return f"{check.id}: {check.reason}"


def _bundle(
    office: Office,
    alpha_id: str,
    owner: Person,
    validated: Validated,
    gates: tuple[GateResult, GateResult],
    shadow: e.Shadow,
    claim: Claim | None,
    profile: Profile,
    asked: Asked,
    begin: Start,
    reasons: tuple[str, ...],
    forced: bool,
) -> Bundle:
    data = {
        "kind": "promotion-bundle",
        "schema_version": 1,
        "alpha_id": alpha_id,
        "family": asked.family,
        "run_id": validated.run_id,
        "created_ns": office.now_ns,
        "profile": profile.name,
        "thresholds": dict(profile.values),
        "owner": owner.to_dict(),
        "validation": {
            "trial_id": asked.trial_id,
            "now_ns": validated.created_ns,
        },
        "scorecard": dict(validated.scorecard),
        "verdicts": validated.summary() | {gate.gate: _summary(gate) for gate in gates},
        "readiness": _readiness(validated, gates, shadow),
        "shadow": shadow.to_dict(),
        "drill": {"seconds": shadow.drill_seconds},
        "hashes": {
            **dict(asked.hashes),
            "scorecard": validated.scorecard_hash,
            "thresholds": profile.hash,
        },
        "inputs": dict(asked.inputs),
        "heads": office.heads(),
        "claim": None if claim is None else claim.to_dict(),
        "plan": _plan(begin, asked),
        "renews": asked.renews,
        "forced": forced,
        "force_reason": asked.reason if forced else "",
        "reasons": list(reasons),
        "source_commit": asked.source_commit,
    }
    return Bundle.of(json.loads(canonical(data)))


def _summary(gate: GateResult) -> dict[str, str]:
    return {
        "verdict": gate.verdict.value,
        "reason": gate.reason,
        "evidence_digest": gate.evidence_digest,
    }


def _readiness(
    validated: Validated, gates: tuple[GateResult, GateResult], shadow: e.Shadow
) -> dict[str, Any]:
    return {
        "gate_c": validated.verdict("C"),
        "gate_d": gates[0].verdict.value,
        "gate_e": gates[1].verdict.value,
        "evidence": "asserted" if shadow.evidence == "asserted" else "runs",
        "shadow_sessions": shadow.sessions,
        "drift_alerts": shadow.drift_alerts,
        "execution_reject_rate": shadow.reject_deciding,
    }


def _plan(begin: Start, asked: Asked) -> dict[str, Any]:
    return {
        "ladder": list(begin.ladder),
        "max_weight": begin.max_weight,
        "weight": begin.weight,
        "target_lots": asked.target_lots,
        "expiry_days": begin.expiry_days,
        "guardrails": dict(asked.guardrails),
        "config_version": asked.config_version,
        "parent_config_version": asked.parent_config_version,
    }


def _stamp(now_ns: int, validated: Validated, reasons: tuple[str, ...]) -> str:
    """`<UTC stamp>_<8 hex>` of what was decided on."""
    import hashlib

    told = canonical({"run": validated.run_id, "reasons": list(reasons), "now": now_ns})
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now_ns // 1_000_000_000))
    return f"{stamp}_{hashlib.sha256(told).hexdigest()[:8]}"


def _write(
    folder: Path,
    proposal: Proposal,
    bundle: Bundle | None,
    signature: str,
    portfolio: d.Portfolio,
    shadow: e.Shadow,
) -> None:
    """Reports, page and bundle together, or none of them."""
    assert proposal.document is not None
    page = promotion_page(proposal.document)
    decision = proposal.to_dict() | {
        "signature": {"name": proposal.owner, "sig": signature} if signature else None
    }
    with staged(folder) as stage:
        for name, report in (
            (
                "integration_report.json",
                proposal.gate_d.to_dict() | {"portfolio": portfolio.to_dict()},
            ),
            ("shadow_report.json", proposal.gate_e.to_dict() | {"shadow": shadow.to_dict()}),
        ):
            stage.aside(name).write_bytes(canonical(report))
        stage.aside("report.html").write_text(page, encoding="utf-8")
        if bundle is not None:
            stage.aside(NAME).write_bytes(bundle.content)
        stage.aside(DECISION).write_bytes(canonical(decision))


def _record(
    office: Office,
    proposal: Proposal,
    owner: Person,
    validated: Validated,
    profile: Profile,
    shadow: e.Shadow,
    asked: Asked,
    key: Path,
) -> None:
    heads = office.ledger.heads()
    files = hashes_of(proposal.folder, office.workspace.root)
    rows = [
        _gate_row(proposal, gate, validated, profile, asked, files)
        for gate in (proposal.gate_d, proposal.gate_e)
    ]
    if proposal.forced:
        rows.append(override(proposal.alpha_id, "force", "; ".join(proposal.reasons), asked.reason))
    if proposal.accepted and shadow.evidence == "asserted":
        rows.append(override(proposal.alpha_id, "asserted", "shadow evidence", "typed counts"))
    rows.append(_promotion_row(proposal, validated))
    if proposal.accepted:  # signed before the first is recorded: a key that fails leaves no half
        rows[2:] = [row.signed(key, office.now_ns) for row in rows[2:]]
    for row in rows:
        office.audit.record(
            row.table,
            row.values,
            now_ns=office.now_ns,
            key_fp=owner.key.fingerprint,
            limits_hash=str(asked.hashes.get("limits") or ""),
            ledger_heads=heads,
        )


def _gate_row(
    proposal: Proposal,
    gate: GateResult,
    validated: Validated,
    profile: Profile,
    asked: Asked,
    files: Mapping[str, str],
) -> Row:
    card = validated.scorecard
    values = {
        "alpha_id": proposal.alpha_id,
        "run_id": validated.run_id,
        "gate": gate.gate,
        "passed": gate.passed,
        "verdict": gate.verdict.value,
        "missing": list(gate.missing),
        "trial_id": asked.trial_id,
        "config_hash": str(card.get("config_hash", "")),
        "thresholds_hash": profile.hash,
        "profile": profile.name,
        "convention": str(card.get("convention", "")),
        "evidence_digest": gate.evidence_digest,
        "details": gate.to_dict() | {FILES: dict(files)},
    }
    return Row("alpha_gate_log", values)


def _promotion_row(proposal: Proposal, validated: Validated) -> Row:
    values = {
        "alpha_id": proposal.alpha_id,
        "run_id": validated.run_id,
        "approved": proposal.accepted,
        "stage": "propose",
        "forced": proposal.forced,
        "self_approved": False,
        "bundle_sha256": proposal.bundle_sha256,
        "gate_d_passed": proposal.gate_d.passed,
        "gate_e_passed": proposal.gate_e.passed,
        "canary_weight": proposal.weight,
        "config_hash": str(validated.scorecard.get("config_hash", "")),
        "reasons": list(proposal.reasons),
        "scorecard": dict(validated.scorecard),
        "yaml_sha256": "",
    }
    return Row("alpha_promotion_log", values)
