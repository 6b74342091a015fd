"""Audit rows on their way: written beside the loop, and waited for at the end of a life."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from hft.services.ports import AlertKind, World


class AuditRows:
    """Owns the writes under way; a row that cannot be written is an alert."""

    def __init__(self, world: World, alert: Callable[[AlertKind, str], None]) -> None:
        self._world, self._alert = world, alert
        self._writing: set[asyncio.Future[Any]] = set()

    def record(self, table: str, row: Mapping[str, Any]) -> None:
        """Begin to write one."""
        writing = asyncio.ensure_future(self._world.beside(lambda: self._world.audit(table, row)))
        self._writing.add(writing)
        writing.add_done_callback(self._is_recorded)

    async def written(self) -> None:
        """All that were begun are on their place, or said."""
        if self._writing:
            await asyncio.wait(self._writing)

    def _is_recorded(self, writing: "asyncio.Future[Any]") -> None:
        self._writing.discard(writing)
        error = None if writing.cancelled() else writing.exception()
        if error is not None:
            self._alert(AlertKind.DEFECT, f"an audit row could not be written: {error}")
