"""The three splits of a dataset: explore, validate, vault, by time in whole sessions.

They are fixed when features are made and are part of the dataset's hash. Rows whose label could
reach into the next split (the largest horizon) belong to none. Nothing here moves a split later.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hft.core.errors import ConfigError, DataError
from hft.storage.chain import canonical

NAMES = ("explore", "validate", "vault")
DEFAULT = (40.0, 40.0, 20.0)


@dataclass(frozen=True)
class Part:
    """One split: sessions `first` to `last` (YYYYMMDD), and its rows' times [start_ns, end_ns)."""

    first: int
    last: int
    start_ns: int
    end_ns: int

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "first": self.first,
            "last": self.last,
            "start_ns": self.start_ns,
            "end_ns": self.end_ns,
        }


@dataclass(frozen=True)
class Splits:
    """The parts by name, and the horizon that purged their ends."""

    parts: Mapping[str, Part]
    horizon_ns: int = 0

    def mask(self, name: str, ts_ns: np.ndarray, session: np.ndarray) -> np.ndarray:
        """Which rows belong to a split. `session` is the rows' sessions."""
        part = self.part(name)
        inside = (session >= part.first) & (session <= part.last)
        return inside & (ts_ns >= part.start_ns) & (ts_ns < part.end_ns)

    def part(self, name: str) -> Part:
        """One split. Raises: ConfigError for a name that there is not."""
        if name not in self.parts:
            raise ConfigError(f"split: {name!r} is none of {', '.join(self.parts)}")
        return self.parts[name]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, without the hash."""
        parts = {name: part.to_dict() for name, part in self.parts.items()}
        return {"horizon_ns": self.horizon_ns, "parts": parts}

    @property
    def hash(self) -> str:
        """SHA-256 of the boundaries."""
        return hashlib.sha256(canonical(self.to_dict())).hexdigest()

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], source: str) -> "Splits":
        """The splits of a manifest. Raises: DataError naming the file."""
        try:
            parts = {
                str(name): Part(
                    int(one["first"]), int(one["last"]), int(one["start_ns"]), int(one["end_ns"])
                )
                for name, one in data["parts"].items()
            }
            return cls({name: parts[name] for name in NAMES if name in parts}, data["horizon_ns"])
        except (KeyError, TypeError, ValueError, AttributeError):
            raise DataError(f"{source}: splits: cannot be read; make the features again") from None


def shares_of(given: Any) -> tuple[float, float, float]:
    """Three percentages that add up to 100. Raises: ConfigError."""
    try:
        texts = given.split(",") if isinstance(given, str) else list(given)
        values = tuple(float(text) for text in texts)
    except (TypeError, ValueError):
        values = ()
    fine = (
        len(values) == 3 and all(value >= 0 for value in values) and abs(sum(values) - 100) < 1e-9
    )
    if not fine:
        raise ConfigError(
            f"split: {given!r} is not three percentages that add up to 100; write 40,40,20"
        )
    return values[0], values[1], values[2]


def make(
    ts_ns: np.ndarray,
    session: np.ndarray,
    horizon_ns: int = 0,
    shares: Sequence[float] = DEFAULT,
) -> Splits | None:
    """Splits by the number of whole sessions; None where there are fewer sessions than splits.

    Rows come in any order. A row whose label [t, t + horizon] ends at or behind the first row of
    the next split is purged.
    """
    wanted = [name for name, share in zip(NAMES, shares_of(shares), strict=True) if share > 0]
    names = np.unique(session)
    if len(names) < len(wanted):
        return None
    kept = [share for share in shares if share > 0]
    edges = _edges(len(names), kept)
    parts: dict[str, Part] = {}
    for k, name in enumerate(wanted):
        mine = names[edges[k] : edges[k + 1]]
        rows = ts_ns[(session >= mine[0]) & (session <= mine[-1])]
        end = int(rows.max()) + 1
        if k + 1 < len(wanted):
            after = ts_ns[session == names[edges[k + 1]]]
            end = min(end, int(after.min()) - horizon_ns)
        parts[name] = Part(int(mine[0]), int(mine[-1]), int(rows.min()), end)
    return Splits(parts, int(horizon_ns))


def of_column(ts_ns: np.ndarray, session: np.ndarray, words: np.ndarray) -> Splits | None:
    """The splits that a column `split` of rows says; None where it names none of them."""
    parts: dict[str, Part] = {}
    for name in NAMES:
        mine = words == name
        if mine.any():
            ts, days = ts_ns[mine], session[mine]
            parts[name] = Part(int(days.min()), int(days.max()), int(ts.min()), int(ts.max()) + 1)
    return Splits(parts) if parts else None


def _edges(sessions: int, shares: Sequence[float]) -> list[int]:
    """Where each split begins; every one has a session at least."""
    edges, total = [0], 0.0
    for k, share in enumerate(shares):
        total += share
        left = len(shares) - 1 - k
        edge = round(sessions * total / sum(shares))
        edges.append(min(max(edge, edges[-1] + 1), sessions - left))
    edges[-1] = sessions
    return edges
