"""The rules of the plain-Python gateway as the rows of the real one."""

from typing import Any

import numpy as np

from hft.gateway import rows
from hft.gateway.resolve import ResolvedLimits
from tests.naive.gateway_state import Rules


def off(value: Any, none: int = -1) -> int:
    return none if value is None else int(value)


def resolved(rules: Rules) -> ResolvedLimits:
    """The kernel's rows for these rules."""
    config = np.zeros(1, rows.CONFIG)
    row = config[0]
    row["dedup_ttl_ns"] = rules.dedup_ttl_ns
    row["global_notional_max"] = off(rules.global_max, 0)
    row["fast_gate"] = rules.fast_gate
    row["cap_only"] = rules.cap_only
    row["self_trade_mode"] = rules.self_trade
    row["degrade_on_storm"] = rules.degrade_on_storm
    row["require_promotion"] = rules.require_promotion
    row["daily_loss_max"] = off(rules.daily_loss)
    row["capital_money"] = rules.capital
    row["repeated_count"] = off(rules.repeated, 0)
    row["repeated_window_ns"] = rules.repeated_ns
    for level, loss, drawn in zip(
        ("warm", "storm", "halt"), rules.storm_losses, rules.drawdowns_pct, strict=True
    ):
        row[f"storm_{level}_money"] = off(loss)
        row[f"drawdown_{level}_ppm"] = -1 if drawn is None else int(drawn * 10_000)
    row["latency_warm_ns"], row["latency_storm_ns"] = (off(ns) for ns in rules.latencies)
    row["storm_cooldown_ns"] = rules.cooldown_ns
    row["storm_clear_count"] = rules.clears
    row["breaker_move_bps"] = 0 if rules.move is None else int(rules.move * 10_000)
    row["breaker_window_ns"] = rules.move_window_ns
    row["breaker_reset_ns"] = rules.reset_ns
    row["limit_factor_e4"] = 5_000
    row["close_on_trip"] = 1
    row["command_deadline_ns"] = 500_000_000
    limits = np.zeros(rules.instruments, rows.INSTRUMENT_LIMIT)
    for index, limit in enumerate(limits):
        limit["price_bound"], limit["qty_bound"] = rules.price_bound, rules.qty_bound
        limit["fast_price_max"], limit["fast_qty_max"] = rules.price_max, rules.qty_max
        limit["price_cap"] = off(rules.cap)
        limit["band_ticks"], limit["band_bps"] = off(rules.band_ticks), off(rules.band_bps, 0)
        limit["reference_age_ns"] = off(rules.age_ns)
        limit["order_size_max"] = off(rules.order_size)
        limit["long_max"], limit["short_max"] = off(rules.long_max), off(rules.short_max)
        limit["notional_max"] = off(rules.notional_max)
        limit["restricted"] = index in rules.restricted
        limit["feed_gap_ns"] = off(rules.feed_gap_ns)
    strategy = np.zeros(1, rows.STRATEGY)[0]
    strategy["notional_max"] = off(rules.strategy_max, 0)
    strategy["leaf_notional_max"] = off(rules.leaf_max, 0)
    strategy["net_qty_max"] = off(rules.net_qty_max, 0)
    strategy["order_notional_max"] = off(rules.order_notional_max)
    strategy["weight_ppm"], strategy["critical"] = 1_000_000, 1
    strategy["rate_per_s"], strategy["rate_per_min"] = off(rules.per_s, 0), off(rules.per_min, 0)
    rates = off(rules.per_s, 0), off(rules.per_min, 0)
    return ResolvedLimits(
        config, limits, strategy, (), rules.leaves, *rates, (rules.price_max,), "0", ()
    )
