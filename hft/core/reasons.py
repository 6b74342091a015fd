"""What each `Reason` means to a person, and which setting to look at.

Cards, reports, `explain` and the docs read this one table; the kernel knows only the numbers. A
test holds that no reason is missing.
"""

from typing import NamedTuple

from hft.core.codes import Reason


class Meaning(NamedTuple):
    """One sentence, and the configuration key that moves it ("" where none does)."""

    text: str
    key: str = ""


STAGES = {
    0: "approved",
    1: "duplicate keys",
    2: "policy",
    3: "exposure",
    4: "risk",
    5: "dispatch",
    6: "ingress",
}

MEANINGS: dict[Reason, Meaning] = {
    Reason.OK: Meaning("Every check passed and the command is queued for the venue."),
    Reason.DEDUP_IN_FLIGHT: Meaning("The same key is being decided right now."),
    Reason.DEDUP_OUTCOME_UNKNOWN: Meaning(
        "An earlier order of this key may be live; retry is blocked until it is reconciled."
    ),
    Reason.DEDUP_KEY_REUSED: Meaning("The key was used before for another order."),
    Reason.DEDUP_WINDOW_FULL: Meaning(
        "Every remembered key is still undecided, so none may be forgotten.",
        "HFT_DEDUP_WINDOW_SIZE",
    ),
    Reason.DEDUP_JOURNAL_FAILED: Meaning("The key could not be written before the order is sent."),
    Reason.TTL_EXPIRED: Meaning("The intent is older than its time to live."),
    Reason.POLICY_HALT: Meaning("Policy is HALT: only cancels and proven reductions pass."),
    Reason.POLICY_DEGRADE: Meaning("Policy is DEGRADE: no new risk; reductions pass."),
    Reason.STARTUP_HOLDOFF: Meaning(
        "Too soon after the start for new risk.", "HFT_GATEWAY_STARTUP_HOLDOFF_S"
    ),
    Reason.BREAKER_TRIPPED: Meaning(
        "The circuit breaker has tripped and is not reset.", "circuit_breaker_threshold"
    ),
    Reason.KILL_SWITCH: Meaning("A kill is latched; an authorised reset lifts it."),
    Reason.RECONCILING: Meaning("Recovery has not finished; positions are not yet certain."),
    Reason.ALPHA_NOT_LIVE: Meaning("The strategy's alpha has no valid promotion."),
    Reason.GLOBAL_EXPOSURE_LIMIT: Meaning(
        "Notional of all strategies together would pass its limit.",
        "HFT_EXPOSURE_GLOBAL_MAX_NOTIONAL",
    ),
    Reason.STRATEGY_EXPOSURE_LIMIT: Meaning(
        "Notional of the strategy over its symbols would pass its limit.",
        "strategies.<id>.max_notional",
    ),
    Reason.EXPOSURE_SYMBOL_LIMIT: Meaning(
        "No room for another strategy and symbol.", "HFT_EXPOSURE_MAX_SYMBOLS"
    ),
    Reason.NET_QTY_LIMIT: Meaning(
        "The worst case of position and open orders on this side would pass its limit.",
        "strategies.<id>.max_net_qty",
    ),
    Reason.LEAF_NOTIONAL_LIMIT: Meaning(
        "Notional of the strategy in this symbol would pass its limit.",
        "strategies.<id>.max_leaf_notional",
    ),
    Reason.EXPOSURE_ORDER_UNKNOWN: Meaning("The order to amend holds no reservation."),
    Reason.EXPOSURE_OVERFLOW: Meaning("The product of price and quantity is out of range."),
    Reason.FASTGATE_KILL_SWITCH: Meaning("The kill byte is set."),
    Reason.FASTGATE_BAD_PRICE_NEG: Meaning("The price is negative."),
    Reason.FASTGATE_BAD_PRICE_MAX: Meaning(
        "The price is beyond what arithmetic is proven for.", "risk.fast_gate.max_price"
    ),
    Reason.FASTGATE_BAD_QTY_NEG: Meaning("The quantity is not positive."),
    Reason.FASTGATE_BAD_QTY_MAX: Meaning(
        "The quantity is beyond what arithmetic is proven for.", "risk.fast_gate.max_qty"
    ),
    Reason.STORMGUARD_HALT: Meaning(
        "The storm guard halted trading after a loss; it latches.", "storm_guard.halt_threshold"
    ),
    Reason.STORMGUARD_STORM_NEW_BLOCKED: Meaning(
        "The storm guard blocks new orders.", "storm_guard.storm_threshold"
    ),
    Reason.RATE_LIMIT: Meaning(
        "Too many orders within a second or a minute.", "risk_limits.orders_per_second"
    ),
    Reason.ORDER_SIZE: Meaning("The order is larger than allowed.", "symbols.<s>.max_order_size"),
    Reason.PRICE_ZERO_OR_NEG: Meaning("The price is zero or negative."),
    Reason.PRICE_EXCEEDS_CAP: Meaning("The price is above the cap.", "risk.max_price_cap"),
    Reason.PRICE_OUTSIDE_BAND: Meaning(
        "The price is too far from the reference.", "risk.price_band_ticks"
    ),
    Reason.REFERENCE_STALE: Meaning(
        "The reference price is older than its age limit.", "risk.reference_max_age_ms"
    ),
    Reason.MARKET_NO_TOUCH: Meaning("A market order finds no valid price on the other side."),
    Reason.BOOK_INVALID: Meaning("The book is not known to be whole."),
    Reason.POSITION_LIMIT: Meaning(
        "The worst case of position and open orders would pass the position limit.",
        "max_position_size",
    ),
    Reason.NOTIONAL_LIMIT: Meaning(
        "Notional in this symbol would pass its limit.", "symbols.<s>.max_notional"
    ),
    Reason.MAX_NOTIONAL_EXCEEDED: Meaning(
        "Notional of this one order is too large.", "risk.max_order_notional"
    ),
    Reason.DAILY_LOSS: Meaning("Today's loss has reached its limit.", "max_daily_loss"),
    Reason.SELF_TRADE: Meaning(
        "The order could trade with an own order of the account.", "risk.self_trade_mode"
    ),
    Reason.SYMBOL_RESTRICTED: Meaning("Trading this symbol is off.", "symbols.<s>.restricted"),
    Reason.REPEATED_EXECUTION: Meaning(
        "Too many fills of one strategy in a short time.", "risk.repeated_execution_count"
    ),
    Reason.NOT_LEADER: Meaning("Another process holds the lease."),
    Reason.ORDER_QUEUE_FULL: Meaning(
        "Too many orders are working, or commands on their way to the venue.",
        "HFT_ORDER_QUEUE_SIZE",
    ),
    Reason.STALE_FENCE: Meaning("The command carries the number of an older lease."),
    Reason.COMMAND_DEADLINE: Meaning(
        "The command waited longer than its deadline.", "HFT_COMMAND_DEADLINE_MS"
    ),
    Reason.VENUE_DOWN: Meaning("The connection to the venue is down."),
    Reason.VENUE_REJECT: Meaning("The venue refused the order."),
    Reason.OUTCOME_UNKNOWN: Meaning("The venue's answer is missing; the reservation stays."),
    Reason.INTERNAL_ERROR: Meaning("A defect of the gateway; what was held is given back."),
    Reason.BAD_MESSAGE: Meaning(
        "The message is no intent, or an order type, a time in force or a field that is not built."
    ),
    Reason.BAD_NUMBER: Meaning("A number is a fraction, a boolean or not finite."),
    Reason.PRICE_OFF_TICK: Meaning("The price is between two ticks."),
    Reason.QTY_OFF_LOT: Meaning("The quantity is between two lots."),
    Reason.UNKNOWN_INSTRUMENT: Meaning("The instrument is not in the table.", "HFT_INSTRUMENTS"),
    Reason.CHANNEL_FULL: Meaning("The intent channel is full; the caller waits or drops."),
    Reason.CHANNEL_EXPIRED: Meaning("The intent waited too long in the channel."),
    Reason.INTENT_BUFFER_FULL: Meaning("More than 64 intents in one wake-up."),
    Reason.IDEMPOTENCY_REQUIRED: Meaning("The request has no idempotency key."),
    Reason.IDEMPOTENCY_CONFLICT: Meaning("The key came before with another body."),
    Reason.RATE_LIMITED: Meaning("The account sends too many requests."),
    Reason.INVALID_SIDE: Meaning("The side is neither BUY nor SELL."),
    Reason.INVALID_QTY: Meaning("The quantity is out of range."),
    Reason.INVALID_SYMBOL: Meaning("The symbol is not accepted here."),
    Reason.INVALID_PRICE: Meaning("A limit order needs a positive price."),
    Reason.RISK_REJECT: Meaning("A risk rule of the order door refused."),
    Reason.QUEUE_REJECT: Meaning("The order queue did not take the order."),
    Reason.ORDER_FINAL: Meaning("The order is already finished."),
    Reason.NOT_FOUND: Meaning("There is no such order, or no position that is left to close."),
    Reason.BACKPRESSURE_INFLIGHT_SOFT: Meaning("Orders in flight are near their limit."),
    Reason.BACKPRESSURE_DURABLE_RATE_DECLINE: Meaning("The journal is getting slower."),
    Reason.BACKPRESSURE_SOFT_WAL_AGE: Meaning("The journal lags, within its hard limit."),
    Reason.BACKPRESSURE_INFLIGHT: Meaning("Too many orders in flight."),
    Reason.BACKPRESSURE_WAL_BYTES: Meaning("The journal is too large."),
    Reason.BACKPRESSURE_WAL_AGE: Meaning("The journal lags too far."),
    Reason.BACKPRESSURE_DISK_FREE: Meaning("Too little free disk."),
    Reason.DURABILITY_WAIT_TIMEOUT: Meaning("The order was not durable in time."),
    Reason.WAL_DURABILITY_FAILED: Meaning("The order could not be made durable."),
    Reason.V3_BACKPRESSURE_SOFT: Meaning("The shard's queue passed its soft mark."),
    Reason.V3_BACKPRESSURE_HARD: Meaning("The shard's queue passed its hard mark."),
    Reason.V3_QUEUE_KILLED: Meaning("The shard's queue passed its kill mark."),
    Reason.V3_QUEUE_FULL: Meaning("The shard's queue is full."),
    Reason.V3_INGRESS_CLOSED: Meaning("The door is closing."),
    Reason.V3_GLOBAL_KILLED: Meaning("Every session is stopped by a kill."),
    Reason.V3_SESSION_KILLED: Meaning("This session is stopped by a kill."),
    Reason.V3_SHARD_KILLED: Meaning("This shard is stopped by a kill."),
}


def meaning(code: int) -> Meaning:
    """What a reason code says; a code of another version is named as such."""
    try:
        return MEANINGS[Reason(code)]
    except (KeyError, ValueError):
        return Meaning(f"Code {code} is not known to this version.")
