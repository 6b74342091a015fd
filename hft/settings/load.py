"""The effective settings: flags over environment over files over defaults, frozen.

Order of precedence: command-line flag, environment, the file named by GATEWAY_CONFIG,
`config/default.yaml`, the default of the key table. What is printed at start is what is used.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

from hft.core.errors import ConfigError
from hft.core.json_text import line
from hft.settings.environment import CHOSEN, FILE_VARIABLE
from hft.settings.folder import config_file, place_of, read_mapping
from hft.settings.keys import KEYS, Key, variables
from hft.settings.values import (
    Secret,
    check,
    from_scaled,
    is_known_variable,
    key_of,
    unknown_key,
    unknown_variable,
)


@dataclass(frozen=True)
class Setting:
    """One effective value and where it came from."""

    name: str
    value: Any
    source: str
    unit: str


@dataclass(frozen=True)
class Settings:
    """The effective configuration; attributes are the keys that are not limits.

    Units: `_s` seconds, `_bps` basis points, `_notional` currency; paths are relative to the
    working directory unless absolute.
    """

    limits: str
    instruments: str
    replay_record: str
    replay_out: str
    replay_cache: bool
    runs_max_journal_gb: Decimal
    runs_snapshot_s: Decimal
    venue_fills: str
    fees_maker_bps: Decimal | None
    fees_taker_bps: Decimal | None
    dedup_window_size: int
    order_queue_size: int
    gateway_halt_cancel: bool
    gateway_startup_holdoff_s: int
    keys: str
    signing_key: str | None
    trust_root: str | None
    anchor_remote: str | None
    alpha_registry: str | None
    promotions_dir: str
    audit_dsn: str
    clickhouse_host: str
    clickhouse_port: int
    audit_journal_dir: str
    wal_dir: str
    recorder: str
    alpha_audit_enabled: bool
    audit_hmac_key_file: str | None
    audit_hmac_key: Secret | None
    audit_ttl_days: int
    alpha_profile: str
    canary_escalation_sessions: int
    canary_sharpe_ratio: Decimal
    alpha_expiry_days: int | None
    alpha_bundle_days: int
    alpha_vault_looks: int
    alpha_split: list[Any]
    alpha_search_cache_mb: int
    alpha_rehearsal: bool
    limit_overrides: Mapping[str, Any]
    table: tuple[Setting, ...]

    @property
    def hash(self) -> str:
        """SHA-256 of the effective values; equal for equal values, whatever their source."""
        values = {row.name: _plain(row.value) for row in self.table}
        return hashlib.sha256(line(values, finite=False).encode()).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: every key with value, source and unit, and the hash."""
        rows = {
            row.name: {"value": _plain(row.value), "source": row.source, "unit": row.unit}
            for row in self.table
        }
        return {"settings": rows, "hash": self.hash}


def choose_file(path: str | None) -> None:
    """Make `path` (--config) the configuration file of this process; None: as before."""
    CHOSEN[:] = [path] if path else []


def load_settings(
    flags: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    workspace: Path | None = None,
    file: str | None = None,
) -> Settings:
    """Read every source once and check each value.

    `flags` are dotted keys from the command line; `environment` and `workspace` default to the
    process's own; `file` takes the place of the one named by GATEWAY_CONFIG.
    Raises: ConfigError naming source, key and the fix.
    """
    environment = os.environ if environment is None else environment
    found: dict[str, Setting] = {key.name: _default(key) for key in KEYS if "*" not in key.name}
    default_file = config_file("default.yaml", workspace)
    if default_file is not None:
        found.update(_from_file(default_file, _shown(default_file)))
    file = file or next(iter(CHOSEN), None)
    named = file or environment.get(FILE_VARIABLE)
    if named:
        path = workspace / named if workspace else Path(named)
        if not path.is_file():
            origin = "--config" if file else FILE_VARIABLE
            raise ConfigError(f"{origin}: there is no file {named}; name an existing one")
        found.update(_from_file(path, str(named)))
    found.update(_from_environment(environment))
    found.update(_from_mapping(dict(flags or {}), "command line"))
    return _freeze(found)


def _shown(path: Path) -> str:
    """The path as a person would write it from here."""
    here = Path.cwd()
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else str(path)


def _default(key: Key) -> Setting:
    source = "limits file" if key.limit else "default"
    return Setting(key.name, key.default, source, key.unit)


def _freeze(found: Mapping[str, Setting]) -> Settings:
    table = tuple(found[name] for name in sorted(found))
    fields: dict[str, Any] = {}
    overrides: dict[str, Any] = {}
    for row in table:
        key, _ = key_of(_path_of(row.name))
        if key is not None and key.limit:
            if row.value is not None:
                overrides[row.name] = row.value
        else:
            fields[row.name.removeprefix("HFT_").replace(".", "_").lower()] = row.value
    return Settings(**fields, limit_overrides=MappingProxyType(overrides), table=table)


def _from_file(path: Path, shown: str) -> dict[str, Setting]:
    place = place_of(path)
    return _from_mapping(
        read_mapping(path), shown, lambda name: place(name).replace(str(path), shown, 1)
    )


def _from_mapping(
    data: Mapping[str, Any], source: str, place: Callable[[str], str] | None = None
) -> dict[str, Setting]:
    """The settings of one source; `place` tells where in it a key stands."""
    found: dict[str, Setting] = {}
    for path, value in leaves(data):
        name = ".".join(path)
        try:
            found |= _setting(found, path, value, source)
        except ConfigError as error:
            if place is None:
                raise
            text = str(error).removeprefix(f"{source}: ")
            raise ConfigError(f"{place(name)}: {text}") from None
    return found


def _setting(
    found: Mapping[str, Setting], path: tuple[str, ...], value: Any, source: str
) -> dict[str, Setting]:
    """One leaf, checked."""
    name = ".".join(path)
    key, scaled = key_of(path)
    if key is None:
        raise unknown_key(name, source)
    if scaled:
        value = from_scaled(key, name, value, source)
        name = name.removesuffix("_x")
    if name in found:
        raise ConfigError(f"{source}: {name}: is given twice; keep one")
    if key.outside and value is not None:
        raise ConfigError(
            f"{source}: {name}: is taken from the environment alone, since what a workspace says "
            f"of itself proves nothing; write `export {name}=...` and leave it null here"
        )
    value = check(key, name, value, source)
    # An unset limit says only that a file lists the key.
    origin = "limits file" if value is None and key.limit else source
    return {name: Setting(name, value, origin, key.unit)}


def leaves(
    data: Mapping[str, Any], above: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Each leaf with its path; a dotted name is the same as nesting."""
    for name, value in data.items():
        path = (*above, *_path_of(str(name), above))
        if isinstance(value, Mapping) and key_of(path)[0] is None:
            if not value and not any(_is_above(path, key) for key in KEYS):
                yield path, value
            yield from leaves(value, path)
        else:
            yield path, value


def _is_above(path: tuple[str, ...], key: Key) -> bool:
    return len(path) < len(key.path) and all(
        mine in ("*", theirs) for mine, theirs in zip(key.path, path, strict=False)
    )


def _path_of(name: str, above: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The parts of a dotted name; a symbol keeps its own dots, as in `symbols.BRK.B.max_long`."""
    parts = tuple(name.split("."))
    if above in (("symbols",), ("instruments",), ("strategies",), ("risk", "strategy")):
        return (name,)
    for start in (("symbols",), ("instruments",), ("strategies",), ("risk", "strategy")):
        if parts[: len(start)] == start and len(parts) > len(start) + 2:
            return (*start, ".".join(parts[len(start) : -1]), parts[-1])
    return parts


def _from_environment(environment: Mapping[str, str]) -> dict[str, Setting]:
    for name in sorted(environment):
        if name.startswith("HFT_") and not is_known_variable(name):
            raise unknown_variable(name)
    found: dict[str, Setting] = {}
    for variable, key in variables():
        source = "environment"
        value: Any = environment.get(variable)
        scaled = environment.get(variable + "_X") if key.scaled else None
        if scaled is not None:
            if value is not None:
                raise ConfigError(f"{source}: {variable}: is given plain and as _X; keep one")
            value = from_scaled(key, variable + "_X", scaled, "environment")
        if value is not None and key.name not in found:
            checked = check(key, variable, value, source)
            found[key.name] = Setting(key.name, checked, f"{source} {variable}", key.unit)
    return found


def _plain(value: Any) -> Any:
    """JSON-ready: a decimal as its shortest text, of a secret only that it is set."""
    if isinstance(value, Decimal):
        text = format(value, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Secret) else value
