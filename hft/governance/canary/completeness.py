"""Is the evidence the whole of it? Sessions that are missing, late, gone or replaced hold a canary.

What was counted once, by its day and the digests of its runs, is shown again at every later step.
Between the approval and the newest session every trading day has one: by the table of sessions
where it knows the market, and then none may lack. Elsewhere trading days are Monday to Friday, and
a day of the week-end on which the evidence mostly has a session; a few may lack as holidays. A day
on which the weight changed belongs to two rungs and may lack as well. Nothing here rolls back.
"""

import math
from collections import Counter
from collections.abc import Sequence
from datetime import date as Date
from datetime import timedelta

import numpy as np

from hft.governance.canary.finding import HOLD, Finding, fact
from hft.governance.canary.history import History
from hft.governance.profile import Profile
from hft.governance.sessions import Evidence
from hft.reports.figures import counted as many
from hft.tape.sessions import sessions_of, utc_day_of

SHOWN = 5  # days named in a sentence
ABSENT_SHARE = 0.05  # of profiles that were frozen before they named it


def whole(evidence: Evidence, past: History, profile: Profile, today: Date) -> list[Finding]:
    """Everything that is not there, each as a hold."""
    return [
        *_unverified(evidence, past),
        *_late(evidence, past, profile, today),
        *_gone(evidence, past),
        *_replaced(evidence, past),
        *_unshown(evidence, past),
        *_gaps(evidence, past, profile),
    ]


def counted(evidence: Evidence, past: History) -> dict[str, list[str]]:
    """The sessions of this attempt that count, as the audit keeps them: digests of runs by day."""
    rows = [row for row in evidence.counted if past.in_attempt(row.date)]
    return {row.date.isoformat(): list(row.digests) for row in rows}


def _unverified(evidence: Evidence, past: History) -> list[Finding]:
    missing = [row for row in evidence.missing if past.on_rung(row.date)]
    if not missing:
        return []
    days = _named([row.date for row in missing])
    words = f"{many(len(missing), 'session')} without data ({days}): {missing[0].wrong}"
    shop = (f"{many(len(missing), 'session')} whose digest verifies",)
    return [Finding(fact("missing_rows", False), HOLD, words, shop)]


def _late(evidence: Evidence, past: History, profile: Profile, today: Date) -> list[Finding]:
    found = []
    late = profile.get("canary.late_days_max")
    last = max((row.date for row in evidence.counted), default=None)
    closed = last is not None and _table([last, today - timedelta(days=1)], past) == []
    if late is not None and (last is None or (today - last).days > int(late)) and not closed:
        words = "no session row" if last is None else f"the last session row is of {last}"
        shop = ("a newer session row",)
        found.append(Finding(fact("late_rows", False), HOLD, f"late: {words}", shop))
    future = [row for row in evidence.counted if row.date > today]
    if future:
        words = f"a session row is of the future: {future[0].date}"
        found.append(Finding(fact("future_rows", False), HOLD, words))
    return found


def _gone(evidence: Evidence, past: History) -> list[Finding]:
    """A day that was counted at an earlier step, and is not shown now."""
    have = {row.date for row in evidence.counted}
    gone = [day for day, _ in past.counted if day not in have]
    if not gone:
        return []
    words = f"{many(len(gone), 'session')} counted before but not shown: {_named(gone)}"
    shop = (f"the sessions of {_named(gone)}, as they were",)
    return [Finding(fact("rows_gone", False), HOLD, words, shop, human=True)]


def _replaced(evidence: Evidence, past: History) -> list[Finding]:
    """A day whose runs are not those that were counted for it."""
    have = {row.date: row.digests for row in evidence.counted}
    other = [(day, before) for day, before in past.counted if day in have and have[day] != before]
    if not other:
        return []
    day, before = other[0]
    words = (
        f"the run of {many(len(other), 'session')} is not the one counted before: {day} was "
        f"{_digests(before)}, is {_digests(have[day])}"
    )
    shop = (f"the runs counted before of {_named([day for day, _ in other])}",)
    return [Finding(fact("rows_replaced", False), HOLD, words, shop, human=True)]


def _unshown(evidence: Evidence, past: History) -> list[Finding]:
    """A day of which the workspace has a session that is not among those shown."""
    have = {row.date for row in evidence.rows}
    left = [(day, place) for day, place in past.at_hand if day not in have and past.in_attempt(day)]
    if not left:
        return []
    days, place = _named([day for day, _ in left]), left[0][1]
    words = f"{many(len(left), 'session')} at hand but not shown: {days} ({place})"
    return [Finding(fact("rows_unshown", False), HOLD, words, (f"the sessions of {days}",))]


def _gaps(evidence: Evidence, past: History, profile: Profile) -> list[Finding]:
    """Trading days without a session, between the approval and the newest session."""
    days = sorted({row.date for row in evidence.counted if past.in_attempt(row.date)})
    if not days:
        return []
    found = []
    ends = [past.attempt_since or days[0], *days]
    late = profile.get("canary.late_days_max")
    table = _table(ends, past)
    on, have = _trading(ends, past) if table is None else table, set(days)
    steps = [(a, b, sum(a < day <= b for day in on)) for a, b in zip(ends, days, strict=False)]
    wide = [step for step in steps if late and step[2] > int(late)]
    if wide:
        first, last, count = wide[0]
        missing = first + timedelta(days=1)
        words = f"no session from {missing} to {last - timedelta(days=1)}: {count} "
        words += f"trading days from one to the next, at most {int(late)} (canary.late_days_max)"
        shop = (f"the sessions from {missing} on",)
        found.append(Finding(fact("rows_gap", False), HOLD, words, shop))
    absent = [day for day in on if day not in have]
    if table is not None:
        return [*found, *_absent(absent, on, past)]
    share = profile.values.get("canary.absent_share_max", ABSENT_SHARE)
    most = math.ceil(float(share or 0.0) * len(on))
    if share is not None and len(absent) > most:
        words = f"{len(absent)} of {len(on)} trading days have no session ({_named(absent)}), "
        words += f"at most {most} may lack (canary.absent_share_max)"
        shop = (f"the sessions of {_named(absent)}",)
        found.append(Finding(fact("rows_absent", False), HOLD, words, shop))
    return found


def _absent(absent: Sequence[Date], on: Sequence[Date], past: History) -> list[Finding]:
    """Sessions of the table that lack: holidays are no sessions, so that none may."""
    if not absent:
        return []
    words = (
        f"{len(absent)} of {len(on)} sessions of {past.calendar} are not shown: {_named(absent)}"
    )
    shop = (f"the sessions of {_named(absent)}",)
    return [Finding(fact("rows_absent", False), HOLD, words, shop)]


def _table(ends: Sequence[Date], past: History) -> list[Date] | None:
    """The sessions after the first of `ends`, up to the last; None where the table does not know.

    A row of evidence is a UTC date, so that only markets count whose sessions lie within one each.
    """
    sessions = sessions_of(past.calendar)
    first, last = (int(day.strftime("%Y%m%d")) for day in (ends[0], ends[-1]))
    if sessions is None or first < sessions.day[0] or last > sessions.day[-1]:
        return None
    inside = (sessions.day > first) & (sessions.day <= last)
    days = sessions.day[inside]
    for edge in (sessions.open_ns[inside], sessions.close_ns[inside] - 1):
        if (utc_day_of(edge) != days).any():
            return None
    changed = {day for day, _ in past.weights}
    table = [Date(day // 10_000, day // 100 % 100, day % 100) for day in np.unique(days).tolist()]
    return [day for day in table if day not in changed]


def _trading(ends: Sequence[Date], past: History) -> list[Date]:
    """The trading days after the first of `ends`, up to the last."""
    changed = {day for day, _ in past.weights}
    span = [ends[0] + timedelta(days=k) for k in range(1, (ends[-1] - ends[0]).days + 1)]
    all_of, have = Counter(map(Date.weekday, span)), Counter(map(Date.weekday, set(ends[1:])))
    # A session of one Sunday, such as a rehearsal by the exchange, makes no market of Sundays.
    week = {0, 1, 2, 3, 4} | {name for name in have if 2 * have[name] > all_of[name]}
    return [day for day in span if day.weekday() in week and day not in changed]


def _named(days: Sequence[Date]) -> str:
    more = f" and {len(days) - SHOWN} more" if len(days) > SHOWN else ""
    return ", ".join(day.isoformat() for day in days[:SHOWN]) + more


def _digests(given: Sequence[str]) -> str:
    return " + ".join(digest[:12] for digest in given)
