"""The controls of the gateway, each shown on both sides of its limit (`hft gateway attest`)."""

from collections.abc import Callable, Iterator
from typing import Any

from hft.core.codes import ControlKind, OrderStatus, PolicyMode, Reason
from hft.gateway.rows import MODE_OWNER_OPERATOR, KillScope
from hft.services.attest import ASK, BID, BUY, SELL, Bench, Control, S, Seen

Make = Callable[[dict[str, Any]], Bench]
OK = Reason.OK


def quantity(make: Make) -> Iterator[Seen]:
    bench = make({"symbols.X.max_order_size": 10})
    yield Seen("10 of 10 lots", OK, bench.order(BUY, BID, 10))
    yield Seen("11 of 10 lots", Reason.ORDER_SIZE, bench.order(BUY, BID, 11))


def notional(make: Make) -> Iterator[Seen]:
    bench = make({"risk.max_order_notional": 9990})
    yield Seen("10 lots at 999, limit 9 990", OK, bench.order(BUY, BID, 10))
    found = bench.order(BUY, BID + 1, 10)
    yield Seen("10 lots at 1 000", Reason.MAX_NOTIONAL_EXCEEDED, found)


def collar(make: Make) -> Iterator[Seen]:
    bench = make({"risk.price_band_ticks": 20})
    yield Seen("20 ticks from the mid", OK, bench.order(BUY, 980, 1))
    yield Seen("21 ticks below", Reason.PRICE_OUTSIDE_BAND, bench.order(BUY, 979, 1))
    yield Seen("21 ticks above", Reason.PRICE_OUTSIDE_BAND, bench.order(SELL, 1021, 1))


def stale_reference(make: Make) -> Iterator[Seen]:
    bench = make({"risk.price_band_ticks": 20, "risk.reference_max_age_ms": 500})
    bench.now += S // 2
    yield Seen("a reference of 500 ms", OK, bench.order(BUY, BID, 1))
    bench.now += S // 1000
    yield Seen("of 501 ms", Reason.REFERENCE_STALE, bench.order(BUY, BID, 1))


def position(make: Make) -> Iterator[Seen]:
    bench = make({"max_position_size": 10})
    bench.bought(4)
    yield Seen("4 held and 6 more of 10", OK, bench.order(BUY, BID, 6))
    found = bench.order(BUY, BID, 1)
    yield Seen("4 held, 6 working, 1 more", Reason.POSITION_LIMIT, found)
    yield Seen("selling what is held", OK, bench.order(SELL, ASK, 4))


def credit(make: Make) -> Iterator[Seen]:
    bench = make({"HFT_EXPOSURE_GLOBAL_MAX_NOTIONAL": 19980})
    yield Seen("strategy a: 9 990 of 19 980", OK, bench.order(BUY, BID, 10))
    yield Seen("strategy b: 9 990 more", OK, bench.order(BUY, BID, 10, strategy_idx=1))
    found = bench.order(BUY, BID, 1, strategy_idx=1)
    yield Seen("999 more of either", Reason.GLOBAL_EXPOSURE_LIMIT, found)


def strategy_credit(make: Make) -> Iterator[Seen]:
    bench = make({"strategies.a.max_notional": 9990})
    yield Seen("a: 9 990 of 9 990", OK, bench.order(BUY, BID, 10))
    yield Seen("a: 999 more", Reason.STRATEGY_EXPOSURE_LIMIT, bench.order(BUY, BID, 1))
    yield Seen("b has no such limit", OK, bench.order(BUY, BID, 1, strategy_idx=1))


def loss(make: Make) -> Iterator[Seen]:
    bench = make({"max_daily_loss": 100})
    bench.gateway.pnl(0, -9_999, bench.now)
    yield Seen("a loss of 99.99 of 100", OK, bench.order(BUY, BID, 1))
    bench.gateway.pnl(0, -10_000, bench.now)
    yield Seen("a loss of 100", Reason.BREAKER_TRIPPED, bench.order(BUY, BID, 1))
    bench.gateway.pnl(0, 0, bench.now)
    yield Seen("earned back: it is latched", Reason.BREAKER_TRIPPED, bench.order(BUY, BID, 1))


def rate(make: Make) -> Iterator[Seen]:
    bench = make({"risk_limits.orders_per_second": 3})
    for _ in range(3):
        yield Seen("one of 3 in a second", OK, bench.order(BUY, BID, 1))
    yield Seen("the fourth", Reason.RATE_LIMIT, bench.order(BUY, BID, 1))
    bench.now += S
    bench.quote(BID, ASK)
    yield Seen("a second later", OK, bench.order(BUY, BID, 1))


def repeated(make: Make) -> Iterator[Seen]:
    bench = make({"risk.repeated_execution_count": 2, "risk.repeated_execution_window_s": 1})
    bench.bought(1)
    bench.bought(1)
    yield Seen("after 2 fills of 2 in a second", OK, bench.order(BUY, BID, 1))
    bench.bought(1)
    yield Seen("after a third", Reason.REPEATED_EXECUTION, bench.order(BUY, BID, 1))


def duplicate(make: Make) -> Iterator[Seen]:
    bench = make({})
    key = {"key_hi": 1, "key_lo": 7}
    yield Seen("key 7", OK, bench.order(BUY, BID, 1, **key))
    before = int(bench.gateway.state.head[0]["live_orders"])
    yield Seen("key 7 again: the same answer", OK, bench.order(BUY, BID, 1, **key))
    after = int(bench.gateway.state.head[0]["live_orders"])
    wanted = Reason.DEDUP_KEY_REUSED
    yield Seen("key 7 with other lots", wanted, bench.order(BUY, BID, 2, **key))
    yield Seen("and no second order", OK, OK if after == before else wanted)


def self_trade(make: Make) -> Iterator[Seen]:
    bench = make({"risk.self_trade_mode": "REJECT_NEW"})
    yield Seen("a sells at 1001", OK, bench.order(SELL, ASK, 1))
    yield Seen("b buys at 1000", OK, bench.order(BUY, ASK - 1, 1, strategy_idx=1))
    found = bench.order(BUY, ASK, 1, strategy_idx=1)
    yield Seen("b buys at 1001", Reason.SELF_TRADE, found)


def restricted(make: Make) -> Iterator[Seen]:
    bench = make({"symbols.X.restricted": True})
    yield Seen("any new risk", Reason.SYMBOL_RESTRICTED, bench.order(BUY, BID, 1))
    free = make({})
    yield Seen("where it is not restricted", OK, free.order(BUY, BID, 1))


def permission(make: Make) -> Iterator[Seen]:
    bench = make({"HFT_GATEWAY_REQUIRE_PROMOTION": True, "strategies.a.alpha_id": "alpha"})
    yield Seen("an alpha without a promotion", Reason.ALPHA_NOT_LIVE, bench.order(BUY, BID, 1))
    bench.say(ControlKind.PROMOTION, 0, 1_000_000)
    yield Seen("promoted", OK, bench.order(BUY, BID, 1))
    bench.say(ControlKind.PROMOTION, 0, 0)
    yield Seen("rolled back", Reason.ALPHA_NOT_LIVE, bench.order(BUY, BID, 1))


def market_data(make: Make) -> Iterator[Seen]:
    bench = make({"risk.price_band_ticks": 20})
    yield Seen("a valid book", OK, bench.order(BUY, BID, 1))
    bench.quote(BID, ASK, valid=False)
    yield Seen("an invalid book", Reason.BOOK_INVALID, bench.order(BUY, BID, 1))


def kill(make: Make) -> Iterator[Seen]:
    bench = make({})
    scope = KillScope.STRATEGY.value
    bench.say(ControlKind.KILL, scope, 1)
    yield Seen("strategy a is killed", Reason.KILL_SWITCH, bench.order(BUY, BID, 1))
    yield Seen("b is not", OK, bench.order(BUY, BID, 1, strategy_idx=1))
    again = make({})
    again.gateway.restore(bench.gateway.snapshot())
    yield Seen("after a restart", Reason.KILL_SWITCH, again.order(BUY, BID, 1))
    bench.say(ControlKind.KILL, scope, 0)
    yield Seen("reset by a person", OK, bench.order(BUY, BID, 1))


def reducing(make: Make) -> Iterator[Seen]:
    bench = make({})
    bench.bought(5)
    bench.say(ControlKind.MODE, MODE_OWNER_OPERATOR, PolicyMode.DEGRADE.value)
    yield Seen("new risk in degraded mode", Reason.POLICY_DEGRADE, bench.order(BUY, BID, 1))
    yield Seen("selling 5 of 5 held", OK, bench.order(SELL, ASK, 5))
    yield Seen("1 more than is held", Reason.POLICY_DEGRADE, bench.order(SELL, ASK, 1))


def cancels(make: Make) -> Iterator[Seen]:
    bench = make({"risk_limits.orders_per_second": 1})
    yield Seen("an order", OK, bench.order(BUY, BID, 1))
    bench.gateway.ack(1, bench.now)
    yield Seen("another one", Reason.RATE_LIMIT, bench.order(BUY, BID, 1))
    bench.say(ControlKind.KILL, KillScope.GLOBAL.value, 1)
    yield Seen("a cancel under rate limit and kill", OK, bench.cancel(1))
    checked = int(bench.gateway.state.head[0]["orders_checked"])
    yield Seen("and it is counted", OK, OK if checked >= 3 else Reason.NOT_FOUND)


def unknown(make: Make) -> Iterator[Seen]:
    bench = make({"max_position_size": 10})
    key = {"key_hi": 2, "key_lo": 9}
    yield Seen("10 lots", OK, bench.order(BUY, BID, 10, **key))
    bench.gateway.unknown(1, bench.now)
    yield Seen(
        "again, outcome unknown", Reason.DEDUP_OUTCOME_UNKNOWN, bench.order(BUY, BID, 10, **key)
    )
    yield Seen("its lots are held", Reason.POSITION_LIMIT, bench.order(BUY, BID, 1))
    bench.gateway.done(1, OrderStatus.CANCELLED, bench.now)
    yield Seen("the venue never had it", OK, bench.order(BUY, BID, 1))


def leader(make: Make) -> Iterator[Seen]:
    bench = make({})
    bench.say(ControlKind.LEASE, 0, 3)
    yield Seen("without the lease", Reason.NOT_LEADER, bench.order(BUY, BID, 1))
    bench.say(ControlKind.LEASE, 1, 4)
    yield Seen("with it", OK, bench.order(BUY, BID, 1))


def disconnected(make: Make) -> Iterator[Seen]:
    bench = make({})
    yield Seen("the venue is there", OK, bench.order(BUY, BID, 1))
    bench.say(ControlKind.DISCONNECT)
    yield Seen("its session broke", Reason.VENUE_DOWN, bench.order(BUY, BID, 1))
    bench.say(ControlKind.RECONNECT)
    yield Seen("it is back, and asked", OK, bench.order(BUY, BID, 1))


def halt(make: Make) -> Iterator[Seen]:
    bench = make({})
    bench.bought(2)
    number = 2
    yield Seen("an order that works", OK, bench.order(BUY, BID, 1))
    bench.gateway.ack(number, bench.now)
    bench.say(ControlKind.STOP)
    yield Seen("new risk after a stop", Reason.POLICY_HALT, bench.order(BUY, BID, 1))
    yield Seen("its cancel", OK, bench.cancel(number))
    yield Seen("selling what is held", OK, bench.order(SELL, ASK, 2))


def swapped(make: Make) -> Iterator[Seen]:
    wide = {"symbols.X.max_order_size": 10, "risk_limits.orders_per_second": 5}
    bench = make(wide)
    yield Seen("10 of 10 lots", OK, bench.order(BUY, BID, 10))
    before = int(bench.gateway.state.config[0]["limits_hash"])
    bench.swap({**wide, "symbols.X.max_order_size": 5})
    yield Seen("10 of 5 lots, at the next intent", Reason.ORDER_SIZE, bench.order(BUY, BID, 10))
    yield Seen("5 of 5 lots", OK, bench.order(BUY, BID, 5))
    after = int(bench.gateway.state.config[0]["limits_hash"])
    yield Seen("decisions name other limits", OK, OK if after != before else Reason.NOT_FOUND)
    raised = bench.swap({**wide, "risk_limits.orders_per_second": 500})
    yield Seen("a rate is not raised meanwhile", OK, Reason.RATE_LIMIT if raised else OK)


CONTROLS = (
    Control("order quantity", "15c3-5 (c)(1)(ii), FIA, CME", quantity),
    Control("order notional", "15c3-5 (c)(1)(i), FIA, CME", notional),
    Control("price collar", "15c3-5 (c)(1)(ii), FIA, CME", collar),
    Control("reference age", "15c3-5 (c)(1)(ii)", stale_reference),
    Control("position with working orders", "15c3-5 (c)(1)(i), FIA, CME", position),
    Control("credit of the firm", "15c3-5 (c)(1)(i), CME", credit),
    Control("credit of a strategy", "15c3-5 (c)(1)(i), CME", strategy_credit),
    Control("intraday loss", "FIA", loss),
    Control("order rate", "FIA, CME", rate),
    Control("repeated execution", "FIA", repeated),
    Control("duplicate order", "15c3-5 (c)(1)(ii), FIA", duplicate),
    Control("self-trade", "FIA, CME", self_trade),
    Control("restricted instrument", "15c3-5 (c)(2)", restricted),
    Control("permission of an alpha", "15c3-5 (c)(2)", permission),
    Control("market data sanity", "FIA", market_data),
    Control("kill switch", "FIA, CME", kill),
    Control("risk-reducing only", "FIA", reducing),
    Control("cancels pass, and are seen", "FIA", cancels),
    Control("outcome unknown", "15c3-5 (c)(1)(ii)", unknown),
    Control("one leader", "15c3-5 (d)", leader),
    Control("venue disconnected", "FIA, CME", disconnected),
    Control("stop by a person", "FIA, CME", halt),
    Control("limits swapped", "15c3-5 (d), (e), CME", swapped),
)

# What the catalogue knows and this gateway does not have: a report that left them out would be one
# of what is there alone.
ABSENT = (
    (
        "order-to-trade ratio",
        "FIA",
        "orders and fills are counted, and nothing is refused for them",
    ),
    ("cancel on disconnect at the venue", "FIA, CME", "it is the venue's; ours asks it anew first"),
    ("heartbeat of a client", "FIA", "there are no clients beyond the process yet"),
    ("drop copy", "15c3-5 (c)(2), FIA", "no second process counts exposure from the venue's copy"),
)
