"""What a dry run says of an order is what the gateway does with it, and asking changes nothing."""

import random
from pathlib import Path
from typing import Any

import pytest

from hft.api.attest_session import House
from hft.core.codes import Reason, Side
from hft.services.attest.bench import Bench

LIMITS = {"symbols.X.max_order_size": 40, "max_position_size": 25, "risk.price_band_ticks": 30}


@pytest.mark.nojit
@pytest.mark.parametrize("seed", range(8))
def test_the_headroom_passes_and_one_lot_more_is_refused_for_what_was_said(seed: int) -> None:
    rng = random.Random(seed)
    bench = Bench({**LIMITS, "risk.max_order_notional": rng.randrange(5_000, 60_000)})
    for _ in range(rng.randrange(4)):
        bench.order(*rng.choice(((Side.BUY, 984), (Side.SELL, 1016))), 1)
    side, price = rng.choice((Side.BUY, Side.SELL)), rng.randrange(985, 1015)
    before = bench.gateway.snapshot()
    room = bench.headroom(side, price)
    after = bench.gateway.snapshot()
    assert all((before[name] == after[name]).all() for name in before)
    assert room.most is not None and room.most > 0
    assert bench.order(side, price, room.most + 1) == room.next_fails[0].reason != Reason.OK
    assert bench.order(side, price, room.most) == Reason.OK


@pytest.mark.nojit
def test_where_nothing_passes_the_headroom_is_none_at_all() -> None:
    bench = Bench({"symbols.X.restricted": True})
    room = bench.headroom(Side.BUY, 999)
    assert room.most == 0
    assert [one.reason for one in room.next_fails] == [Reason.SYMBOL_RESTRICTED]


def test_a_session_that_is_asked_says_what_fails_in_units_and_decides_as_before(
    tmp_path: Path,
) -> None:
    house = House(tmp_path)
    order = {"kind": "check", "side": "buy", "qty": 2000, "price": "100.00"}
    asks: dict[float, Any] = {
        1.0: order,
        1.5: order | {"qty": 1},
        2.0: order | {"qty": 0},
        2.5: order | {"price": "100.001"},
        3.0: order | {"strategy": "nobody"},
    }
    left = house.session(asks)
    first, second, *wrong = left.answers
    assert not first["passes"]
    (position,) = [one for one in first["fails"] if one["reason"] == "POSITION_LIMIT"]
    assert position["limit"] == 1000 and position["unit"] == "lots"
    assert position["measured"] >= 2000 and position["margin"] == 1000 - position["measured"]
    assert second["at_ns"] > first["at_ns"] and second["most_lots"] > 0
    said = [one["refused"] for one in wrong]
    assert said[0].startswith("qty: 0 is not a number of lots")
    assert "100.001 is not a multiple of" in said[1]
    assert "strategy: 'nobody' is none of market_making" in said[2]
    unasked = house.session({})
    assert unasked.run.digest == left.run.digest
    assert left.run.controls.height == 0
