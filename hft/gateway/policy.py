"""Step 2: what the gateway's mode lets through, and the proof that an order reduces risk.

The effective mode is the strictest of operator, storm guard and breaker, each with its own owner;
clearing one never clears another. Reads their rows, owns `head["gates"]`.
"""

from typing import Any

from hft.core.codes import IntentType, PolicyMode, Reason, Side, StormGuardState
from hft.core.jit import kernel, seldom
from hft.gateway import tables
from hft.gateway.rows import GuardCause, Row

_CANCEL = IntentType.CANCEL.value
_MANUAL = GuardCause.MANUAL.value


@kernel(inline=True)
def proves(leaf: Row, side: int, qty: int, held_qty: int) -> int:
    """1 when an order of `qty` lots, of which `held_qty` are held already, only shrinks |net|."""
    net = leaf["net_qty"]
    if qty <= 0 or net == 0 or (net > 0) != (side == Side.SELL.value):
        return 0
    room = abs(net) - (leaf["open_sell_qty"] if net > 0 else leaf["open_buy_qty"]) + held_qty
    return 1 if qty <= room else 0


@kernel
def storm_state(gw: Any, request: Row) -> int:
    """The worst storm guard of this intent: its strategy's, its instrument's, the gateway's."""
    config, storms = tables.config(gw)[0], tables.storms(gw)
    n_strategies, n_instruments = config["n_strategies"], config["n_instruments"]
    state = storms[request["strategy_idx"]]["state"]
    state = max(state, storms[n_strategies + request["instrument_idx"]]["state"])
    return max(state, storms[n_strategies + n_instruments]["state"])


@kernel
def storm_mode(state: int, config: Row) -> int:
    if state >= StormGuardState.HALT.value:
        return PolicyMode.HALT.value
    if state == StormGuardState.STORM.value and config["degrade_on_storm"] != 0:
        return PolicyMode.DEGRADE.value
    return PolicyMode.NORMAL.value


@kernel
def breaker_cause(gw: Any, request: Row) -> int:
    """0, or the gravest cause (manual above all) of a tripped breaker whose scope covers this."""
    config, breakers = tables.config(gw)[0], tables.breakers(gw)
    accounts, strategies = config["n_accounts"], config["n_strategies"]
    rows = (
        0,
        1 + request["account_idx"],
        1 + accounts + request["strategy_idx"],
        1 + accounts + strategies + request["instrument_idx"],
    )
    cause = 0
    for row in rows:
        if breakers[row]["tripped"] != 0:
            cause = max(cause, breakers[row]["cause"])
    return cause


@kernel
def degraded(head: Row, strategy: Row) -> bool:
    """A non-critical strategy while the gateway is in degraded mode."""
    return head["degraded"] != 0 and strategy["critical"] == 0


@kernel
def asked_mode(gw: Any, strategy: Row, request: Row) -> int:
    """The stricter of what the operator and the storm guards ask for this intent."""
    storm = storm_mode(storm_state(gw, request), tables.config(gw)[0])
    return max(max(tables.head(gw)[0]["operator_mode"], strategy["mode"]), storm)


@kernel
def mode(gw: Any, strategy: Row, request: Row) -> int:
    """The effective policy mode for this intent."""
    head = tables.head(gw)[0]
    effective = asked_mode(gw, strategy, request)
    if strategy["repeated"] != 0 or degraded(head, strategy):
        effective = max(effective, PolicyMode.DEGRADE.value)
    if head["trips"] > 0 and breaker_cause(gw, request) != 0:
        effective = PolicyMode.HALT.value
    return effective


@kernel
def refuses(code: int, gw: Any, strategy: Row, request: Row, now_ns: int) -> bool:
    """Whether one rule of this step, named by its reason, refuses."""
    head, config = tables.head(gw)[0], tables.config(gw)[0]
    if code == Reason.POLICY_HALT.value:
        return asked_mode(gw, strategy, request) >= PolicyMode.HALT.value
    if code == Reason.REPEATED_EXECUTION.value:
        return strategy["repeated"] != 0
    if code == Reason.POLICY_DEGRADE.value:
        asked = asked_mode(gw, strategy, request)
        return asked == PolicyMode.DEGRADE.value or degraded(head, strategy)
    if code == Reason.STARTUP_HOLDOFF.value:
        return now_ns < head["holdoff_until_ns"]
    if code == Reason.BREAKER_TRIPPED.value:
        cause = breaker_cause(gw, request)
        return cause != 0 and cause != _MANUAL
    if code == Reason.KILL_SWITCH.value:
        return breaker_cause(gw, request) == _MANUAL
    if code == Reason.RECONCILING.value:
        return head["recovering"] != 0
    if code == Reason.ALPHA_NOT_LIVE.value:
        return config["require_promotion"] != 0 and (
            strategy["bound"] != 0 and strategy["weight_ppm"] <= 0
        )
    return False


CODES = (
    Reason.POLICY_HALT.value,
    Reason.REPEATED_EXECUTION.value,
    Reason.POLICY_DEGRADE.value,
    Reason.STARTUP_HOLDOFF.value,
    Reason.BREAKER_TRIPPED.value,
    Reason.KILL_SWITCH.value,
    Reason.RECONCILING.value,
    Reason.ALPHA_NOT_LIVE.value,
)


@kernel
def restricted(gw: Any, strategy: Row, request: Row, now_ns: int) -> int:
    """The reasons of this step in the order of their numbers; repeated execution before DEGRADE."""
    seldom()
    if tables.head(gw)[0]["gates"] < 0:
        refresh(gw)
    if request["kind"] == _CANCEL or request["proven"] != 0 or request["lowers"] != 0:
        return Reason.OK.value
    for code in CODES:
        if refuses(code, gw, strategy, request, now_ns):
            return code
    return Reason.OK.value


@kernel(inline=True)
def gate(gw: Any, head: Row, strategy: Row, request: Row, now_ns: int) -> int:
    """Let everything through while no input restricts anything; else ask rule by rule.

    What was not counted yet (a new state, other limits) restricts until it is.
    """
    if head["gates"] == 0 and now_ns >= head["holdoff_until_ns"]:
        return Reason.OK.value
    return restricted(gw, strategy, request, now_ns)


@kernel
def refresh(gw: Any) -> None:
    """Count the restrictive inputs anew, after any of them changed."""
    seldom()
    head, config, strategies = tables.head(gw)[0], tables.config(gw)[0], tables.strategies(gw)
    gates = head["storms"] + head["trips"] + head["recovering"] + head["degraded"]
    if head["operator_mode"] != PolicyMode.NORMAL.value:
        gates += 1
    for index in range(len(strategies)):
        row = strategies[index]
        if row["mode"] != PolicyMode.NORMAL.value or row["repeated"] != 0:
            gates += 1
        if config["require_promotion"] != 0 and row["bound"] != 0 and row["weight_ppm"] <= 0:
            gates += 1
    head["gates"] = gates
