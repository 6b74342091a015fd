"""Where configuration files are, and how one is read.

A workspace has `config/` in the working directory; without one the files that came with hft serve
(inside an installed wheel, or beside the package in a checkout). Text is read strictly: a key given
twice, a wrong type or an unreadable file is refused with its place.
"""

import json
import tomllib
from collections.abc import Callable
from copy import deepcopy
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from hft.core.errors import ConfigError

_PACKAGE = Path(__file__).resolve().parent.parent


def config_file(relative: str, workspace: Path | None = None) -> Path | None:
    """The file `config/<relative>` of the workspace, else the one that came with hft."""
    own = (workspace or Path.cwd()) / "config" / relative
    return own if own.is_file() else packaged_file(relative)


def packaged_file(relative: str) -> Path | None:
    """The file `config/<relative>` that came with hft, whatever a workspace has."""
    folders = (_PACKAGE / "config", _PACKAGE.parent / "config")
    return next((path for folder in folders if (path := folder / relative).is_file()), None)


def read_mapping(path: Path) -> dict[str, Any]:
    """The mapping in a YAML, TOML or JSON file.

    Raises: ConfigError naming the file and, where the parser knows it, the line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ConfigError(f"{path}: cannot be read ({reason}); check the path") from None
    if path.suffix == ".toml":
        data = _read_toml(path, text)
    elif path.suffix == ".json":
        data = _read_json(path, text)
    else:
        data = _read_yaml(path, text)
    if data is None:
        return {}
    if not isinstance(data, dict):
        held = "list" if isinstance(data, list) else "single value"
        raise ConfigError(f"{path}: holds a {held}; write a mapping of keys")
    return {str(name): value for name, value in data.items()}


def place_of(path: Path) -> Callable[[str], str]:
    """Where a dotted key stands: the file, with the line where the file is YAML."""

    @cache
    def lines() -> dict[str, int]:
        if path.suffix in (".toml", ".json"):
            return {}
        from hft.storage.strict_yaml import key_lines

        return key_lines(path.read_text(encoding="utf-8"))

    def place(name: str) -> str:
        return f"{path}: line {lines()[name]}" if name in lines() else str(path)

    return place


def _read_toml(path: Path, text: str) -> Any:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: is not valid TOML: {error}") from None
    except RecursionError:
        raise ConfigError(f"{path}: is nested too deeply") from None


def _read_json(path: Path, text: str) -> Any:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in pairs:
            if name in found:
                raise ConfigError(f"{path}: key {name!r} is given twice; keep one")
            found[name] = value
        return found

    try:
        return json.loads(text, object_pairs_hook=unique)
    except RecursionError:
        raise ConfigError(f"{path}: is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise ConfigError(f"{path}: line {error.lineno}: is not valid JSON: {error.msg}") from None


def _read_yaml(path: Path, text: str) -> Any:
    return deepcopy(_parsed(text, str(path)))


@lru_cache(maxsize=64)
def _parsed(text: str, source: str) -> Any:
    """One command asks for the same profile many times, and parsing is slow."""
    from hft.storage.strict_yaml import load_yaml

    return load_yaml(text, source)
