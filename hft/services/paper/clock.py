"""What time it is on the tape, by the machine's clock."""

from dataclasses import dataclass

from hft.core.errors import ConfigError

E9 = 1_000_000_000


@dataclass(frozen=True)
class TapeClock:
    """The tape passes at `speed` times real time since the session began, also while no process
    of ours is there. Times are ns: `wall_ns` UTC, `tape_ns` of the tape.
    """

    tape_ns: int
    wall_ns: int
    speed_e3: int  # thousandths, so that tape time is a whole number of ns

    def at(self, wall_ns: int) -> int:
        """The tape's time at a time of the machine."""
        return self.tape_ns + (wall_ns - self.wall_ns) * self.speed_e3 // 1000


def speed_e3(speed: float) -> int:
    """A speed in thousandths. Raises: ConfigError for one that no tape can have."""
    if isinstance(speed, bool) or not isinstance(speed, int | float) or not 0.001 <= speed <= 1e6:
        raise ConfigError(f"speed: {speed!r} is not from 0.001 to 1000000 times real time")
    return round(speed * 1000)
