"""Gate A, admissible: structure before statistics. No figure may waive what is decided here.

A leak, an incomplete manifest, data that moved or a damaged ledger stop an alpha. A short history
does not stop it: the verdict is INSUFFICIENT with what is missing, and the scorecard is still made.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from hft.governance.profile import Profile
from hft.governance.verdict import (
    Check,
    GateResult,
    Verdict,
    at_least,
    insufficient,
    not_applicable,
)

HISTORY = "history"
OF_HISTORY = (HISTORY, "min_backtest_length", "block_length")  # checks that more days would pass


@dataclass(frozen=True)
class History:
    """How long the data is, and how long it would have to be. Units: days are sessions.

    `backtest_days` is the minimum backtest length for `trials` independent ones at the Sharpe ratio
    found, None when that is not above 0; `sharpe_for_now` the annual one at which this length would
    do: what luck alone shows in the best of so many worthless trials.
    """

    days: int
    last_day: date | None
    backtest_days: int | None
    block_days: int
    sharpe_for_now: float | None
    trials: float = 1.0

    @property
    def better(self) -> str:
        """The Sharpe ratio that needs no longer history, and why that one."""
        if self.sharpe_for_now is None:
            return ""
        best = f"the best of {self.trials:.1f} worthless trials in {self.days} days"
        return f"true SR >= {self.sharpe_for_now:.1f}, what luck shows in {best}"


def gate_a(
    structure: Sequence[Check],
    history: History | None,
    profile: Profile,
    context: Mapping[str, Any] | None = None,
) -> GateResult:
    """The structural checks, and the history once it is known."""
    checks = list(structure)
    if history is not None:
        checks += _history(history, profile)
    return GateResult("A", tuple(checks), dict(context or {}))


def none_of(id: str, sentences: Sequence[str], **more: Any) -> Check:
    """A check that passes when nobody has anything to say."""
    verdict = Verdict.FAIL if sentences else Verdict.PASS
    return Check(id, len(sentences), 0, verdict, reason="; ".join(sentences), **more)


def _history(found: History, profile: Profile) -> list[Check]:
    days, needed = found.days, int(profile.number("gate_a.history_days_min"))
    if needed == 0:
        waived = f"profile {profile.name} waives it: {days} days"
        checks = [not_applicable("history", waived, days)]
        if found.backtest_days is not None and found.backtest_days > days:
            tried = f"the best of {found.trials:.1f} trials"
            advice = f"to tell it from {tried} by luck takes {found.backtest_days} days"
            checks.append(not_applicable("min_backtest_length", advice, found.backtest_days))
        return checks
    checks = [_days("history", needed, found, "")]
    if found.backtest_days is None:
        text = "the Sharpe ratio is not above 0: no history tells it from the best by luck"
        missing = tuple(filter(None, (found.better,)))
        checks.append(insufficient("min_backtest_length", text, missing, days))
    else:
        instead = f", or {found.better}" if found.better else ""
        checks.append(_days("min_backtest_length", found.backtest_days, found, instead))
    return [*checks, _days("block_length", found.block_days, found, "")]


def _days(id: str, needed: int, found: History, instead: str) -> Check:
    if found.days >= needed:
        return at_least(id, float(found.days), float(needed))
    more = needed - found.days
    sentence = f"{more} more days{_when(found.last_day, more)}{instead}"
    short = insufficient(id, f"{HISTORY}: {found.days} days of {needed}", (sentence,), found.days)
    return replace(short, threshold=float(needed))


def _when(last: date | None, more: int) -> str:
    """The month in which so many more trading days will have passed."""
    if last is None:
        return ""
    return f" (about {last + timedelta(days=round(more * 365.25 / 252)):%Y-%m})"
