"""A dead-man timer: whoever watches a session says that it is there, or the session is killed.

The signs of life are not inputs, for nothing follows from one; that one was missing is a kill, and
the journal has it before it is heard. A reset is a sign of life too: a person asked for it.
"""

from hft.core.errors import ConfigError
from hft.runs.controls import Control
from hft.services.paper.changes import Change, change_of

BEAT = "beat"


class DeadMan:
    """Waits for a sign of life every `within_ns` of the machine's clock; 0 waits for none.

    The time begins anew with each life of the session: nobody could be heard before.
    """

    def __init__(self, within_ns: int) -> None:
        self.within_ns = within_ns
        self._last_ns = 0
        self._has_killed = False

    def refuse_unwatched(self) -> None:
        """Raises: ConfigError where nothing follows from silence: who beats must not believe it."""
        if not self.within_ns:
            raise ConfigError(
                "beat: this session waits for no heartbeat; begin one with --dead-man, such as 5s"
            )

    def sign(self, now_ns: int) -> None:
        """Somebody is there."""
        self._last_ns, self._has_killed = now_ns, False

    def due(self, now_ns: int) -> Change | None:
        """The kill, once, where nobody was there for too long."""
        if not self.within_ns or self._has_killed or now_ns - self._last_ns < self.within_ns:
            return None
        self._has_killed = True
        cause = f"no heartbeat for {self.within_ns / 1e9:g} s"
        return change_of(Control(0, "kill", 1, scope="global", cause=cause))
