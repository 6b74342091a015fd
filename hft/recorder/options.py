"""`config/recorder.yaml` as one value: sizes, budget, what happens to each droppable table.

Everything is checked before anything is opened: a table that is not there, a policy that is none, a
policy for a table that is never dropped.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from hft.core.errors import ConfigError
from hft.recorder.pressure import MB, POLICIES, Budget
from hft.recorder.schema import DATABASE
from hft.recorder.tables import TABLES
from hft.recorder.wal_first import Sizes
from hft.storage.migrations import HERE, Placement, database_name

MS, S = 1_000_000, 1_000_000_000
DROPPABLE = tuple(name for name, one in TABLES.items() if one.droppable)
KEPT = tuple(name for name, one in TABLES.items() if not one.droppable)
# key -> default, least, most. Units: as the names say.
NUMBERS: Mapping[str, tuple[int | None, int, int]] = {
    "batch_ms": (1000, 1, 60_000),
    "batch_rows": (5000, 1, 1_000_000),
    "segment_mb": (50, 1, 1024),
    "segment_s": (10, 1, 86_400),
    "reserve_mb": (64, 0, 10_240),
    "budget_mb": (10_240, 1, 1 << 30),
    "warn_pct": (60, 1, 100),
    "critical_pct": (80, 1, 100),
    "halt_pct": (95, 1, 100),
    "warn_mb": (None, 1, 1 << 30),
    "critical_mb": (None, 1, 1 << 30),
    "halt_mb": (None, 1, 1 << 30),
    "min_free_mb": (500, 0, 1 << 30),
    "check_s": (10, 1, 3600),
    "workers": (4, 1, 64),
    "flush_after_close_s": (300, 0, 86_400),
    "flush_check_s": (60, 1, 3600),
    "flush_retries": (3, 1, 100),
}
LEVELS = ("warn", "critical", "halt")


@dataclass(frozen=True)
class Options:
    """How a recorder works. `policies` has every droppable table."""

    numbers: Mapping[str, int | None]
    policies: Mapping[str, str] = field(default_factory=dict)
    database: str = DATABASE
    placement: Placement = HERE

    def __getitem__(self, name: str) -> int:
        value = self.numbers[name]
        assert value is not None, name
        return value

    @property
    def sizes(self) -> Sizes:
        return Sizes(
            self["batch_ms"] * MS,
            self["batch_rows"],
            self["segment_mb"] * MB,
            self["segment_s"] * S,
        )

    @property
    def budget(self) -> Budget:
        warn, critical, halt = (self[f"{level}_pct"] for level in LEVELS)
        marks = [self.numbers[f"{level}_mb"] for level in LEVELS]
        low, middle, high = (None if mark is None else mark * MB for mark in marks)
        return Budget(
            self["budget_mb"] * MB,
            (warn, critical, halt),
            (low, middle, high),
            self["min_free_mb"] * MB,
        )


def options(values: Mapping[str, Any], where: str) -> Options:
    """Raises: ConfigError naming `where`, the key and what it may be."""
    known = (*NUMBERS, "policies", "database", "cluster", "replicated")
    unknown = [key for key in values if key not in known]
    if unknown:
        near = get_close_matches(str(unknown[0]), known, 1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(known)}"
        raise ConfigError(f"{where}: {unknown[0]!r} is no key of the recorder{hint}")
    numbers = {key: _number(key, values.get(key), where) for key in NUMBERS}
    _refuse_disorder(numbers, where)
    cluster, replicated = values.get("cluster") or "", values.get("replicated") or False
    if not isinstance(replicated, bool):
        raise ConfigError(f"{where}: replicated: {replicated!r} is neither true nor false")
    return Options(
        numbers,
        _policies(values.get("policies"), where),
        database_name(str(values.get("database") or DATABASE), f"{where}: database"),
        Placement(database_name(str(cluster), f"{where}: cluster") if cluster else "", replicated),
    )


def _number(key: str, value: Any, where: str) -> int | None:
    default, low, high = NUMBERS[key]
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ConfigError(f"{where}: {key}: {value!r} is no whole number from {low} to {high}")
    return value


def _refuse_disorder(numbers: Mapping[str, int | None], where: str) -> None:
    for unit in ("pct", "mb"):
        given = [(f"{level}_{unit}", numbers[f"{level}_{unit}"]) for level in LEVELS]
        set_ = [(name, value) for name, value in given if value is not None]
        for (lower, low), (higher, high) in itertools.pairwise(set_):
            if low >= high:
                raise ConfigError(f"{where}: {lower} {low} is not below {higher} {high}")


def _policies(given: Any, where: str) -> dict[str, str]:
    found = dict.fromkeys(DROPPABLE, "write")
    if given is None:
        return found
    if not isinstance(given, Mapping):
        raise ConfigError(f"{where}: policies: is no mapping; write table: policy lines")
    for table, policy in given.items():
        if table not in TABLES:
            near = get_close_matches(str(table), TABLES, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(DROPPABLE)}"
            raise ConfigError(f"{where}: policies: {table!r} is no table of the recorder; {hint}")
        if table not in DROPPABLE:
            raise ConfigError(
                f"{where}: policies: {table}: is never dropped, so it has no policy; remove the "
                "line"
            )
        if policy not in POLICIES:
            raise ConfigError(
                f"{where}: policies: {table}: {policy!r} is none of {', '.join(POLICIES)}"
            )
        found[table] = str(policy)
    return found
