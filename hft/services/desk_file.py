"""What a desk is made of, as files beside its journal: another process makes the same desk of them.

`plan.bin` has instruments, names, sizes and the limits it begins under; `limits-KEY.bin` each set
that a row of the journal may put in force, durable before that row.
"""

from pathlib import Path
from typing import Any

import numpy as np

from hft.core.errors import ConfigError, JournalError
from hft.gateway.resolve import ResolvedLimits
from hft.storage.disk import REAL, Disk
from hft.storage.raw import Raw, read_raw, write_raw
from hft.trading.desk import Desk, limits_key

PLAN = "plan.bin"
VERSION = 1
_SIZES = ("order_capacity", "dedup_window", "room", "seed")


def keep_plan(desk: Desk, folder: Path, account: str, disk: Disk = REAL) -> None:
    """Write down what `desk` is made of, or find that the folder is of such a desk.

    Raises: ConfigError when it is of another one, JournalError when the disk refuses.
    """
    plan = desk.plan
    try:
        disk.make(folder)
        for limits in desk.known_limits:
            keep_limits(limits, folder, disk)
        if PLAN in disk.names(folder):
            _check(folder, account, desk.configuration, disk)
            return
        facts = {"account": account, "configuration": desk.configuration}
        facts |= {"accounts": list(plan.accounts), "strategies": list(plan.strategies)}
        facts |= {"limits": limits_key(plan.limits)}
        facts |= {name: getattr(plan, name) for name in _SIZES}
        write_raw(folder / PLAN, VERSION, facts, {"instruments": plan.instruments}, disk)
    except OSError as error:
        raise JournalError(f"{folder}: cannot be written: {error.strerror or error}") from None


def keep_limits(limits: ResolvedLimits, folder: Path, disk: Disk = REAL) -> None:
    """Write down a set of limits, once; do so before a row puts it in force. Raises: OSError."""
    name = _limits_name(limits_key(limits))
    if name in disk.names(folder):
        disk.sync_folder(folder)  # who wrote it may have ended before it did
        return
    own = [k for k, row in enumerate(limits.strategies) if row is not None]
    facts = {
        "hash": limits.hash,
        "leaves_max": limits.leaves_max,
        "rate_per_s": limits.rate_per_s,
        "rate_per_min": limits.rate_per_min,
        "max_price": list(limits.max_price),
        "strategies": len(limits.strategies),
        "own": own,
    }
    default = np.array([limits.default_strategy])
    rows = np.array([limits.strategies[k] for k in own], default.dtype)
    arrays = {"config": limits.config, "instruments": limits.instruments}
    arrays |= {"default_strategy": default, "own": rows}
    write_raw(folder / name, VERSION, facts, arrays, disk)


def load_desk(folder: Path, account: str, disk: Disk = REAL) -> Desk:
    """An empty desk as the folder's plan says. Raises: JournalError, ConfigError."""
    try:
        raw = _read(folder / PLAN, disk)
        names = [name for name in disk.names(folder) if name.startswith("limits-")]
        known = {name: _limits(folder / name, disk) for name in names if name.endswith(".bin")}
    except OSError as error:
        raise JournalError(f"{folder}: cannot be read: {error.strerror or error}") from None
    facts = raw.facts
    _check_account(folder, account, facts)
    first = _limits_name(facts["limits"])
    if first not in known:
        raise JournalError(f"{folder / first}: is missing; the journal begins under these limits")
    return Desk(
        raw.arrays["instruments"],
        known[first],
        accounts=facts["accounts"],
        strategies=facts["strategies"],
        other_limits=known.values(),
        **{name: facts[name] for name in _SIZES},
    )


def learn_limits(desk: Desk, folder: Path, disk: Disk = REAL) -> None:
    """Make a desk know the limits that were written down since it was made. Raises: JournalError.

    Mutates: desk.
    """
    known = {_limits_name(limits_key(limits)) for limits in desk.known_limits}
    try:
        for name in disk.names(folder):
            if name.startswith("limits-") and name.endswith(".bin") and name not in known:
                desk.allow(_limits(folder / name, disk))
    except OSError as error:
        raise JournalError(f"{folder}: cannot be read: {error.strerror or error}") from None


def _read(path: Path, disk: Disk) -> Raw:
    """Raises: JournalError also for a file of another version, OSError."""
    raw = read_raw(path, disk)
    if raw.version != VERSION:
        raise JournalError(
            f"{path}: is of version {raw.version}, this hft reads {VERSION}; go on with the hft "
            "that made it"
        )
    return raw


def _limits(path: Path, disk: Disk) -> ResolvedLimits:
    _, facts, arrays = _read(path, disk)
    rows: list[np.ndarray | None] = [None] * facts["strategies"]
    for row, k in zip(arrays["own"], facts["own"], strict=True):
        rows[k] = row
    return ResolvedLimits(
        arrays["config"].copy(),
        arrays["instruments"].copy(),
        arrays["default_strategy"][0],
        tuple(rows),
        facts["leaves_max"],
        facts["rate_per_s"],
        facts["rate_per_min"],
        tuple(facts["max_price"]),
        facts["hash"],
        (),
    )


def _limits_name(key: int) -> str:
    return f"limits-{key:016x}.bin"


def _check(folder: Path, account: str, configuration: int, disk: Disk) -> None:
    facts = _read(folder / PLAN, disk).facts
    _check_account(folder, account, facts)
    if facts["configuration"] != configuration:
        raise ConfigError(
            f"{folder}: the journal of a gateway with other instruments, sizes or first limits; "
            "begin with those and change limits by a control, or give another folder"
        )


def _check_account(folder: Path, account: str, facts: dict[str, Any]) -> None:
    if facts["account"] != account:
        raise JournalError(f"{folder}: the journal of {facts['account']!r}, not of {account!r}")
