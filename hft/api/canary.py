"""The canary of `hft.alpha`: evidence verified at the desk, decided by `hft.alpha.canary`."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hft.api.desk import Desk, open_desk
from hft.api.outcome import Outcome
from hft.api.promotion import key_of, office_of
from hft.api.refusals import of_canary, record_refusal
from hft.api.shadow import live_runs
from hft.core.errors import (
    ConfigError,
    GovernanceError,
    HftError,
    PromotionError,
    Unavailable,
)
from hft.governance.canary.apply import Applied, apply, consents_for, rollback_by_hand
from hft.governance.canary.decide import CanaryDecision, careful, decide, not_found
from hft.governance.canary.history import History, history_of, with_counted
from hft.governance.canary.metrics import Metrics
from hft.governance.canary.verification import at_hand, lots_on
from hft.governance.profile import Profile
from hft.governance.promotion.claim import Claim
from hft.governance.promotion.office import Office
from hft.governance.promotion.people import Person, person
from hft.governance.promotion.promotions import File, read
from hft.governance.promotion.signatures import effective
from hft.governance.sessions import Evidence
from hft.reports.governance.document import Document
from hft.research.alphas.ids import alpha_id as proper

if TYPE_CHECKING:
    from hft.audit.trust import Trust

COUNTS = ("", "EXPIRED", "DISABLED")  # other codes: the file itself is not to be trusted


def evaluate(
    alpha_id: str,
    *,
    runs: Sequence[str | Path] = (),
    evidence: str | Path | None = None,
    typed: Mapping[str, Any] | None = None,
    apply_it: bool = False,
    key: str | Path | None = None,
    promotions_dir: str | Path | None = None,
    root: str | Path | None = None,
    now: Any = None,
) -> Outcome:
    """Decide about a canary, and with `apply_it` carry the decision out.

    Raises: PromotionError for a file that does not count, ConfigError for two kinds of evidence.
    """
    desk = open_desk(root, now=now)
    with of_canary(desk, alpha_id, "--apply" if apply_it else ""):
        office = office_of(desk, promotions_dir)
        return _evaluated(desk, proper(alpha_id), runs, evidence, typed, apply_it, key, office)


def _evaluated(
    desk: Desk,
    name: str,
    runs: Sequence[str | Path],
    evidence: str | Path | None,
    typed: Mapping[str, Any] | None,
    apply_it: bool,
    key: str | Path | None,
    office: Office,
) -> Outcome:
    finished = tuple(office.recover())
    file = read(office.promotions).file(name)
    if file is None or (file.promotion is not None and not file.promotion.enabled):
        if apply_it:
            record_refusal(desk, name, "no enabled promotion")
        return Outcome(not_found(name), finished)
    given = _kinds(runs, evidence, typed)
    if file.promotion is None:
        raise PromotionError(file.finding.sentence if file.finding else f"{file.path}: unreadable")
    if given == "typed" and file.promotion.profile != "base":
        raise ConfigError(
            f"{name}: typed figures are accepted under profile base only; this promotion is under "
            f"{file.promotion.profile}: give --runs or --evidence"
        )
    _trusted(office, file)
    claim, profile = frozen(desk, office, file)
    past = replace(_past(office, file, desk), calendar=_calendar(office, file))
    found = _evidence(desk, name, runs, evidence, typed, claim, past)
    if isinstance(found, Evidence):
        past = replace(past, at_hand=at_hand(live_runs(desk, name) / "runs", found))
    decision = _decide(office, file, found, profile, claim, past)
    shown = _shown(office, file, decision, found, claim, past, profile)
    if not apply_it:
        away = desk.anchored.away
        return _kept(desk, Outcome(decision, finished, away, shown), decision, "preview.html")
    if decision.action in ("escalate", "graduate"):
        desk.anchored.assert_reached()  # more weight is not given where nobody else would know
    signer, signing = _signer(desk, office, key)
    shown_as = _kept(desk, Outcome(decision, document=shown), decision, "report.html")
    done = apply(
        office,
        file,
        replace(decision, files=_hashes(desk, shown_as)),
        person=signer,
        key=signing,
        consents=consents_for(office, decision.evidence_digest, name),
    )
    notice = str(desk.auditor.deliver().notice or "")
    notice = "; ".join(text for text in (shown_as.notice, notice) if text)
    return Outcome(done, finished, notice, shown, shown_as.page)


def rollback(
    alpha_id: str,
    *,
    reason: str,
    key: str | Path | None = None,
    promotions_dir: str | Path | None = None,
    root: str | Path | None = None,
    now: Any = None,
) -> Outcome:
    """Weight 0 at once, signed by any registered key; takes effect whatever fails.

    A gateway that trades the alpha is waited for, 5 s at most. Raises: PromotionError when the
    alpha has no promotion file at all, Busy.
    """
    desk = open_desk(root, now=now)
    trust, broken = _without_keys(desk)
    with of_canary(desk, alpha_id, "rollback"):
        office = office_of(desk, promotions_dir, asked=False, trust=trust)
        return _rolled_back(desk, office, proper(alpha_id), reason, key, broken)


def _rolled_back(
    desk: Desk, office: Office, name: str, reason: str, key: str | Path | None, broken: str
) -> Outcome:
    try:
        finished = tuple(office.recover())
    except HftError as error:
        finished = (f"what a crash left is not finished yet: {error}",)
    file = read(office.promotions).file(name)
    if file is None:
        raise PromotionError(f"{name}: has no promotion file; there is nothing to roll back")
    if file.promotion is None:
        words = file.finding.sentence if file.finding else f"{file.path}: unreadable"
        raise PromotionError(f"{name}: counts as weight 0 already: {words}")
    decision = rollback_by_hand(file.promotion, reason)
    try:
        signer, signing = _signer(desk, office, key)
    except (GovernanceError, Unavailable) as error:
        signer, signing, broken = None, None, broken or str(error)
    last = _last_row(desk)
    done: Applied = apply(office, file, decision, person=signer, key=signing)
    heard = _acknowledged(desk, name, last)
    notice = done.notice
    if signer is None and notice:
        notice += f"; {broken or 'name a registered key with --key'}"
    delivered = str(desk.auditor.deliver().notice or "")
    said = "; ".join(text for text in (notice, delivered) if text)
    return Outcome(done, finished, said, acknowledged=heard)


def _last_row(desk: Desk) -> int:
    try:
        return desk.auditor.head().seq
    except HftError:
        return 0


def _acknowledged(desk: Desk, name: str, last: int) -> str:
    """What the gateways said; a journal that cannot be read says nothing of them."""
    from hft.api.acknowledged import silenced

    try:
        return silenced(desk.auditor.journal, name, last)
    except HftError as error:
        return f"whether a gateway heard it cannot be read: {error}"


def _without_keys(desk: Desk) -> tuple["Trust | None", str]:
    """Nobody's keys, and what is wrong with the file: a rollback needs no signature."""
    from hft.audit.keys import Keys
    from hft.audit.trust import Trust

    try:
        len(desk.keys)
    except (ConfigError, GovernanceError) as error:
        return Trust(Keys((), desk.keys_hash, str(desk.workspace.keys))), str(error)
    return None, ""


def frozen(desk: Desk, office: Office, file: File) -> tuple[Claim | None, Profile]:
    """Claim and thresholds as the bundle froze them; without it the profile as it is now."""
    from hft.governance.promotion.bundle import find

    assert file.promotion is not None
    try:
        _, bundle = find(office.reports, file.alpha_id, file.promotion.data["hashes"]["bundle"])
    except (PromotionError, OSError):
        return None, _careful(desk, desk.profile(file.promotion.profile))
    return Claim.of(bundle.data["claim"]), _careful(desk, bundle.profile)


def _calendar(office: Office, file: File) -> str | None:
    """Whose sessions the market has, by the bundle; None without one that says so."""
    from hft.governance.promotion.bundle import find

    assert file.promotion is not None
    try:
        _, bundle = find(office.reports, file.alpha_id, file.promotion.data["hashes"]["bundle"])
    except (PromotionError, OSError):
        return None
    named = bundle.data.get("inputs", {}).get("calendar")
    return named if isinstance(named, str) else None


def _careful(desk: Desk, profile: Profile) -> Profile:
    given = desk.settings
    sharpe = float(given.canary_sharpe_ratio)
    return careful(profile, given.canary_escalation_sessions, sharpe)


def _kinds(runs: Sequence[Any], evidence: Any, typed: Mapping[str, Any] | None) -> str:
    """Which kind of evidence was given. Raises: ConfigError for more than one."""
    some = {name for name, value in (typed or {}).items() if value is not None}
    kinds = [name for name, has in (("runs", runs), ("csv", evidence), ("typed", some)) if has]
    if len(kinds) > 1:
        raise ConfigError("give one kind of evidence: --runs, --evidence or typed figures")
    return kinds[0] if kinds else ""


def _trusted(office: Office, file: File) -> None:
    """Raises: PromotionError for a file that was edited, unsigned or never recorded."""
    counts = effective(file, office.keys, office.now_ns, office.recorded())
    if counts.code in COUNTS:
        return
    raise PromotionError(f"{counts.reason} ({counts.code}): it counts as weight 0")


def _evidence(
    desk: Desk,
    name: str,
    runs: Sequence[str | Path],
    evidence: str | Path | None,
    typed: Mapping[str, Any] | None,
    claim: Claim | None,
    past: History,
) -> Evidence | Metrics | None:
    from hft.governance.canary.verification import Known, of_alpha
    from hft.governance.sessions import from_csv, from_runs

    before = {digest for _, digests in past.counted for digest in digests}
    verify = of_alpha(desk.workspace, name, lots_on(claim, past), before)
    if runs:
        return from_runs([Path(path) for path in runs], verify)
    if evidence is not None:
        folders = [desk.root / desk.settings.replay_out, live_runs(desk, name) / "runs"]
        return from_csv(Path(evidence), Known(folders, verify))
    figures = {key: value for key, value in (typed or {}).items() if value is not None}
    return Metrics(**figures) if figures else None


def _decide(
    office: Office,
    file: File,
    found: Evidence | Metrics | None,
    profile: Profile,
    claim: Claim | None,
    past: History,
) -> CanaryDecision:
    """Decide; again with the fleet's verdict when e-BH names this one."""
    from hft.governance.canary.fleet import named

    assert file.promotion is not None
    given: dict[str, Any] = {"now_ns": office.now_ns, "claim": claim}
    first = decide(file.promotion, found, profile, history=past, **given)
    own = first.figures.get("e_adverse")
    level = profile.values.get("canary.fleet_level")
    if own is None or level is None:
        return first
    running = {one.alpha_id for one in read(office.promotions).active()}
    if file.alpha_id not in named(office.audit.rows(), running, file.alpha_id, own, float(level)):
        return first
    return decide(
        file.promotion, found, profile, history=replace(past, fleet_flagged=True), **given
    )


def _shown(
    office: Office,
    file: File,
    decision: CanaryDecision,
    found: Evidence | Metrics | None,
    claim: Claim | None,
    past: History,
    profile: Profile,
) -> Document:
    """What the page shows: the journal as it stood before this decision is carried out."""
    from hft.governance.canary.page import document

    earlier = [
        {"ts_ns": row["ts"], "action": row["row"]["action"], "reason": row["row"]["reason"]}
        for row in office.audit.rows()
        if row["table"] == "alpha_canary_log" and row["row"].get("alpha_id") == file.alpha_id
    ]
    return document(
        decision,
        file.promotion,
        evidence=found if isinstance(found, Evidence) else None,
        claim=claim,
        past=past,
        profile=profile,
        changes=office.changes(file.alpha_id),
        decisions=earlier,
    )


def _hashes(desk: Desk, done: Outcome) -> dict[str, str]:
    """What the row says of the page; nothing where it could not be written."""
    from hft.audit.artifacts import hashes_of

    page = done.page
    return {} if page is None else hashes_of(page.parent, desk.root, [page.name])


def _kept(desk: Desk, done: Outcome, decision: CanaryDecision, name: str) -> Outcome:
    """With its page on disk; a page that cannot be written never keeps a decision back.

    That of a decision that is carried out is named by its row, one that was only looked at is not.
    """
    from hft.reports.governance.pages import canary_page
    from hft.storage.atomic import write_atomic

    folder = desk.workspace.experiments / "canary" / decision.alpha_id
    page = folder / decision.evidence_digest[:16] / name
    try:
        write_atomic(page, canary_page(done.document or {"title": decision.alpha_id}))
    except Exception as error:  # whatever it is, it must not hold a rollback up
        said = f"the page was not written: {error}"
        return replace(done, notice="; ".join(text for text in (done.notice, said) if text))
    return replace(done, page=page)


def _past(office: Office, file: File, desk: Desk) -> History:
    """Rungs and attempts by the journal; code that moved stops the canary at once."""
    from datetime import date

    from hft.research.worker.roster import find

    assert file.promotion is not None
    fallback = None
    if file.date:
        day = date(int(file.date[:4]), int(file.date[4:6]), int(file.date[6:]))
        fallback = {"since": day, "weight": file.promotion.weight}
    past = history_of(office.changes(file.alpha_id), office.now_ns, fallback=fallback)
    past = with_counted(past, office.audit.rows(), file.alpha_id)
    moved = []
    try:
        with find(desk.workspace, file.alpha_id) as alpha:
            code = alpha.code_hash
        if code != file.promotion.data["hashes"]["code"]:
            moved.append("the alpha's code is not the promoted one")
    except HftError as error:
        moved.append(f"the alpha's code cannot be checked: {error}")
    return replace(past, mismatches=tuple(moved))


def _signer(
    desk: Desk, office: Office, key: str | Path | None
) -> tuple[Person | None, Path | None]:
    """Who signs; nobody where no key is at hand or it is not registered."""
    signing = key_of(desk, key)
    try:
        return person(office.keys, signing, None, desk.login, desk.now_ns), signing
    except GovernanceError:
        if key is not None:
            raise
        return None, None
