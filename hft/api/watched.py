"""A gateway's home with its recorder, for somebody who looks again and again."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from hft.api.gateway import HOME, status
from hft.api.recorder import place_of
from hft.core.errors import HftError
from hft.metrics.recorder import RecorderState, RecorderWatch


class Watched:
    """`page` is that of `gateway.status`, and in `recorder` what waits and how full the disk is."""

    def __init__(self, home: str | Path = HOME, *, config: str | None = None) -> None:
        self.home, self._config = home, config
        self._recorder: RecorderWatch | None = None

    def page(self) -> dict[str, Any]:
        """Raises: Unavailable where no gateway ever ran."""
        found = status(self.home)
        try:
            self._recorder = self._recorder or RecorderWatch(_folders(self._config))
            state = self._recorder.read()
        except HftError as error:  # its own commands say more; the gateway is still shown
            return found | {"recorder": {"said": str(error)}}
        return found | {"recorder": _of(state) if state.has_recorded else None}


def _folders(config: str | None) -> Callable[[], Any]:
    return place_of(config=config).folders


def _of(state: RecorderState) -> dict[str, Any]:
    """JSON-ready. Units: bytes, seconds; `eta_s` None where nobody can know it."""
    return {
        "records": state.records,
        "files": state.files,
        "bytes": state.bytes,
        "oldest_s": state.oldest_s,
        "eta_s": state.eta_s,
        "rows": state.rows,
        "quarantined": state.quarantined,
        "lost": state.lost,
        "level": state.level.name,
        "used_bytes": state.used,
        "free_bytes": state.free,
    }


__all__ = ["Watched"]
