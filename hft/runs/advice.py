"""Which change of the limits would have let a run's refused intents pass: tried, then said.

For the commonest reasons the value is taken from what was measured, and the journal is decided
again under it (`runs.relimit`); what still refuses is looked at next, up to a few rounds. Guards of
losses and a person's command are no limits to widen, and of a reason without a rule here nothing is
said: the card then names the limit alone.
"""

import json
import math
from typing import Any

import polars as pl

from hft.core.codes import Reason
from hft.core.errors import HftError
from hft.core.json_text import page
from hft.gateway.limits import Limits, key_of
from hft.runs.folder.layout import ADVICE
from hft.runs.folder.reader import RunReader
from hft.runs.relimit import Relimit, relimit
from hft.storage.atomic import write_atomic

ROUNDS = 4
_FEED_GAP = "storm_guard.feed_gap_s"
ENOUGH = 0.5  # of the refused intents
_GUARDS = (
    Reason.DAILY_LOSS.name,
    Reason.BREAKER_TRIPPED.name,
    Reason.KILL_SWITCH.name,
    Reason.POLICY_HALT.name,
    Reason.STORMGUARD_HALT.name,
)
_POLICY = (Reason.POLICY_DEGRADE.name, Reason.STORMGUARD_STORM_NEW_BLOCKED.name)
Change = dict[str, Any]


def advice_of(run: RunReader) -> str:
    """The sentence that was found for a run, "" for none."""
    path = run.path / ADVICE
    try:
        return str(json.loads(path.read_text())["text"]) if path.is_file() else ""
    except (OSError, ValueError, KeyError):
        return ""


def advise(run: RunReader) -> None:
    """Try changes on the journal of a run that was refused much and keep what is to be said."""
    try:
        text = _tried(run)
    except HftError:
        return  # tapes or a strategy are gone: nothing was tried, nothing is said
    write_atomic(run.path / ADVICE, page({"text": text}))


def _tried(run: RunReader) -> str:
    limits = Limits.from_dict(run.manifest["config"]["limits"])
    changes: Change = {}
    best: Relimit | None = None
    of_best: Change = {}
    decisions = (
        run._frame("decisions")
        .collect()
        .with_columns(new_reason=pl.col("reason").cast(pl.String), new_measured=pl.col("measured"))
    )
    for _ in range(ROUNDS):
        more = _next_change(run, limits, decisions, changes)
        if not more:
            break
        changes |= more
        found = relimit(run, limits.replace(**changes))
        decisions = found.decisions
        if best is None or found.would_pass > best.would_pass:
            best, of_best = found, dict(changes)
        if best.would_pass >= ENOUGH * best.refused:
            break
    if best is None:
        commonest = decisions.filter(pl.col("new_reason") != Reason.OK.name)["new_reason"].mode()
        guarded = set(commonest) <= set(_GUARDS)
        return "a guard refused them, which is no limit to widen; see run.trips" if guarded else ""
    words = ", ".join(f"{key} {value} (now {limits.get(key)})" for key, value in of_best.items())
    if best.would_pass == 0:
        return f"tried on this journal: {words} would let none of them pass"
    return (
        f"tried on this journal: with {words}, {best.would_pass:,} of {best.refused:,} "
        "refused intents would have passed"
    )


def _next_change(run: RunReader, limits: Limits, decisions: pl.DataFrame, tried: Change) -> Change:
    """The change for the commonest reason that still refuses and has one."""
    refused = decisions.filter(pl.col("new_reason").cast(pl.String) != Reason.OK.name)
    counts = refused.group_by(reason=pl.col("new_reason").cast(pl.String)).len()
    for reason in counts.sort("len", "reason", descending=[True, False])["reason"]:
        rows = refused.filter(pl.col("new_reason").cast(pl.String) == reason)
        change = _change(run, limits, reason, rows)
        if change and any(tried.get(key) != value for key, value in change.items()):
            return change
    return {}


def _change(run: RunReader, limits: Limits, reason: str, rows: pl.DataFrame) -> Change:
    if reason in _POLICY:
        return _longer_gap(run, limits)
    found = _KEYS.get(reason)
    measured: Any = rows["new_measured"].abs().max()
    if found is None or measured is None:
        return {}
    return _everywhere(limits, found, math.ceil(float(measured)))


def _everywhere(limits: Limits, keys: tuple[str, ...], value: Any) -> Change:
    """The first key, and what the set says of single instruments, which stands before it."""
    shared, *own = keys
    given = [
        name
        for name, stated in limits.values.items()
        if stated is not None and (known := key_of(name)) is not None and known.name in own
    ]
    return dict.fromkeys([shared, *given], value)


def _longer_gap(run: RunReader, limits: Limits) -> Change:
    """A feed that was silent for longer than its limit, where that is what degraded."""
    longest = _longest_silence_s(run)
    if longest == 0:
        return {}
    return _everywhere(limits, (_FEED_GAP, "instruments.*.feed_gap_s"), longest)


def _longest_silence_s(run: RunReader) -> int:
    """Seconds of the longest silence in which intents were refused for it: from trip to release."""
    trips = run._kept("trips")
    if trips is None:
        return 0
    mine = trips.filter(pl.col("key") == _FEED_GAP).sort("seq")
    ends = run._frame("decisions").select(pl.col("ts").max()).collect().item()
    longest = 0.0
    began: dict[str, tuple[Any, float]] = {}
    for row in mine.iter_rows(named=True):
        if row["event"] != "NORMAL":
            began.setdefault(row["symbol"], (row["ts"], row["measured"] or 0.0))
        elif row["symbol"] in began:
            longest = max(longest, _seconds(began.pop(row["symbol"]), row["ts"]))
    for start in began.values():
        longest = max(longest, _seconds(start, ends))
    return math.ceil(longest)


def _seconds(start: tuple[Any, float], end: Any) -> float:
    """From the trip, when so much had been measured already, to the end."""
    since, measured_ms = start
    return float((end - since).total_seconds()) + measured_ms / 1000.0


# Reason -> the limit that refused, then the keys of single instruments that stand before it.
_KEYS: dict[str, tuple[str, ...]] = {
    Reason.PRICE_OUTSIDE_BAND.name: ("risk.price_band_ticks",),
    Reason.REFERENCE_STALE.name: ("risk.reference_max_age_ms",),
    Reason.POSITION_LIMIT.name: ("max_position_size", "symbols.*.max_long", "symbols.*.max_short"),
    Reason.NOTIONAL_LIMIT.name: ("risk_limits.max_notional", "symbols.*.max_notional"),
    Reason.MAX_NOTIONAL_EXCEEDED.name: ("risk.max_order_notional",),
    Reason.GLOBAL_EXPOSURE_LIMIT.name: ("HFT_EXPOSURE_GLOBAL_MAX_NOTIONAL",),
    Reason.ORDER_SIZE.name: ("max_position_size", "symbols.*.max_order_size"),
}
