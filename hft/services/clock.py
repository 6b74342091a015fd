"""The time of one life: that of the machine, and never before what the journal has."""

from collections.abc import Callable
from datetime import UTC, datetime

from hft.core.errors import ConfigError
from hft.services.ports import AlertKind, Now

MS = 1_000_000


def _utc(ns: int) -> str:
    at = datetime.fromtimestamp(-(-ns // 1_000_000_000), UTC)
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


class LifeClock:
    """It goes on from where it was when the clock is set back, or timers would stand still.

    By `slack_ns` the clock may have gone back unsaid.
    """

    def __init__(self, now_ns: Now, slack_ns: int, alert: Callable[[AlertKind, str], None]) -> None:
        self._now_ns, self._slack_ns, self._alert = now_ns, slack_ns, alert
        self._read_ns = self._ahead_ns = 0  # when last read, and how far time is ahead of it

    def check(self, last_ns: int) -> None:
        """Raises: ConfigError when the clock is before the journal's last record."""
        back_ns = last_ns - self._now_ns()
        if back_ns > self._slack_ns:
            raise ConfigError(
                f"the clock is {back_ns // MS} ms behind the journal's last record; set it right, "
                f"or where it is right and was ahead then, begin at {_utc(last_ns)} or later, or "
                "in another folder with what is open at the venue cancelled before"
            )

    def now(self, last_ns: int) -> int:
        """The time, and at least that of the last record."""
        clock_ns = self._now_ns()
        back_ns, self._read_ns = self._read_ns - clock_ns, clock_ns
        if back_ns > 0:
            self._ahead_ns += back_ns
            if back_ns > self._slack_ns:
                said = f"the clock was set back by {back_ns // MS} ms; time goes on from before"
                self._alert(AlertKind.CLOCK, said)
        return max(clock_ns + self._ahead_ns, last_ns)
