"""Keeps the process that makes checkpoints alive beside a gateway, and says why it ended.

A gateway that has no checkpoints trades on; only its next start takes longer. So a failure is an
alert, once for each cause, and the process is begun again after a pause.
"""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator

from hft.services.ports import AlertKind
from hft.services.service import GatewayService

EVERY_S, PAUSE_S = 60.0, 60.0
ENDS_IN_S = 5.0


class CheckpointProcess:
    """One process at a time for the journal of a service, until cancelled."""

    def __init__(
        self, service: GatewayService, *, every_s: float = EVERY_S, pause_s: float = PAUSE_S
    ) -> None:
        self._service = service
        self._every_s, self._pause_s = every_s, pause_s
        self._said = ""
        self.begun = 0

    async def run(self) -> None:
        """Begin it, wait for its end, say why, and again."""
        while True:
            said = await self._live()
            if said != self._said:
                self._service.alert(AlertKind.CHECKPOINT, said)
                self._said = said
            await asyncio.sleep(self._pause_s)

    async def _live(self) -> str:
        """One life of the process. Returns: the sentence that it ended with."""
        journal = self._service.journal
        words = (str(journal.folder), journal.account, "--every", str(self._every_s))
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "hft.services.checkpointer", *words),
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
            )
        except OSError as error:
            return f"no checkpoints are made: {error.strerror or error}"
        self.begun += 1
        try:
            _, told = await process.communicate()
        except asyncio.CancelledError:
            await _end(process)
            raise
        lines = told.decode(errors="replace").strip().splitlines() or ["it said nothing"]
        return f"no checkpoints are made: {lines[-1]} (exit code {process.returncode})"


async def _end(process: asyncio.subprocess.Process) -> None:
    """End it; one that does not hear is killed: what it was writing has another name."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), ENDS_IN_S)
        except TimeoutError:
            process.kill()
            await process.wait()


@contextlib.asynccontextmanager
async def checkpointed(
    service: GatewayService, *, every_s: float = EVERY_S, pause_s: float = PAUSE_S
) -> AsyncIterator[CheckpointProcess]:
    """Checkpoints of a service that has started, for as long as the block lasts."""
    made = CheckpointProcess(service, every_s=every_s, pause_s=pause_s)
    running = asyncio.get_running_loop().create_task(made.run())
    try:
        yield made
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
