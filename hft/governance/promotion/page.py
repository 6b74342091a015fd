"""What the pages of a proposal and of its approval show; digest inputs only, stable bytes."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hft.reports.figures import counted
from hft.reports.governance.document import Document, Fact, Table

if TYPE_CHECKING:
    from hft.governance.promotion.approve import Approval
    from hft.governance.promotion.office import Office
    from hft.governance.promotion.proposal import Proposal
    from hft.governance.promotion.verdicts import Validated
    from hft.reports.governance.evidence import Picture


def promotion_document(
    proposal: "Proposal",
    runs: Sequence[Mapping[str, Any]],
    inputs: Mapping[str, Any],
    *,
    before: Sequence[Mapping[str, Any]] = (),
    pictures: Sequence["Picture"] = (),
) -> Document:
    """The page of `alpha promote`. `runs`: the shadow runs; `inputs`: hashes by name; `before`:
    the gates of the validation that is promoted; `pictures`: the life so far, when renewed."""
    against = "; ".join(proposal.reasons)
    verdict, words = "PROPOSED", "The validator's signature is next."
    if proposal.forced:
        verdict, words = "FORCED", "Past what fails, on the lowest rung; it still needs approval."
    if not proposal.accepted:
        verdict, words = "REFUSED", f"Nothing was promoted: {against}."
    head = ("digest", "from", "to", "sessions", "decisions", "rejects", "fills")
    names = ("digest", "from", "to", "sessions", "decisions", "rejects", "fills")
    shadow = Table(
        "Shadow runs",
        head,
        [[str(run.get(name, ""))[:16] for name in names] for run in runs],
        left=3,
    )
    why = Table("Why", ("reason",), [[reason] for reason in proposal.reasons])
    return Document(
        title=proposal.alpha_id,
        kind="promotion",
        verdict=verdict,
        words=words,
        notice=f"FORCED against: {against}" if proposal.forced else "",
        facts=(
            Fact("Start weight", f"{proposal.weight:g}", "of the target allocation"),
            Fact("Lasts", counted(proposal.expiry_days, "day"), "then it counts as 0"),
            Fact("Owner", proposal.owner),
        ),
        gates=(
            *before,
            *(gate.to_dict() for gate in (proposal.gate_d, proposal.gate_e)),
        ),
        pictures=tuple(pictures),
        tables=tuple(table for table in (why, shadow) if table.rows),
        inputs=dict(inputs),
        digest=proposal.bundle_sha256,
    )


def of_proposal(
    office: "Office",
    proposal: "Proposal",
    validated: "Validated",
    runs: Sequence[Mapping[str, Any]],
    hashes: Mapping[str, Any],
) -> Document:
    """The page of a proposal as it is made: with Gates A to C as they were, and the life so far."""
    before, pictures = list(validated.reports.values()), life(office, proposal.alpha_id)
    return promotion_document(proposal, runs, hashes, before=before, pictures=pictures)


def life(office: "Office", alpha_id: str) -> tuple["Picture", ...]:
    """What the alpha was before: each change of its promotion file; nothing for a first one."""
    from hft.reports.governance.evidence import ConditionTimeline

    changed = office.changes(alpha_id)
    if not changed:
        return ()
    events = [(one.ts_ns, one.cause, f"weight {one.weight:g}, {one.state}") for one in changed]
    weights = [float(one.weight) for one in changed]
    stamps = [one.ts_ns for one in changed]
    return (ConditionTimeline(events=events, weight_ts_ns=stamps, weight=weights),)


def approval_document(
    approval: "Approval",
    hashes: Mapping[str, Any],
    pictures: Sequence["Picture"] = (),
) -> Document:
    """What `alpha approve` decided; `hashes`: of the bundle, by name."""
    words = f"The file counts until {approval.expiry}." if approval.approved else "No file."
    why = [[text] for text in approval.objections]
    return Document(
        title=approval.alpha_id,
        kind="promotion",
        verdict="APPROVED" if approval.approved else "REFUSED",
        words=words,
        notice="SELF-APPROVED by its owner: lowest rung" if approval.self_approved else "",
        facts=(
            Fact("Weight", f"{approval.weight:g}", "of the target allocation"),
            Fact("Owner", approval.owner or "–"),
            Fact("Validator", approval.validator or "–"),
            Fact("Until", approval.expiry or "–", "then it counts as 0"),
        ),
        tables=(Table("Objections", ("objection",), why),) if why else (),
        pictures=tuple(pictures),
        inputs=dict(hashes),
        digest=approval.bundle_sha256,
    )
