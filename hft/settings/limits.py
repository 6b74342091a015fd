"""Finding and reading a limits file; what its keys mean is decided by `gateway.limits`."""

from pathlib import Path
from typing import Any

from hft.core.errors import ConfigError
from hft.settings.folder import config_file, read_mapping


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
    )


def read_limits(name_or_path: str | Path) -> dict[str, Any]:
    """The keys of a limit set as written, relative values as text.

    Raises: ConfigError naming the file.
    """
    return read_mapping(limits_path(name_or_path))
