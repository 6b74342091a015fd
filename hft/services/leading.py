"""Keeping the lease beside the loop: renewed each quarter of its time, given up once.

It only looks and tells; whether a command leaves is asked of the lease itself, at the command.
"""

import asyncio
import contextlib
from collections.abc import Callable

from hft.services.lease.lease import Lease
from hft.services.ports import Beside

REFRESH_S = 0.5


class Leading:
    """Renews a lease until it is lost or let go; `lost` is called once, on the loop."""

    def __init__(
        self,
        lease: Lease,
        beside: Beside,
        lost: Callable[[], None],
        *,
        refresh_s: float = REFRESH_S,
    ) -> None:
        self.lease, self._beside, self._lost, self._refresh_s = lease, beside, lost, refresh_s
        self._task: asyncio.Task[None] | None = None
        self._renews = self._is_over = False

    async def acquire(self, above: int) -> bool:
        """Lead under a fence above `above`; false: another one leads."""
        if not await self._beside(lambda: self.lease.acquire(above=above)):
            return False
        self._task = asyncio.get_running_loop().create_task(self._keep())
        return True

    async def release(self) -> None:
        """Let another lead at once."""
        task, self._task = self._task, None
        self._is_over = True
        if task is not None:
            if not self._renews:  # else it still writes into the file that is closed next
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self._beside(self.lease.release)

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(self._refresh_s)
            self._renews = True
            try:
                leads = await self._beside(self.lease.renew)
            except Exception:  # whatever the backend raises
                leads = False
            self._renews = False
            if self._is_over:
                return
            if not leads:
                self._lost()
                return
