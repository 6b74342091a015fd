"""Checkpoints are made beside a gateway that lives, and when they are not a person hears why."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from service_world import Answers, intent, real_service

from hft.core.codes import Reason
from hft.services import checkpointer
from hft.services.adapters.loopback import LoopbackVenue
from hft.services.checkpoint_process import checkpointed
from hft.services.ports import Alert, AlertKind

pytestmark = pytest.mark.nojit


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.02)


def test_a_gateway_that_lives_has_checkpoints_and_trades_on_without_them(tmp_path: Path) -> None:
    alerts: list[Alert] = []
    service, answers = real_service(tmp_path, LoopbackVenue(), alerts), Answers()
    folder = service.journal.folder / "checkpoints"

    def said() -> list[str]:
        return [one.said for one in alerts if one.kind is AlertKind.CHECKPOINT]

    async def live() -> None:
        await service.start()
        running = asyncio.create_task(service.run())
        async with checkpointed(service, every_s=0.1, pause_s=0.05) as made:
            await until(lambda: any(folder.glob("*.checkpoint")))
            assert made.begun == 1 and not said()
            shutil.rmtree(folder)
            folder.write_text("in the way")  # as good as a disk that cannot be written
            await until(lambda: made.begun >= 3)
            service.submit(intent(key="a"), answers.of("a"))
            await until(lambda: "a" in answers.heard)
        service.stop()
        await running

    asyncio.run(live())
    assert answers.reason("a") is Reason.OK
    assert 1 <= len(said()) == len(set(said())), "the same cause is told once"
    for one in said():
        assert one.startswith("no checkpoints are made: ") and one.endswith("(exit code 74)")
        assert "Traceback" not in one and str(folder) in one


def test_the_checkpointer_refuses_in_one_sentence_what_is_no_journal_of_the_account(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert checkpointer.main([str(tmp_path / "none"), "account 1"]) == 74
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "none").exists()
