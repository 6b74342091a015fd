"""One look at rows that the author of an alpha never had, taken by who approves.

Statistics do not find an answer key: code that knows its rows earns on them, in and out of sample,
and nothing on others. Two kinds of rows are others: those recorded after a validator saw and signed
the code's hash, which nobody had, and those in the keeping of the validator, which pay for a look
at a vault.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from math import hypot, sqrt
from pathlib import Path
from typing import Any

import numpy as np

from hft.audit.keys import moment
from hft.core.errors import DataError
from hft.governance.profile import Profile
from hft.governance.promotion import freeze
from hft.governance.promotion.bundle import Bundle
from hft.governance.promotion.office import Office
from hft.governance.promotion.payment import pay
from hft.governance.promotion.people import Person
from hft.governance.promotion.verdicts import Validated
from hft.research.alphas import recount
from hft.research.alphas.loader import idea_hash
from hft.research.alphas.remote import RemoteAlpha
from hft.research.backtest import DAYS_A_YEAR, run
from hft.research.data import usage
from hft.research.data.dataset import ResearchData
from hft.research.data.footprint import Footprint
from hft.statistics.sharpe import Moments, moments, sharpe_se
from hft.storage.chain import canonical

FILE = "unseen.json"
AFTER, KEPT = "recorded after the code was frozen", "kept by the validator"
FIELD = "unseen"  # of the scorecard in an approval's audit row
# Correlation of what two trials earned: other names for one code, and one idea under two names.
SAME, ALIKE, PERIODS = 0.999, 0.9, 20
SESSIONS, GAP = "promotion.unseen_sessions_min", "promotion.unseen_gap_max"


@dataclass(frozen=True)
class Look:
    """What the frozen code showed. Sharpe ratios are annual, net, by the position rule on the rows.

    `gap` is how many standard errors the unseen one lies below the claimed one; None where either
    is undefined. `first` and `last` are sessions, YYYYMMDD; `data` the hash of the rows,
    `code` that of the code, `idea` without its comments.
    """

    how: str
    data: str
    sessions: int
    first: int
    last: int
    claimed: float | None
    sharpe: float | None
    gap: float | None
    family: str = ""
    code: str = ""
    idea: str = ""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)

    @property
    def content(self) -> bytes:
        """The bytes of its file, whose hash the validator signs."""
        return canonical(self.to_dict())

    @property
    def sha256(self) -> str:
        """The hash of these bytes."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def sentence(self) -> str:
        """For a person."""
        shown = ["undefined" if x is None else f"{x:.2f}" for x in (self.sharpe, self.claimed)]
        gap = "" if self.gap is None else f", {self.gap:.2f} standard errors below"
        return (
            f"unseen rows, {self.how}: {self.sessions} sessions {self.first} to {self.last}, "
            f"Sharpe ratio {shown[0]} (claimed {shown[1]}{gap})"
        )


def asked(profile: Profile) -> int:
    """How many unseen sessions a profile asks for; 0 where it asks for none."""
    return int(profile.get(SESSIONS) or 0)


def waived(bundle: Bundle) -> bool:
    """A renewal has its canary's sessions; a forced bundle says itself what it lacks."""
    return bool(bundle.data["renews"]) or bundle.forced


def objections(look: Look | None, profile: Profile) -> list[str]:
    """What the look leaves to say against an approval; nothing where none is asked for."""
    needed = asked(profile)
    if not needed:
        return []
    if look is None:
        return [
            f"profile {profile.name} asks for one look at rows that the author never had: give "
            f"--unseen DATA with at least {needed} sessions that were recorded after a validator "
            "froze the code (`hft alpha freeze`), or that you kept"
        ]
    if look.sessions < needed:
        return [f"{look.sentence}: at least {needed} sessions are asked for"]
    if look.gap is None:
        return [f"{look.sentence}: nothing can be compared"]
    most = profile.number(GAP)
    if look.gap > most:
        return [f"{look.sentence}: at most {most:g} are allowed; it does not earn what it claims"]
    return []


def is_short(look: Look | None, profile: Profile) -> bool:
    """Did it earn less than it claims? Too few rows, none to compare, or no limit say nothing."""
    if look is None or look.gap is None or profile.get(GAP) is None:
        return False
    return look.gap > profile.number(GAP)


def fell_short(office: Office, code: str, idea: str, trial: str, profile: Profile) -> list[str]:
    """What an earlier look at the same code left to say: who looks until it fits proves nothing.

    Other comments, doc strings or tests make no other code, nor does another name: `trial`, what
    was validated, earns the same.
    """
    for row, told in _short_looks(office.audit.rows()) if asked(profile) else ():
        known = told.get("code") == code or told.get("idea") == idea
        if known or _alike(office, trial, told) >= SAME:
            return [
                f"unseen rows: this code was shown some before and earned less than it claims "
                f"(audit row {row['seq']}, as {row['row']['alpha_id']}); other rows do not undo "
                "that, only other code does"
            ]
    return []


def _short_looks(
    rows: Iterable[Mapping[str, Any]],
) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """The audit rows of looks that fell short, each with what it says of the look."""
    for row in rows:
        own = row["row"]
        if row["table"] == "alpha_promotion_log" and not own.get("approved"):
            told = json.loads(own.get("scorecard") or "{}").get(FIELD) or {}
            if told.get("short"):
                yield row, told


def _alike(office: Office, trial: str, told: Mapping[str, Any]) -> float:
    """How alike a trial and that of an earlier look earned, 0 to 1: correlation on the first or the
    last periods of both, whichever is more."""
    named = [trial, str(told.get("trial", ""))]
    if named[0] == named[1]:
        return 1.0
    found = office.ledger.vectors(named)
    if len(found) < len(named):
        return 0.0
    one, other = (found[name] for name in named)
    most = min(len(one), len(other))
    if most < PERIODS:
        return 0.0
    pairs = ((one[:most], other[:most]), (one[-most:], other[-most:]))
    return max(0.0, *(float(np.corrcoef(a, b)[0, 1]) for a, b in pairs if a.std() and b.std()))


def begin_ns(
    office: Office, alpha: RemoteAlpha, owner: str, trial: str, judged: ResearchData
) -> int | None:
    """Rows that begin after this were had by nobody who wrote the code; None where no validator
    says when it was frozen.

    A look that fell short told what those rows were like: to its family, and to whoever earns alike
    under another name. What comes later is new.
    """
    rows = office.audit.rows()
    frozen = freeze.frozen_ns(
        rows, office.keys, alpha.code_hash, owner, office.now_ns, rehearsal=office.rehearsal
    )
    if frozen is None:
        return None
    own = {alpha.alpha_id, family_of(alpha)}
    short = [
        int(row["ts"])
        for row, told in _short_looks(rows)
        if row["row"]["alpha_id"] in own
        or told.get("family") in own
        or _alike(office, trial, told) >= ALIKE
    ]
    # A trial is not older than the rows that it was judged on, whatever the clock said.
    return max(frozen, judged.interval[1], *short)


def family_of(alpha: RemoteAlpha) -> str:
    """Whose trials and looks its own are counted with."""
    return alpha.manifest.family or alpha.alpha_id


def look(
    office: Office,
    owner: str,
    validated: Validated,
    alpha: RemoteAlpha,
    judged: tuple[ResearchData, np.ndarray],
    unseen: ResearchData,
    pay: Callable[[ResearchData], None],
) -> Look:
    """Run the frozen code on unseen rows; `judged` are the rows of the validation and the signal,
    `owner` who proposes.

    `pay` is called before rows of the validator's own are shown. Raises: DataError where the author
    may have had the rows, ValidationError when the alpha raises, GovernanceError of `pay`.
    """
    if unseen.interval[1] > office.now_ns:
        raise DataError(
            f"{unseen.source}: ends at {moment(unseen.interval[1])}, which is not yet; nobody has "
            "recorded such rows"
        )
    trial = validated.trial_id(office.audit.rows())
    begin = begin_ns(office, alpha, owner, trial, judged[0])
    after = begin is not None and unseen.interval[0] > begin
    _not_had(office, judged[0], unseen, begin, after)
    if not after:
        pay(unseen)
    use = usage.Use.of("vault", alpha.alpha_id, unseen, unseen)
    usage.record(office.workspace, use, office.now_ns, _noted(office))  # also if it never ends
    rules = validated.options.rules
    claim = run(*judged, rules).daily
    claim = claim[int(len(claim) * validated.options.is_oos_split) :]
    shown = run(unseen, recount.confirmed(alpha, unseen, (rules.threshold,)), rules).daily
    then, now = (moments(returns) if len(returns) > 1 else None for returns in (claim, shown))
    return Look(
        how=AFTER if after else KEPT,
        data=unseen.fingerprint,
        sessions=len(unseen.sessions),
        first=unseen.sessions[0],
        last=unseen.sessions[-1],
        claimed=annual(then),
        sharpe=annual(now),
        gap=gap(then, now),
        family=family_of(alpha),
        code=alpha.code_hash,
        idea=idea_hash(office.workspace.alphas / alpha.alpha_id),
    )


def _not_had(
    office: Office, judged: ResearchData, unseen: ResearchData, begin: int | None, after: bool
) -> None:
    """Rows from before the code was frozen: not those judged, nor any that were used here. Those
    from after it: none of them under other dates.
    """
    uses = [use for use in usage.uses(office.workspace, unseen) if use.kind != "vault"]
    own, told = Footprint.of(unseen), Footprint.of(judged)
    since = (
        "no validator froze this code (`hft alpha freeze`); give rows that you kept"
        if begin is None
        else f"give rows recorded after {moment(begin)}, or rows that you kept"
    )
    if after:
        prints = [told, *(use.footprint for use in uses if use.footprint is not None)]
        moved = [day for one in prints for day, there in own.twins(one).items() if day != there]
        if moved:
            raise DataError(
                f"{unseen.source}: session {min(moved)} is one that was used in this workspace, "
                f"under another date; {since}"
            )
        return
    used = [day for use in uses for day in use.days_in(unseen, use.read)]
    if used or told.same_market(own):
        day = used[0] if used else unseen.sessions[0]
        raise DataError(
            f"{unseen.source}: session {day} was used in this workspace before the code was "
            f"frozen; {since}"
        )


def _noted(office: Office) -> usage.Note:
    """The audit row of a use, so that a file of uses that was cut is told from a young one."""

    def note(row: dict[str, Any]) -> None:
        if not usage.is_noted(office.audit.rows(), row):
            office.audit.record("control_log", row, now_ns=office.now_ns)

    return note


def payment(
    office: Office, family: str, alpha_id: str, budget: int, validator: Person, key: Path
) -> Callable[[ResearchData], None]:
    """What rows in the validator's keeping cost: one of the looks at a vault, signed."""

    def paid(unseen: ResearchData) -> None:
        rows, reason = Footprint.of(unseen), "a look at unseen rows at approval"
        whose: dict[str, Any] = {"budget": budget, "signer": validator, "key": key}
        pay(office, family, alpha_id, unseen.content, rows, reason=reason, **whose)

    return paid


def annual(found: Moments | None) -> float | None:
    """The annual Sharpe ratio of daily returns; None where there is none."""
    if found is None or found.sharpe is None:
        return None
    return round(found.sharpe * sqrt(DAYS_A_YEAR), 6)


def gap(then: Moments | None, now: Moments | None) -> float | None:
    """Standard errors from the claimed to the unseen ratio, each with its own length and shape.

    None where one of them is undefined.
    """
    if then is None or now is None or then.sharpe is None or now.sharpe is None:
        return None
    errors = [sharpe_se(one.sharpe, one.n, one.skew, one.kurtosis) for one in (then, now)]
    if errors[0] is None or errors[1] is None:
        return None
    return round((then.sharpe - now.sharpe) / hypot(errors[0], errors[1]), 6)
