"""What no order may be: a type that is not built, a flat that opens, a number that wraps round."""

from typing import Any

import hypothesis.strategies as st
import pytest
from gateway_world import START, Pair, S
from hypothesis import given, settings

from hft.core.codes import (
    ControlKind,
    IntentType,
    OrderStatus,
    OrderType,
    PolicyMode,
    Reason,
    Side,
    Tif,
)
from hft.core.numbers import FAR_NS, elapsed_ns
from hft.gateway import control, tables
from hft.gateway.rows import KillScope
from tests.naive.gateway import Rules

BUY = {"side": Side.BUY, "price": 999, "qty": 1}
SELL = {"side": Side.SELL, "price": 1001, "qty": 1}
FLAT = {"intent_type": IntentType.FORCE_FLAT}
EDGE = 1 << 63
BUILT = (OrderType.MARKET, OrderType.LIMIT)
# Where int64 arithmetic goes wrong: at its ends, at the bounds of the gateway and beside them.
EDGES = st.sampled_from(
    [
        sign * at + by
        for at in (0, 1 << 52, 1 << 61, 1 << 62)
        for sign in (1, -1)
        for by in (-1, 0, 1)
    ]
    + [-EDGE, -EDGE + 1, EDGE - 1]
)


def holding(lots: int, **rules: Any) -> Pair:
    """Both gateways with `lots` bought and nothing at work."""
    pair = Pair(Rules(**rules))
    _, order = pair.decide(**BUY | {"qty": lots})
    pair.both("fill", order, 999, lots)
    return pair


@pytest.mark.nojit
@pytest.mark.parametrize(
    "shape",
    [{"order_type": kind} for kind in OrderType if kind not in BUILT]
    + [{"order_type": kind} for kind in (-1, 10, 77)]
    + [{"tif": tif} for tif in (-1, 6, 99)]
    + [{"stop_price": 990}, {"display_qty": 1}],
    ids=str,
)
def test_an_order_type_that_is_not_built_is_refused_and_not_taken_for_a_limit(
    shape: dict[str, int],
) -> None:
    pair = holding(1)
    for intent in (BUY, SELL | {"price": 980}, FLAT):
        assert pair.decide(**intent | shape)[0] == Reason.BAD_MESSAGE
    _, order = pair.decide(**BUY)
    amend = {"intent_type": IntentType.AMEND, "target_id": order}
    assert pair.decide(**BUY | amend | shape)[0] == Reason.BAD_MESSAGE
    cancel = {"intent_type": IntentType.CANCEL, "target_id": order}
    assert pair.decide(**cancel | shape)[0] == Reason.OK, "a cancel has no shape of its own"


@pytest.mark.nojit
@pytest.mark.parametrize("tif", list(Tif))
@pytest.mark.parametrize("kind", BUILT)
def test_every_type_and_time_in_force_that_is_built_passes(kind: OrderType, tif: Tif) -> None:
    assert Pair(Rules()).decide(**BUY, order_type=kind, tif=tif)[0] == Reason.OK


@pytest.mark.nojit
def test_a_flat_without_a_position_is_refused_and_opens_nothing() -> None:
    pair = Pair(Rules())
    for qty in (0, 1, 5, 1 << 62):
        assert pair.decide(**FLAT, qty=qty)[0] == Reason.NOT_FOUND
    assert not pair.twin.orders


@pytest.mark.nojit
@pytest.mark.parametrize(
    ("asked", "closed"), [(0, 3), (1, 1), (3, 3), (4, 3), (50, 3), (1 << 62, 3)]
)
def test_a_flat_closes_the_position_at_most(asked: int, closed: int) -> None:
    pair = holding(3)
    given, order = pair.decide(**FLAT, qty=asked)
    assert given == Reason.OK
    assert pair.twin.orders[order].qty == closed
    assert pair.twin.orders[order].side == Side.SELL


@pytest.mark.nojit
def test_two_flats_together_close_no_more_than_there_is() -> None:
    pair = holding(5)
    _, first = pair.decide(**FLAT, qty=3)
    _, second = pair.decide(**FLAT, qty=3)
    assert [pair.twin.orders[order].qty for order in (first, second)] == [3, 2]
    assert pair.decide(**FLAT, qty=1)[0] == Reason.NOT_FOUND


@pytest.mark.nojit
def test_a_flat_of_fewer_than_no_lots_is_refused() -> None:
    assert holding(3).decide(**FLAT, qty=-1)[0] == Reason.FASTGATE_BAD_QTY_NEG
    assert holding(3, fast_gate=False).decide(**FLAT, qty=-1)[0] == Reason.ORDER_SIZE


@pytest.mark.nojit
@pytest.mark.parametrize("sent_ns", [-EDGE, -EDGE + START, -1, 0, START - 2])
@pytest.mark.parametrize("ttl_ns", [1, S, EDGE - 1])
def test_an_old_intent_is_expired_however_far_back_it_was_sent(sent_ns: int, ttl_ns: int) -> None:
    old = START - sent_ns > ttl_ns
    given, _ = Pair(Rules()).decide(**BUY, timestamp_ns=sent_ns, ttl_ns=ttl_ns)
    assert given == (Reason.TTL_EXPIRED if old else Reason.OK)


@pytest.mark.nojit
@given(then_ns=st.one_of(EDGES, st.integers(-EDGE, EDGE - 1)))
def test_a_span_of_time_never_wraps(then_ns: int) -> None:
    assert elapsed_ns(START, then_ns) == min(START - then_ns, FAR_NS)


ODD = st.fixed_dictionaries(
    {},
    optional={
        name: EDGES
        for name in (
            "price",
            "qty",
            "timestamp_ns",
            "ttl_ns",
            "expire_ts_ns",
            "source_ts_ns",
            "target_id",
            "key_hi",
            "key_lo",
            "intent_id",
        )
    }
    | {"intent_type": st.sampled_from(list(IntentType)), "side": st.integers(0, 1)},
)


@pytest.mark.nojit
@settings(deadline=None, max_examples=150)
@given(intents=st.lists(ODD, min_size=1, max_size=4), kill=st.booleans())
def test_kernel_and_twin_agree_at_the_ends_of_int64(
    intents: list[dict[str, int]], kill: bool
) -> None:
    """The twin counts without bounds, so that an overflow of the kernel shows."""
    pair = holding(3, age_ns=5 * S, band_ticks=20, cap=2_000, order_size=50, long_max=60)
    pair.decide(**BUY | {"qty": 4})
    pair.twin.kill_byte = int(kill)
    pair.kernel.state.head[0]["kill_byte"] = int(kill)
    for number, intent in enumerate(intents):
        pair.decide(**BUY | {"target_id": 2, "intent_id": 50 + number} | intent)


@pytest.mark.nojit
@pytest.mark.parametrize("price", [1 << 61, EDGE - 1, -1])
@pytest.mark.parametrize("qty", [1, 1 << 61])
def test_an_answer_that_cannot_be_is_counted_and_not_booked(price: int, qty: int) -> None:
    kernel = holding(3).kernel
    kernel.decide(START, **BUY, intent_id=9, order_type=1)
    assert kernel.fill(9, price, qty, START) == -1
    kernel.amended(9, price, qty, START)
    assert kernel.position(0, 0, 0) == 3
    assert kernel.state.head[0]["invariant_failures"] == 2
    kernel.prove()


@pytest.mark.nojit
@pytest.mark.parametrize(
    ("kind", "code", "value"),
    [
        ("MODE", 2, 0),
        ("MODE", 16 + 2, 0),
        ("MODE", -1, 0),
        ("MODE", 0, 3),
        ("MODE", 0, -1),
        ("KILL", 2 + 16 * 2, 1),
        ("KILL", 3 + 16 * 99, 1),
        ("KILL", 1 - 16, 1),
        ("KILL", 5, 1),
        ("PROMOTION", 2, 0),
        ("PROMOTION", -1, 0),
    ],
)
def test_a_control_input_about_nobody_changes_nothing(kind: str, code: int, value: int) -> None:
    kernel = Pair(Rules()).kernel
    before = kernel.snapshot()
    handle = tables.handle(kernel.state)
    assert control.control(handle, ControlKind[kind].value, code, value, START) == -1
    after = kernel.snapshot()
    assert all((before[name] == after[name]).all() for name in before)


@pytest.mark.nojit
def test_a_hold_off_without_an_end_never_wraps_into_the_past() -> None:
    pair = Pair(Rules())
    pair.twin.holdoff_until = EDGE
    pair.control(ControlKind.START, 0, EDGE - 1)
    assert pair.decide(**BUY)[0] == Reason.STARTUP_HOLDOFF


@pytest.mark.nojit
def test_a_promotion_never_widens_a_limit() -> None:
    pair = Pair(Rules(order_size=4))
    pair.control(ControlKind.PROMOTION, 0, EDGE - 1)
    assert pair.decide(**BUY | {"qty": 5})[0] == Reason.ORDER_SIZE
    assert pair.decide(**BUY | {"qty": 4})[0] == Reason.OK


@pytest.mark.nojit
@pytest.mark.parametrize("mode", [PolicyMode.DEGRADE, PolicyMode.HALT])
def test_quantity_is_lowered_in_every_mode_while_an_amend_is_in_flight(mode: PolicyMode) -> None:
    pair = Pair(Rules())
    _, order = pair.decide(**BUY | {"qty": 5})
    pair.both("ack", order)
    amend = {"intent_type": IntentType.AMEND, "target_id": order}
    assert pair.decide(**BUY | amend | {"price": 998, "qty": 7})[0] == Reason.OK
    pair.set_operator(mode)
    assert pair.decide(**BUY | amend | {"qty": 4})[0] == Reason.OK
    assert pair.decide(**BUY | amend | {"price": 998, "qty": 4})[0] != Reason.OK
    assert pair.decide(**BUY | amend | {"qty": 5})[0] != Reason.OK
    pair.both("amended", order, 998, 7)
    pair.both("amended", order, 999, 4)
    assert pair.twin.orders[order].held_qty() == 4


@pytest.mark.nojit
def test_the_kill_byte_refuses_new_risk_and_lets_out_what_is_held() -> None:
    pair = holding(6)
    _, resting = pair.decide(**BUY | {"qty": 5})
    pair.both("ack", resting)
    pair.kill(KillScope.BYTE, 0, True)
    pair.kill(KillScope.GLOBAL, 0, True)
    assert pair.decide(**BUY)[0] == Reason.KILL_SWITCH
    assert pair.decide(**SELL | {"qty": 7})[0] == Reason.KILL_SWITCH
    pair.kill(KillScope.GLOBAL, 0, False)
    assert pair.decide(**BUY)[0] == Reason.FASTGATE_KILL_SWITCH
    assert pair.decide(**SELL | {"qty": 7})[0] == Reason.FASTGATE_KILL_SWITCH
    assert pair.decide(**SELL | {"qty": 2})[0] == Reason.OK
    lower = {"intent_type": IntentType.AMEND, "target_id": resting, "qty": 4}
    assert pair.decide(**BUY | lower)[0] == Reason.OK
    assert pair.decide(intent_type=IntentType.CANCEL, target_id=resting)[0] == Reason.OK
    pair.both("done", resting, OrderStatus.CANCELLED)
    assert pair.decide(**FLAT)[0] == Reason.OK


@pytest.mark.nojit
def test_an_amend_is_as_large_as_its_new_total_whatever_has_been_filled() -> None:
    pair = Pair(Rules(order_size=10))
    _, order = pair.decide(**BUY | {"qty": 10})
    pair.both("ack", order)
    pair.both("fill", order, 999, 9)
    amend = BUY | {"intent_type": IntentType.AMEND, "target_id": order, "price": 998}
    assert pair.decide(**amend | {"qty": 11})[0] == Reason.ORDER_SIZE
    assert pair.decide(**amend | {"qty": 10})[0] == Reason.OK
