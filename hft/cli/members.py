"""What members of `view` and `order`, parameters and limits mean; for the reference pages.

A test holds that nothing of the tables below the line is missing here, and nothing here is gone.
"""

VIEW = {
    "now": "kernel time, ns since the epoch",
    "wake": "why this wake-up: 0 timer, 1 fill, 2 order, 3 trade, 4 book, 5 status",
    "book_valid": "both sides quoted, not crossed, no snapshot half read",
    "bid_tick": "best bid, delayed by feed latency",
    "ask_tick": "best ask",
    "bid_lots": "lots at the best bid",
    "ask_lots": "lots at the best ask",
    "spread_ticks": "ask_tick - bid_tick",
    "mid2": "bid_tick + ask_tick: the middle in half ticks, an integer",
    "mid_tick": "middle of the touch (float)",
    "micro_tick": "touch weighted by the other side's lots (float)",
    "last_trade_tick": "price of the last trade",
    "last_trade_lots": "lots of the last trade",
    "last_trade_side": "aggressor of the last trade: 0 buyer, 1 seller, 2 unknown",
    "traded_since_wake": "lots traded since this strategy's last wake-up",
    "position": "own position in lots, as acknowledged",
    "pnl": "own net P&L in money units: realised, marked, after fees",
    "open_buy": "unfilled lots of own working buys, requests in flight included",
    "open_sell": "unfilled lots of own working sells",
    "working_buy_tick": "highest own working buy; far below any price when there is none",
    "working_sell_tick": "lowest own working sell; far above any price when there is none",
    "session_phase": (
        "the tape's last status: 0 open, 1 closed, 2 halted, 3 auction, 4 gap; of a tape without "
        "status rows 0 within the hours of the instrument's calendar and 1 outside"
    ),
    "ns_to_close": (
        "ns until the session ends by the instrument's calendar, lunch included; 0 between two "
        "sessions; 2^62 where no calendar is known"
    ),
    "tick_size": "one tick in real units (float)",
    "bid_ticks[k]": "price of the k-th best bid level, k < 10",
    "ask_ticks[k]": "price of the k-th best ask level",
    "bid_depth[k]": "lots of the k-th best bid level",
    "ask_depth[k]": "lots of the k-th best ask level",
    "signal[k]": "newest value of the tape's signal column k, 0.0 before any (float), k < 8",
    "signal_ns[k]": "the time that value is of, before its latency; 0: none has come",
    "imbalance(levels)": (
        "(bid lots - ask lots) / both, over the best `levels` levels of each side: -1 to 1 (float)"
    ),
    "order_flow(seen)": (
        "lots that came to bid less those that came to offer since the touch in `seen`, which "
        "becomes this one; `seen` is a state of four integers, `[0] * 4`; 0 at the first valid book"
    ),
    "to_price(tick)": "a real price, to look at (float)",
    "to_ticks(price)": "a real price in ticks; raises between two ticks",
    "first_order(side)": "handle of the first own working order of a side, -1: none",
    "next_order(handle)": "handle of the next one, -1: none",
    "order_id(handle)": "the order's id",
    "order_tick(handle)": "its price",
    "order_open(handle)": "its unfilled lots",
    "order_live(handle)": "acknowledged, and no request of it is in flight",
    "view[i]": "the same of instrument i, for a strategy declared with `instruments=`",
}
ORDER = {
    "quote(side, tick, lots)": (
        "keep exactly one post-only order on a side: nothing when it stands, AMEND to fewer lots, "
        "else CANCEL and then NEW; waits while a request of that side is in flight; lots 0 "
        "withdraws; a price between ticks is rounded away from the market"
    ),
    "target(lots, tick=None)": (
        "one order for the difference to position and working orders; no tick: MARKET, IOC"
    ),
    "new(side, tick, lots, tif=GTC, type=LIMIT, expires_ns=0)": (
        "a new order; returns its id, -1: buffer full; GTD ends at the venue at `expires_ns`, DAY "
        "when the tape's session closes"
    ),
    "amend(id, tick, lots)": "a new price and a new total quantity",
    "cancel(id)": "cancel one order",
    "cancel_all()": "cancel every own order of the instrument",
    "log(code, value)": "into `run.logs`: time, code (text by `logs=`), value; the last 4096 stay",
    "order[i]": "the same for instrument i",
}
PARAMETERS = {
    "two_sided": {
        "limit": "no new order on a side beyond this many lots of position",
        "lots": "lots of each order",
    },
    "market_making": {
        "half_ticks": "quotes stand at least this far from fair, ticks",
        "min_spread_ticks": "no quotes while the market's spread is smaller, ticks",
        "skew": "shift of both quotes against a full inventory, in half-spreads of ours",
        "skew_ticks": "further shift against a full inventory, ticks",
        "imbalance_ticks": "shift with the book when all its lots stand on one side, ticks",
        "max_inventory": "at this position the side that adds is withdrawn, lots",
        "lots": "lots of each quote",
        "toxicity_max": "no quotes above this share of one-way volume, percent",
        "flow_decay": "what is kept of flow and volume from one wake-up to the next, 0 to 1",
    },
    "momentum": {
        "fast": "wake-ups in the fast average of mids",
        "slow": "wake-ups in the slow average, at most 200",
        "breakout": "a mid above all of so many wake-ups before is a breakout; less than slow",
        "volume_factor": "lots since the last wake-up must be this many times their mean over fast",
        "base_lots": "position of a weak move, lots",
        "max_lots": "position of a strong one; strength, in percent of price, scales between, lots",
        "hold": "flat after so many wake-ups without a new reason",
    },
    "arbitrage": {
        "edge_bps": "excess of the basis over its mean that is traded, bps of price",
        "basis_decay": "what the mean basis keeps of itself at each wake-up, 0 to 1",
        "warm_up": "wake-ups that only measure the basis",
        "lots_0": "lots of one leg on view[0]",
        "lots_1": "lots of one leg on view[1]: as much of the asset as lots_0 is there",
        "max_pairs": "most pairs of legs held in one direction",
    },
}
LIMITS = {
    "capital": "what ratios such as the daily loss are of",
    "HFT_EXPOSURE_GLOBAL_MAX_NOTIONAL": "worst-case notional of all strategies together",
    "HFT_EXPOSURE_MAX_SYMBOLS": "how many (strategy, symbol) leaves are tracked",
    "HFT_DEDUP_TTL_S": "how long an idempotency key is remembered",
    "HFT_COMMAND_DEADLINE_MS": "a command whose decision takes longer is not sent; not for cancels",
    "HFT_GATEWAY_DEGRADE_ON_STORM": "a storm also forbids new risk by policy",
    "HFT_GATEWAY_REQUIRE_PROMOTION": "a strategy without a promotion may not trade",
    "strategies.*.max_notional": "worst-case notional of one strategy over its symbols",
    "strategies.*.max_leaf_notional": "worst-case notional of one strategy in one symbol",
    "strategies.*.max_net_qty": "worst-case net lots of one strategy",
    "strategies.*.critical": "false: in degraded mode it takes no new risk at all",
    "strategies.*.alpha_id": "the alpha whose promotion it needs",
    "max_position_size": "worst-case net lots of a strategy in a symbol: held and working",
    "max_daily_loss": "no new risk beyond this loss of a day",
    "risk_limits.orders_per_second": "orders in any second",
    "risk_limits.orders_per_minute": "orders in any minute",
    "risk_limits.max_notional": "worst-case notional of all strategies in one symbol: positions at "
    "cost, working orders and the new one",
    "risk.max_order_notional": "notional of one order",
    "risk.strategy.*.max_order_notional": "notional of one order of this strategy",
    "symbols.*.max_long": "lots long, worst case",
    "symbols.*.max_short": "lots short, worst case",
    "symbols.*.max_order_size": "lots of one order",
    "symbols.*.max_notional": "worst-case notional of all strategies in this symbol",
    "symbols.*.restricted": "reductions only",
    "instruments.*.max_price": "highest price an order may name",
    "instruments.*.feed_gap_s": "silence after which the feed is stale",
    "risk.max_price_cap": "absolute highest price",
    "risk.price_band_ticks": "distance from the reference; the widest of the three bands binds",
    "risk.price_band_bps": "the same, relative to the mid",
    "risk.price_band_spreads": "the same, in median spreads of the tape",
    "risk.tick_size": "replaces the instrument's tick for the band",
    "risk.reference_max_age_ms": "age at which the reference price is stale",
    "risk.missing_reference": "without a reference: refuse, or check the cap alone",
    "risk.self_trade_mode": "an order that would meet an own one",
    "risk.repeated_execution_count": "fills of one strategy in the window below",
    "risk.repeated_execution_window_s": "that window",
    "HFT_RISK_FAST_GATE": "the cheap sanity checks before the others",
    "HFT_RISK_FAST_GATE_PRICE_SCALE": "scale of prices on the wire",
    "risk.fast_gate.max_price": "sanity bound of a price",
    "risk.fast_gate.max_qty": "sanity bound of a quantity",
    "storm_guard.warm_threshold": "P&L of a strategy that warms the storm guard",
    "storm_guard.storm_threshold": "P&L of a strategy that makes a storm: no new risk",
    "storm_guard.halt_threshold": "P&L of a strategy that halts; an audited reset lifts it",
    "storm_guard.drawdown_pct": "drawdown of capital and P&L from its peak: warm, storm, halt",
    "storm_guard.latency_ms": "decision latency for warm and storm",
    "storm_guard.feed_gap_s": "silence of the feed that makes a storm",
    "HFT_STORMGUARD_STORM_COOLDOWN_S": "a storm lasts at least this long",
    "HFT_STORMGUARD_DE_ESCALATE_N": "quiet evaluations in a row before a storm guard steps down",
    "circuit_breaker_threshold": "move of the mid in the window that trips the breaker",
    "breaker.window_s": "that window",
    "breaker.reset_after_s": "time before a trip by market move or position may reset",
    "breaker.close_on_trip": "a trip closes positions",
    "degraded.limit_factor": "degraded mode: limits of size, position, rate and of the notional of "
    "an order or a symbol, times this",
}
