"""A service decides, writes, sends and answers in that order, in every life."""

from dataclasses import replace

import numpy as np
from service_world import QUICK, Answers, Gateways, intent

from hft.core.codes import IntentType, Reason, ResponseKind
from hft.services.life import Ending, Phase


def test_a_command_leaves_and_its_submitter_hears_only_once_the_disk_has_the_record() -> None:
    world, answers = Gateways(1), Answers()
    service, life, *_ = world.begin()
    service.submit(intent(key="a"), answers.of("a"))
    seen = []
    original = life.disk.refuse

    def watched(verb: str) -> None:
        if verb == "sync":
            seen.append((len(world.venue.commands), len(answers.heard)))
        original(verb)

    life.disk.refuse = watched  # type: ignore[method-assign]
    world.until(lambda: bool(answers.heard))
    assert seen and all(counts == (0, 0) for counts in seen[:1])
    assert answers.reason("a") is Reason.OK
    assert [order_id for _, _, order_id, _ in world.venue.commands] == [answers.order_id("a")]


def test_an_order_is_filled_amended_and_cancelled_under_the_id_that_its_submitter_heard() -> None:
    world, answers = Gateways(2), Answers()
    service, *_ = world.begin()
    service.submit(intent(key="a", qty=5), answers.of("a"))
    world.until(lambda: "a" in answers.heard)
    order_id = answers.order_id("a")
    world.venue.fill(order_id, 2)
    service.submit(
        intent(kind=IntentType.AMEND, target=order_id, price=999, qty=4), answers.of("amend")
    )
    world.until(lambda: "amend" in answers.heard)
    world.pass_ns(10**9)
    [order] = service.desk.working()
    assert (order["price"], order["qty"], order["filled_qty"]) == (999, 4, 2)
    service.submit(intent(kind=IntentType.CANCEL, target=order_id), answers.of("cancel"))
    world.until(lambda: "cancel" in answers.heard)
    world.pass_ns(10**9)
    assert not len(service.desk.working())
    assert world.venue.orders[order_id].ended is ResponseKind.CANCELLED
    assert service.desk.trading.positions["qty"].tolist() == [2, 0, 0, 0]


def test_a_stopped_service_cancels_what_works_and_the_next_one_knows_everything() -> None:
    world, answers = Gateways(3), Answers()
    service, _, _, task = world.begin()
    for name in "abc":
        service.submit(intent(key=name), answers.of(name))
    world.until(lambda: len(answers.heard) == 3)
    world.venue.fill(answers.order_id("a"), 1)
    service.stop()
    world.until(task.done)
    assert task.result() is Ending.STOPPED
    assert all(not order.open_qty for order in world.venue.orders.values())
    again, *_ = world.begin()
    assert again.desk.epoch == 2
    assert again.desk.trading.positions["qty"].tolist() == [1, 0, 0, 0]
    again.submit(intent(key="a"), answers.of("a again"))
    world.until(lambda: "a again" in answers.heard)
    assert len(world.venue.commands) == 5  # three orders and two cancels, none again


def test_a_killed_service_asks_the_venue_and_nothing_is_sent_twice() -> None:
    world, answers = Gateways(4), Answers()
    service, life, number, _ = world.begin()
    for name in "abcd":
        service.submit(intent(key=name, qty=3), answers.of(name))
    world.until(lambda: len(world.venue.commands) == 4)
    world.kill(life, number, power_cut=True)
    world.venue.fill(next(iter(world.venue.orders)), 2)
    again, *_ = world.begin()
    assert again.phase is Phase.READY
    assert len(again.desk.working()) == 4 and not len(again.desk.unknown())
    assert again.desk.trading.positions["qty"].tolist() == [2, 0, 0, 0]
    for name in "abcd":
        again.submit(intent(key=name, qty=3), answers.of(name + "2"))
    world.until(lambda: len([k for k in answers.heard if len(k) == 2]) == 4)
    ids = [cmd_id for cmd_id, *_ in world.venue.commands]
    assert len(ids) == len(set(ids)) == 4


def test_a_sync_that_fails_ends_the_life_and_everybody_is_told() -> None:
    world, answers = Gateways(5), Answers()
    service, _, _, task = world.begin()
    world.disk.fails["sync"] = 5
    service.submit(intent(key="a"), answers.of("a"))
    world.until(task.done)
    assert task.result() is Ending.JOURNAL_FAILED
    assert answers.reason("a") is Reason.DEDUP_JOURNAL_FAILED and not world.venue.commands
    service.submit(intent(key="b"), answers.of("b"))
    assert answers.reason("b") is Reason.DEDUP_JOURNAL_FAILED
    assert [alert.kind for alert in world.alerts] == ["journal_failed"]


def test_who_brings_many_hears_arrays_each_of_his_intents_once_and_at_its_place() -> None:
    world, heard = Gateways(6), []
    service, _, _, _ = world.begin(options=replace(QUICK, batch=3))
    many = [intent(key=f"k{k}") for k in range(7)]
    many[4] = intent(key="off", symbol="unheard of")
    many[6] = intent(key="k5")  # the same again
    assert service.submit_many(many, heard.append) == 7
    world.until(lambda: sum(len(one) for one in heard) == 7)
    told = np.sort(np.concatenate(heard), order="place")
    assert told["place"].tolist() == list(range(7)) and len(heard) > 1
    reasons = [Reason(int(one)) for one in told["reason"]]
    assert reasons == [Reason.OK] * 4 + [Reason.UNKNOWN_INSTRUMENT] + [Reason.OK] * 2
    assert told["cmd_id"][6] == told["cmd_id"][5] and told["order_id"][6] == 0
    sent = {order_id for _, _, order_id, _ in world.venue.commands}
    assert sent == set(told["order_id"][[0, 1, 2, 3, 5]].tolist())


def test_a_key_twice_in_one_batch_makes_one_order_and_one_submitter_hears_its_id() -> None:
    world, heard = Gateways(7), []
    service, _, _, _ = world.begin()
    service.submit_many([intent(key="a"), intent(key="a")], heard.append)
    world.until(lambda: bool(heard))
    [told] = heard
    assert told["reason"].tolist() == [Reason.OK.value] * 2 and told["order_id"][1] == 0
    assert [one[2] for one in world.venue.commands] == [told["order_id"][0]]


def test_those_of_many_whose_commands_did_not_leave_are_told_why_and_the_others_are_sent() -> None:
    world, heard = Gateways(8), []
    service, _, _, _ = world.begin()
    service.adapter.room = 2
    service.submit_many([intent(key=name) for name in "abc"], heard.append)
    world.until(lambda: bool(heard))
    [told] = heard
    assert told["reason"].tolist() == [0, 0, Reason.ORDER_QUEUE_FULL.value]
    assert len(world.venue.commands) == 2


def test_many_brought_to_a_life_that_ended_are_all_told_at_once() -> None:
    world, heard = Gateways(9), []
    service, _, _, task = world.begin()
    service.stop()
    world.until(task.done)
    assert service.submit_many([intent(key=name) for name in "abc"], heard.append) == 3
    [told] = heard
    assert set(told["reason"].tolist()) == {Reason.POLICY_HALT.value} and len(told) == 3
