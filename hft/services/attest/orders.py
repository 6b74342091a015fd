"""Controls of one order: size, price, credit, keys, and what may be traded at all."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from hft.core.codes import Reason, StatusCode
from hft.gateway.explain import Check
from hft.services.attest.bench import ASK, BID, BUY, SELL, Bench, S
from hft.services.attest.report import Seen
from hft.services.dry_run import Headroom

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


def reported(make: Make) -> Iterator[Seen]:
    bench = make({"symbols.X.max_order_size": 10, "risk.price_band_ticks": 20})
    before = int(bench.gateway.state.head[0]["orders_checked"])
    yield Seen("10 lots at 980: nothing fails", OK, failing(bench.explained(BUY, 980, 10)))
    wanted = "ORDER_SIZE by 2, PRICE_OUTSIDE_BAND by 20"
    yield Seen(
        "12 lots at 970: each and its margin", wanted, failing(bench.explained(BUY, 970, 12))
    )
    room = bench.headroom(BUY, 980)
    yield Seen("headroom at 980", "10 lots, then ORDER_SIZE by 1", told(room))
    after = int(bench.gateway.state.head[0]["orders_checked"])
    yield Seen("and nothing was decided", OK, OK if after == before else Reason.INTERNAL_ERROR)


def failing(checks: Sequence[Check]) -> Reason | str:
    """What fails and by how much."""
    return ", ".join(f"{one.reason.name} by {-one.margin}" for one in checks) or OK


def told(room: Headroom) -> str:
    """Headroom in words."""
    return f"{room.most} lots, then {failing(room.next_fails)}"


def counted(make: Make) -> Iterator[Seen]:
    bench = make({"symbols.X.max_order_size": 10})
    for qty, wanted in ((10, OK), (11, Reason.ORDER_SIZE)):
        before = bench.gateway.state.counts.copy()
        bench.order(BUY, BID, qty)
        rose = np.flatnonzero(bench.gateway.state.counts - before).tolist()
        found = Reason(rose[0]) if len(rose) == 1 else f"{len(rose)} reasons"
        yield Seen(f"{qty} of 10 lots count as one reason of the list", wanted, found)


def instrument_credit(make: Make) -> Iterator[Seen]:
    bench = make({"risk_limits.max_notional": 9990})
    yield Seen("strategy a: 4 995 of 9 990", OK, bench.order(BUY, BID, 5))
    yield Seen("strategy b: 4 995 more", OK, bench.order(BUY, BID, 5, strategy_idx=1))
    found = bench.order(BUY, BID, 1, strategy_idx=1)
    yield Seen("999 more of either", Reason.NOTIONAL_LIMIT, found)


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


def market_data(make: Make) -> Iterator[Seen]:
    bench = make({"risk.price_band_ticks": 20})
    yield Seen("a valid book", OK, bench.order(BUY, BID, 1))
    bench.quote(BID, ASK, valid=False)
    yield Seen("an invalid book", Reason.BOOK_INVALID, bench.order(BUY, BID, 1))


def feed_gap(make: Make) -> Iterator[Seen]:
    bench = make({"instruments.X.feed_gap_s": 1})
    bench.gateway.touches[0]["phase"] = StatusCode.OPEN
    bench.bought(2)
    bench.now += S - 1
    bench.gateway.market(0, bench.now)
    yield Seen("silent for less than 1 s", OK, bench.order(BUY, BID, 1))
    bench.now += 1
    bench.gateway.market(0, bench.now)
    yield Seen("for 1 s", Reason.POLICY_DEGRADE, bench.order(BUY, BID, 1))
    yield Seen("selling what is held", OK, bench.order(SELL, ASK, 2))
