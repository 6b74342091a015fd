"""Finding and reading a profile of `config/governance`; `alpha.profile` says what it means."""

from pathlib import Path
from typing import Any

from hft.core.errors import ConfigError
from hft.runs.nearest import nearest
from hft.settings.folder import config_file, packaged_file, read_mapping


def profile_path(name_or_path: str | Path, workspace: Path | None = None) -> Path:
    """The file of a profile: a path as it is, a bare name in `config/governance`.

    Raises: ConfigError listing the names there are.
    """
    path = Path(name_or_path)
    if path.suffix and path.is_file():
        return path
    found = config_file(f"governance/{path}.yaml", workspace)
    if found is not None:
        return found
    shipped = config_file("governance/standard.yaml", workspace)
    names = sorted(file.stem for file in shipped.parent.glob("*.yaml")) if shipped else []
    raise ConfigError(
        f"profile {str(name_or_path)!r}: there is no such file; "
        f"write a path or one of {', '.join(names) or 'the names in config/governance'}"
        f"{nearest(name_or_path, names)}"
    )


def read_profile(name_or_path: str | Path, workspace: Path | None = None) -> dict[str, Any]:
    """The sections of a profile as written. Raises: ConfigError naming file and line."""
    return read_mapping(profile_path(name_or_path, workspace))


def packaged_profile(name: str) -> dict[str, Any]:
    """The sections of a profile as it came with hft, whatever a workspace has of that name.

    Raises: ConfigError for a name that hft does not ship.
    """
    path = packaged_file(f"governance/{name}.yaml")
    if path is None:
        raise ConfigError(f"profile {name!r}: hft ships none of that name")
    return read_mapping(path)
