"""Limit sets as files, and `fit`: a set of explicit numbers derived from tapes.

A bare name is a file of `config/limits` (the workspace's, else the one that came with hft). What
keys mean is decided by `hft.gateway.limits`.
"""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import yaml

from hft.core.errors import ConfigError
from hft.gateway.fitted import fitted
from hft.gateway.limits import KEYS, Limits, key_of
from hft.storage.atomic import write_atomic
from hft.storage.yaml_text import dump_yaml
from hft.tape.dataset import Tapes

_PACKAGE = Path(__file__).resolve().parent.parent


def _folders() -> tuple[Path, ...]:
    return (
        Path.cwd() / "config" / "limits",
        _PACKAGE / "config" / "limits",
        _PACKAGE.parent / "config" / "limits",
    )


def load(name_or_path: str | Path) -> Limits:
    """The set in a file, by path or by its name in `config/limits`; `off` checks nothing.

    Raises: ConfigError naming the file or listing the names there are.
    """
    if str(name_or_path) == "off":
        return Limits.off()
    path = Path(name_or_path)
    if not path.is_file():
        path = _named(path)
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: is not YAML text ({error}); check the file") from None
    if not isinstance(data, Mapping):
        raise ConfigError(f"{path}: holds no keys; write `key: value` lines")
    return Limits.from_dict(data, path.stem)


def _named(path: Path) -> Path:
    if path.suffix == "" and len(path.parts) == 1:
        for folder in _folders():
            if (folder / f"{path}.yaml").is_file():
                return folder / f"{path}.yaml"
    names = sorted({file.stem for folder in _folders() for file in folder.glob("*.yaml")})
    raise ConfigError(
        f"limits {str(path)!r}: there is no such file; write a path or one of {', '.join(names)}"
    )


def save(limits: Limits, path: str | Path) -> Path:
    """Write a set as YAML; loading it gives an equal set."""
    target = Path(path)
    write_atomic(target, dump_yaml(limits.to_dict()))
    return target


def fit(tapes: Tapes, capital: float | None = None, base: Limits | None = None) -> Limits:
    """The research set (or `base`) resolved on the first tape of each instrument, as numbers.

    With `capital`, positions are scaled so that full ones in every instrument are worth it.
    """
    chains = list(tapes.runs().values())
    amount = None if capital is None else Fraction(str(capital))
    return fitted(
        base or load("research"),
        [chain[0].instrument for chain in chains],
        [chain[0].summary for chain in chains],
        amount,
    )


def table(limits: Limits) -> list[dict[str, Any]]:
    """Key, value and unit of everything in force, for people."""
    names = {key.name for key in KEYS if "*" not in key.name} | set(limits.values)
    return [
        {"key": name, "value": limits.get(name), "unit": key.unit}
        for name in sorted(names)
        if (key := key_of(name)) is not None
    ]
