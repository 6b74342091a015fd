"""Controls of what happens over time: losses, rates, latches, modes, and who may send."""

from collections.abc import Callable, Iterator
from typing import Any

from hft.core.codes import ControlKind, OrderStatus, PolicyMode, Reason
from hft.gateway.rows import MODE_OWNER_OPERATOR, KillScope
from hft.services.attest.bench import ASK, BID, BUY, SELL, Bench, S
from hft.services.attest.report import Seen

Make = Callable[[dict[str, Any]], Bench]
OK = Reason.OK


def loss(make: Make) -> Iterator[Seen]:
    bench = make({"max_daily_loss": 100})
    bench.gateway.pnl(0, -9_999, bench.now)
    yield Seen("a loss of 99.99 of 100", OK, bench.order(BUY, BID, 1))
    bench.gateway.pnl(0, -10_000, bench.now)
    yield Seen("a loss of 100", Reason.BREAKER_TRIPPED, bench.order(BUY, BID, 1))
    bench.gateway.pnl(0, 0, bench.now)
    yield Seen("earned back: it is latched", Reason.BREAKER_TRIPPED, bench.order(BUY, BID, 1))


def drawdown(make: Make) -> Iterator[Seen]:
    bench = make({"storm_guard.drawdown_pct": [-1, -2, -5]})
    bench.gateway.pnl(0, 100_000_000, bench.now)
    bench.gateway.pnl(0, 96_000_001, bench.now)
    yield Seen("1.99 of 2 % below the peak of 2 000 000", OK, bench.order(BUY, BID, 1))
    bench.gateway.pnl(0, 96_000_000, bench.now)
    yield Seen("2 % below it", Reason.POLICY_DEGRADE, bench.order(BUY, BID, 1))
    yield Seen("of strategy b", OK, bench.order(BUY, BID, 1, strategy_idx=1))


def slow(make: Make) -> Iterator[Seen]:
    bench = make({"storm_guard.latency_ms": [1, 5]})
    bench.say(ControlKind.LATENCY, 0, 4_999_999)
    yield Seen("a decision takes 4.999 of 5 ms", OK, bench.order(BUY, BID, 1))
    bench.say(ControlKind.LATENCY, 0, 5_000_000)
    yield Seen("5 ms", Reason.POLICY_DEGRADE, bench.order(BUY, BID, 1))


def amends(make: Make) -> Iterator[Seen]:
    bench = make({"risk_limits.orders_per_second": 4})
    for _ in range(2):
        yield Seen("an order, one of 4 in a second", OK, bench.order(BUY, BID, 1))
    bench.gateway.ack(1, bench.now)
    bench.gateway.ack(2, bench.now)
    yield Seen("an amend", OK, bench.amend(1, BID, 2))
    yield Seen("a cancel", OK, bench.cancel(2))
    yield Seen("an amend beyond the rate", Reason.RATE_LIMIT, bench.amend(1, BID, 3))
    yield Seen("an order", Reason.RATE_LIMIT, bench.order(BUY, BID, 1))
    yield Seen("a cancel passes", OK, bench.cancel(1))


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


def permission(make: Make) -> Iterator[Seen]:
    bench = make({"HFT_GATEWAY_REQUIRE_PROMOTION": True, "strategies.a.alpha_id": "alpha"})
    yield Seen("an alpha without a promotion", Reason.ALPHA_NOT_LIVE, bench.order(BUY, BID, 1))
    bench.say(ControlKind.PROMOTION, 0, 1_000_000)
    yield Seen("promoted", OK, bench.order(BUY, BID, 1))
    bench.say(ControlKind.PROMOTION, 0, 0)
    yield Seen("rolled back", Reason.ALPHA_NOT_LIVE, bench.order(BUY, BID, 1))


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
