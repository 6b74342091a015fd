"""approve of `hft.alpha`: the second signature, on facts made again at the validator's desk.

Whatever a crash left is finished first. The decision is in the journal before this returns, and
delivered when the database allows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
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
from hft.audit.signed_rows import sign_row
from hft.core.errors import DataError, GovernanceError
from hft.governance.profile import Profile
from hft.governance.promotion import approve as approving
from hft.governance.promotion.bundle import Bundle, find
from hft.governance.promotion.freeze import STAGE, TABLE, row
from hft.research.alphas.ids import alpha_id as proper


@dataclass(frozen=True)
class Frozen:
    """What a validator signed. Units: `at_ns` UTC nanoseconds."""

    alpha_id: str
    code_hash: str
    at_ns: int
    validator: str
    notice: str = ""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return dict(self.__dict__)


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
    with refusals_recorded(desk, alpha_id, "approve"):
        wanted = proper(alpha_id)
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
        looks = desk.settings.alpha_vault_looks
        rows = Unseen(unseen, validator, signing, looks) if unseen else None
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


def freeze(
    alpha_id: str,
    *,
    name: str | None = None,
    key: str | Path | None = None,
    root: str | Path | None = None,
    now: Any = None,
) -> Frozen:
    """A validator's signed word that the code is this one now; rows recorded later are unseen ones.

    No code of the alpha runs; a refusal leaves an audit row. Raises: GovernanceError for a person
    who is no second pair of eyes, DataError where there is no such alpha.

    >>> import hft
    >>> hft.alpha.freeze("demo").alpha_id
    'demo'
    """
    desk = open_desk(root, now=now)
    with refusals_recorded(desk, alpha_id, STAGE):
        return _frozen(desk, proper(alpha_id), name, key)


def _frozen(desk: Desk, wanted: str, name: str | None, key: str | Path | None) -> Frozen:
    from hft.governance.promotion.people import last_author, person, same_person, uncommitted
    from hft.research.alphas.loader import code_hash, idea_hash

    folder = desk.workspace.alphas / wanted
    if not folder.is_dir():
        raise DataError(f"{wanted}: there is no such alpha in research/alphas")
    signing = needed_key(desk, key)
    office = standing_office(desk)
    validator = person(desk.keys, signing, name, desk.login, desk.now_ns)
    nobody = {"fingerprint": "", "name": "", "os_user": ""}  # the proposal names the owner
    against = same_person(nobody, validator, last_author(desk.root, folder))
    against += [text for text in (uncommitted(desk.root, folder),) if text]
    if "validator" not in validator.key.roles:
        against.append(f"{validator.name}: the key has no role validator in config/keys.yaml")
    if against:
        raise GovernanceError("; ".join(against))
    code = code_hash(folder)
    values = sign_row(TABLE, row(wanted, code, idea_hash(folder)), desk.now_ns, signing)
    office.audit.record(
        TABLE,
        values,
        now_ns=desk.now_ns,
        key_fp=validator.key.fingerprint,
        ledger_heads=office.ledger.heads(),
    )
    return Frozen(wanted, code, desk.now_ns, validator.name, delivered(desk))


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
