"""Report mode: every check an intent would fail, with what was measured, its limit and the margin.

Asks the same leaves as `pipeline`, on scratch rows, and changes nothing: a dry run for "would this
pass, and what is my headroom".
"""

from typing import Any, NamedTuple

import numpy as np

from hft.core.codes import DedupState, IntentType, OrderStatus, Reason, SelfTradeMode
from hft.core.dtypes import DECISION
from hft.core.jit import kernel
from hft.gateway import dedup, exposure, framing, pipeline, policy, risk, rows, selftrade, tables
from hft.gateway.rows import Row, because
from hft.gateway.state import GatewayState

OK = Reason.OK.value
REPORT_MAX = 64


class Check(NamedTuple):
    """One failing check; `margin` is below zero by how far it is past the limit."""

    reason: Reason
    measured: int
    limit: int

    @property
    def margin(self) -> int:
        return min(self.limit - self.measured, self.measured - self.limit)


def explain(state: GatewayState, intent: Any, touch: Any, now_ns: int) -> list[Check]:
    """Every check that would refuse this intent now, in the order of the pipeline."""
    out = np.zeros((REPORT_MAX, 3), np.int64)
    scratch = np.zeros(1, rows.REQUEST), np.zeros(1, DECISION)
    count = report(tables.handle(state), intent, touch, now_ns, scratch[0][0], scratch[1][0], out)
    return [Check(Reason(int(a)), int(b), int(c)) for a, b, c in out[:count]]


@kernel
def add(out: Row, count: int, reason: int, d: Row) -> int:
    """Append one failure, unless it is none."""
    if reason == OK or count >= len(out):
        return count
    out[count, 0] = reason
    out[count, 1] = d["measured"]
    out[count, 2] = d["limit"]
    because(d, 0, 0)
    return count + 1


@kernel
def report_key(gw: Any, intent: Row) -> int:
    """What dedup would answer, without reserving; a decided key is no failure."""
    index = dedup.find(gw, intent["key_hi"], intent["key_lo"])
    if index < 0 or (intent["key_hi"] == 0 and intent["key_lo"] == 0):
        return OK
    row = tables.dedup(gw)[index]
    if row["payload"] != dedup.payload_hash(intent):
        return Reason.DEDUP_KEY_REUSED.value
    state = dedup.state_of(row["outcome"])
    if state == DedupState.RESERVED.value:
        return Reason.DEDUP_IN_FLIGHT.value
    if state == DedupState.UNKNOWN.value:
        return Reason.DEDUP_OUTCOME_UNKNOWN.value
    return OK


@kernel
def report_exposure(
    gw: Any,
    q: Row,
    strategy: Row,
    leaf: Row,
    d: Row,
    out: Row,
    n: int,
) -> int:
    """Step 3, check by check."""
    head, config = tables.head(gw)[0], tables.config(gw)[0]
    limited = q["proven"] == 0 and q["lowers"] == 0
    if limited and q["add_money"] > 0:
        if exposure.exceeds_total(head, config, q, d):
            n = add(out, n, Reason.GLOBAL_EXPOSURE_LIMIT.value, d)
        if exposure.exceeds_strategy(strategy, q, d):
            n = add(out, n, Reason.STRATEGY_EXPOSURE_LIMIT.value, d)
        if exposure.exceeds_leaf(strategy, leaf, q, d):
            n = add(out, n, Reason.LEAF_NOTIONAL_LIMIT.value, d)
    if limited and q["add_qty"] > 0 and exposure.exceeds_net_qty(strategy, leaf, q, d):
        n = add(out, n, Reason.NET_QTY_LIMIT.value, d)
    if exposure.overflows(head, config, q, d):
        n = add(out, n, Reason.EXPOSURE_OVERFLOW.value, d)
    return n


@kernel
def report_size(
    gw: Any,
    q: Row,
    strategy: Row,
    leaf: Row,
    d: Row,
    out: Row,
    n: int,
) -> int:
    """The last part of step 4, check by check."""
    head, config = tables.head(gw)[0], tables.config(gw)[0]
    limit = tables.limits(gw)[q["instrument_idx"]]
    if risk.over_position(limit, strategy, leaf, q, d):
        n = add(out, n, Reason.POSITION_LIMIT.value, d)
    if risk.over_symbol_notional(limit, tables.symbols(gw)[q["instrument_idx"]], q, d):
        n = add(out, n, Reason.NOTIONAL_LIMIT.value, d)
    if risk.over_order_notional(strategy, q, d):
        n = add(out, n, Reason.MAX_NOTIONAL_EXCEEDED.value, d)
    if risk.lost(head, config, d):
        n = add(out, n, Reason.DAILY_LOSS.value, d)
    if limit["restricted"] != 0:
        because(d, 1, 0)
        n = add(out, n, Reason.SYMBOL_RESTRICTED.value, d)
    return n


@kernel
def report_price(gw: Any, q: Row, touch: Row, now_ns: int, d: Row, out: Row, n: int) -> int:
    """The price checks, each on its own."""
    config = tables.config(gw)[0]
    limit = tables.limits(gw)[q["instrument_idx"]]
    n = add(out, n, risk.price_value(limit, q, d), d)
    band_on = risk.has_band(limit)
    reason = risk.reference(limit, touch, now_ns, band_on, d)
    if config["cap_only"] == 0 and (q["proven"] == 0 or q["market"] != 0):
        n = add(out, n, reason, d)
    if reason == OK and band_on and q["price"] > 0 and risk.band(limit, touch, q, d):
        n = add(out, n, Reason.PRICE_OUTSIDE_BAND.value, d)
    return n


@kernel
def report_risk(
    gw: Any,
    q: Row,
    touch: Row,
    strategy: Row,
    leaf: Row,
    now_ns: int,
    d: Row,
    out: Row,
    n: int,
) -> int:
    """Step 4, check by check."""
    head, config = tables.head(gw)[0], tables.config(gw)[0]
    limit = tables.limits(gw)[q["instrument_idx"]]
    exempt = q["proven"] != 0 or q["lowers"] != 0
    if head["kill_byte"] != 0 and not exempt:
        because(d, head["kill_byte"], 0)
        n = add(out, n, Reason.FASTGATE_KILL_SWITCH.value, d)
    if config["fast_gate"] != 0:
        n = add(out, n, risk.fast_gate_price(limit, q, d), d)
        n = add(out, n, risk.fast_gate_qty(limit, q, d), d)
    if head["storms"] > 0 and not exempt:
        n = add(out, n, risk.storm(policy.storm_state(gw, q), q["kind"], d), d)
    used_up = risk.rate(gw, q, now_ns)
    if used_up > 0 and not exempt:
        because(d, used_up + 1, used_up)
        n = add(out, n, Reason.RATE_LIMIT.value, d)
    if q["lowers"] != 0:
        return n
    if not exempt and risk.oversize(limit, strategy, q, d):
        n = add(out, n, Reason.ORDER_SIZE.value, d)
    n = report_price(gw, q, touch, now_ns, d, out, n)
    crossing = pipeline.crossing_slot(gw, q)
    mode = selftrade.mode_of(config, q)
    both = mode == SelfTradeMode.CANCEL_BOTH.value
    if crossing >= 0 and (both or selftrade.refuses_at_once(mode, q)):
        because(d, tables.orders(gw)[crossing]["price"], q["price"])
        n = add(out, n, Reason.SELF_TRADE.value, d)
    return n if exempt else report_size(gw, q, strategy, leaf, d, out, n)


@kernel
def report_sending(gw: Any, d: Row, out: Row, n: int) -> int:
    """Step 5: whether a command could leave at all."""
    if tables.head(gw)[0]["leader"] == 0:
        n = add(out, n, Reason.NOT_LEADER.value, d)
    if tables.head(gw)[0]["venue_up"] == 0:
        n = add(out, n, Reason.VENUE_DOWN.value, d)
    return n


@kernel
def report(
    gw: Any,
    intent: Row,
    touch: Row,
    now_ns: int,
    q: Row,
    d: Row,
    out: Row,
) -> int:
    """Fill `out` with (reason, measured, limit) of each failing check. Returns: how many."""
    config = tables.config(gw)[0]
    n = add(out, 0, framing.malformed(config, intent), d)
    if n > 0:
        return n
    n = add(out, n, report_key(gw, intent), d)
    framing.frame(gw, config, intent, touch, q)
    if q["kind"] == IntentType.CANCEL.value:
        if q["slot"] < 0:
            n = add(out, n, Reason.NOT_FOUND.value, d)
        return report_sending(gw, d, out, n)
    strategy = tables.strategies(gw)[q["strategy_idx"]]
    leaf = exposure.leaf_at(gw, q["leaf_idx"])
    if pipeline.expired(intent, now_ns, d):
        n = add(out, n, Reason.TTL_EXPIRED.value, d)
    if q["kind"] == IntentType.FORCE_FLAT.value and q["qty"] == 0:
        return add(out, n, Reason.NOT_FOUND.value, d)
    if q["proven"] == 0 and q["lowers"] == 0:
        for code in policy.CODES:
            if policy.refuses(code, gw, strategy, q, now_ns):
                because(d, 1, 0)
                n = add(out, n, code, d)
    if q["kind"] == IntentType.AMEND.value:
        if q["slot"] < 0:
            return add(out, n, Reason.EXPOSURE_ORDER_UNKNOWN.value, d)
        if tables.orders(gw)[q["slot"]]["status"] == OrderStatus.UNKNOWN.value:
            n = add(out, n, Reason.OUTCOME_UNKNOWN.value, d)
    n = report_exposure(gw, q, strategy, leaf, d, out, n)
    n = report_risk(gw, q, touch, strategy, leaf, now_ns, d, out, n)
    return report_sending(gw, d, out, n)
