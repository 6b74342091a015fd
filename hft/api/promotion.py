"""promote and approve of `hft.alpha`: facts gathered at the desk, decided in `hft.alpha`.

Whatever a crash left is finished first. Each decision is in the journal before this returns, and
delivered when the database allows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hft.alpha.gates.e import Shadow
from hft.alpha.ids import alpha_id as proper
from hft.alpha.profile import Profile
from hft.alpha.promotion import approve as approving
from hft.alpha.promotion.approve import Approval
from hft.alpha.promotion.office import Office
from hft.alpha.promotion.propose import GUARDRAILS, Asked, Proposal
from hft.api.desk import Desk, open_desk
from hft.api.outcome import Outcome
from hft.api.refusals import refusals_recorded
from hft.core.errors import (
    ConfigError,
    GovernanceError,
    HftError,
    PromotionError,
)

# Flags that tighten a profile: option of `promote` -> threshold.
TIGHTEN = {
    "min_shadow_sessions": "gate_e.sessions_min",
    "max_execution_reject_rate": "gate_e.reject_rate_max",
    "min_sharpe_oos": "gate_d.sharpe_oos_min",
    "max_abs_drawdown": "gate_d.drawdown_min",
    "max_turnover": "gate_d.turnover_max",
    "max_correlation": "gate_d.correlation_pool_max",
}
TARGET_LOTS = 100  # so that every rung of every ladder is a whole number of lots
TYPED = ("shadow_sessions", "drift_alerts", "execution_reject_rate")


@dataclass(frozen=True)
class Wishes:
    """The options of `promote` that are not files."""

    owner: str | None = None
    canary_weight: float | None = None
    target_lots: int = TARGET_LOTS
    expiry_days: int | None = None
    guardrails: Mapping[str, float] = field(default_factory=dict)
    config_version: str = "v1"
    renew: bool = False
    force: bool = False
    reason: str = ""
    tighten: Mapping[str, Any] = field(default_factory=dict)
    typed: Mapping[str, Any] = field(default_factory=dict)


def office_of(desk: Desk, promotions_dir: str | Path | None = None) -> Office:
    """The means of a decision at this desk."""
    folder = desk.workspace.promotions
    if promotions_dir is not None:
        given = Path(promotions_dir)
        folder = given if given.is_absolute() else desk.root / given
    return Office(
        desk.workspace,
        desk.keys,
        desk.auditor,
        desk.ledger,
        desk.now_ns,
        desk.login,
        folder,
        desk.settings.alpha_bundle_days,
    )


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
    key: str | Path | None = None,
    scorecard: str | Path | None = None,
    profile: str | None = None,
    shadow_runs: Sequence[str | Path] = (),
    paper_trade_dir: str | Path | None = None,
    wishes: Wishes | None = None,
    root: str | Path | None = None,
    now: Any = None,
) -> Outcome:
    """The owner's proposal: D and E decided, the bundle frozen and signed.

    Raises: PromotionError, GovernanceError, ConfigError.
    """
    desk = open_desk(root, now=now)
    name = proper(alpha_id)
    files = (key, scorecard, profile, [Path(path) for path in shadow_runs], paper_trade_dir)
    with refusals_recorded(desk, name, "propose"):
        office, asked = office_of(desk), wishes or Wishes()
        finished = office.recover()
        proposal = _proposed(desk, office, name, asked, *files)
    page = proposal.folder / "report.html"
    return Outcome(proposal, tuple(finished), _delivered(desk), proposal.document, page)


def _proposed(
    desk: Desk,
    office: Office,
    name: str,
    asked: Wishes,
    key: str | Path | None,
    scorecard: str | Path | None,
    profile: str | None,
    folders: list[Path],
    paper_trade_dir: str | Path | None,
) -> Proposal:
    """Gather the facts and decide."""
    from hft.alpha.promotion import gather
    from hft.alpha.promotion.ladder import start
    from hft.alpha.promotion.people import person
    from hft.alpha.promotion.propose import propose
    from hft.alpha.promotion.shadow import days_of, point_of
    from hft.alpha.promotion.validated import find
    from hft.api.replays import Limits

    overrides = _overrides(asked)
    chosen = desk.profile(profile)
    chosen = chosen.replace(overrides, "a flag") if overrides else chosen
    _typed_allowed(asked, chosen)
    signing = needed_key(desk, key)
    owner = person(desk.keys, signing, asked.owner, desk.login, desk.now_ns)
    validated = find(office.validations, name, None if scorecard is None else Path(scorecard))
    trial = validated.trial_id(office.audit.rows())
    made = gather.remake(office, validated)
    lots = asked.target_lots
    begin = start(chosen, validated.scorecard.get("sharpe_oos"), canary_weight=asked.canary_weight)
    simulator, words = gather.simulator_report(desk.root)
    shadow = _shadow(validated, made, chosen, folders, paper_trade_dir, asked)
    hashes = gather.hashes_of(validated, made, _limits(desk), simulator)
    return propose(
        office,
        name,
        owner=owner,
        key=signing,
        validated=validated,
        portfolio=gather.portfolio_of(
            office, validated, made, chosen, begin.weight * lots, Limits.load(desk.settings.limits)
        ),
        shadow=_with_drill(
            office,
            name,
            owner,
            signing,
            replace(shadow, simulator_sha256=simulator, simulator_words=words),
        ),
        claim=gather.claim_from(
            validated, made, chosen, days_of(folders), lots=lots, point=point_of(folders)
        ),
        profile=chosen,
        asked=_asked(desk, office, asked, made, name, trial, hashes),
    )


def approve(
    alpha_id: str,
    *,
    memo: str | Path,
    bundle: str | None = None,
    name: str | None = None,
    key: str | Path | None = None,
    root: str | Path | None = None,
    now: Any = None,
) -> Outcome:
    """The validator's signature; refused with every objection, or the file is in place.

    Raises: PromotionError, GovernanceError, Busy.
    """
    from hft.alpha.promotion import gather
    from hft.alpha.promotion.bundle import find
    from hft.alpha.promotion.page import approval_document, life
    from hft.alpha.promotion.people import person

    desk = open_desk(root, now=now)
    wanted = proper(alpha_id)
    with refusals_recorded(desk, wanted, "approve"):
        office = office_of(desk)
        finished = office.recover()
        _, frozen = find(office.reports, wanted, bundle)
        signing = needed_key(desk, key)
        validator = person(desk.keys, signing, name, desk.login, desk.now_ns)
        facts = gather.Again(office, desk.ledger, desk.profile(frozen.profile.name), _limits(desk))
        done = approving.approve(
            office,
            wanted,
            validator=validator,
            key=signing,
            memo=Path(memo),
            now=facts,
            bundle_sha256=bundle,
        )
    notices = [_tagged(desk, signing) if done.approved else "", _delivered(desk)]
    notice = "; ".join(text for text in notices if text)
    shown = approval_document(done, frozen.hashes, life(office, wanted))
    return Outcome(done, tuple(finished), notice, shown)


def _tagged(desk: Desk, key: Path) -> str:
    """Anchor the journal's head in a signed git tag, where the workspace is a repository."""
    if not (desk.root / ".git").exists():
        return ""
    from hft.audit.anchors import make_tag

    journal = desk.auditor.journal
    wrong = make_tag(desk.root, journal.head(), journal.id, key)
    return f"the audit head is not tagged in git: {wrong}" if wrong else ""


def _asked(
    desk: Desk,
    office: Office,
    wishes: Wishes,
    made: Any,
    name: str,
    trial: str,
    hashes: Mapping[str, str | None],
) -> Asked:
    from hft.alpha.promotion.gather import source_commit

    return Asked(
        hashes=hashes,
        inputs={"overrides": _overrides(wishes)},
        trial_id=trial,
        family=made.alpha.manifest.family or name,
        guardrails={**GUARDRAILS, **wishes.guardrails},
        canary_weight=wishes.canary_weight,
        target_lots=wishes.target_lots,
        expiry_days=wishes.expiry_days or desk.settings.alpha_expiry_days,
        config_version=wishes.config_version,
        renews=_renewed(office, name) if wishes.renew else None,
        force=wishes.force,
        reason=wishes.reason,
        source_commit=source_commit(desk.root),
    )


def _overrides(asked: Wishes) -> dict[str, Any]:
    found = {}
    for option, value in asked.tighten.items():
        if value is None:
            continue
        key = TIGHTEN[option]
        found[key] = -abs(value) if key.endswith("drawdown_min") else value
    return found


def _typed_allowed(asked: Wishes, profile: Profile) -> None:
    typed = [name for name in TYPED if asked.typed.get(name) is not None]
    if typed and not profile.lenient:
        raise ConfigError(
            f"--{typed[0].replace('_', '-')}: typed counts are accepted under profile base only; "
            "give sealed run folders with --shadow-runs"
        )


def _shadow(
    validated: Any,
    made: Any,
    profile: Profile,
    folders: Sequence[Path],
    paper: str | Path | None,
    asked: Wishes,
) -> Shadow:
    from hft.alpha.promotion import gather
    from hft.alpha.promotion import shadow as reading
    from hft.alpha.promotion.parity import comparer

    if folders:
        model = gather.expected_of(validated, made)
        found = reading.from_runs(folders, profile, compare=comparer(made.alpha), model=model)
    else:
        found = reading.asserted(*(asked.typed.get(name) for name in TYPED))
    return reading.with_paper(found, None if paper is None else Path(paper))


def _with_drill(office: Office, name: str, owner: Any, key: Path, shadow: Shadow) -> Shadow:
    from hft.alpha.promotion.drill import drill

    done = drill(office, name, owner, key)
    return replace(shadow, drill_seconds=done.seconds, drill_words=done.words)


def _limits(desk: Desk) -> Path | None:
    """The limits an alpha trades under: those of live where there are any, else the setting's."""
    from hft.settings import limits_path

    for name in ("live", desk.settings.limits):
        try:
            return limits_path(name)
        except HftError:
            continue
    return None


def _renewed(office: Office, name: str) -> str:
    from hft.alpha.promotion.promotions import read

    file = read(office.promotions).file(name)
    if file is None or file.promotion is None or not file.promotion.enabled:
        raise PromotionError(f"{name}: there is no enabled promotion to renew")
    return file.promotion.sha256


def _delivered(desk: Desk) -> str:
    """Deliver what waits; the notice when it could not be."""
    return str(desk.auditor.deliver().notice or "")


__all__ = ["Approval", "Outcome", "Proposal", "Wishes", "approve", "promote"]
