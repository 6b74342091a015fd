"""The service on the loop, the clock, the threads and the disk of this machine."""

import asyncio
from pathlib import Path

from service_world import Answers, intent, real_service

from hft.core.codes import Reason
from hft.services.adapters.loopback import LoopbackVenue
from hft.services.life import Ending
from hft.services.ports import Alert


async def _trade(folder: Path, venue: LoopbackVenue, count: int, alerts: list[Alert]) -> Answers:
    service, answers = real_service(folder, venue, alerts), Answers()
    await service.start()
    running = asyncio.create_task(service.run())
    while not service.is_ready:
        await asyncio.sleep(0.001)
    for k in range(count):
        service.submit(intent(key=f"{k}", qty=1 + k % 3), answers.of(f"{k}"))
        if k % 8 == 0:
            await asyncio.sleep(0)
    await service.channel.join()
    service.stop()
    assert await running is Ending.STOPPED
    return answers


def test_two_lives_on_the_real_disk_send_each_intent_once_and_end_with_nothing_open(
    tmp_path: Path,
) -> None:
    venue, alerts = LoopbackVenue(), []
    first = asyncio.run(_trade(tmp_path / "journal", venue, 40, alerts))
    assert len(first.heard) == 40
    assert {reason for [(reason, _)] in first.heard.values()} == {Reason.OK}
    second = asyncio.run(_trade(tmp_path / "journal", venue, 60, alerts))
    assert len(second.heard) == 60
    ids = [cmd_id for cmd_id, *_ in venue.commands]
    assert len(ids) == len(set(ids)) == 120  # sixty orders, and a cancel for each
    assert len(venue.orders) == 60 and not any(one.open_qty for one in venue.orders.values())
    assert not alerts
