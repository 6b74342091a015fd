"""approve of `hft.alpha`: the second signature, on facts made again at the validator's desk.

Whatever a crash left is finished first. The decision is in the journal before this returns, and
delivered when the database allows.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from hft.api.desk import Desk, open_desk
from hft.api.outcome import Outcome
from hft.api.promotion import (
    delivered,
    limits_file,
    looser_words,
    needed_key,
    standing_office,
    trust_words,
)
from hft.api.refusals import refusals_recorded
from hft.governance.profile import Profile
from hft.governance.promotion import approve as approving
from hft.governance.promotion.bundle import Bundle, find
from hft.research.alphas.ids import alpha_id as proper


def approve(
    alpha_id: str,
    *,
    memo: str | Path,
    bundle: str | None = None,
    name: str | None = None,
    key: str | Path | None = None,
    unseen: Sequence[str] = (),
    tell: Callable[[str], None] | None = None,
    root: str | Path | None = None,
    now: Any = None,
) -> Outcome:
    """The validator's signature; refused with every objection, or the promotion file is in place.

    The validation is measured again first, which takes its time: `tell` hears of each stage. `memo`
    is the file that says what was checked, `unseen` the files of rows that the author never had,
    which `standard` and `tier1` ask for. Raises: PromotionError, GovernanceError, Busy.

    >>> import hft
    >>> hft.alpha.approve("demo", memo="memo.md")
    Traceback (most recent call last):
    hft.core.errors.PromotionError: demo: nobody proposed it; run `hft alpha promote demo`
    """
    from hft.api.limits import Limits
    from hft.governance.promotion.facts import AtApproval, Unseen
    from hft.governance.promotion.page import approval_document, life
    from hft.governance.promotion.people import person
    from hft.governance.promotion.remeasure import Means

    desk = open_desk(root, now=now)
    wanted = proper(alpha_id)
    with refusals_recorded(desk, wanted, "approve"):
        office = standing_office(desk)
        finished = office.recover()
        _, frozen = find(office.reports, wanted, bundle)
        signing = needed_key(desk, key)
        validator = person(desk.keys, signing, name, desk.login, desk.now_ns)
        thresholds = _thresholds(desk, frozen)
        looser = looser_words(thresholds.loosened)  # by the file as it is here, not by the bundle
        say = tell or (lambda stage: None)
        if looser:
            say(looser)
        limits = Limits.load(desk.settings.limits)
        means = Means(office, desk.ledger, thresholds, limits, say)
        rows = Unseen(unseen, validator, desk.settings.alpha_vault_looks) if unseen else None
        done = approving.approve(
            office,
            wanted,
            validator=validator,
            key=signing,
            memo=Path(memo),
            now=AtApproval(means, limits_file(desk), rows),
            bundle_sha256=bundle,
        )
    unrooted = trust_words(desk, thresholds)
    notices = [looser, unrooted, _tagged(desk, signing) if done.approved else "", delivered(desk)]
    notice = "; ".join(text for text in notices if text)
    shown = approval_document(done, frozen.hashes, life(office, wanted))
    return Outcome(done, tuple(finished), notice, shown)


def _thresholds(desk: Desk, bundle: Bundle) -> Profile:
    """The profile of this workspace that the bundle names; paths are not followed."""
    named = bundle.data["inputs"].get("thresholds") or bundle.profile.name
    return desk.profile(Path(str(named)).name)


def _tagged(desk: Desk, key: Path) -> str:
    """Anchor the journal's head in a signed git tag, where the workspace is a repository."""
    if not (desk.root / ".git").exists():
        return ""
    from hft.audit.anchors import make_tag

    journal = desk.auditor.journal
    wrong = make_tag(desk.root, journal.head(), journal.id, key)
    return f"the audit head is not tagged in git: {wrong}" if wrong else ""
