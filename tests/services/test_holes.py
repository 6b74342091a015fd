"""An answer went missing inside a session: nothing behind it counts before the venue is asked."""

from typing import Any

import pytest
from service_world import Answers, Gateways, S, intent

from hft.core.codes import Reason, ResponseKind
from hft.services.adapters.loopback import Loopback
from hft.services.link import Link, Phase, Step
from hft.services.service import GatewayService
from hft.trading.inputs import Outcome


def begun(seed: int, **given: Any) -> tuple[Gateways, GatewayService, int]:
    """A gateway with one order of ten lots that rests."""
    world, answers = Gateways(seed), Answers()
    service, *_ = world.begin()
    service.submit(intent(key="a", qty=10), answers.of("a"))
    world.until(lambda: "a" in answers.heard)
    world.pass_ns(S)
    assert answers.reason("a") is Reason.OK
    return world, service, answers.order_id("a")


def unheard(service: GatewayService, say: Any) -> None:
    """The venue says something, and the callback never comes."""
    adapter = service.adapter
    assert isinstance(adapter, Loopback)
    heard, adapter.heard = adapter.heard, None
    say()
    adapter.heard = heard


def held(service: GatewayService) -> list[int]:
    """Lots as the portfolio has them, and as the limits are held to."""
    gw = service.desk.trading.gw
    leaves = gw.leaves[: int(gw.head[0]["leaf_count"])]
    return [int(service.desk.trading.positions["qty"].sum()), int(leaves["net_qty"].sum())]


def test_a_fill_behind_a_lost_fill_is_booked_once_the_venue_has_told_both() -> None:
    world, service, order_id = begun(41)
    unheard(service, lambda: world.venue.fill(order_id, 3))
    world.venue.fill(order_id, 5)
    world.until(lambda: not service.link.is_live)
    assert held(service) == [0, 0], "what follows a hole is not booked"
    world.until(lambda: service.is_ready)
    world.pass_ns(S)
    assert held(service) == [8, 8]
    assert [alert.kind for alert in world.alerts] == ["callbacks_lost"]


def test_an_end_behind_a_lost_fill_does_not_lose_the_fill() -> None:
    world, service, order_id = begun(42)
    unheard(service, lambda: world.venue.fill(order_id, 3))
    world.venue.end(order_id)
    world.pass_ns(5 * S)
    assert service.is_ready and held(service) == [3, 3]
    assert not len(service.desk.working())


@pytest.mark.parametrize("numbered", [True, False])
def test_totals_tell_of_a_lost_fill_where_numbers_do_not(numbered: bool) -> None:
    world, service, order_id = begun(43)
    last = service.desk.state.sessions[0]
    number = {"session": int(last["session"]), "seq": int(last["seq"]) + 1} if numbered else {}
    order = world.venue.orders[order_id]
    order.fills += [(1, 1000, 3, 3), (2, 1000, 5, 8)]  # it made two fills and tells of one
    told = {"price": 1000, "qty": 5, "total_qty": 8, "fill_id": 2}
    service.callbacks.answer(ResponseKind.FILL, order_id, **told, **number)
    order.ended = ResponseKind.CANCELLED
    if numbered:
        number["seq"] += 1
    told = {"price": 1000, "total_qty": 8}
    service.callbacks.answer(ResponseKind.CANCELLED, order_id, **told, **number)
    world.pass_ns(5 * S)
    assert service.is_ready and held(service) == [8, 8] and not len(service.desk.working())


@pytest.mark.parametrize("wrong", [{"qty": -5}, {"qty": 0}, {"price": -1000}, {"price": 1 << 62}])
def test_a_fill_that_cannot_be_is_not_booked_and_the_venue_is_asked(wrong: dict[str, int]) -> None:
    world, service, order_id = begun(44)
    service.callbacks.answer(ResponseKind.FILL, order_id, **({"price": 1000, "qty": 5} | wrong))
    world.until(lambda: not service.link.is_live)
    world.until(lambda: service.is_ready)
    assert held(service) == [0, 0] and len(service.desk.working()) == 1


@pytest.mark.parametrize("wrong", [None, 1000.5, "1000", 1 << 70])
def test_a_callback_that_cannot_be_read_is_said_and_what_it_meant_is_asked(wrong: Any) -> None:
    world, service, order_id = begun(45)
    unheard(service, lambda: world.venue.fill(order_id, 2))
    service.callbacks.answer(ResponseKind.FILL, order_id, price=wrong, qty=2, total_qty=2)
    world.until(lambda: not service.link.is_live)
    world.pass_ns(5 * S)
    assert service.is_ready and held(service) == [2, 2]
    assert "bad_answer" in [alert.kind for alert in world.alerts]
    assert f"about order {order_id} cannot be read" in world.alerts[0].said


def test_a_session_after_another_is_heard_from_its_first_answer() -> None:
    world, service, order_id = begun(46)
    world.venue.drop()
    world.pass_ns(5 * S)
    assert service.is_ready
    world.venue.fill(order_id, 4)
    world.pass_ns(S)
    assert held(service) == [4, 4] and service.desk.state.head[0]["copies"] == 0


def test_an_order_that_the_venue_leaves_out_keeps_the_gateway_from_trading() -> None:
    world, service, order_id = begun(47)
    adapter = service.adapter
    assert isinstance(adapter, Loopback)
    tell = adapter._tell
    adapter._tell = lambda *_: None  # type: ignore[method-assign]
    world.venue.drop()
    world.pass_ns(10 * S)
    assert not service.is_ready and service.link.token > 3, "it is asked again and again"
    assert "1 were not told" in world.alerts[-1].said
    adapter._tell = tell  # type: ignore[method-assign]
    world.until(lambda: service.is_ready)
    assert service.desk.working()["order_id"].tolist() == [order_id]


def test_a_venue_whose_count_is_not_ours_keeps_the_gateway_from_trading() -> None:
    world, service, order_id = begun(48)
    order = world.venue.orders[order_id]
    world.venue.fill(order_id, 3)
    world.pass_ns(S)
    fills, order.fills = order.fills, []  # it says that nothing was filled
    world.venue.drop()
    world.pass_ns(10 * S)
    assert not service.is_ready and "1 do not fit what was booked" in world.alerts[-1].said
    assert held(service) == [3, 3]
    order.fills = fills
    world.until(lambda: service.is_ready)
    assert held(service) == [3, 3]


def test_what_a_session_says_after_it_was_given_up_is_told_when_asked_and_once() -> None:
    world, service, order_id = begun(49)
    unheard(service, lambda: world.venue.fill(order_id, 1))
    world.venue.fill(order_id, 2)
    world.until(lambda: not service.link.is_live)
    world.venue.fill(order_id, 4)
    world.venue.end(order_id)  # both arrive before the next session
    world.until(lambda: service.is_ready)
    world.pass_ns(S)
    assert held(service) == [7, 7] and not len(service.desk.working())


def test_numbers_go_on_where_they_like_behind_a_question_and_without_a_hole_from_there() -> None:
    world, service, order_id = begun(50)
    last = service.desk.state.sessions[0]
    session, seq = int(last["session"]), int(last["seq"])
    world.venue.drop()
    world.until(lambda: not service.link.is_live)
    world.until(lambda: service.is_ready)
    fill = {"price": 1000, "qty": 2, "session": session}  # the venue goes on numbering
    service.callbacks.answer(ResponseKind.FILL, order_id, seq=seq + 9, total_qty=2, **fill)
    world.pass_ns(S)
    assert service.is_ready and held(service) == [2, 2]
    service.callbacks.answer(ResponseKind.FILL, order_id, seq=seq + 8, total_qty=4, **fill)
    world.pass_ns(S)
    assert service.is_ready and held(service) == [2, 2], "a copy"
    service.callbacks.answer(ResponseKind.FILL, order_id, seq=seq + 11, total_qty=4, **fill)
    world.until(lambda: not service.link.is_live)
    assert held(service) == [2, 2], "a hole"


def test_what_is_told_of_a_question_that_is_over_counts_no_more() -> None:
    world, service, order_id = begun(51)
    told = {"value": ResponseKind.CANCELLED.value, "total_qty": 0}
    service.callbacks.told(service.link.token, Outcome.ENDED, order_id, **told)
    world.pass_ns(S)
    assert service.is_ready and len(service.desk.working()) == 1


def test_a_session_that_was_given_up_does_not_come_back_by_a_late_word() -> None:
    link = Link()
    link.step(0, is_drained=True)
    link.down(0)
    link.up(1)
    assert link.phase is Phase.DOWN and link.step(2, is_drained=True) is Step.NOTHING
