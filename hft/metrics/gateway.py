"""The gateway's tables as figures: of a live service, of a session on paper, of a run's end.

They are those of a scoreboard, or the arrays themselves.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from hft.core.codes import DedupState, PolicyMode, Reason, StormGuardState
from hft.gateway.rows import GuardCause
from hft.metrics.readings import Readings

Tables = Mapping[str, np.ndarray]
SCALE = 10_000  # of notional in messages and metrics (contract 1.1)
BREAKERS = [one for one in GuardCause if 0 < one <= GuardCause.MANUAL]
CHANNEL = {Reason.CHANNEL_FULL: "channel_refused", Reason.CHANNEL_EXPIRED: "channel_expired"}
HISTOGRAMS = {
    "dispatch_latency": "gateway_dispatch_latency_ns",
    "risk_check_latency": "gateway_risk_check_latency_ns",
    "orderbook_latency": "gateway_orderbook_latency_us",
    "order_fill_latency": "gateway_order_fill_latency_us",
}


def gateway_tables(trading: Any) -> dict[str, np.ndarray]:
    """The tables of a `TradingState` that pages and metrics are made of."""
    gw = trading.gw
    return {
        "gateway": gw.head,
        "config": gw.config,
        "reasons": gw.counts,
        "strategies": gw.strategies,
        "breakers": gw.breakers,
        "storms": gw.storms,
        "symbols": gw.symbols,
        "limits": gw.limits,
        "leaves": gw.leaves,
        "touch": trading.touch,
        "trading": trading.head,
        "positions": trading.positions,
    }


def unknown_keys(gw: Any) -> int:
    """How many keys have an outcome that nobody knows."""
    outcomes = gw.dedup["outcome"][: int(gw.head[0]["dedup_count"])]
    return int(np.count_nonzero((outcomes & 3) == DedupState.UNKNOWN.value))


def mode(tables: Tables) -> PolicyMode:
    """The strictest of operator, storm guard, breakers of all, and kill byte."""
    head, config = tables["gateway"][0], tables["config"][0]
    worst = int(tables["storms"]["state"].max(initial=0))
    if worst >= StormGuardState.HALT:
        storm = PolicyMode.HALT
    elif worst >= StormGuardState.STORM and config["degrade_on_storm"]:
        storm = PolicyMode.DEGRADE
    else:
        storm = PolicyMode.NORMAL
    of_all = tables["breakers"]["tripped"][: 1 + int(config["n_accounts"])].any()
    stopped = PolicyMode.HALT if of_all or head["kill_byte"] else PolicyMode.NORMAL
    return max(PolicyMode(int(head["operator_mode"])), storm, stopped)


def read_gateway(tables: Tables, facts: Mapping[str, Any], into: Readings) -> None:
    """What the gateway's own tables say. Mutates: `into`."""
    head, counts = tables["gateway"][0], tables["reasons"]
    for reason in Reason:
        if reason is not Reason.OK:
            into.put("gateway_reject_total", int(counts[reason.value]), reason.name)
    into.put("gateway_dedup_hits_total", int(head["dedup_hits"]))
    into.put("gateway_policy_mode", mode(tables).value)
    into.put("gateway_leader", int(head["leader"]))
    into.put("gateway_fence", int(head["fence"]))
    into.put("stormguard_state", int(tables["storms"]["state"].max(initial=0)))
    into.put("gateway_orders_submitted_total", int(tables["trading"][0]["orders"]))
    into.put("gateway_risk_checks_total", int(head["orders_checked"]))
    into.put("gateway_signals_generated_total", int(tables["trading"][0]["decisions"]))
    into.put("gateway_orderbook_updates_total", int(tables["touch"]["rows"].sum()))
    tripped = tables["breakers"]
    for cause in BREAKERS:
        found = (tripped["tripped"] != 0) & (tripped["cause"] == cause.value)
        into.put("gateway_breaker_tripped", int(np.count_nonzero(found)), cause.name)
    _exposure(tables, facts, into)
    _profit(tables["positions"], facts, into)


def read_measures(tables: Tables, facts: Mapping[str, Any], into: Readings) -> None:
    """The columns that somebody measured, where they are there. Mutates: `into`."""
    for table, name in HISTOGRAMS.items():
        if table in tables:
            into.put_histogram(name, tables[table].tolist())
    if "resets" in tables:
        into.put("gateway_latch_resets_total", int(tables["resets"][0]))
    if "orders_filled" in tables:
        filled, sent = tables["orders_filled"], tables["orders_submitted"]
        into.put("gateway_orders_filled_total", int(filled.sum()))
        for k, name in enumerate(facts["strategies"]):
            if sent[k]:
                into.put("gateway_fill_ratio", float(filled[k] / sent[k]), name)


def read_service(row: Any, into: Readings) -> None:
    """What a live service says of itself: a row of `services.health.SERVICE`. Mutates: `into`."""
    into.put("gateway_intent_channel_depth", int(row["channel_depth"]))
    for reason, field in CHANNEL.items():  # they never came to the gateway's own counts
        into.put("gateway_reject_total", int(row[field]), reason.name)
    into.put("gateway_leader", int(row["leader"]))
    into.put("gateway_dedup_unknown", int(row["unknown_keys"]))
    into.put("gateway_latch_resets_total", int(row["resets"]))
    into.put("gateway_orderbook_updates_total", int(row["touches"]))
    into.put("gateway_component_up", int(not row["journal_failed"]), "journal")
    into.put("feed_callback_dropped_total", int(row["callbacks_dropped"]))


def _exposure(tables: Tables, facts: Mapping[str, Any], into: Readings) -> None:
    """By strategy and symbol, over all accounts."""
    config, leaves = tables["config"][0], tables["leaves"]
    held = leaves[leaves["key"] > 0]
    strategy, symbol = np.divmod(held["key"] - 1, int(config["n_instruments"]))
    strategy %= int(config["n_strategies"])
    money: dict[tuple[str, str], int] = {}
    net: dict[tuple[str, str], int] = {}
    for s, i, leaf in zip(strategy.tolist(), symbol.tolist(), held, strict=True):
        at = (_name(facts["strategies"], s), _name(facts["symbols"], i))
        notional = int(leaf["reserved_money"] + leaf["settled_money"])
        money[at] = money.get(at, 0) + notional
        net[at] = net.get(at, 0) + int(leaf["net_qty"])
    unit = 10 ** int(facts["digits"])
    for at, amount in money.items():
        into.put("gateway_exposure_notional_scaled", amount * SCALE / unit, *at)
        into.put("gateway_exposure_net_qty", net[at], *at)


def _profit(positions: np.ndarray, facts: Mapping[str, Any], into: Readings) -> None:
    unit = 10 ** int(facts["digits"])
    money = positions["realized_money"] + positions["marked_money"] - positions["fees_money"]
    into.put("gateway_active_positions", int(np.count_nonzero(positions["qty"])))
    into.put("gateway_total_pnl", int(money.sum()) / unit)
    each = money.reshape(-1, len(facts["symbols"])).sum(axis=1)
    for name, amount in zip(facts["strategies"], each.tolist(), strict=False):
        into.put("gateway_strategy_pnl", amount / unit, name)


def _name(names: list[str], index: int) -> str:
    return names[index] if index < len(names) else str(index)
