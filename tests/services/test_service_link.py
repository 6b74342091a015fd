"""Whatever breaks the way to the venue, nothing is lost, sent twice, or left unsaid."""

from dataclasses import replace

import numpy as np
import pytest
from service_world import QUICK, Answers, Gateways, S, intent

from hft.core.codes import ControlKind, IntentType, Reason, ResponseKind
from hft.core.errors import ConfigError
from hft.services.adapters.loopback import Loopback, LoopbackVenue, LoopOrder
from hft.services.health import snapshot
from hft.services.life import Phase
from hft.services.service import GatewayService
from hft.trading.inputs import OUTBOUND


def kinds(world: Gateways) -> list[str]:
    return [alert.kind.value for alert in world.alerts]


def adapter(service: GatewayService) -> Loopback:
    assert isinstance(service.adapter, Loopback)
    return service.adapter


def test_while_the_venue_is_away_intents_are_refused_and_afterwards_it_is_asked() -> None:
    world, answers = Gateways(11), Answers()
    service, *_ = world.begin()
    service.submit(intent(key="a", qty=3), answers.of("a"))
    world.until(lambda: "a" in answers.heard)
    world.pass_ns(S)
    world.venue.drop()
    world.venue.fill(answers.order_id("a"), 2)  # nobody hears it
    world.until(lambda: not service.link.is_live)
    service.submit(intent(key="b"), answers.of("b"))
    world.until(lambda: "b" in answers.heard)
    assert answers.reason("b") is Reason.VENUE_DOWN and not service.is_ready
    world.until(lambda: service.is_ready)
    world.pass_ns(S)
    assert service.desk.trading.positions["qty"].tolist() == [2, 0, 0, 0]
    service.submit(intent(key="c"), answers.of("c"))
    world.until(lambda: "c" in answers.heard)
    assert answers.reason("c") is Reason.OK and kinds(world) == ["venue_down"]


def test_callbacks_that_find_no_room_are_counted_told_and_made_good_by_asking() -> None:
    def fills_at_once(venue: LoopbackVenue, order: LoopOrder) -> None:
        for _ in range(order.qty):
            venue.fill(order.order_id, 1)

    world, answers = Gateways(12, venue=LoopbackVenue(fills_at_once)), Answers()
    service, *_ = world.begin(options=replace(QUICK, callbacks=8))
    for name in "abcdef":
        service.submit(intent(key=name, qty=3), answers.of(name))
    world.until(lambda: len(answers.heard) == 6 and service.is_ready)
    world.pass_ns(30 * S)
    assert service.callbacks.dropped > 0 and "callbacks_lost" in kinds(world)
    assert service.is_ready and not len(service.desk.working())
    sent = sum(order.filled for order in world.venue.orders.values())
    assert service.desk.trading.positions["qty"].tolist() == [sent, 0, 0, 0]


def test_when_the_adapter_fails_its_commands_are_in_doubt_until_the_venue_has_been_asked() -> None:
    world, answers = Gateways(13), Answers()
    service, *_ = world.begin()
    adapter(service).fails = OSError("broken pipe")
    service.submit(intent(key="a"), answers.of("a"))
    world.until(lambda: "a" in answers.heard)
    held = service.desk.trading.gw.head[0]["live_orders"]
    world.until(lambda: service.link.is_live and not len(service.desk.working()))
    assert held == 1 and not world.venue.commands
    assert kinds(world) == ["defect", "venue_down"]
    service.submit(intent(key="a"), answers.of("again"))
    world.until(lambda: "again" in answers.heard)
    assert answers.reason("again") is Reason.VENUE_DOWN, "the key tells what became of it"


def test_a_retry_of_a_command_that_did_not_leave_is_told_so_by_whichever_batch_answers_it() -> None:
    """Both are decided while the link is there, the retry as a copy, and then it breaks."""
    world, answers = Gateways(23), Answers()
    service, *_ = world.begin()
    first = int(service.desk.inputs)
    service.submit(intent(key="a"), answers.of("a"))
    world.until(lambda: service.desk.inputs > first and service.queued == 1)
    service.submit(intent(key="a"), answers.of("again"))
    service.turn()
    assert service.queued == 1 and not answers.heard, "both wait for the disk"
    world.venue.drop()
    service.link.down(world.now_ns())
    world.until(lambda: len(answers.heard) == 2)
    assert not world.venue.commands
    assert answers.reason("a") is answers.reason("again") is Reason.VENUE_DOWN


def test_a_key_that_was_refused_for_good_stays_refused_when_a_later_doubt_is_settled() -> None:
    """A cancel is on its way as the wire breaks, an amend behind it does not leave, we restart."""
    world, answers = Gateways(26), Answers()
    service, life, number, _ = world.begin()
    service.submit(intent(key="a", qty=3), answers.of("a"))
    world.until(lambda: "a" in answers.heard)
    world.pass_ns(S)
    order_id = answers.order_id("a")
    hear, world.venue.hear = world.venue.hear, lambda command: None  # type: ignore[method-assign]
    cancel = intent(key="c", kind=IntentType.CANCEL, target=order_id)
    service.submit(cancel, answers.of("c"))
    world.until(lambda: "c" in answers.heard)
    world.venue.hear, world.venue._session = hear, None  # type: ignore[method-assign]
    amend = intent(key="m", kind=IntentType.AMEND, target=order_id, qty=5)
    service.submit(amend, answers.of("m"))
    world.until(lambda: "m" in answers.heard)
    world.pass_ns(S // 10)
    assert answers.reason("c") is Reason.OK and answers.reason("m") is Reason.VENUE_DOWN
    world.venue.fill(order_id, 3)  # nobody hears it
    world.kill(life, number)
    service, *_ = world.begin()
    assert not len(service.desk.working())
    service.submit(amend, answers.of("again"))
    world.until(lambda: "again" in answers.heard)
    assert answers.reason("again") is Reason.VENUE_DOWN


def test_an_adapter_that_does_not_say_of_each_command_whether_it_left_is_asked() -> None:
    world, answers = Gateways(20), Answers()
    service, *_ = world.begin()
    submit = adapter(service).submit
    adapter(service).submit = lambda commands: submit(commands)[:0]  # type: ignore[method-assign]
    service.submit(intent(key="a"), answers.of("a"))
    world.until(lambda: not service.link.is_live)
    world.until(lambda: service.is_ready)
    assert "0 reasons for 1 commands" in world.alerts[0].said
    assert len(service.desk.working()) == 1 and not len(service.desk.unknown())


def test_what_the_adapter_did_not_take_gives_back_what_it_held_and_its_cancel_never_leaves() -> (
    None
):
    world, answers = Gateways(14), Answers()
    service, *_ = world.begin()
    adapter(service).room = 1
    for name in "ab":
        service.submit(intent(key=name), answers.of(name))
    world.until(lambda: len(answers.heard) == 2)
    assert sorted(answers.reason(name) for name in "ab") == [Reason.OK, Reason.ORDER_QUEUE_FULL]
    world.pass_ns(S)
    assert len(service.desk.working()) == 1 and service.dispatch.unsent == 1
    assert service.dispatch.sent == len(world.venue.commands) == 1
    assert not service.desk.state.head[0]["disputed"] and not service.desk.state.head[0]["strays"]


def test_a_command_past_its_deadline_is_not_sent_but_its_cancel_would_be() -> None:
    world, answers = Gateways(15), Answers()
    service, *_ = world.begin()
    service.submit(intent(key="a"), answers.of("a"))
    world.until(lambda: "a" in answers.heard)
    world.pass_ns(S)
    service.submit(intent(key="b"), answers.of("b"))
    cancel = intent(kind=IntentType.CANCEL, target=answers.order_id("a"))
    service.submit(cancel, answers.of("cancel"))
    world.until(lambda: service.queued == 2)
    world.loop.now += 5.0
    world.until(lambda: len(answers.heard) == 3)
    assert answers.reason("b") is Reason.COMMAND_DEADLINE
    assert answers.reason("cancel") is Reason.OK
    world.pass_ns(S)
    assert not len(service.desk.working())


def test_an_input_that_cannot_be_applied_is_left_out_and_the_others_are_not() -> None:
    world, answers = Gateways(16), Answers()
    service, *_ = world.begin()
    waiters = []

    async def ask() -> None:
        waiters.append(service.control(ControlKind.LIMITS, 0, 12345))
        service.submit(intent(key="a"), answers.of("a"))

    world.loop.run_until_complete(ask())
    world.until(lambda: "a" in answers.heard)
    assert answers.reason("a") is Reason.OK
    with pytest.raises(ConfigError, match="limits 3039"):
        waiters[0].result()
    assert kinds(world) == ["defect"] and "limits 3039" in world.alerts[0].said


def test_who_waits_for_a_control_hears_of_his_own_and_not_of_a_wrong_one_beside_it() -> None:
    world = Gateways(18)
    service, *_ = world.begin()
    waiters = []

    async def ask() -> None:
        waiters.append(service.control(ControlKind.PROMOTION, 0, 250_000))
        waiters.append(service.control(ControlKind.LIMITS, 0, 12345))
        waiters.append(service.control(ControlKind.PROMOTION, 1, 750_000))

    world.loop.run_until_complete(ask())
    world.until(lambda: all(one.done() for one in waiters))
    weights = service.desk.trading.gw.strategies["weight_ppm"]
    assert weights.tolist() == [250_000, 750_000]
    before, wrong, after = waiters
    assert after.result() == before.result() + 1 <= service.commit.last_durable
    with pytest.raises(ConfigError, match="limits 3039"):
        wrong.result()
    assert kinds(world) == ["defect"]


def test_orders_at_the_venue_that_are_not_ours_are_named_and_left_alone() -> None:
    world = Gateways(17)
    world.venue.orders[999] = LoopOrder(999, 0, 1000, 5)
    service, *_ = world.begin()
    assert service.phase is Phase.READY and kinds(world) == ["stray_order"]
    assert world.venue.orders[999].open_qty == 5


def test_a_fill_of_an_order_that_our_books_have_ended_is_told_once_and_shown() -> None:
    world, answers = Gateways(19), Answers()
    service, *_ = world.begin()
    for key in "ab":
        service.submit(intent(key=key, qty=3), answers.of(key))
    world.until(lambda: len(answers.heard) == 2)
    ended, filled = answers.order_id("a"), answers.order_id("b")
    world.venue.fill(ended, 1)
    world.venue.end(ended)
    world.venue.fill(filled, 3)
    world.pass_ns(S)
    _again(service, filled)  # a copy of the fill that ended its order is none
    world.pass_ns(S)
    assert not kinds(world) and not len(service.desk.working())
    world.venue.orders[ended].ended = None  # the venue filled it before it heard the cancel
    world.venue.fill(ended, 2)
    world.pass_ns(S)
    _again(service, ended)
    world.pass_ns(S)
    assert kinds(world) == ["unbooked_fill"]
    assert f"order {ended}: the venue filled 2 lots at 1000 ticks" in world.alerts[0].said
    assert snapshot(service)["unbooked_fills"] == 1
    assert service.desk.trading.positions["qty"].tolist() == [4, 0, 0, 0]


def _again(service: GatewayService, order_id: int) -> None:
    """The last answer of the venue, a fill of this order, is heard once more."""
    last = service.desk.state.sessions[0]
    fields = {"price": 1000, "qty": 2, "session": int(last["session"]), "seq": int(last["seq"])}
    service.callbacks.answer(ResponseKind.FILL, order_id, **fields)


def test_while_many_answers_wait_no_new_intent_is_decided() -> None:
    world, answers = Gateways(20), Answers()
    service, *_ = world.begin(options=replace(QUICK, callbacks=8, hears=2))
    service.submit(intent(key="a"), answers.of("a"))
    world.until(lambda: "a" in answers.heard)
    left = []

    async def turns() -> None:
        for _ in range(8):
            service.callbacks.answer(ResponseKind.ACK, answers.order_id("a"))
        service.submit(intent(key="b"), answers.of("b"))
        for _ in range(2):
            service.turn()
            left.append((len(service.callbacks), len(service.channel)))

    world.loop.run_until_complete(turns())
    assert left == [(6, 1), (4, 0)]
    world.until(lambda: "b" in answers.heard)
    assert answers.reason("b") is Reason.OK


def test_what_did_not_leave_is_forgotten_once_nothing_is_on_its_way() -> None:
    world, answers = Gateways(21), Answers()
    service, *_ = world.begin()
    adapter(service).room = 1
    for name in "ab":
        service.submit(intent(key=name), answers.of(name))
    world.until(lambda: len(answers.heard) == 2)
    world.pass_ns(S)
    assert service.dispatch.unsent == 1
    assert service.dispatch.send(np.zeros(0, OUTBOUND), world.now_ns()) == {}
