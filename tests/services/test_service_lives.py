"""One life follows another, also where the one before only seemed to be dead."""

import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import service_world
from service_world import (
    FOLDER,
    QUICK,
    START,
    Answers,
    Gateways,
    LeaseStore,
    S,
    desk_of,
    intent,
)

from hft.core.codes import Reason
from hft.core.errors import Busy, ConfigError, HftError, JournalError
from hft.services.journal import Journal
from hft.services.life import Ending
from hft.storage.disk import REAL
from hft.trading.inputs import EPOCH_MAX
from tests.simulation.disk import Life


def test_without_a_lease_a_second_gateway_is_refused_and_touches_nothing() -> None:
    world = Gateways(21)
    world.begin()
    before = world.disk.root.memory.keys()
    with pytest.raises(Busy, match="process 1 writes this journal"):
        world.make()
    assert world.disk.root.memory.keys() == before


def test_a_standby_is_refused_while_another_leads_and_leads_once_that_one_is_dead() -> None:
    world = Gateways(22)
    store = LeaseStore(world.now_ns)
    _, life, number, _ = world.begin(lease=store.lease())
    with pytest.raises(Busy, match="another gateway leads"):
        world.begin(lease=store.lease())
    world.kill(life, number)
    world.pass_ns(3 * S)
    second, *_ = world.begin(lease=store.lease())
    assert second.desk.epoch == 2 and second.lease.fence == 2


def test_a_stopped_leader_sends_nothing_when_it_goes_on_and_its_late_records_are_void() -> None:
    world, answers = Gateways(23), Answers()
    store = LeaseStore(world.now_ns)
    first, _, number, task = world.begin(lease=store.lease())
    first.submit(intent(key="a"), answers.of("a"))
    world.until(lambda: "a" in answers.heard)
    first.submit(intent(key="late"), answers.of("late"))
    world.until(lambda: first.queued == 1)  # decided, and not on the disk yet
    world.loop.stop(number)
    world.pass_ns(3 * S)
    second, life, other, _ = world.begin(lease=store.lease())
    second.submit(intent(key="b"), answers.of("b"))
    world.until(lambda: "b" in answers.heard)
    world.loop.go_on(number)
    world.until(task.done)
    assert task.result() is Ending.LEASE_LOST and answers.reason("late") is Reason.NOT_LEADER
    assert [fence for *_, fence in world.venue.commands] == [1, 2]
    world.kill(life, other, power_cut=True)
    world.pass_ns(3 * S)
    third, *_ = world.begin(lease=store.lease())
    assert third.desk.epoch == 3 and len(third.desk.working()) == 2
    assert third.desk.state.head[0]["strays"] == 0


def test_a_lease_that_is_lost_ends_the_life_before_anything_else_leaves() -> None:
    world, answers = Gateways(24), Answers()
    store = LeaseStore(world.now_ns)
    service, _, _, task = world.begin(lease=store.lease())
    store.fence += 1  # another took it
    world.until(task.done)
    assert task.result() is Ending.LEASE_LOST
    service.submit(intent(key="a"), answers.of("a"))
    assert answers.reason("a") is Reason.NOT_LEADER and not world.venue.commands


def test_a_venue_that_obeys_a_newer_leader_refuses_an_older_one() -> None:
    world, answers = Gateways(25), Answers()
    service, _, _, task = world.begin()
    world.venue.fence = 7
    service.submit(intent(key="a"), answers.of("a"))
    world.until(task.done)
    assert task.result() is Ending.LEASE_LOST and answers.reason("a") is Reason.STALE_FENCE
    assert [alert.kind for alert in world.alerts] == ["stale_fence", "lease_lost"]


def test_a_clock_that_went_back_is_refused_before_anything_is_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = Gateways(26)
    _, life, number, _ = world.begin()
    world.pass_ns(60 * S)
    world.kill(life, number)
    world.loop.now = 0.0
    lives = sorted(world.disk.root.memory)
    with pytest.raises(ConfigError, match=r"the clock is 5[0-9]{4} ms behind") as refused:
        world.begin()
    assert sorted(world.disk.root.memory) == lives
    # Both ways out that it names, for a clock that was ahead and is right now.
    at = re.search(r"begin at (\S+)Z or later, or in another folder", str(refused.value))
    assert at is not None
    with monkeypatch.context() as other:
        other.setattr(service_world, "FOLDER", Path("/gateway/other"))
        _, life, number, _ = world.begin()
    world.kill(life, number)
    world.loop.now = datetime.fromisoformat(f"{at[1]}+00:00").timestamp() - START // S
    service, *_ = world.begin()
    assert service.is_ready and service.desk.epoch == 2


def test_a_journal_that_has_had_all_its_lives_is_refused_and_another_folder_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world, answers, desk = Gateways(33), Answers(), desk_of()
    begin = desk.begin

    def last(ts_ns: int) -> np.ndarray:
        rows = begin(ts_ns)
        rows[0]["value"] = EPOCH_MAX
        return rows

    monkeypatch.setattr(desk, "begin", last)
    service, life, number, _ = world.begin(desk=desk)
    service.submit(intent(key="a"), answers.of("a"))  # the last life trades as any other
    world.until(lambda: "a" in answers.heard)
    assert answers.reason("a") is Reason.OK and service.desk.epoch == EPOCH_MAX
    world.kill(life, number)
    before = sorted(world.disk.root.memory)
    with pytest.raises(ConfigError, match=r"has had 32767 lives.* begin another one in another fo"):
        world.begin()
    assert sorted(world.disk.root.memory) == before
    monkeypatch.setattr(service_world, "FOLDER", Path("/gateway/other"))
    assert world.begin()[0].desk.epoch == 1


def test_a_life_knows_from_its_first_record_that_nobody_has_spoken_with_the_venue_yet() -> None:
    world = Gateways(34)
    service, life, number, _ = world.begin()
    assert service.desk.trading.gw.head[0]["venue_up"] == 1
    world.kill(life, number)
    service, _, number = world.make()
    started = world.in_life(number, service.start())
    world.until(started.done)
    assert started.result() is None
    assert service.desk.trading.gw.head[0]["venue_up"] == 0


def test_a_journal_is_for_one_writer_unless_a_lease_says_who_that_is(tmp_path: Path) -> None:
    held = Journal(tmp_path, "account 1")
    with pytest.raises(Busy):
        Journal(tmp_path, "account 1")
    held.close()
    Journal(tmp_path, "account 1").close()


def test_a_stop_closes_positions_when_it_is_asked_to() -> None:
    world, answers = Gateways(27), Answers()
    service, _, _, task = world.begin(options=replace(QUICK, close_on_stop=True))
    service.hear_touch(0, bid_tick=999, ask_tick=1001, valid=1, ts_ns=world.now_ns())
    service.submit(intent(key="a", qty=2), answers.of("a"))
    world.until(lambda: "a" in answers.heard)
    world.venue.fill(answers.order_id("a"), 2)
    world.pass_ns(S // 2)
    service.stop()
    service.submit(intent(key="b"), answers.of("b"))
    assert answers.reason("b") is Reason.POLICY_HALT
    world.until(lambda: len(world.venue.orders) == 2)
    [closing] = [order for order in world.venue.orders.values() if order.open_qty]
    world.venue.fill(closing.order_id, 2)
    world.until(task.done)
    assert service.desk.trading.positions["qty"].tolist() == [0, 0, 0, 0]
    assert task.result() is Ending.STOPPED and not world.alerts


def test_a_stop_that_cannot_end_everything_says_what_is_left() -> None:
    world, answers = Gateways(28), Answers()
    service, _, _, task = world.begin(options=replace(QUICK, close_on_stop=True))
    service.submit(intent(key="a", qty=2), answers.of("a"))
    world.until(lambda: "a" in answers.heard)
    world.venue.fill(answers.order_id("a"), 1)
    world.venue.drop()
    service.stop()
    world.until(task.done)
    assert [alert.said for alert in world.alerts if alert.kind == "shutdown"] == [
        "0 working orders and 1 positions are left behind"
    ]


def test_another_accounts_journal_and_one_with_a_life_missing_are_one_sentence_each() -> None:
    world, answers = Gateways(29), Answers()
    for _ in range(2):
        service, life, number, _ = world.begin()
        service.submit(intent(key=str(number)), answers.of(number))
        world.until(lambda n=number: n in answers.heard)
        world.kill(life, number)
    other = Life(world.disk, "reader")
    with pytest.raises(JournalError, match="the journal of 'account 1', not of 'account 2'"):
        list(Journal(FOLDER, "account 2", shared=True, disk=other).read(9))
    first = other._folder(FOLDER / f"{1:020d}")
    first.memory.clear()
    with pytest.raises(
        JournalError, match="record 1 is needed; the folder of a life or a checkpoint is"
    ):
        list(Journal(FOLDER, "account 1", shared=True, disk=other).read(9))


@pytest.mark.parametrize("account", ["", "account 1"])
def test_a_journal_needs_an_account_and_a_folder_that_can_be_made(
    account: str, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HftError, match=r"name it|cannot keep a journal"):
        Journal(tmp_path / "file" / "journal", account, disk=REAL)


def test_a_desk_of_another_configuration_does_not_go_on_with_a_journal() -> None:
    world = Gateways(30)
    _, life, number, _ = world.begin()
    world.kill(life, number)
    with pytest.raises(ConfigError, match="another configuration"):
        world.begin(desk=desk_of(order_capacity=512))
