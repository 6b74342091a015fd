"""The fault plan of a replay as a user writes it; becomes the one FAULTS row of the engine."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from hft.core.errors import ConfigError
from hft.replay.state import FAULTS
from hft.runs.durations import bounded_ns

CHANCES = ("reject", "lost_ack", "late_ack", "duplicate_ack")
SHORT = ("late_by", "unknown_after")  # written as a duration; with _ns, as ns


@dataclass(frozen=True)
class FaultPlan:
    """Seeded trouble between us and the venue.

    `reject`, `lost_ack`, `late_ack`, `duplicate_ack` are chances from 0 to 1 per message; a late
    answer is `late_by` late. `down` and `gap` are (start, end) in ns since the epoch: the venue
    refuses commands, the feed is silent. Raises: ConfigError naming the key.
    """

    reject: float = 0.0
    lost_ack: float = 0.0
    late_ack: float = 0.0
    late_by_ns: int = 50_000_000
    duplicate_ack: float = 0.0
    unknown_after_ns: int = 1_000_000_000
    down_ns: tuple[int, int] = (0, 0)
    gap_ns: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        for name in CHANCES:
            value = getattr(self, name)
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not 0 <= value <= 1:
                raise ConfigError(f"faults.{name}: {value!r} is not a chance from 0 to 1")
        for name, low in (("late_by_ns", 0), ("unknown_after_ns", 1)):
            value = bounded_ns(getattr(self, name), f"faults.{name}", low)
            object.__setattr__(self, name, value)
        for name in ("down_ns", "gap_ns"):
            object.__setattr__(self, name, _span(name, getattr(self, name)))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any] | None) -> "FaultPlan":
        """From plain data; an unknown key lists the known ones."""
        known = [field.name for field in fields(cls)]
        given = dict(data or {})
        for short in SHORT:
            if short in given:
                if f"{short}_ns" in given:
                    raise ConfigError(f"faults.{short}: is given twice, in ns too; keep one")
                low = 1 if short == "unknown_after" else 0
                given[f"{short}_ns"] = bounded_ns(given.pop(short), f"faults.{short}", low)
        for key in given:
            if key not in known:
                names = ", ".join(
                    name.removesuffix("_ns") if name[:-3] in SHORT else name for name in known
                )
                raise ConfigError(f"faults: unknown key {key!r}; there are {names}")
        return cls(**given)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self) | {"down_ns": list(self.down_ns), "gap_ns": list(self.gap_ns)}

    @property
    def is_empty(self) -> bool:
        """Nothing of it can happen."""
        spans = (self.down_ns, self.gap_ns)
        never = all(start == end for start, end in spans)
        return never and not any(getattr(self, name) for name in CHANCES)

    def rows(self, seed: int) -> np.ndarray | None:
        """The engine's row; None when nothing of it can happen."""
        if self.is_empty:
            return None
        row = np.zeros(1, FAULTS)
        for name in CHANCES:
            row[0][f"{name}_e6"] = round(getattr(self, name) * 1_000_000)
        row[0]["late_ack_ns"] = self.late_by_ns
        row[0]["unknown_after_ns"] = self.unknown_after_ns
        row[0]["down_from_ns"], row[0]["down_until_ns"] = self.down_ns
        row[0]["gap_from_ns"], row[0]["gap_until_ns"] = self.gap_ns
        row[0]["seed"] = seed
        return row


def _span(name: str, pair: Any) -> tuple[int, int]:
    """(start, end) as int64 ns. Raises: ConfigError."""
    whole = isinstance(pair, list | tuple) and len(pair) == 2
    if not whole or any(isinstance(at, bool) or not isinstance(at, int) for at in pair):
        raise ConfigError(f"faults.{name}: {pair!r} is not [start, end] in whole ns")
    if not 0 <= pair[0] <= pair[1] < 1 << 62:
        raise ConfigError(f"faults.{name}: {pair!r} does not go from a time to a later one")
    return pair[0], pair[1]
