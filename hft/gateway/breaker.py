"""Breakers and the kill latch: a trip refuses new risk in its scope until it is reset.

Position and market-move trips reset by themselves once their time is over and the cause has
cleared; loss and manual trips latch until an audited reset. A trip leaves an action for the engine
(cancel what is open, close positions through the gateway). Owns BREAKER and MOVE rows.
"""

from typing import Any

from hft.core.jit import kernel, seldom
from hft.gateway import alerts, tables
from hft.gateway.rows import MOVE_SAMPLES, GuardCause, Row

POSITION = GuardCause.POSITION.value
MARKET_MOVE = GuardCause.MARKET_MOVE.value
LOSS = GuardCause.LOSS.value
MANUAL = GuardCause.MANUAL.value
_SPACING = MOVE_SAMPLES - 4
NEVER = 1 << 62


@kernel
def row_of(config: Row, scope: int, index: int) -> int:
    """The breaker row of a `KillScope` and its index."""
    if scope == 1:
        return 1 + index
    if scope == 2:
        return 1 + config["n_accounts"] + index
    if scope == 3:
        return 1 + config["n_accounts"] + config["n_strategies"] + index
    return 0


@kernel
def trip(
    gw: Any, index: int, cause: int, detail_idx: int, measured: int, limit: int, now_ns: int
) -> int:
    """Trip a breaker; a graver cause replaces a lesser one. Returns: 1 when it tripped now.

    `measured` and `limit` are for the record: what the cause is judged by.
    """
    seldom()
    head, config, row = tables.head(gw)[0], tables.config(gw)[0], tables.breakers(gw)[index]
    if row["tripped"] != 0:
        if cause > row["cause"]:
            row["cause"] = cause
            row["detail_idx"] = detail_idx
            row["latched"] = 1 if cause >= LOSS else row["latched"]
            alerts.of_breaker(gw, index, cause, measured, limit, now_ns)
        return 0
    row["tripped"] = 1
    row["tripped_at_ns"] = now_ns
    row["cause"] = cause
    row["latched"] = 1 if cause >= LOSS else 0
    row["reset_after_ns"] = 0 if cause >= LOSS else config["breaker_reset_ns"]
    row["detail_idx"] = detail_idx
    row["taken"] = 0
    head["trips"] += 1
    head["actions"] += 1
    alerts.of_breaker(gw, index, cause, measured, limit, now_ns)
    return 1


@kernel
def reset(gw: Any, index: int, now_ns: int) -> int:
    """Clear a trip. Returns: 1 when there was one."""
    seldom()
    head, row = tables.head(gw)[0], tables.breakers(gw)[index]
    cause = row["cause"]
    if row["tripped"] == 0:
        return 0
    if row["taken"] == 0:
        head["actions"] -= 1
    row["tripped"] = 0
    row["cause"] = 0
    row["latched"] = 0
    row["taken"] = 0
    head["trips"] -= 1
    alerts.of_breaker(gw, index, cause, 0, 0, now_ns)
    return 1


@kernel
def over_position(limit: Row, leaf: Row) -> bool:
    """Whether a filled position is beyond its instrument's limit."""
    net = leaf["net_qty"]
    return (limit["long_max"] >= 0 and net > limit["long_max"]) or (
        limit["short_max"] >= 0 and -net > limit["short_max"]
    )


@kernel(inline=True)
def moved(gw: Any, instrument_idx: int, mid2: int, now_ns: int) -> int:
    """Compare the mid with the one a window ago. Returns: 1 when the move passes the threshold.

    Between two turns of the table this is one comparison with the bounds of the last turn.
    """
    move = tables.moves(gw)[instrument_idx]
    if now_ns >= move["turn_ns"]:
        turn(gw, instrument_idx, mid2, now_ns)
    hit = 1 if mid2 < move["low2"] or mid2 > move["high2"] else 0
    move["moved"] = hit
    return hit


@kernel
def turn(gw: Any, instrument_idx: int, mid2: int, now_ns: int) -> None:
    """Bring an instrument's samples up to now: its reference, its bounds, and the next turn.

    The reference is the newest sample at least a window old; samples are a sixtieth of the window
    apart, so it is at most that much older. Mutates: moves, move_ts, move_mid2.
    """
    seldom()
    config, move = tables.config(gw)[0], tables.moves(gw)[instrument_idx]
    times, mids = tables.move_ts(gw), tables.move_mid2(gw)
    base = instrument_idx * MOVE_SAMPLES
    window_ns = config["breaker_window_ns"]
    spacing = window_ns // _SPACING
    count, start = move["count"], move["start"]
    while count > 1 and times[base + (start + 1) % MOVE_SAMPLES] <= now_ns - window_ns:
        start = (start + 1) % MOVE_SAMPLES
        count -= 1
    old = count > 0 and times[base + start] <= now_ns - window_ns
    away2 = NEVER
    if old:
        away2 = config["breaker_move_bps"] * mids[base + start] // 10_000
    reference2 = mids[base + start] if old else 0
    last = (start + count - 1) % MOVE_SAMPLES
    if count == 0 or now_ns - times[base + last] >= spacing:
        if count == MOVE_SAMPLES:
            start = (start + 1) % MOVE_SAMPLES
            count -= 1
        at = (start + count) % MOVE_SAMPLES
        times[base + at] = now_ns
        mids[base + at] = mid2
        count += 1
    move["count"], move["start"] = count, start
    move["low2"], move["high2"] = reference2 - away2, reference2 + away2
    # A sample is due, or the one after the reference (or the first) is old enough to be it.
    newest = times[base + (start + count - 1) % MOVE_SAMPLES]
    after = start + 1 if old else start
    move["turn_ns"] = newest + spacing
    if count > after - start:
        move["turn_ns"] = min(newest + spacing, times[base + after % MOVE_SAMPLES] + window_ns)
