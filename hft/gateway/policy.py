"""Step 2: what the gateway's mode lets through, and the proof that an order reduces risk.

The effective mode is the strictest of operator, storm guard and breaker, each with its own owner;
clearing one never clears another. Reads their rows, owns `head["gates"]`.
"""

import numpy as np

from hft.core.codes import IntentType, PolicyMode, Reason, Side, StormGuardState
from hft.core.jit import kernel
from hft.gateway.rows import BreakerCause

_CANCEL = IntentType.CANCEL.value
_MANUAL = BreakerCause.MANUAL.value


@kernel
def proves(leaf: np.ndarray, side: int, qty: int, held_qty: int) -> int:
    """1 when an order of `qty` lots, of which `held_qty` are held already, only shrinks |net|."""
    net = leaf["net_qty"]
    if qty <= 0 or net == 0 or (net > 0) != (side == Side.SELL.value):
        return 0
    room = abs(net) - (leaf["open_sell_qty"] if net > 0 else leaf["open_buy_qty"]) + held_qty
    return 1 if qty <= room else 0


@kernel
def storm_state(storms: np.ndarray, config: np.ndarray, request: np.ndarray) -> int:
    """The worst storm guard that concerns this intent: its strategy's, instrument's, the gateway's."""
    n_strategies, n_instruments = config["n_strategies"], config["n_instruments"]
    state = storms[request["strategy_idx"]]["state"]
    state = max(state, storms[n_strategies + request["instrument_idx"]]["state"])
    return max(state, storms[n_strategies + n_instruments]["state"])


@kernel
def storm_mode(state: int, config: np.ndarray) -> int:
    if state >= StormGuardState.HALT.value:
        return PolicyMode.HALT.value
    if state == StormGuardState.STORM.value and config["degrade_on_storm"] != 0:
        return PolicyMode.DEGRADE.value
    return PolicyMode.NORMAL.value


@kernel
def breaker_cause(breakers: np.ndarray, config: np.ndarray, request: np.ndarray) -> int:
    """0, or the gravest cause (manual above all) of a tripped breaker whose scope covers this."""
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
def degraded(head: np.ndarray, strategy: np.ndarray) -> bool:
    """A non-critical strategy while the gateway is in degraded mode."""
    return head["degraded"] != 0 and strategy["critical"] == 0


@kernel
def mode(
    head: np.ndarray,
    config: np.ndarray,
    strategy: np.ndarray,
    storms: np.ndarray,
    breakers: np.ndarray,
    request: np.ndarray,
) -> int:
    """The effective policy mode for this intent."""
    effective = max(head["operator_mode"], strategy["mode"])
    effective = max(effective, storm_mode(storm_state(storms, config, request), config))
    if strategy["repeated"] != 0 or degraded(head, strategy):
        effective = max(effective, PolicyMode.DEGRADE.value)
    if head["trips"] > 0 and breaker_cause(breakers, config, request) != 0:
        effective = PolicyMode.HALT.value
    return effective


@kernel
def refuses(
    code: int,
    head: np.ndarray,
    config: np.ndarray,
    strategy: np.ndarray,
    storms: np.ndarray,
    breakers: np.ndarray,
    request: np.ndarray,
    now_ns: int,
) -> bool:
    """Whether one rule of this step, named by its reason, refuses."""
    if code == Reason.POLICY_HALT.value:
        halt = PolicyMode.HALT.value
        storm = storm_mode(storm_state(storms, config, request), config)
        return max(max(head["operator_mode"], strategy["mode"]), storm) >= halt
    if code == Reason.REPEATED_EXECUTION.value:
        return strategy["repeated"] != 0
    if code == Reason.POLICY_DEGRADE.value:
        storm = storm_mode(storm_state(storms, config, request), config)
        asked = max(max(head["operator_mode"], strategy["mode"]), storm)
        return asked == PolicyMode.DEGRADE.value or degraded(head, strategy)
    if code == Reason.STARTUP_HOLDOFF.value:
        return now_ns < head["holdoff_until_ns"]
    if code == Reason.BREAKER_TRIPPED.value:
        cause = breaker_cause(breakers, config, request)
        return cause != 0 and cause != _MANUAL
    if code == Reason.KILL_SWITCH.value:
        return breaker_cause(breakers, config, request) == _MANUAL
    if code == Reason.RECONCILING.value:
        return head["recovering"] != 0
    if code == Reason.ALPHA_NOT_LIVE.value:
        return config["require_promotion"] != 0 and (
            strategy["bound"] != 0 and strategy["weight_ppm"] <= 0
        )
    return False


@kernel
def gate(
    head: np.ndarray,
    config: np.ndarray,
    strategy: np.ndarray,
    storms: np.ndarray,
    breakers: np.ndarray,
    request: np.ndarray,
    now_ns: int,
) -> int:
    """The reasons of this step in the order of their numbers; repeated execution before DEGRADE."""
    if head["gates"] == 0 and now_ns >= head["holdoff_until_ns"]:
        return Reason.OK.value
    if request["kind"] == _CANCEL or request["proven"] != 0 or request["lowers"] != 0:
        return Reason.OK.value
    codes = (
        Reason.POLICY_HALT.value,
        Reason.REPEATED_EXECUTION.value,
        Reason.POLICY_DEGRADE.value,
        Reason.STARTUP_HOLDOFF.value,
        Reason.BREAKER_TRIPPED.value,
        Reason.KILL_SWITCH.value,
        Reason.RECONCILING.value,
        Reason.ALPHA_NOT_LIVE.value,
    )
    for code in codes:
        if refuses(code, head, config, strategy, storms, breakers, request, now_ns):
            return code
    return Reason.OK.value


@kernel
def refresh(head: np.ndarray, config: np.ndarray, strategies: np.ndarray) -> None:
    """Count the restrictive inputs anew, after any of them changed."""
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
