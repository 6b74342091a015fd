"""Which decoder reads which format: by name, by sniffing, or a user's own file named by path.

Decoders are imported when they are asked for. A plug-in is one Python file with NAMES, DESCRIPTION,
`sniff` and `decode` as `feeds.base` tells.
"""

import importlib
import traceback
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from hft.core.errors import ConfigError, DataError, HftError
from hft.feeds.base import HEAD_BYTES, DecodeOptions
from hft.feeds.files import peek
from hft.feeds.findings import Limit
from hft.storage.python_file import load
from hft.tape.schema import DTYPES, Columns, Feed

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
    "arrow": "hft.feeds.frame",
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
    except (Exception, SystemExit) as error:
        raise ConfigError(f"format: {path}: {type(error).__name__}: {error}") from None
    for name in ("NAMES", "sniff", "decode"):
        if not getattr(module, name, None):
            raise ConfigError(f"format: {path}: the plug-in has no {name}")
    return _PlugIn(path, module)


class _PlugIn:
    """A user's decoder: what goes wrong in it is said to be its own, with file and line."""

    def __init__(self, path: Path, module: Any) -> None:
        self.path, self.module = path, module
        self.NAMES = tuple(module.NAMES)
        self.DESCRIPTION = str(getattr(module, "DESCRIPTION", ""))
        self.FINDINGS: Mapping[str, Limit] = dict(getattr(module, "FINDINGS", {}))
        if wrong := [name for name, one in self.FINDINGS.items() if not isinstance(one, Limit)]:
            raise ConfigError(f"format: {path}: FINDINGS[{wrong[0]!r}] is no hft.feeds Limit")

    def sniff(self, head: bytes, path: Path) -> str | None:
        return str(self.module.sniff(head, path))

    def decode(self, paths: Sequence[Path], options: DecodeOptions) -> list[Feed]:
        """Raises: DataError naming the plug-in's file and line, or what its feeds lack."""
        try:
            feeds = list(self.module.decode(paths, options))
        except HftError:
            raise
        except (Exception, SystemExit) as error:
            raise DataError(f"{self._place(error)}: {type(error).__name__}: {error}") from error
        for feed in feeds:
            if problem := _shapeless(feed):
                raise DataError(f"{self.path}: the plug-in's decode returned {problem}")
        return feeds

    def _place(self, error: BaseException) -> str:
        """The plug-in's own line that led to an error."""
        lines = [
            frame.lineno
            for frame in traceback.extract_tb(error.__traceback__)
            if Path(frame.filename).resolve() == self.path.resolve()
        ]
        return f"{self.path}, line {lines[-1]}" if lines else str(self.path)


def _shapeless(feed: Any) -> str:
    """What a plug-in returned where a Feed with columns of a tape belongs; empty when it is one."""
    if not isinstance(feed, Feed):
        return f"a {type(feed).__name__} where a Feed belongs"
    if not isinstance(feed.columns, Columns):
        return "a Feed whose columns are no Columns"
    rows = len(feed.columns.exch_ts)
    for name, dtype in DTYPES.items():
        column = getattr(feed.columns, name)
        if not isinstance(column, np.ndarray) or column.dtype.kind != "i":
            return f"a column {name} that is no array of integers ({dtype})"
        if column.shape != (rows,):
            return f"a column {name} of {len(column)} rows where exch_ts has {rows}"
    return ""


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
    vendors = [name for name in claims if name not in ("csv", "parquet", "arrow")]
    chosen = vendors or claims
    if len(chosen) == 1:
        return chosen[0]
    if not chosen and (kind := _kind_of(head, path)):
        raise DataError(f"{path}: is {kind}")
    problem = f"could be {' or '.join(chosen)}" if chosen else "is of no known format"
    raise DataError(f"{path}: {problem}; name it with --format ({', '.join(FORMATS)})")


def _kind_of(head: bytes, path: Path) -> str:
    """What a file is that no decoder takes, and the way in; empty when nobody knows."""
    if head[257:262] == b"ustar":
        return "a tar archive: unpack it and name the files that are meant"
    if head[:1] in (b"{", b"["):
        reader = "read_json" if head[:1] == b"[" else "read_ndjson"
        return f"JSON: hft.ingest(polars.{reader}({path.name!r}), ...) takes it as a frame"
    with suppress(OSError, zipfile.BadZipFile):
        if "[Content_Types].xml" in zipfile.ZipFile(path).namelist():
            return "a workbook of Excel: save its sheet as CSV"
    return ""


def sniff_all(paths: Sequence[Path]) -> str:
    """The one format of several files. Raises: DataError naming two that differ."""
    found = [sniff(path) for path in paths]
    for path, name in zip(paths, found, strict=True):
        if name != found[0]:
            raise DataError(
                f"{path}: is {name} but {paths[0]} is {found[0]}; ingest one format at a time"
            )
    return found[0]
