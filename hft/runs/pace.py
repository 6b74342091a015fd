"""Who says how a replay passes, when it is not run as fast as it can be."""

from typing import Any, Protocol

from hft.replay.paced import Paced
from hft.storage.interrupts import Interrupts


class Pace(Protocol):
    """Runs a replay in slices to its end, or to an end of its own."""

    def run(self, paced: Paced, interrupts: Interrupts) -> None:
        """Begins and ends shielded; what waits of Ctrl-C is `interrupts.waits`."""

    def told(self) -> dict[str, Any]:
        """What the run's manifest says once it is over: what was heard on the way is part of it."""
