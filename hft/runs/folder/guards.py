"""What guards did and what was said to the gateway from outside, as frames of a run.

A row of `trips` is a trip, an escalation or a release, with what was measured against what; a row
of `controls` is an input that is on no tape. Which limit a trip belongs to is said here, once.
"""

import numpy as np
import polars as pl
import pyarrow as pa

from hft.core.codes import ControlKind, PolicyMode, Reason, StepKind, StormGuardState
from hft.gateway.rows import (
    MODE_OWNER_DEGRADED,
    MODE_OWNER_STRATEGY,
    Guard,
    GuardCause,
    KillScope,
)
from hft.runs.folder.names import RunNames
from hft.runs.folder.tables import (
    COUNT,
    HALF_TICKS,
    LOTS,
    MONEY,
    NANOSECONDS,
    UNITS,
    enum_words,
    in_unit,
    times,
    words,
)
from hft.storage.arrow import arrow, strings

PPM = 1_000_000
_MARGIN = {
    GuardCause.POSITION: LOTS,
    GuardCause.MARKET_MOVE: HALF_TICKS,
    GuardCause.LOSS: MONEY,
    GuardCause.DRAWDOWN: MONEY,
    GuardCause.FEED_GAP: NANOSECONDS,
    GuardCause.LATENCY: NANOSECONDS,
}
_STORM_KEYS = {
    GuardCause.LOSS: "storm_guard.halt_threshold",
    GuardCause.DRAWDOWN: "storm_guard.drawdown_pct",
    GuardCause.FEED_GAP: "storm_guard.feed_gap_s",
    GuardCause.LATENCY: "storm_guard.latency_ms",
}
_BREAKER_KEYS = {
    GuardCause.POSITION: "max_position_size",
    GuardCause.MARKET_MOVE: "circuit_breaker_threshold",
    GuardCause.LOSS: "max_daily_loss",
}
_KEYS = {
    Guard.BREAKER: _BREAKER_KEYS,
    Guard.STORM_GUARD: _STORM_KEYS,
    Guard.REPEATED_EXECUTION: {
        GuardCause.REPEATED_EXECUTION: "risk.repeated_execution_count",
    },
}
# The guards that a reason may come from.
_OF_REASON = {
    Reason.BREAKER_TRIPPED.name: Guard.BREAKER,
    Reason.KILL_SWITCH.name: Guard.BREAKER,
    Reason.POLICY_HALT.name: Guard.STORM_GUARD,
    Reason.POLICY_DEGRADE.name: Guard.STORM_GUARD,
    Reason.STORMGUARD_HALT.name: Guard.STORM_GUARD,
    Reason.STORMGUARD_STORM_NEW_BLOCKED.name: Guard.STORM_GUARD,
}
_EVENTS = {
    Guard.BREAKER: ("RESET", "TRIPPED"),
    Guard.STORM_GUARD: tuple(state.name for state in StormGuardState),
    Guard.REPEATED_EXECUTION: ("RESET", "DEGRADED"),
}


def key_of(guard: int, cause: int) -> str:
    """The limit that a guard's cause is judged by; empty for a person's command."""
    return _KEYS.get(Guard(guard), {}).get(GuardCause(cause), "")


def margin_kind(cause: int) -> int:
    """What the two numbers of a guard's row mean."""
    return _MARGIN.get(GuardCause(cause), COUNT)


def event_of(guard: int, state: int) -> str:
    """The state that a guard came into, as a word."""
    return _EVENTS[Guard(guard)][state]


def trips_table(steps: np.ndarray, names: RunNames) -> pa.Table:
    """The GUARD steps; measured and limit are in `unit`, null where a person acted."""
    rows = steps[steps["kind"] == StepKind.GUARD.value]
    cause = [GuardCause(int(code)) for code in rows["code"]]
    kinds = [margin_kind(code) for code in cause]
    pairs = zip(kinds, rows["measured"], rows["limit"], strict=True)
    margins = [(in_unit(kind, a, names), in_unit(kind, b, names)) for kind, a, b in pairs]
    judged = [bool(b) or bool(a) for a, b in margins]
    judged = [
        one and code is not GuardCause.MANUAL for one, code in zip(judged, cause, strict=True)
    ]
    mask = ~np.array(judged, bool)
    units = [names.currency if kind == MONEY else UNITS[kind] for kind in kinds]
    guards = [int(guard) for guard in rows["guard"]]
    events = [event_of(g, int(s)) for g, s in zip(guards, rows["state"], strict=True)]
    keys = [key_of(g, code) for g, code in zip(guards, cause, strict=True)]
    return pa.table(
        {
            "seq": arrow(rows["seq"]),
            "ts": times(rows["ts_ns"]),
            "guard": enum_words(rows["guard"], Guard),
            "scope": enum_words(rows["scope"], KillScope),
            "strategy": words(rows["strategy_idx"], names.strategies),
            "symbol": words(rows["instrument_idx"], names.symbols),
            "event": strings(events),
            "cause": enum_words(rows["code"], GuardCause),
            "measured": arrow(np.array([a for a, _ in margins], np.float64), mask),
            "limit": arrow(np.array([b for _, b in margins], np.float64), mask),
            "unit": strings(units),
            "key": strings(keys),
        }
    )


def controls_table(steps: np.ndarray, names: RunNames) -> pa.Table:
    """The CONTROL steps: what was said, about what, in words."""
    rows = steps[steps["kind"] == StepKind.CONTROL.value]
    said = [
        control_words(int(row["code"]), int(row["target"]), int(row["value"]), names)
        for row in rows
    ]
    return pa.table(
        {
            "seq": arrow(rows["seq"]),
            "ts": times(rows["ts_ns"]),
            "kind": enum_words(rows["code"], ControlKind),
            "about": strings([about for about, _ in said]),
            "value": strings([value for _, value in said]),
        }
    )


def control_words(kind: int, target: int, value: int, names: RunNames) -> tuple[str, str]:
    """Whom a control input is about, and what it says."""
    if kind == ControlKind.MODE:
        mode = PolicyMode(value).name if value in list(PolicyMode) else str(value)
        if target >= MODE_OWNER_STRATEGY:
            return f"strategy {_at(names.strategies, target - MODE_OWNER_STRATEGY)}", mode
        if target == MODE_OWNER_DEGRADED:
            return "degraded mode", "on" if value else "off"
        return "all", mode
    if kind == ControlKind.KILL:
        return _scope_words(target & 15, target >> 4, names), "kill" if value else "reset"
    if kind == ControlKind.PROMOTION:
        return f"strategy {_at(names.strategies, target)}", f"weight {value / PPM:g}"
    if kind == ControlKind.LEASE:
        return "lease", f"{'held' if target else 'lost'}, fence {value}"
    if kind == ControlKind.LATENCY:
        return "decision latency", f"{value / 1e6:g} ms"
    if kind == ControlKind.START:
        return "start", f"hold-off {value / 1e9:g} s"
    return "all", ""


def _scope_words(scope: int, index: int, names: RunNames) -> str:
    if scope == KillScope.STRATEGY:
        return f"strategy {_at(names.strategies, index)}"
    if scope == KillScope.SYMBOL:
        return f"symbol {_at(names.symbols, index)}"
    if scope == KillScope.ACCOUNT:
        return f"account {index}"
    return "kill byte" if scope == KillScope.BYTE else "all"


def _at(names: tuple[str, ...] | list[str], index: int) -> str:
    return names[index] if 0 <= index < len(names) else str(index)


def with_keys(refusals: pl.DataFrame, trips: pl.DataFrame | None) -> pl.DataFrame:
    """The table of refusals with the limits that the guards behind a reason were judged by.

    A breaker has three limits; only the one that tripped is worth changing. A person's command has
    none.
    """
    if trips is None or refusals.height == 0:
        return refusals
    acted = trips.filter(~pl.col("event").is_in(["RESET", "NORMAL"]))
    keys = []
    for reason, key in refusals.select("reason", "key").iter_rows():
        guard = _OF_REASON.get(reason)
        if guard is None:
            keys.append(key)
            continue
        mine = acted.filter(pl.col("guard") == guard.name)
        keys.append(" or ".join(sorted({one for one in mine["key"] if one})))
    return refusals.with_columns(key=pl.Series(keys, dtype=pl.String))
