"""What the guards of the gateway did: each trip, escalation and release is a row for the journal.

Breakers, storm guards and the guard against repeated execution write here what they measured and
against what; whoever drives the gateway takes the rows over in order. Owns ALERT rows and
head["alerts"]; decides nothing.
"""

from typing import Any

from hft.core.jit import kernel, seldom
from hft.gateway import tables
from hft.gateway.rows import Guard, GuardCause, KillScope, Row
from hft.gateway.storm import part

BREAKER = Guard.BREAKER.value
STORM_GUARD = Guard.STORM_GUARD.value
REPEATED = Guard.REPEATED_EXECUTION.value
_GLOBAL = KillScope.GLOBAL.value
_ACCOUNT = KillScope.ACCOUNT.value
_STRATEGY = KillScope.STRATEGY.value
_SYMBOL = KillScope.SYMBOL.value


@kernel
def write(
    gw: Any,
    guard: int,
    scope: int,
    index: int,
    state: int,
    cause: int,
    measured: int,
    limit: int,
    now_ns: int,
) -> None:
    """Append one row; of rows that nobody takes the oldest is lost."""
    seldom()
    head, rows = tables.head(gw)[0], tables.alerts(gw)
    row = rows[head["alerts"] % len(rows)]
    head["alerts"] += 1
    row["ts_ns"] = now_ns
    row["guard"] = guard
    row["scope"] = scope
    row["index"] = index
    row["state"] = state
    row["cause"] = cause
    row["measured"] = measured
    row["limit"] = limit


@kernel
def of_breaker(
    gw: Any, breaker_idx: int, cause: int, measured: int, limit: int, now_ns: int
) -> None:
    """A breaker tripped, took a graver cause, or was reset (then `cause` is what it had)."""
    config = tables.config(gw)[0]
    accounts, strategies = config["n_accounts"], config["n_strategies"]
    scope, index = _GLOBAL, 0
    if breaker_idx > accounts + strategies:
        scope, index = _SYMBOL, breaker_idx - 1 - accounts - strategies
    elif breaker_idx > accounts:
        scope, index = _STRATEGY, breaker_idx - 1 - accounts
    elif breaker_idx > 0:
        scope, index = _ACCOUNT, breaker_idx - 1
    state = tables.breakers(gw)[breaker_idx]["tripped"]
    write(gw, BREAKER, scope, index, state, cause, measured, limit, now_ns)


@kernel
def of_storm(gw: Any, storm_idx: int, cause: int, measured: int, limit: int, now_ns: int) -> None:
    """A storm guard came into another state."""
    config = tables.config(gw)[0]
    strategies = config["n_strategies"]
    scope, index = _STRATEGY, storm_idx
    if storm_idx >= strategies + config["n_instruments"]:
        scope, index = _GLOBAL, 0
    elif storm_idx >= strategies:
        scope, index = _SYMBOL, storm_idx - strategies
    state = tables.storms(gw)[storm_idx]["state"]
    write(gw, STORM_GUARD, scope, index, state, cause, measured, limit, now_ns)


@kernel
def of_profit(gw: Any, strategy_idx: int, now_ns: int) -> None:
    """The storm guard of a strategy moved.

    The cause is the loss where that alone asks for the state, else the drawdown.
    """
    config, row = tables.config(gw)[0], tables.strategies(gw)[strategy_idx]
    state = tables.storms(gw)[strategy_idx]["state"]
    loss = row["day_base_money"] - row["pnl_money"]
    limit = threshold(
        state, config["storm_warm_money"], config["storm_storm_money"], config["storm_halt_money"]
    )
    if limit >= 0 and (loss >= limit) == (state > 0):
        of_storm(gw, strategy_idx, GuardCause.LOSS.value, loss, limit, now_ns)
        return
    drawdown = row["peak_money"] - row["pnl_money"]
    peak = config["capital_money"] + row["peak_money"]
    limit = threshold(
        state,
        part(peak, config["drawdown_warm_ppm"]),
        part(peak, config["drawdown_storm_ppm"]),
        part(peak, config["drawdown_halt_ppm"]),
    )
    of_storm(gw, strategy_idx, GuardCause.DRAWDOWN.value, drawdown, limit, now_ns)


@kernel
def threshold(state: int, warm: int, storm: int, halt: int) -> int:
    """What a storm guard in `state` has passed; in NORMAL the first that would lead out of it."""
    if state == 3:
        return halt
    if state == 2:
        return storm
    if warm >= 0:
        return warm
    return storm if storm >= 0 else halt


@kernel
def take(gw: Any) -> Row:
    """The oldest row that nobody has taken; there is one while alerts > alerts_taken.

    Mutates: head.
    """
    head, rows = tables.head(gw)[0], tables.alerts(gw)
    at = max(head["alerts_taken"], head["alerts"] - len(rows))
    head["alerts_taken"] = at + 1
    return rows[at % len(rows)]
