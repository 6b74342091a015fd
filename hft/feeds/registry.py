"""Which decoder reads which format: by name, by sniffing, or a user's own file named by path.

Decoders are imported when they are asked for. A plug-in is one Python file with NAMES, DESCRIPTION,
`sniff` and `decode` as `feeds.base` tells.
"""

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hft.core.errors import ConfigError, DataError
from hft.feeds.base import HEAD_BYTES
from hft.feeds.files import peek
from hft.storage.python_file import load

FORMATS: dict[str, str] = {
    "binance-usdm": "hft.feeds.binance",
    "binance-coinm": "hft.feeds.binance",
    "binance-spot": "hft.feeds.binance",
    "databento": "hft.feeds.databento",
    "lobster": "hft.feeds.lobster",
    "hftbacktest": "hft.feeds.hftbacktest_npz",
    "lean": "hft.feeds.lean",
    "synthetic": "hft.feeds.synthetic",
    "csv": "hft.feeds.frame",
    "parquet": "hft.feeds.frame",
}


def decoder(name: str) -> tuple[str, Any]:
    """(format, module) of a format's name or of a plug-in's path.

    Raises: ConfigError listing the formats there are.
    """
    if name.endswith(".py"):
        module = _plug_in(Path(name))
        return str(module.NAMES[0]), module
    if name == "frame":
        name = "csv"
    if name not in FORMATS:
        raise ConfigError(f"format: no format {name!r}; there are {', '.join(FORMATS)}")
    return name, importlib.import_module(FORMATS[name])


def _plug_in(path: Path) -> Any:
    if not path.is_file():
        raise ConfigError(f"format: {path}: no such plug-in file")
    try:
        module: Any = load(path, f"hft_plugin_{path.stem}")
    except Exception as error:
        raise ConfigError(f"format: {path}: {type(error).__name__}: {error}") from None
    for name in ("NAMES", "sniff", "decode"):
        if not getattr(module, name, None):
            raise ConfigError(f"format: {path}: the plug-in has no {name}")
    return module


def formats() -> list[tuple[str, str]]:
    """(name, description) of every format; one whose decoder is missing says so."""
    rows = []
    for name, module_name in FORMATS.items():
        try:
            module = importlib.import_module(module_name)
            rows.append((name, str(module.DESCRIPTION)))
        except ImportError as error:
            rows.append((name, f"not available: {error}"))
    return rows


def sniff(path: Path) -> str:
    """The format of a file by its first bytes and its name.

    Raises: DataError when none or several decoders claim it.
    """
    head = peek(path, HEAD_BYTES)
    claims: list[str] = []
    for module_name in dict.fromkeys(FORMATS.values()):
        try:
            module = importlib.import_module(module_name)
        except ImportError:
            continue
        claim = module.sniff(head, path)
        name = module.NAMES[0] if claim is True else claim
        if name:
            claims.append(str(name))
    vendors = [name for name in claims if name not in ("csv", "parquet")]
    chosen = vendors or claims
    if len(chosen) == 1:
        return chosen[0]
    problem = f"could be {' or '.join(chosen)}" if chosen else "is of no known format"
    raise DataError(f"{path}: {problem}; name it with --format ({', '.join(FORMATS)})")


def sniff_all(paths: Sequence[Path]) -> str:
    """The one format of several files. Raises: DataError naming two that differ."""
    found = [sniff(path) for path in paths]
    for path, name in zip(paths, found, strict=True):
        if name != found[0]:
            raise DataError(
                f"{path}: is {name} but {paths[0]} is {found[0]}; ingest one format at a time"
            )
    return found[0]
