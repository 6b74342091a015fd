"""Breakers and the kill latch: a trip refuses new risk in its scope until it is reset.

Position and market-move trips reset by themselves once their time is over and the cause has
cleared; loss and manual trips latch until an audited reset. A trip leaves an action for the engine
(cancel what is open, close positions through the gateway). Owns BREAKER and MOVE rows.
"""

from typing import Any

from hft.core.jit import kernel
from hft.gateway import tables
from hft.gateway.rows import MOVE_SAMPLES, BreakerCause, Row

POSITION = BreakerCause.POSITION.value
MARKET_MOVE = BreakerCause.MARKET_MOVE.value
LOSS = BreakerCause.LOSS.value
MANUAL = BreakerCause.MANUAL.value
# A latched trip is left by reset only.
LATCHES = {
    BreakerCause.POSITION: False,
    BreakerCause.MARKET_MOVE: False,
    BreakerCause.LOSS: True,
    BreakerCause.MANUAL: True,
}
_SPACING = MOVE_SAMPLES - 4


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
def trip(head: Row, config: Row, row: Row, cause: int, detail_idx: int, now_ns: int) -> int:
    """Trip a breaker; a graver cause replaces a lesser one. Returns: 1 when it tripped now."""
    if row["tripped"] != 0:
        if cause > row["cause"]:
            row["cause"] = cause
            row["detail_idx"] = detail_idx
            row["latched"] = 1 if cause >= LOSS else row["latched"]
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
    return 1


@kernel
def reset(head: Row, row: Row) -> int:
    """Clear a trip. Returns: 1 when there was one."""
    if row["tripped"] == 0:
        return 0
    if row["taken"] == 0:
        head["actions"] -= 1
    row["tripped"] = 0
    row["cause"] = 0
    row["latched"] = 0
    row["taken"] = 0
    row["resets"] += 1
    head["trips"] -= 1
    return 1


@kernel
def over_position(limit: Row, leaf: Row) -> bool:
    """Whether a filled position is beyond its instrument's limit."""
    net = leaf["net_qty"]
    return (limit["long_max"] >= 0 and net > limit["long_max"]) or (
        limit["short_max"] >= 0 and -net > limit["short_max"]
    )


@kernel
def moved(gw: Any, instrument_idx: int, mid2: int, now_ns: int) -> int:
    """Sample the mid and compare it with the one a window ago.

    The reference is the newest sample at least a window old; samples are a sixtieth of the window
    apart, so it is at most that much older. Returns: 1 when the move passes the threshold.
    """
    config, move = tables.config(gw)[0], tables.moves(gw)[instrument_idx]
    times, mids = tables.move_ts(gw), tables.move_mid2(gw)
    base = instrument_idx * MOVE_SAMPLES
    window_ns = config["breaker_window_ns"]
    spacing = window_ns // _SPACING
    count, start = move["count"], move["start"]
    while count > 1 and times[base + (start + 1) % MOVE_SAMPLES] <= now_ns - window_ns:
        start = (start + 1) % MOVE_SAMPLES
        count -= 1
    hit = 0
    if count > 0 and times[base + start] <= now_ns - window_ns:
        reference2 = mids[base + start]
        if abs(mid2 - reference2) * 10_000 > config["breaker_move_bps"] * reference2:
            hit = 1
    last = (start + count - 1) % MOVE_SAMPLES
    if count == 0 or now_ns - times[base + last] >= spacing:
        if count == MOVE_SAMPLES:
            start = (start + 1) % MOVE_SAMPLES
            count -= 1
        at = (start + count) % MOVE_SAMPLES
        times[base + at] = now_ns
        mids[base + at] = mid2
        count += 1
    move["count"], move["start"], move["moved"] = count, start, hit
    return hit
