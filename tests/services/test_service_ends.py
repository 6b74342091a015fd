"""However a life ends, its lease and its journal are free; what an adapter raises ends none."""

import asyncio
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from service_world import QUICK, Answers, Gateways, LeaseStore, S, intent, real_service

from hft.core.codes import Reason
from hft.core.errors import Busy, InvariantError, JournalError
from hft.services.adapters.loopback import LoopbackVenue
from hft.services.leading import Leading
from hft.services.life import Ending, Phase
from hft.services.ports import Alert


def test_a_defect_ends_the_life_and_another_gateway_leads_at_once() -> None:
    world, answers = Gateways(31), Answers()
    store = LeaseStore(world.now_ns)
    service, _, _, task = world.begin(lease=store.lease())
    apply = service.desk.apply

    def broken(rows: Any) -> Any:
        apply(rows)
        raise InvariantError("planted")

    service.desk.apply = broken  # type: ignore[method-assign]
    service.submit(intent(key="a"), answers.of("a"))
    world.until(task.done)
    assert isinstance(task.exception(), InvariantError) and service.phase is Phase.BROKEN
    assert [alert.kind for alert in world.alerts] == ["defect"]
    service.submit(intent(key="b"), answers.of("b"))
    assert answers.reason("b") is Reason.INTERNAL_ERROR and not world.venue.commands
    second, *_ = world.begin(lease=store.lease())
    assert second.is_ready and second.lease.fence == 2


def test_a_life_that_is_cancelled_keeps_what_it_decided_and_lets_go_of_all() -> None:
    world, answers = Gateways(32), Answers()
    store = LeaseStore(world.now_ns)
    service, _, _, task = world.begin(lease=store.lease())
    service.submit(intent(key="a"), answers.of("a"))
    world.until(lambda: service.queued == 1)
    task.cancel()
    world.until(task.done)
    assert task.cancelled() and store.until_ns == 0 and not world.disk.locks
    assert service.commit.last_durable == service.desk.inputs
    second, *_ = world.begin(lease=store.lease())
    assert second.desk.next_id == service.desk.next_id


def test_a_lease_that_is_lost_while_the_journal_is_read_ends_the_life() -> None:
    """Else it would go on for ever, neither leading nor standing by."""

    async def slow(call: Any) -> Any:
        await asyncio.sleep(1.0)
        return call()

    world = Gateways(38)
    store = LeaseStore(world.now_ns)
    options = replace(QUICK, refresh_s=0.1)
    service, _, number = world.make(lease=store.lease(), options=options)
    service.world = replace(service.world, beside=slow)
    task = world.in_life(number, service.start())
    world.until(lambda: store.fence == 1)
    store.fence += 1  # another took it
    world.pass_ns(5 * S)
    assert task.done() and isinstance(task.exception(), Busy)
    assert service.phase is Phase.LEASE_LOST and not world.venue.commands
    second, *_ = world.begin(lease=store.lease())
    assert second.is_ready


def test_a_command_of_a_leader_whose_time_is_over_does_not_leave() -> None:
    """The venue of this test would obey: nothing but the look at the lease holds it back."""
    world, answers = Gateways(36), Answers()
    service, _, _, task = world.begin()
    service.submit(intent(key="a"), answers.of("a"))
    world.until(lambda: service.queued == 1)
    service.lease.leads = lambda: False  # type: ignore[method-assign]
    world.until(task.done)
    assert task.result() is Ending.LEASE_LOST and not world.venue.commands
    assert answers.reason("a") is Reason.NOT_LEADER


def test_a_start_that_fails_lets_go_of_the_journal(monkeypatch: pytest.MonkeyPatch) -> None:
    world = Gateways(33)
    store = LeaseStore(world.now_ns)
    service, _, number = world.make(lease=store.lease())

    def full(*given: Any) -> None:
        raise JournalError("planted")

    monkeypatch.setattr(service._writer, "put", full)
    task = world.in_life(number, service.start())
    world.until(task.done)
    assert isinstance(task.exception(), JournalError)
    assert not world.disk.locks and store.until_ns == 0


@pytest.mark.parametrize("call", ["begin", "ask"])
def test_what_an_adapter_raises_is_said_and_the_venue_is_asked_again(call: str) -> None:
    world, answers = Gateways(34), Answers()
    service, _, number = world.make()
    works = getattr(service.adapter, call)

    def fails_once(*given: Any) -> None:
        setattr(service.adapter, call, works)
        raise OSError("no route to host")

    setattr(service.adapter, call, fails_once)

    async def whole() -> None:
        await service.start()
        await service.run()

    world.in_life(number, whole())
    world.until(lambda: service.is_ready)
    service.submit(intent(key="a"), answers.of("a"))
    world.until(lambda: "a" in answers.heard)
    assert answers.reason("a") is Reason.OK
    [alert] = world.alerts
    assert "the adapter failed: OSError('no route to host')" in alert.said


def test_a_session_that_cannot_be_closed_keeps_nobody_from_leading() -> None:
    world = Gateways(35)
    store = LeaseStore(world.now_ns)
    service, _, _, task = world.begin(lease=store.lease())

    def fails() -> None:
        raise OSError("broken pipe")

    service.adapter.close = fails  # type: ignore[method-assign]
    service.stop()
    world.until(task.done)
    assert task.result().name == "STOPPED" and store.until_ns == 0 and not world.disk.locks


LEFT = "CancelledError(); nothing leaves any more"


class Stamped(list[Alert]):
    """Alerts, and when the first one came."""

    first = 0.0

    def append(self, alert: Alert) -> None:
        self.first = self.first or time.perf_counter()
        super().append(alert)


def test_a_callback_of_another_thread_wakes_the_gateway_at_once(tmp_path: Path) -> None:
    alerts = Stamped()

    async def main() -> float:
        service = real_service(tmp_path, LoopbackVenue(), alerts)
        service.options = replace(QUICK, tick_ns=100 * S)  # nothing else wakes it
        await service.start()
        running = asyncio.create_task(service.run())
        while not service.is_ready:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.05)
        thread = threading.Thread(target=service.callbacks.down, args=("planted",))
        began = time.perf_counter()
        asyncio.get_running_loop().call_soon(thread.start)
        await asyncio.wait([running], timeout=2)  # the loop sleeps as long as this, or is woken
        thread.join()
        running.cancel()
        await asyncio.wait([running])
        return began

    began = asyncio.run(main())
    assert [alert.said for alert in alerts] == ["planted", LEFT]
    assert alerts.first - began < 1


def test_who_lets_go_waits_for_the_renewal_under_way() -> None:
    done: list[str] = []

    class Slow:
        fence = 1

        def acquire(self, *, above: int = 0) -> bool:
            return True

        def renew(self) -> bool:
            done.append("renews")
            time.sleep(0.05)
            done.append("renewed")
            return True

        def leads(self) -> bool:
            return True

        def release(self) -> None:
            done.append("let go")

    async def main() -> None:
        leading = Leading(Slow(), lambda call: asyncio.to_thread(call), lambda: None, refresh_s=0.0)
        await leading.acquire(0)
        while not done:
            await asyncio.sleep(0.001)
        await leading.release()

    asyncio.run(main())
    assert done == ["renews", "renewed", "let go"]


def test_a_lease_whose_backend_raises_is_lost() -> None:
    lost: list[bool] = []

    class Raises:
        fence = 1

        def acquire(self, *, above: int = 0) -> bool:
            return True

        def renew(self) -> bool:
            raise RuntimeError("no connection")

        def leads(self) -> bool:
            return True

        def release(self) -> None:
            pass

    async def main() -> None:
        leading = Leading(
            Raises(), lambda call: asyncio.to_thread(call), lambda: lost.append(True), refresh_s=0.0
        )
        await leading.acquire(0)
        await asyncio.sleep(0.05)
        await leading.release()

    asyncio.run(main())
    assert lost == [True]
