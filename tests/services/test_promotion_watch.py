"""What promotion files say is in force within a poll; what silences an alpha does so at once."""

import asyncio
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from promotion_world import ALPHA, World
from service_world import QUICK, SYMBOLS, Answers, desk_of, intent, limits_of

from hft.audit.journal import Journal as AuditJournal
from hft.core.codes import Reason
from hft.gateway.limits import Limits
from hft.governance.canary.apply import apply, rollback_by_hand
from hft.services.adapters.loopback import Loopback, LoopbackVenue
from hft.services.channel import LocalIntentChannel
from hft.services.journal import Journal
from hft.services.lease.lease import AlwaysLeads
from hft.services.ports import Alert
from hft.services.ports import World as Outside
from hft.services.promotions import PPM, PromotionFolder, PromotionWatch
from hft.services.service import GatewayService
from hft.services.typed import TypedIntents


@pytest.fixture(scope="session")
def key_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


@pytest.fixture
def world(tmp_path: Path, key_store: Path) -> World:
    made = World.made(tmp_path / "workspace", key_store)
    made.promoted()
    return made


def folder_of(world: World) -> PromotionFolder:
    place = world.workspace
    now = lambda: world.now_ns  # noqa: E731
    return PromotionFolder(place.promotions, place.keys, place.audit_journal, {ALPHA: 0}, now)


def edit(world: World) -> None:
    path = world.file().path
    path.write_text(path.read_text().replace("weight: 0.01", "weight: 0.5"))


def take_away(world: World) -> None:
    world.file().path.unlink()


def expire(world: World) -> None:
    world.pass_days(2000)


def lose_the_keys(world: World) -> None:
    world.workspace.keys.unlink()


def lose_the_record(world: World) -> None:
    shutil.rmtree(world.workspace.audit_journal)


def roll_back(world: World) -> None:
    file = world.file()
    assert file.promotion is not None
    decision = rollback_by_hand(file.promotion, "it lost")
    apply(world.office("cyd"), file, decision, person=world.person("cyd"), key=world.key("cyd"))


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (edit, "UNSIGNED_PROMOTION"),
        (take_away, "MISSING"),
        (expire, "EXPIRED"),
        (lose_the_keys, "UNREADABLE"),
        (lose_the_record, "UNREADABLE"),
        (roll_back, "DISABLED"),
    ],
)
def test_a_promotion_counts_until_something_about_it_is_not_right(
    world: World, spoil: Callable[[World], None], code: str
) -> None:
    folder = folder_of(world)
    [before] = folder.look()
    assert (before.ppm, before.code) == (int(0.01 * PPM), "")
    spoil(world)
    [after] = folder.look()
    assert (after.ppm, after.code) == (0, code) and after.reason


def test_a_look_at_what_did_not_change_verifies_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = folder_of(world)
    first = folder.look()
    monkeypatch.setattr("hft.services.promotions.effective", lambda *_: pytest.fail("verified"))
    assert folder.look() is first


def service_of(world: World, place: Path, venue: LoopbackVenue) -> tuple[GatewayService, list[Any]]:
    """A service whose first strategy trades the alpha; its audit rows go to a journal."""
    alerts: list[Alert] = []
    audit = AuditJournal(place / "audit")

    def record(table: str, row: Any) -> None:
        audit.append(table, row, now_ns=time.time_ns(), actor="gateway")

    outside = Outside(time.time_ns, alerts.append, lambda call: asyncio.to_thread(call), record)
    keys = {"HFT_GATEWAY_REQUIRE_PROMOTION": True, "strategies.maker.alpha_id": ALPHA}
    made = GatewayService(
        desk_of(limits_of(Limits.off().replace(**keys))),
        Journal(place / "journal", "account 1"),
        Loopback(venue),
        LocalIntentChannel(time.time_ns, ttl_ns=0),
        TypedIntents(["maker", "taker"], SYMBOLS),
        AlwaysLeads(),
        outside,
        QUICK,
    )
    return made, alerts


def test_a_rollback_silences_the_alpha_its_orders_are_cancelled_and_a_row_says_so(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Prints the time from the rollback's file to the last order that left."""
    sent: list[float] = []
    venue = LoopbackVenue(lambda _, order: sent.append(time.monotonic()))
    answers, times = Answers(), {}

    def roll_back_now() -> None:
        times["begun"] = time.monotonic()
        roll_back(world)
        times["written"] = time.monotonic()

    async def trade() -> GatewayService:
        service, _ = service_of(world, tmp_path, venue)
        watch = PromotionWatch(service, folder_of(world).look, poll_s=0.02)
        await service.start()
        await watch.once()
        running = asyncio.create_task(service.run())
        watching = asyncio.create_task(watch.run())
        while not service.is_ready:
            await asyncio.sleep(0.001)
        number = 0
        while not any(Reason.ALPHA_NOT_LIVE is said for [(said, _)] in answers.heard.values()):
            service.submit(intent(key=f"{number}"), answers.of(number))
            number += 1
            await asyncio.sleep(0.001)
            if number == 30:
                rolling = asyncio.create_task(asyncio.to_thread(roll_back_now))
        await rolling
        while len(service.desk.working()):
            await asyncio.sleep(0.001)
        service.submit(intent(strategy="taker"), answers.of("another"))
        await service.channel.join()
        watching.cancel()
        service.stop()
        await running
        return service

    async def in_time() -> GatewayService:
        async with asyncio.timeout(60):
            return await trade()

    service = asyncio.run(in_time())
    assert service.desk.trading.gw.strategies["weight_ppm"].tolist() == [0, PPM]
    assert answers.reason(0) is Reason.OK and answers.reason("another") is Reason.OK
    assert not any(order.open_qty for order in venue.orders.values())
    rows = [row["row"] for row in AuditJournal(tmp_path / "audit").rows()]
    assert [row["new_state"] for row in rows] == ["weight 0.01", "weight 0"]
    assert {row["scope"] for row in rows} == {ALPHA}
    last = sent[-2]  # the other strategy's order is the last one
    with capsys.disabled():
        print(f"\n`canary rollback` begun to the last dispatch: {last - times['begun']:.3f} s")
        print(f"its call done to the last dispatch: {last - times['written']:.3f} s")
