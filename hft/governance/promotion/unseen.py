"""One look at rows that the author of an alpha never had, taken by who approves.

Statistics do not find an answer key: code that knows its rows earns on them, in and out of sample,
and nothing on others. Two kinds of rows are others: those recorded after the code hash was frozen,
which nobody had, and those in the keeping of the validator, which pay for a look at a vault.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from math import hypot, sqrt
from typing import Any

import numpy as np
import polars as pl

from hft.audit.keys import moment
from hft.core.errors import DataError, GovernanceError
from hft.governance.profile import Profile
from hft.governance.promotion.office import Office
from hft.governance.promotion.people import Person
from hft.governance.promotion.verdicts import Validated
from hft.governance.vault import KIND, TABLE, decide, subject
from hft.research.alphas import recount
from hft.research.alphas.remote import RemoteAlpha
from hft.research.backtest import DAYS_A_YEAR, run
from hft.research.data import usage
from hft.research.data.dataset import ResearchData
from hft.research.data.footprint import Footprint
from hft.statistics.sharpe import Moments, moments, sharpe_se
from hft.storage.chain import canonical

FILE = "unseen.json"
AFTER, KEPT = "recorded after the code was frozen", "kept by the validator"
SESSIONS, GAP = "promotion.unseen_sessions_min", "promotion.unseen_gap_max"


@dataclass(frozen=True)
class Look:
    """What the frozen code showed. Sharpe ratios are annual, net, by the position rule on the rows.

    `gap` is how many standard errors the unseen one lies below the claimed one; None where either
    is undefined. `first` and `last` are sessions, YYYYMMDD; `data` the hash of the rows.
    """

    how: str
    data: str
    sessions: int
    first: int
    last: int
    claimed: float | None
    sharpe: float | None
    gap: float | None

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


def objections(look: Look | None, profile: Profile) -> list[str]:
    """What the look leaves to say against an approval; nothing where none is asked for."""
    needed = asked(profile)
    if not needed:
        return []
    if look is None:
        return [
            f"profile {profile.name} asks for one look at rows that the author never had: give "
            f"--unseen DATA with at least {needed} sessions that were recorded after the code was "
            "frozen, or that you kept"
        ]
    if look.sessions < needed:
        return [f"{look.sentence}: at least {needed} sessions are asked for"]
    if look.gap is None:
        return [f"{look.sentence}: nothing can be compared"]
    most = profile.number(GAP)
    if look.gap > most:
        return [f"{look.sentence}: at most {most:g} are allowed; it does not earn what it claims"]
    return []


def frozen_ns(trials: pl.DataFrame, code_hash: str) -> int | None:
    """When the ledger first had a trial of this code; None where it has none."""
    times = trials.filter(pl.col("code_hash") == code_hash)["ts_ns"].to_list()
    return min(times, default=None)


def look(
    office: Office,
    trials: pl.DataFrame,
    validated: Validated,
    alpha: RemoteAlpha,
    judged: tuple[ResearchData, np.ndarray],
    unseen: ResearchData,
    pay: Callable[[ResearchData], None],
) -> Look:
    """Run the frozen code on unseen rows; `judged` are the rows of the validation and the signal,
    `trials` those of the ledger.

    `pay` is called before rows of the validator's own are shown. Raises: DataError where the author
    may have had the rows, ValidationError when the alpha raises, GovernanceError of `pay`.
    """
    frozen = frozen_ns(trials, alpha.code_hash)
    if frozen is None:
        raise DataError(f"{alpha.alpha_id}: the ledger has no trial of this code")
    after = unseen.interval[0] > frozen
    if not after:
        _not_had(office, alpha, judged[0], unseen, frozen)
        pay(unseen)
    rules = validated.options.rules
    claim = run(*judged, rules).daily
    claim = claim[int(len(claim) * validated.options.is_oos_split) :]
    shown = run(unseen, recount.confirmed(alpha, unseen, (rules.threshold,)), rules).daily
    use = usage.Use.of("vault", alpha.alpha_id, unseen, unseen)
    usage.record(office.workspace, use, office.now_ns)
    then, now = (moments(returns) if len(returns) > 1 else None for returns in (claim, shown))
    return Look(
        how=AFTER if after else KEPT,
        data=unseen.fingerprint,
        sessions=len(unseen.sessions),
        first=unseen.sessions[0],
        last=unseen.sessions[-1],
        claimed=_annual(then),
        sharpe=_annual(now),
        gap=_gap(then, now),
    )


def _not_had(
    office: Office,
    alpha: RemoteAlpha,
    judged: ResearchData,
    unseen: ResearchData,
    frozen: int,
) -> None:
    """Rows from before the code was frozen: not those judged, nor any that were used here."""
    uses = [use for use in usage.uses(office.workspace, unseen) if use.kind != "vault"]
    used = [day for use in uses for day in use.days_in(unseen, use.read)]
    shared = Footprint.of(judged).same_market(Footprint.of(unseen))
    if used or shared:
        day = used[0] if used else unseen.sessions[0]
        raise DataError(
            f"{unseen.source}: session {day} was used in this workspace before the code was frozen "
            f"({moment(frozen)}); give rows recorded after it, or rows that you kept"
        )


def payment(
    office: Office, family: str, alpha_id: str, budget: int, validator: Person
) -> Callable[[ResearchData], None]:
    """What rows in the validator's keeping cost: one of the family's looks at a vault."""

    def pay(unseen: ResearchData) -> None:
        rows = Footprint.of(unseen)
        decided = decide(
            office.audit.rows(),
            family=family,
            dataset=unseen.content,
            budget=budget,
            vault=rows,
        )
        if not decided.allowed:
            raise GovernanceError(decided.sentence)
        row: Mapping[str, Any] = {
            "kind": KIND,
            "alpha_id": alpha_id,
            "subject": subject(family, unseen.content, rows),
            "reason": "a look at unseen rows at approval",
        }
        office.audit.record(
            TABLE,
            row,
            now_ns=office.now_ns,
            key_fp=validator.key.fingerprint,
            ledger_heads=office.ledger.heads(),
        )

    return pay


def _annual(found: Moments | None) -> float | None:
    if found is None or found.sharpe is None:
        return None
    return round(found.sharpe * sqrt(DAYS_A_YEAR), 6)


def _gap(then: Moments | None, now: Moments | None) -> float | None:
    """Standard errors from the claimed to the unseen ratio, each with its own length and shape."""
    if then is None or now is None or then.sharpe is None or now.sharpe is None:
        return None
    errors = [sharpe_se(one.sharpe, one.n, one.skew, one.kurtosis) for one in (then, now)]
    if errors[0] is None or errors[1] is None:
        return None
    return round((then.sharpe - now.sharpe) / hypot(errors[0], errors[1]), 6)
