"""promote of `hft.alpha`: facts gathered at the desk, decided in `hft.governance.promotion`.

Whatever a crash left is finished first. The decision is in the journal before this returns, and
delivered when the database allows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hft.api.desk import Desk, open_desk
from hft.api.outcome import Outcome
from hft.api.proposed import of_runs, on_file, with_drill, with_origins
from hft.api.refusals import refusals_recorded
from hft.core.errors import (
    ConfigError,
    GovernanceError,
    HftError,
    PromotionError,
)
from hft.governance.profile import Profile
from hft.governance.promotion import wishes
from hft.governance.promotion.office import Office
from hft.governance.promotion.proposal import Asked, Proposal
from hft.governance.promotion.wishes import TIGHTEN, TYPED
from hft.research.alphas.ids import alpha_id as proper

if TYPE_CHECKING:
    from hft.audit.trust import Trust

TARGET_LOTS = 100  # so that every rung of every ladder is a whole number of lots


@dataclass(frozen=True)
class Wishes:
    """What `promote` was asked for; see there."""

    key: str | Path | None
    scorecard: str | Path | None
    profile: str | None
    shadow_runs: tuple[Path, ...]
    paper_trade_dir: str | Path | None
    owner: str | None
    canary_weight: float | None
    target_lots: int
    expiry_days: int | None
    guardrails: Mapping[str, float]
    tighten: Mapping[str, Any]
    asserted: Mapping[str, Any]
    config_version: str
    renew: bool
    force: bool
    reason: str


def office_of(
    desk: Desk,
    promotions_dir: str | Path | None = None,
    *,
    asked: bool = True,
    trust: "Trust | None" = None,
) -> Office:
    """The means of a decision at this desk; `trust` in the place of the desk's, for a rollback.

    Raises: GovernanceError for keys nobody signed, and for a journal that the remote knows better
    where `asked`; a page says that itself, and nothing elsewhere may hold a rollback up.
    """
    from hft.audit.trust import forgotten, late

    journal, keys = desk.auditor.journal, desk.keys if trust is None else trust.keys
    trust = desk.trust if trust is None else trust
    lacking = forgotten(journal.rows(), trust)[1]
    lacking = lacking or late(journal.rows(), trust, desk.now_ns)[1]
    if lacking:
        raise GovernanceError(lacking)
    if asked and desk.anchored.wrong:
        raise GovernanceError(desk.anchored.wrong)
    folder = desk.workspace.promotions
    if promotions_dir is not None:
        given = Path(promotions_dir)
        folder = given if given.is_absolute() else desk.root / given
    return Office(
        desk.workspace,
        keys,
        desk.auditor,
        desk.ledger,
        desk.now_ns,
        desk.login,
        folder,
        desk.settings.alpha_bundle_days,
        trust,
        lambda: _assert_anchored(desk),
        desk.rehearsal,
    )


def _assert_anchored(desk: Desk) -> None:
    """Raises: Unavailable, GovernanceError."""
    found = desk.asked_again()
    found.assert_reached()
    if found.wrong:
        raise GovernanceError(found.wrong)


def standing_office(desk: Desk) -> Office:
    """The same for who gives weight: not while the remote cannot be told. Raises: Unavailable."""
    desk.anchored.assert_reached()
    return office_of(desk)


def key_of(desk: Desk, key: str | Path | None) -> Path | None:
    """The own key's file: the option, else the setting, else the one `hft init` made."""
    named = key or desk.settings.signing_key
    if named is not None:
        path = Path(named).expanduser()
        return path if path.is_absolute() or path.is_file() else desk.root / path
    made = sorted((desk.workspace.state / "keys").glob("*.pub"))
    return made[0].with_suffix("") if len(made) == 1 else None


def needed_key(desk: Desk, key: str | Path | None) -> Path:
    """The own key's file. Raises: GovernanceError when none is named."""
    found = key_of(desk, key)
    if found is None:
        raise GovernanceError("no key to sign with; name one with --key or HFT_SIGNING_KEY")
    return found


def promote(
    alpha_id: str,
    *,
    shadow_runs: Sequence[str | Path] = (),
    profile: str | None = None,
    key: str | Path | None = None,
    scorecard: str | Path | None = None,
    paper_trade_dir: str | Path | None = None,
    owner: str | None = None,
    canary_weight: float | None = None,
    target_lots: int = TARGET_LOTS,
    expiry_days: int | None = None,
    guardrails: Mapping[str, float] | None = None,
    tighten: Mapping[str, Any] | None = None,
    asserted: Mapping[str, Any] | None = None,
    config_version: str = "v1",
    renew: bool = False,
    force: bool = False,
    reason: str = "",
    root: str | Path | None = None,
    now: Any = None,
) -> Outcome:
    """The owner's proposal: gates D and E decided, the evidence frozen in a signed bundle.

    `tighten` are options of `hft alpha promote` that tighten the profile
    (`{"min_sharpe_oos": 2}`), `asserted` typed counts, under `base` only. An alpha that is live is
    renewed or rolled back first. A refusal is a result: `outcome.decided.reasons`.
    Raises: PromotionError, GovernanceError, ConfigError.

    >>> import hft
    >>> proposed = hft.alpha.promote("demo", profile="base")
    >>> proposed.decided.accepted, any("shadow" in line for line in proposed.decided.reasons)
    (False, True)
    """
    desk = open_desk(root, now=now)
    with refusals_recorded(desk, alpha_id, "propose"):
        asked = Wishes(
            key,
            scorecard,
            profile,
            tuple(Path(path) for path in shadow_runs),
            paper_trade_dir,
            owner,
            canary_weight,
            target_lots,
            expiry_days,
            wishes.guardrails(guardrails),
            wishes.known(tighten, TIGHTEN, "tighten"),
            wishes.known(asserted, TYPED, "asserted"),
            config_version,
            renew,
            force,
            reason,
        )
        office = standing_office(desk)
        finished = tuple(office.recover())
        proposal, words = _proposed(desk, office, proper(alpha_id), asked)
    notice = "; ".join(text for text in (words, delivered(desk)) if text)
    page = proposal.folder / "report.html"
    return Outcome(proposal, finished, notice, proposal.document, page)


def _proposed(desk: Desk, office: Office, name: str, asked: Wishes) -> tuple[Proposal, str]:
    """Gather the facts and decide; what has to be said beside."""
    from hft.api.limits import Limits
    from hft.governance.promotion import evidence
    from hft.governance.promotion.ladder import start
    from hft.governance.promotion.people import person
    from hft.governance.promotion.propose import propose
    from hft.governance.promotion.shadow import days_of, point_of
    from hft.governance.promotion.status import refuse_live
    from hft.governance.promotion.verdicts import promotable

    overrides = wishes.tightened(asked.tighten)
    chosen = desk.profile(asked.profile)
    _thresholds_named(desk, asked.profile)
    chosen = chosen.replace(overrides, "a flag") if overrides else chosen
    wishes.assert_typed_allowed(asked.asserted, chosen)
    signing = needed_key(desk, asked.key)
    owner = person(desk.keys, signing, asked.owner, desk.login, desk.now_ns)
    if not asked.renew:
        refuse_live(office, name)
    named = None if asked.scorecard is None else Path(asked.scorecard)
    validated, words = promotable(office.validations, name, named)
    _found_again(office, validated)
    trial = validated.trial_id(office.audit.rows())
    made = evidence.remake(office, validated)
    lots, folders = asked.target_lots, list(asked.shadow_runs)
    begin = start(chosen, validated.scorecard.get("sharpe_oos"), canary_weight=asked.canary_weight)
    simulator = on_file(desk, chosen)
    shadow = replace(
        of_runs(validated, made, chosen, folders, asked.asserted, asked.paper_trade_dir, desk.keys),
        simulator_sha256=simulator.sha256,
        simulator_words=simulator.words,
    )
    shadow = with_origins(desk, office, made, folders, owner, shadow)
    hashes = evidence.hashes_of(validated, made, limits_file(desk), simulator.sha256)
    limits = Limits.load(desk.settings.limits)
    weight = begin.weight * lots
    proposal = propose(
        office,
        name,
        owner=owner,
        key=signing,
        validated=validated,
        portfolio=evidence.portfolio_of(office, validated, made, chosen, weight, limits),
        shadow=with_drill(office, name, owner, signing, shadow),
        claim=evidence.claim_from(
            validated, made, chosen, days_of(folders), lots=lots, point=point_of(folders)
        ),
        profile=chosen,
        asked=_asked(desk, office, asked, made, name, trial, hashes, chosen),
    )
    said = (words, looser_words(chosen.loosened), trust_words(desk, chosen))
    return proposal, "; ".join(text for text in said if text)


def _thresholds_named(desk: Desk, profile: str | None) -> str:
    """The profile by the name under which who approves finds it.

    Raises: ConfigError for a file that lies elsewhere than the workspace's profiles.
    """
    from hft.settings import profile_path

    chosen = profile or desk.settings.alpha_profile
    path, folder = profile_path(chosen, desk.root), desk.root / "config" / "governance"
    own = path.suffix == ".yaml" and path.resolve().parent == folder.resolve()
    if Path(chosen).suffix and path == Path(chosen) and not own:
        raise ConfigError(
            f"profile {chosen}: approval looks for thresholds in config/governance; put the "
            f"file there as {path.stem}.yaml and name it with --profile {path.stem}"
        )
    return path.stem


def _found_again(office: Office, validated: Any) -> None:
    """Raises: PromotionError for a validation that approval would look for and not find."""
    folder = office.validations / validated.alpha_id
    if validated.path.resolve().parent != folder.resolve():
        raise PromotionError(
            f"{validated.path}: approval looks for a validation in "
            f"{office.validations.relative_to(office.workspace.root)}; validate again without "
            "--experiments-dir, which costs no trial"
        )


def trust_words(desk: Desk, profile: Profile) -> str:
    """What everybody who decides is told of keys that only the workspace names."""
    return "" if profile.lenient or desk.trust.root is not None else desk.trust.words


def looser_words(loosened: Sequence[str]) -> str:
    """What everybody who decides is told of a profile that asks less than hft's."""
    return f"the profile is looser than hft's: {'; '.join(loosened)}" if loosened else ""


def _asked(
    desk: Desk,
    office: Office,
    wished: Wishes,
    made: Any,
    name: str,
    trial: str,
    hashes: Mapping[str, str | None],
    profile: Profile,
) -> Asked:
    from hft.governance.promotion.evidence import source_commit

    return Asked(
        hashes=hashes,
        inputs={
            "overrides": wishes.tightened(wished.tighten),
            "looser": list(profile.loosened),
            "thresholds": _thresholds_named(desk, wished.profile),
            "calendar": made.data.calendar,
        },
        trial_id=trial,
        family=made.alpha.manifest.family or name,
        guardrails=wished.guardrails,
        canary_weight=wished.canary_weight,
        target_lots=wished.target_lots,
        expiry_days=desk.settings.alpha_expiry_days
        if wished.expiry_days is None
        else wished.expiry_days,
        config_version=wished.config_version,
        renews=_renewed(office, name) if wished.renew else None,
        force=wished.force,
        reason=wished.reason,
        source_commit=source_commit(desk.root),
    )


def limits_file(desk: Desk) -> Path | None:
    """The limits an alpha trades under: those of live where there are any, else the setting's."""
    from hft.settings import limits_path

    for name in ("live", desk.settings.limits):
        try:
            return limits_path(name)
        except HftError:
            continue
    return None


def _renewed(office: Office, name: str) -> str:
    from hft.governance.promotion.promotions import read

    file = read(office.promotions).file(name)
    if file is None or file.promotion is None or not file.promotion.enabled:
        raise PromotionError(f"{name}: there is no enabled promotion to renew")
    return file.promotion.sha256


def delivered(desk: Desk) -> str:
    """Deliver what waits; the notice when it could not be."""
    return str(desk.auditor.deliver().notice or "")


__all__ = ["TIGHTEN", "TYPED", "Outcome", "Proposal", "promote"]
