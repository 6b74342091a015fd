"""When was each value known? Columns of times later than their row, and fields nobody speaks for.

A column of times is found by what it holds, whatever it is called. What hft computes itself, or
what a market publishes with the row (prices, sizes, volumes), is known at the row; of any other
field somebody has to say so: in `known_at` of the data file's sidecar or of the alpha's manifest,
as "row" or as the name of a column of times.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl

from hft.governance.profile import Profile
from hft.governance.verdict import (
    Check,
    Verdict,
    at_most,
    insufficient,
    not_applicable,
)
from hft.microstructure.columns import ANALYTICS, NEEDS
from hft.research.alphas.manifest import AlphaManifest
from hft.research.data import aliases, bars
from hft.research.data.dataset import OWN, ResearchData
from hft.research.leakage.report import moment

NAMED = (
    *("known_at", "available_at", "available_ts", "recv_ts", "receive_ts", "local_ts"),
    *("arrival_ts", "published_at", "release_ts", "released_at", "ingest_ts"),
)
AT_ROW = "row"
COMPUTED = frozenset((*ANALYTICS, *NEEDS, *bars.NAMES, *aliases.CLOCK_FIELDS, *aliases.DERIVED))
# A number is a time when nearly all rows say one within so many days of their own.
DAYS_APART, SHARE = 400, 0.99
DAY_NS = 86_400_000_000_000
FIRST_DAY, LAST_DAY = 19_000_101, 21_001_231  # of numbers that are days, YYYYMMDD
UNITS = (1e9, 1e6, 1e3, 1.0)
FLOAT_SLACK_NS = 512  # a float of ns is exact to 256 ns


def future_rows(data: ResearchData, now_ns: int, declared: Sequence[str] = ()) -> Check:
    """Rows later than now, and rows that were known later than they say.

    `declared` are columns of times that were known though they lie ahead: an expiry, an event.
    """
    ts = data.ts_ns
    wrong = np.flatnonzero(ts > now_ns)
    if len(wrong):
        row = int(wrong[0])
        said = f"{data.source}: row {row + 1} is of {moment(ts[row])}, which is still to come"
        return at_most("data_future_rows", float(len(wrong)), 0.0, reason=said)
    for name in data.frame.columns:
        if name in OWN or name in declared or _label_interval(name, data):
            continue
        known = times_of(data, name)
        late = np.flatnonzero(known > ts) if known is not None else np.zeros(0, np.int64)
        if known is not None and len(late):
            row = int(late[0])
            said = (
                f"{data.source}: row {row + 1} of {moment(ts[row])} was known at "
                f"{moment(int(known[row]))} by {name} ({len(late)} rows are later than they say): "
                f"stamp rows with when they were known; or, if {name} is a date that was announced "
                f'before, say so in known_at: "{name}: row"'
            )
            return at_most("data_future_rows", float(len(late)), 0.0, reason=said)
    return at_most("data_future_rows", 0.0, 0.0)


def _label_interval(name: str, data: ResearchData) -> bool:
    """The ends of labels that `hft data features` wrote: no field, and later by what they are."""
    return name.startswith("t_end_") and f"label_{name[6:]}" in data.frame.columns


def times_of(data: ResearchData, name: str) -> np.ndarray | None:
    """A column as ns since the epoch, missing ones as 0; None where it holds no times."""
    column = data.frame[name]
    if column.dtype == pl.Datetime:
        return column.dt.epoch("ns").fill_null(0).to_numpy()
    if not column.dtype.is_numeric():
        return None
    values = column.cast(pl.Float64).fill_null(0).fill_nan(0).to_numpy()
    there = values != 0
    if not there.any():
        return None
    days = _days_of(values, there, data.ts_ns)
    if days is not None:
        return days
    by_name = name.lower() in NAMED
    for scale in UNITS:
        with np.errstate(over="ignore", invalid="ignore"):
            near = np.abs(values * scale - data.ts_ns) < DAYS_APART * DAY_NS
        if float(near[there].mean()) >= (0.5 if by_name else SHARE):
            slack = FLOAT_SLACK_NS if scale == 1.0 else 0
            return np.where(there, (values * scale).astype(np.int64) - slack, 0)
    return None


def _days_of(values: np.ndarray, there: np.ndarray, ts_ns: np.ndarray) -> np.ndarray | None:
    """Days written as numbers, YYYYMMDD, as ns at their beginning; None where they are none."""
    some = np.unique(values[there])
    whole = (some == np.floor(some)) & (some > FIRST_DAY) & (some < LAST_DAY)
    if not whole.all():
        return None
    text = pl.Series(some.astype(np.int64)).cast(pl.String)
    days = text.str.to_date("%Y%m%d", strict=False)
    if days.null_count():
        return None
    ns = days.cast(pl.Datetime("ns")).cast(pl.Int64).to_numpy()
    found = np.zeros(len(values), np.int64)
    found[there] = ns[np.searchsorted(some, values[there])]
    near = np.abs(found[there] - ts_ns[there]) < DAYS_APART * DAY_NS
    return found if float(near.mean()) >= SHARE else None


def declared(manifest: AlphaManifest | None, data: ResearchData) -> dict[str, str]:
    """What is said of when fields are known: field -> "row" or a column of times."""
    found: dict[str, str] = {}
    for told in data.metadata.values():
        given = told.get("known_at")
        if isinstance(given, dict):
            found |= {str(name): str(when) for name, when in given.items()}
    for text in manifest.known_at if manifest is not None else ():
        name, _, when = text.partition(":")
        found[name.strip()] = when.strip() or AT_ROW
    return found


def known_at(manifest: AlphaManifest, data: ResearchData, profile: Profile) -> Check:
    """Every field that hft did not compute says when it was known, and that was not later."""
    told = declared(manifest, data)
    silent, wrong = [], []
    for name in manifest.data_fields:
        if _of_the_row(name, data):
            continue
        when = told.get(name)
        if when is None:
            silent.append(name)
        elif when != AT_ROW:
            wrong += _late(name, when, data)
    if wrong:
        return Check("known_at", len(wrong), 0, Verdict.FAIL, reason="; ".join(wrong))
    if not silent:
        return Check("known_at", 0, 0, Verdict.PASS)
    names = ", ".join(silent)
    said = (
        f"nobody says when {names} {'was' if len(silent) == 1 else 'were'} known; write known_at "
        f'= ("{silent[0]}: row",) into the alpha\'s manifest, or "known_at": {{"{silent[0]}": '
        f'"row"}} into the data\'s sidecar, once you know that it was; in place of "row" a column '
        "of times may stand"
    )
    if profile.lenient:
        return not_applicable("known_at", f"profile {profile.name} goes on: {said}")
    return insufficient("known_at", said, tuple(f"known_at of {name}" for name in silent))


def _of_the_row(name: str, data: ResearchData) -> bool:
    """Is it a market's own quantity, or one that hft computed from tapes or such quantities?"""
    if data.made_of_tapes or data.tapes is not None or name in aliases.CLOCK_FIELDS:
        return True
    return aliases.quantity_of(name) in aliases.ALIASES or name.lower() in COMPUTED


def _late(name: str, when: str, data: ResearchData) -> list[str]:
    """A sentence where a field's own column of times is none, or later than its row."""
    if when not in data.frame.columns:
        return [f"known_at of {name}: there is no column {when!r}; name a column of times, or row"]
    known = times_of(data, when)
    if known is None:
        return [f"known_at of {name}: {when} holds no times of the rows; name one that does"]
    late = np.flatnonzero(known > data.ts_ns)
    if not len(late):
        return []
    row = int(late[0])
    return [
        f"{name} at row {row + 1} ({moment(data.ts_ns[row])}) was known at "
        f"{moment(int(known[row]))} by {when}: move it to the first row that is not earlier"
    ]
