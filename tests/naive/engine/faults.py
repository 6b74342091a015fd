"""The fault plan of a random market."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Faults:
    """Chances from 0 to 1, times in ns; commands that arrive from .. to before .. are refused."""

    reject: float = 0.0
    lost: float = 0.0
    late: float = 0.0
    late_ns: int = 0
    twice: float = 0.0
    unknown_ns: int = 1
    down_ns: tuple[int, int] = (0, 0)
