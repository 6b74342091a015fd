"""StormGuard: NORMAL, WARM, STORM, HALT with hysteresis, one machine a scope.

Escalation is immediate. WARM leaves after a run of clear evaluations, STORM after a cool-down and
the same run, HALT only by an audited reset: it is a loss. Owns STORM rows and head["storms"].
"""

from hft.core.codes import StatusCode, StormGuardState
from hft.core.jit import kernel, seldom
from hft.core.numbers import elapsed_ns
from hft.gateway.rows import Row

NORMAL = StormGuardState.NORMAL.value
WARM = StormGuardState.WARM.value
STORM = StormGuardState.STORM.value
HALT = StormGuardState.HALT.value
PPM = 1_000_000

# How each state is left: (needs a run of clear evaluations, needs the cool-down, by reset only).
LEAVING = {
    StormGuardState.NORMAL: (False, False, False),
    StormGuardState.WARM: (True, False, False),
    StormGuardState.STORM: (True, True, False),
    StormGuardState.HALT: (False, False, True),
}
_NEEDS_RUN = tuple(LEAVING[state][0] for state in StormGuardState)
_NEEDS_COOLDOWN = tuple(LEAVING[state][1] for state in StormGuardState)
_LATCHES = tuple(LEAVING[state][2] for state in StormGuardState)


@kernel
def level_of(value: int, warm: int, storm: int, halt: int) -> int:
    """The level of a loss, drawdown or latency; a threshold of -1 is off."""
    if halt >= 0 and value >= halt:
        return HALT
    if storm >= 0 and value >= storm:
        return STORM
    if warm >= 0 and value >= warm:
        return WARM
    return NORMAL


@kernel
def part(amount: int, ppm: int) -> int:
    """ppm of an amount without a product past 2^62; -1 stays off."""
    if ppm < 0:
        return -1
    return amount // PPM * ppm + amount % PPM * ppm // PPM


@kernel
def evaluate(head: Row, config: Row, row: Row, level: int, now_ns: int) -> int:
    """Move one machine by what was just measured. Returns: 1 when its state changed."""
    seldom()
    state = row["state"]
    row["level"] = level
    if level >= state:
        row["clear_count"] = 0
        if level > NORMAL:
            row["since_ns"] = now_ns
        if level == state:
            return 0
        if state == NORMAL:
            head["storms"] += 1
        row["state"] = level
        return 1
    row["clear_count"] += 1
    if _LATCHES[state]:
        return 0
    if _NEEDS_RUN[state] and row["clear_count"] < config["storm_clear_count"]:
        return 0
    if _NEEDS_COOLDOWN[state] and now_ns - row["since_ns"] < config["storm_cooldown_ns"]:
        return 0
    row["state"] = level
    row["clear_count"] = 0
    row["since_ns"] = now_ns
    if level == NORMAL:
        head["storms"] -= 1
    return 1


@kernel
def pnl_level(config: Row, strategy: Row) -> int:
    """The level of a strategy's loss today and of its drawdown from the peak of capital + P&L."""
    loss = strategy["day_base_money"] - strategy["pnl_money"]
    level = level_of(
        loss, config["storm_warm_money"], config["storm_storm_money"], config["storm_halt_money"]
    )
    drawdown = strategy["peak_money"] - strategy["pnl_money"]
    if drawdown <= 0 or level == HALT:
        return level
    peak = config["capital_money"] + strategy["peak_money"]
    drawn = level_of(
        drawdown,
        part(peak, config["drawdown_warm_ppm"]),
        part(peak, config["drawdown_storm_ppm"]),
        part(peak, config["drawdown_halt_ppm"]),
    )
    return max(level, drawn)


@kernel
def gap_level(limit: Row, touch: Row, now_ns: int) -> int:
    """STORM while an instrument is silent beyond its gap, inside its session only.

    Silence before the hours began does not count.
    """
    if limit["feed_gap_ns"] < 0 or touch["phase"] != StatusCode.OPEN.value or touch["ts_ns"] == 0:
        return NORMAL
    since_ns = max(touch["ts_ns"], touch["open_ns"])
    return STORM if elapsed_ns(now_ns, since_ns) >= limit["feed_gap_ns"] else NORMAL


@kernel
def reset(head: Row, row: Row) -> None:
    """The audited way out of any state."""
    if row["state"] != NORMAL:
        head["storms"] -= 1
    row["state"] = NORMAL
    row["clear_count"] = 0
    row["level"] = NORMAL
