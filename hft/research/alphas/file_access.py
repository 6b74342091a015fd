"""What an alpha opens while it is imported, made and run.

An alpha lives on what it is handed. One that opens the data file by its path sees all of it, and no
cut of what it is handed can show that; so the readers of Python, polars, pandas, pyarrow and numpy
are watched while an alpha runs. Files of its own folder, of Python and of the system are its own
affair.
"""

import builtins
import io
import os
import sys
import sysconfig
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

READERS: dict[str, tuple[str, ...]] = {
    "polars": (
        *("read_parquet", "scan_parquet", "read_csv", "scan_csv", "read_ipc", "scan_ipc"),
        *("read_json", "read_ndjson", "scan_ndjson", "read_avro", "read_excel", "read_delta"),
        *("read_ipc_stream", "scan_pyarrow_dataset", "read_database", "read_database_uri"),
    ),
    "pandas": (
        *("read_parquet", "read_csv", "read_feather", "read_pickle", "read_hdf", "read_json"),
        *("read_table", "read_excel", "read_orc", "read_sql"),
    ),
    "pyarrow.parquet": ("read_table", "ParquetFile", "ParquetDataset"),
    "pyarrow.feather": ("read_table", "read_feather"),
    "pyarrow.csv": ("read_csv",),
    "pyarrow": ("memory_map", "OSFile"),
    "sqlite3": ("connect",),
}
CACHES = ("__pycache__", ".pytest_cache", ".ruff_cache", ".mypy_cache")
_SYSTEM = ("/proc/", "/sys/", "/dev/", "/etc/", "/usr/share/", "/usr/lib/")
_SOURCE = (".py", ".pyc", ".so", ".pyd", ".nbi", ".nbc", ".pth", ".dist-info")

_watchers: list["Watch"] = []


def is_own(inside: Sequence[str]) -> bool:
    """Does a file of an alpha's folder count as its code? `inside` are the parts of its path."""
    if any(part in CACHES or part.startswith(".") for part in inside):
        return False
    return not inside[-1].endswith((".md", ".pyc"))


class Watch:
    """Files opened for reading by others than Python itself, in the order they were opened."""

    def __init__(self, own: Path | None) -> None:
        self.own = own.resolve() if own is not None else None
        self.opened: list[str] = []

    def note(self, given: Any) -> None:
        """Keep a path that the alpha should not need."""
        if isinstance(given, list | tuple):
            for one in given:
                self.note(one)
            return
        if not isinstance(given, str | bytes | os.PathLike):
            return
        name = os.fsdecode(given)
        path = os.path.realpath(name)
        if self._foreign(path) and name not in self.opened:
            self.opened.append(name)

    def _foreign(self, path: str) -> bool:
        if path.startswith(_SYSTEM) or path.endswith(_SOURCE) or os.path.isdir(path):
            return False
        if path.endswith(".zip") and not os.path.exists(path):
            return False  # a library that asks for versions tries the zip on Python's path
        if self.own is not None and path.startswith(f"{self.own}{os.sep}"):
            # What the code hash leaves out could move the signal and stay the same alpha.
            return not is_own(Path(path).relative_to(self.own).parts)
        return not any(path.startswith(root) for root in _python())


def foreign_modules(package: str, own: Path) -> list[str]:
    """Files of modules that the modules of `package` use and that no hash of code stands for.

    They lie outside Python, hft and the folder, or are what its code hash leaves out: bytecode.
    """
    roots = (*_python(), f"{os.path.realpath(Path(__file__).parents[2])}{os.sep}")
    inside = os.path.realpath(own)
    found = set()
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] != package:
            continue
        for value in vars(module).values():
            used = value if isinstance(value, ModuleType) else _home(value)
            path = os.path.realpath(getattr(used, "__file__", None) or os.sep)
            if path.startswith(f"{inside}{os.sep}"):
                foreign = not is_own(Path(path).relative_to(inside).parts)
            else:
                foreign = path != os.sep and not path.startswith((*roots, *_SYSTEM))
            if foreign:
                found.add(path)
    return sorted(found)


def _home(value: Any) -> ModuleType | None:
    """The module that a function or class was made in."""
    name = getattr(value, "__module__", None)
    return sys.modules.get(name) if isinstance(name, str) else None


def _python() -> tuple[str, ...]:
    """Where Python and its packages are."""
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    roots = {os.path.realpath(sysconfig.get_path(name)) for name in names}
    return tuple(sorted(root + os.sep for root in roots))


@contextmanager
def watching(own: Path | None = None) -> Iterator[Watch]:
    """Note what is opened inside the block; the readers are put back at its end."""
    watch = Watch(own)
    _watchers.append(watch)
    replaced = _install()
    try:
        yield watch
    finally:
        for owner, name, old in reversed(replaced):
            setattr(owner, name, old)
        _watchers.remove(watch)


def _install() -> list[tuple[Any, str, Any]]:
    replaced: list[tuple[Any, str, Any]] = []

    def put(owner: Any, name: str) -> None:
        old = getattr(owner, name, None)
        if old is None:
            return
        setattr(owner, name, _watched(old))
        replaced.append((owner, name, old))

    for owner in (builtins, io, os):
        put(owner, "open")
    for module, names in READERS.items():
        if module in sys.modules:
            for name in names:
                put(sys.modules[module], name)
    return replaced


def _watched(reader: Callable[..., Any]) -> Callable[..., Any]:
    """The reader, telling the innermost watch. An alpha may keep it: without a watch it is mute."""

    def call(*given: Any, **named: Any) -> Any:
        mode = given[1] if len(given) > 1 else named.get("mode", "r")
        writes = isinstance(mode, str) and mode[:1] in ("w", "a", "x")
        if _watchers and not writes:
            _watchers[-1].note(given[0] if given else next(iter(named.values()), None))
        return reader(*given, **named)

    call.__wrapped__ = reader  # type: ignore[attr-defined]
    return call
