"""Finding, reading and checking a limits file; `gateway.limits` decides what its keys mean."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from hft.core.errors import ConfigError
from hft.gateway.limits import GIVEN, LABELS
from hft.runs.nearest import nearest
from hft.settings.folder import config_file, place_of, read_mapping
from hft.settings.load import leaves
from hft.settings.values import check, from_scaled, key_of, unknown_key


def limits_path(name_or_path: str | Path) -> Path:
    """The file of a limit set: a path as it is, a bare name in `config/limits`.

    Raises: ConfigError listing the names there are.
    """
    path = Path(name_or_path)
    if path.is_file():
        return path
    if path.suffix == "" and len(path.parts) == 1:
        found = config_file(f"limits/{path}.yaml")
        if found is not None:
            return found
    shipped = config_file("limits/research.yaml")
    names = sorted(file.stem for file in shipped.parent.glob("*.yaml")) if shipped else []
    raise ConfigError(
        f"limits {str(name_or_path)!r}: there is no such file; "
        f"write a path or one of {', '.join(names) or 'the names in config/limits'}"
        f"{nearest(name_or_path, names)}"
    )


def read_limits(name_or_path: str | Path) -> dict[str, Any]:
    """The keys of a limit set as written, relative values as text.

    Raises: ConfigError naming file, line and key.
    """
    path = limits_path(name_or_path)
    data = read_mapping(path)
    if not data:
        raise ConfigError(f"{path}: is empty; write limits, or name the set `research`")
    _check(data, path)
    return data


def _check(data: Mapping[str, Any], path: Path) -> None:
    """Each value against the table that the settings are held to."""
    place = place_of(path)
    for parts, value in leaves(data):
        name = ".".join(parts)
        key, scaled = key_of(parts)
        if name in LABELS:
            if not isinstance(value, str | int | float | Decimal | list):
                raise ConfigError(f"{place(name)}: {name}: {value!r} is not text")
            if name == "name" and not isinstance(value, str):
                raise ConfigError(f"{place(name)}: name: {value!r} is not text; write a word")
        elif key is None or not key.limit:
            raise unknown_key(name, place(name))
        elif value is None or value == "":
            raise ConfigError(
                f"{place(name)}: {name}: has no value; write one or off, or leave the key out"
            )
        elif scaled:
            check(key, name, from_scaled(key, name, value, place(name)), place(name))
        elif value != GIVEN:
            check(key, name, value, place(name))
