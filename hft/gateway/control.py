"""Inputs that are on no tape: P&L, market watch, modes, kill, promotion, lease, hold-off, resets.

Each is a calendar event with its own time; it changes rows and takes effect at the next intent.
"""

from typing import Any

from hft.core.codes import ControlKind, PolicyMode
from hft.core.jit import kernel, seldom
from hft.core.numbers import FAR_NS
from hft.gateway import alerts, breaker, policy, storm, tables
from hft.gateway.risk import PPM
from hft.gateway.rows import (
    MODE_OWNER_DEGRADED,
    MODE_OWNER_OPERATOR,
    MODE_OWNER_STRATEGY,
    GuardCause,
    KillScope,
    Row,
)

_BYTE = KillScope.BYTE.value
NORMAL = PolicyMode.NORMAL.value
HALT = PolicyMode.HALT.value


@kernel
def on_pnl(gw: Any, strategy_idx: int, pnl_money: int, now_ns: int) -> int:
    """A strategy's realised + unrealised P&L since the run began.

    Feeds daily loss, storm guard and the loss breaker. Returns: 1 when policy changed.
    """
    head = tables.head(gw)[0]
    config = tables.config(gw)[0]
    row = tables.strategies(gw)[strategy_idx]
    head["pnl_money"] += pnl_money - row["pnl_money"]
    row["pnl_money"] = pnl_money
    row["peak_money"] = max(row["peak_money"], pnl_money)
    level = storm.pnl_level(config, row)
    changed = 0
    if level != 0 or tables.storms(gw)[strategy_idx]["state"] != 0:
        changed = storm.evaluate(head, config, tables.storms(gw)[strategy_idx], level, now_ns)
        if changed != 0:
            alerts.of_profit(gw, strategy_idx, now_ns)
    limit = config["daily_loss_max"]
    breached = 1 if limit >= 0 and head["pnl_money"] <= -limit else 0
    if breached != head["loss_breached"]:
        head["loss_breached"] = breached
        if breached != 0:
            changed += breaker.trip(gw, 0, breaker.LOSS, 0, head["pnl_money"], -limit, now_ns)
    if head["trips"] > 0:
        changed += auto_reset(gw, now_ns)
    if changed != 0:
        policy.refresh(gw)
    return 1 if changed != 0 else 0


@kernel(inline=True)
def on_market(gw: Any, instrument_idx: int, touch: Row, now_ns: int) -> int:
    """Watch one instrument: feed gap and market move. Returns: 1 when policy changed."""
    head = tables.head(gw)[0]
    config = tables.config(gw)[0]
    changed = 0
    level = storm.gap_level(tables.limits(gw)[instrument_idx], touch, now_ns)
    row = tables.storms(gw)[config["n_strategies"] + instrument_idx]
    if level != 0 or row["state"] != 0:
        changed = storm.evaluate(head, config, row, level, now_ns)
        if changed != 0:
            gap_ns = now_ns - touch["ts_ns"]
            allowed_ns = tables.limits(gw)[instrument_idx]["feed_gap_ns"]
            at = config["n_strategies"] + instrument_idx
            alerts.of_storm(gw, at, GuardCause.FEED_GAP.value, gap_ns, allowed_ns, now_ns)
    if config["breaker_move_bps"] > 0 and touch["valid"] != 0:
        mid2 = touch["bid_tick"] + touch["ask_tick"]
        if breaker.moved(gw, instrument_idx, mid2, now_ns) != 0:
            move = tables.moves(gw)[instrument_idx]
            bound2 = move["high2"] if mid2 > move["high2"] else move["low2"]
            index, cause = breaker.row_of(config, 3, instrument_idx), breaker.MARKET_MOVE
            changed += breaker.trip(gw, index, cause, instrument_idx, mid2, bound2, now_ns)
    if head["trips"] > 0:
        changed += auto_reset(gw, now_ns)
    if changed != 0:
        policy.refresh(gw)
    return 1 if changed != 0 else 0


@kernel
def auto_reset(gw: Any, now_ns: int) -> int:
    """Reset trips whose time is over and whose cause has cleared; else their timer starts again."""
    seldom()
    changed = 0
    for index in range(len(tables.breakers(gw))):
        row = tables.breakers(gw)[index]
        if row["tripped"] == 0 or row["latched"] != 0:
            continue
        if now_ns - row["tripped_at_ns"] < row["reset_after_ns"]:
            continue
        if row["cause"] == breaker.POSITION:
            leaf = tables.leaves(gw)[row["detail_idx"]]
            still = breaker.over_position(tables.limits(gw)[leaf["instrument_idx"]], leaf)
        else:
            still = tables.moves(gw)[row["detail_idx"]]["moved"] != 0
        if still:
            row["tripped_at_ns"] = now_ns
        else:
            changed += breaker.reset(gw, index, now_ns)
    return changed


@kernel
def set_mode(gw: Any, owner: int, value: int, now_ns: int) -> None:
    """The operator's mode, degraded mode, or the operator's mode for one strategy.

    NORMAL for a strategy also ends its degradation by repeated execution.
    """
    head = tables.head(gw)[0]
    if owner >= MODE_OWNER_STRATEGY:
        at = owner - MODE_OWNER_STRATEGY
        row = tables.strategies(gw)[at]
        row["mode"] = value
        if value == NORMAL and row["repeated"] != 0:
            row["repeated"] = 0
            scope, cause = KillScope.STRATEGY.value, GuardCause.MANUAL.value
            alerts.write(gw, alerts.REPEATED, scope, at, 0, cause, 0, 0, now_ns)
    elif owner == MODE_OWNER_DEGRADED:
        head["degraded"] = 1 if value != 0 else 0
        scale_limits(gw)
    else:
        head["operator_mode"] = value
    policy.refresh(gw)


@kernel
def scaled(limit: int, factor_e4: int) -> int:
    """A limit under degraded mode; off (negative) stays off."""
    if limit <= 0:
        return limit
    return limit // 10_000 * factor_e4 + limit % 10_000 * factor_e4 // 10_000


@kernel
def scaled_on(limit: int, factor_e4: int) -> int:
    """`scaled` where 0 is off: what is on stays on."""
    return max(1, scaled(limit, factor_e4)) if limit > 0 else limit


@kernel
def scale_limits(gw: Any) -> None:
    """Put the limits of degraded mode, or the plain ones, in force; it never loosens one."""
    config = tables.config(gw)[0]
    on = tables.head(gw)[0]["degraded"] != 0
    factor = config["limit_factor_e4"] if on else 10_000
    for index in range(len(tables.limits(gw))):
        row, base = tables.limits(gw)[index], tables.limits_base(gw)[index]
        row["order_size_max"] = scaled(base["order_size_max"], factor)
        row["long_max"] = scaled(base["long_max"], factor)
        row["short_max"] = scaled(base["short_max"], factor)
        row["notional_max"] = scaled(base["notional_max"], factor)
        row["band_ticks"] = scaled(base["band_ticks"], 5_000 if on else 10_000)
        row["band_bps"] = scaled_on(base["band_bps"], 5_000 if on else 10_000)
    for index in range(len(tables.rates(gw))):
        row = tables.rates(gw)[index]
        row["per_s"] = scaled_on(row["full_per_s"], factor)
        row["per_min"] = scaled_on(row["full_per_min"], factor)
    for index in range(len(tables.strategies(gw))):
        row = tables.strategies(gw)[index]
        row["order_notional_max"] = scaled(row["full_order_notional_max"], factor)


@kernel
def kill(gw: Any, scope: int, index: int, on: int, now_ns: int) -> None:
    """The kill byte, or a latched manual trip of a scope; `on` = 0 is the audited reset.

    A reset clears any trip of that scope, and a global one the latched storm guards too.
    """
    head = tables.head(gw)[0]
    config = tables.config(gw)[0]
    if scope == _BYTE:
        head["kill_byte"] = on
        return
    at = breaker.row_of(config, scope, index)
    if on != 0:
        breaker.trip(gw, at, breaker.MANUAL, index, on, 0, now_ns)
    else:
        breaker.reset(gw, at, now_ns)
        if scope == KillScope.STRATEGY.value:
            calm(gw, index, now_ns)
        elif scope == KillScope.GLOBAL.value:
            for storm_idx in range(len(tables.storms(gw))):
                calm(gw, storm_idx, now_ns)
    policy.refresh(gw)


@kernel
def calm(gw: Any, storm_idx: int, now_ns: int) -> None:
    """Reset one storm guard by an operator's command."""
    row = tables.storms(gw)[storm_idx]
    was = row["state"]
    storm.reset(tables.head(gw)[0], row)
    if was != 0:
        alerts.of_storm(gw, storm_idx, GuardCause.MANUAL.value, 0, 0, now_ns)


@kernel
def reset_daily(gw: Any) -> None:
    """A new day: P&L starts at zero; positions, holds and latches stay."""
    for index in range(len(tables.strategies(gw))):
        row = tables.strategies(gw)[index]
        row["day_base_money"] = row["pnl_money"]
    tables.head(gw)[0]["pnl_money"] = 0
    tables.head(gw)[0]["loss_breached"] = 0


@kernel
def names_scope(config: Row, scope: int, index: int) -> bool:
    """Whether a kill's scope and index are of this gateway."""
    if scope == KillScope.ACCOUNT.value:
        return 0 <= index < config["n_accounts"]
    if scope == KillScope.STRATEGY.value:
        return 0 <= index < config["n_strategies"]
    if scope == KillScope.SYMBOL.value:
        return 0 <= index < config["n_instruments"]
    return scope == KillScope.GLOBAL.value or scope == _BYTE


@kernel
def names_row(config: Row, kind: int, code: int, value: int) -> bool:
    """Whether what a control input is about is there; only such a one may touch the tables."""
    if kind == ControlKind.MODE.value:
        known = code == MODE_OWNER_OPERATOR or code == MODE_OWNER_DEGRADED
        index = code - MODE_OWNER_STRATEGY
        return NORMAL <= value <= HALT and (known or 0 <= index < config["n_strategies"])
    if kind == ControlKind.KILL.value:
        return names_scope(config, code & 15, code >> 4)
    if kind == ControlKind.PROMOTION.value:
        return 0 <= code < config["n_strategies"]
    return True


@kernel
def control(gw: Any, kind: int, code: int, value: int, now_ns: int) -> int:
    """One journaled control input (contract 2.4). Returns: 0, or -1 for one that is not ours.

    START value = hold-off ns, code 1 = recovering; MODE code = owner, value = mode; KILL code =
    scope + 16 x index, value 1/0; LATENCY value = decision latency ns; PROMOTION code = strategy,
    value = weight in ppm, at most 1 000 000; LEASE code = leader 0/1, value = fence; STOP halts,
    and whoever trades cancels what works.
    """
    head = tables.head(gw)[0]
    config = tables.config(gw)[0]
    if not names_row(config, kind, code, value):
        return -1
    if kind == ControlKind.MODE.value:
        set_mode(gw, code, value, now_ns)
    elif kind == ControlKind.KILL.value:
        kill(gw, code & 15, code >> 4, value, now_ns)
    elif kind == ControlKind.START.value:
        head["holdoff_until_ns"] = now_ns + min(value, FAR_NS) if value > 0 else 0
        head["recovering"] = 1 if code != 0 else 0
    elif kind == ControlKind.HOLDOFF_END.value:
        head["holdoff_until_ns"] = 0
    elif kind == ControlKind.RECOVERED.value:
        head["recovering"] = 0
    elif kind == ControlKind.LATENCY.value:
        head["latency_ns"] = value
        row = tables.storms(gw)[config["n_strategies"] + config["n_instruments"]]
        level = storm.level_of(value, config["latency_warm_ns"], config["latency_storm_ns"], -1)
        if storm.evaluate(head, config, row, level, now_ns) != 0:
            at = config["n_strategies"] + config["n_instruments"]
            limit = alerts.threshold(
                row["state"], config["latency_warm_ns"], config["latency_storm_ns"], -1
            )
            alerts.of_storm(gw, at, GuardCause.LATENCY.value, value, limit, now_ns)
    elif kind == ControlKind.PROMOTION.value:
        tables.strategies(gw)[code]["weight_ppm"] = min(max(value, 0), PPM)
    elif kind == ControlKind.LEASE.value:
        head["leader"] = 1 if code != 0 else 0
        head["fence"] = max(head["fence"], value)
    elif kind == ControlKind.RESET_DAILY.value:
        reset_daily(gw)
    elif kind == ControlKind.DISCONNECT.value:
        head["venue_up"] = 0
    elif kind == ControlKind.RECONNECT.value:
        head["venue_up"] = 1
    elif kind == ControlKind.STOP.value:
        head["operator_mode"] = HALT
    # Limits are put in force by `state.apply_limits`; the end of a process or tape is not ours.
    elif kind not in (ControlKind.LIMITS.value, ControlKind.DOWN.value, ControlKind.END.value):
        return -1
    policy.refresh(gw)
    return 0
