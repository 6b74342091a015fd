"""A feed of more than a day becomes one feed a day, by the clock of its instrument's zone.

A snapshot opens a day: one after which the day has no row belongs to the next day, with the CLEAR
before it, wherever midnight is (the daily files of UTC days begin so, on an evening in Chicago). A
day that begins with a CLEAR has its own book and does not continue the day before.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from hft.core.codes import EventKind, Flag
from hft.feeds.base import checks_of, unseen
from hft.feeds.findings import Findings
from hft.tape.schema import Columns, Feed, Finding

DAY_NS = 86_400_000_000_000
ALL_ROWS = ("assumed_clock",)  # findings that are of every row
CLEAR, BOTH_SIDES = EventKind.CLEAR.value, 2
SNAPSHOT, ADD = EventKind.SNAPSHOT.value, EventKind.ADD.value
SPLIT = Flag.VENUE_ONLY.value | Flag.VIEW_ONLY.value


def split_days(feed: Feed) -> list[Feed]:
    """A settled feed of more than 24 hours as one feed a day, by the clock of its time zone.

    The book carries over. Each day has the findings of its own rows; one of which nobody knows when
    it was stays with the first day.
    """
    times = feed.columns.local_ts
    if int(times.max()) - int(times.min()) <= DAY_NS:
        return [feed]
    seen = np.maximum.accumulate(times)  # venue-only rows stay where they are
    cuts: list[tuple[str, int, int]] = []
    low = 0
    for day, end_ns in _days(int(seen[0]), int(seen[-1]), feed.instrument.time_zone):
        high = _before_snapshot(feed.columns, low, int(np.searchsorted(seen, end_ns, side="left")))
        if high > low and not unseen(_part(feed.columns, low, high)):
            cuts.append((day, low, high))
            low = high
    day, low, _ = cuts.pop()
    cuts.append((day, low, len(times)))
    feeds: list[Feed] = []
    by_day = _findings_by_day(feed, [(low, high) for _, low, high in cuts])
    for (day, low, high), findings in zip(cuts, by_day, strict=True):
        goes_on = bool(feeds) and not _opens(feed.columns, low)
        source = dict(feed.source, day=day) | ({"continues": True} if goes_on else {})
        if "waived" in source:
            names = {finding.name for finding in findings}
            source["waived"] = [name for name in source["waived"] if name in names]
        feeds.append(Feed(feed.instrument, _part(feed.columns, low, high), findings, source))
    return feeds


def _findings_by_day(feed: Feed, spans: list[tuple[int, int]]) -> list[list[Finding]]:
    """The findings of each day: checked again, by the times of their rows, or as shares of all."""
    checks = checks_of(feed, feed.columns)
    days = [Findings(checks.part(low, high)) for low, high in spans]
    starts = feed.columns.local_ts[[low for low, _ in spans]]
    for finding in feed.findings:
        if finding.when is not None:
            day_of = np.searchsorted(starts, finding.when, side="right") - 1
            counts = np.bincount(np.maximum(day_of, 0), minlength=len(days))
        elif finding.name in ALL_ROWS:
            counts = np.array([high - low for low, high in spans])
        else:
            checked = sum(day[finding.name].count for day in days if finding.name in day)
            counts = np.append(finding.count - checked, np.zeros(len(days) - 1, np.int64))
        for index, (day, count) in enumerate(zip(days, counts.tolist(), strict=True)):
            row = finding.first_row if index == 0 else 1
            if finding.when is not None or finding.name not in day:
                day.at_least(Finding(finding.name, count, row, finding.note, of=finding.of))
            else:
                day.add(finding.name, count, row, finding.note, of=finding.of)
    return [day.sorted() for day in days]


def _opens(columns: Columns, row: int) -> bool:
    """Whether a row drops the book of before."""
    return bool(columns.kind[row] == CLEAR and columns.side[row] == BOTH_SIDES)


def _before_snapshot(columns: Columns, low: int, high: int) -> int:
    """Where a day ends that `high` ends by the clock: before a snapshot that is its last."""
    if high <= low or high == len(columns.kind):
        return high
    kinds, times = columns.kind[low:high], columns.local_ts[low:high]
    clears = np.flatnonzero((kinds == CLEAR) & (columns.side[low:high] == BOTH_SIDES))
    if not len(clears) or clears[-1] == 0:
        return high
    at = int(clears[-1])
    opening = (kinds == SNAPSHOT) | ((kinds == ADD) & (times == times[at]))
    whole = opening[at + 1 :].all() and not (columns.flags[low + at : high] & SPLIT).any()
    return low + at if whole else high


def _part(columns: Columns, low: int, high: int) -> Columns:
    return Columns(*(column[low:high] for column in columns))


def _days(first_ns: int, last_ns: int, time_zone: str) -> Iterator[tuple[str, int]]:
    """(YYYYMMDD, first ns of the next) of every local day from one moment to another."""
    zone = ZoneInfo(time_zone)
    midnight = datetime.fromtimestamp(first_ns // 1_000_000_000, zone).replace(
        hour=0, minute=0, second=0
    )
    while int(midnight.timestamp()) * 1_000_000_000 <= last_ns:
        following = midnight + timedelta(days=1)  # wall clock: a day may have 23 or 25 hours
        yield f"{midnight:%Y%m%d}", int(following.timestamp()) * 1_000_000_000
        midnight = following
