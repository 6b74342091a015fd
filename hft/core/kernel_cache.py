"""Compiled kernels on disk: the folder of this very source tree, and the one that a wheel brings.

numba's own cache sees neither an edit in a helper of another file nor the bounds-check flag, names
its files by the place of the installation, and asks whether that place can be written. Here a
folder is named by all that machine code depends on: every source with kernels, the versions, the
flags, and model and instructions of the processor. A wheel may bring a second folder, compiled for
any processor of its kind (`make wheel`); it is used when its name is right, so never for other
sources, versions or flags. Each file begins with the hash of the rest: one that is damaged is
compiled anew.

Beside `jit`, this module is the exemption from the line: it reads our own sources and this cache.
"""

import hashlib
import os
import pickle
import platform
import shutil
import stat
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import llvmlite
import numba
import numpy as np
from numba.core.caching import CompileResultCacheImpl, FunctionCache, IndexDataCacheFile
from numba.core.codegen import get_host_cpu_features

# Kernels above the line; an edit there must recompile them too.
PACKAGES_WITH_KERNELS = ("tape", "feeds", "storage", "research/expressions", "research/search")
PACKAGES_BELOW_THE_LINE = (
    "core",
    "gateway",
    "market",
    "portfolio",
    "venue",
    "algos",
    "strategies",
    "trading",
    "replay",
)
KEPT_FOLDERS = 3
KEPT_S = 86_400  # a folder used within a day stays: checks, tests and users alternate flags
ANY_PROCESSOR = "generic"  # of NUMBA_CPU_NAME, while a wheel is built
DIGEST_BYTES = hashlib.sha256().digest_size


def _package() -> Path:
    return Path(__file__).resolve().parent.parent


def sources_key(processor: str | None = None) -> str:
    """The name of the folder: a hash of all that machine code depends on.

    `processor` is this machine's, as numba is told or finds it, unless it is given: then it has no
    instructions beyond its model's.
    """
    digest = hashlib.sha256()
    for package in (*PACKAGES_BELOW_THE_LINE, *PACKAGES_WITH_KERNELS):
        for path in sorted((_package() / package).rglob("*.py")):
            digest.update(path.relative_to(_package()).as_posix().encode())
            digest.update(path.read_bytes())
    found = (processor, "") if processor else _processor()
    flags = (
        numba.__version__,
        llvmlite.__version__,
        np.__version__,
        platform.python_implementation(),
        platform.python_version_tuple()[:2],
        platform.system(),
        platform.machine(),
        *found,
        str(numba.config.BOUNDSCHECK),
        str(numba.config.DEBUGINFO_DEFAULT),
        str(numba.config.OPT),
    )
    digest.update(repr(flags).encode())
    return digest.hexdigest()[:20]


def _processor() -> tuple[str, str]:
    """Model and instructions that numba compiles for; a virtual machine may hide some of a model's,
    and a folder may be shared by both."""
    name, features = numba.config.CPU_NAME, numba.config.CPU_FEATURES
    if name is None:
        name = llvmlite.binding.get_host_cpu_name()
    return str(name), str(get_host_cpu_features() if features is None else features)


def cache_root() -> Path:
    """Where folders of compiled kernels are: HFT_CACHE_DIR, XDG_CACHE_HOME or ~/.cache."""
    base = os.environ.get("HFT_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "hft" / "kernels"


def prebuilt_root() -> Path:
    """Where a wheel brings compiled kernels."""
    return _package() / "prebuilt"


class Folders:
    """The folder that is written and the one that is only read; "" where there is none."""

    def __init__(self) -> None:
        self.own, self.prebuilt = _own_folder(), ""
        if prebuilt_root().is_dir():
            brought = prebuilt_root() / sources_key(ANY_PROCESSOR)
            self.prebuilt = str(brought) if brought.is_dir() else ""

    def all(self) -> list[str]:
        """The folders there are; the prebuilt one is asked first."""
        return [folder for folder in (self.prebuilt, self.own) if folder]


def _own_folder() -> str:
    """Make the folder of this very source tree and keep the newest few.

    "" where it cannot be made or written, or where another user could put code into it.
    """
    root = cache_root()
    folder = root / sources_key()
    try:
        root.parent.parent.mkdir(parents=True, exist_ok=True)
        for path in (root.parent, root, folder):
            path.mkdir(mode=0o755, exist_ok=True)
        os.utime(folder)
        if stranger_may_write(folder):
            return ""
    except OSError:
        return ""
    with suppress(OSError):  # another process may remove the same ones
        _forget_old(root)
    return str(folder) if os.access(folder, os.W_OK) else ""


def stranger_may_write(folder: Path) -> bool:
    """Could another user than this one or root put machine code into a folder of the cache?

    Raises `OSError` where the folder or one of the two above it is not there.
    """
    for path in (folder, *folder.parents[:2]):
        found = path.stat()
        if found.st_uid not in (0, os.getuid()) or found.st_mode & stat.S_IWOTH:
            return True
    return False


def _forget_old(root: Path) -> None:
    used_s = {path: path.stat().st_mtime for path in root.iterdir()}
    old = sorted(used_s, key=lambda path: used_s[path], reverse=True)
    for path in old[KEPT_FOLDERS:]:
        if used_s[old[0]] - used_s[path] > KEPT_S:
            shutil.rmtree(path, ignore_errors=True)


FOLDERS = Folders()
_INSIDE = str(Path(__file__).parent.parent) + os.sep


def is_cached(name: str) -> bool:
    """Is there compiled code of `package.module.function`, of these very sources and flags?"""
    return any(any(Path(folder).glob(f"{name}-*.nbi")) for folder in FOLDERS.all())


class Files(IndexDataCacheFile):  # type: ignore[misc]
    """An index of signatures and a file each, whose first bytes are the hash of the others.

    Names of files are drawn: of two processes that compile two signatures at once neither writes
    over what the index of the other names.
    """

    def _dump(self, obj: Any) -> bytes:
        data = bytes(super()._dump(obj))
        return hashlib.sha256(data).digest() + data

    def _load_index(self) -> Any:
        try:
            index = Path(self._index_path).read_bytes()
            return pickle.loads(_checked(index))
        except (OSError, ValueError):
            return {}

    def _save_index(self, overloads: Any) -> None:
        with self._open_for_write(self._index_path) as file:
            file.write(self._dump(overloads))

    def _load_data(self, name: str) -> Any:
        try:
            return pickle.loads(_checked(Path(self._data_path(name)).read_bytes()))
        except ValueError as error:
            raise OSError(f"{name}: {error}") from error  # not there, for whoever asks

    def _data_name(self, number: int) -> str:
        return f"{self._index_name.removesuffix('.nbi')}.{uuid.uuid4().hex[:12]}.nbc"


def _checked(data: bytes) -> bytes:
    digest, rest = data[:DIGEST_BYTES], data[DIGEST_BYTES:]
    if hashlib.sha256(rest).digest() != digest:
        raise ValueError("damaged")
    return rest


class _AnyProcessor:
    """Stands in for numba's code generator in an index: the folder's name has the processor."""

    def magic_tuple(self) -> tuple[str, ...]:
        return ()


class _Results(CompileResultCacheImpl):  # type: ignore[misc]
    """How a compiled function becomes bytes and back, without numba's choice of a place."""

    def __init__(self) -> None:
        pass


def is_ours(function: Callable[..., Any]) -> bool:
    """Is a function of this package, whose sources the folder's name has?"""
    return function.__code__.co_filename.startswith(_INSIDE)


class KernelCache(FunctionCache):  # type: ignore[misc]
    """The cache of one kernel: what a wheel brought, then what this machine has compiled."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._py_func, self._name = function, repr(function)
        self._impl = _Results()
        self._cache_path = FOLDERS.own
        module = function.__module__.removeprefix("hft.")
        base = f"{module}.{function.__qualname__}-{function.__code__.co_firstlineno}"
        base = base.replace("<", "").replace(">", "")
        self._files = [Files(folder, base, "") for folder in FOLDERS.all()]
        self.enable()

    def flush(self) -> None:
        """Forget what this machine has compiled."""
        if self._cache_path:
            self._files[-1].flush()

    def _load_overload(self, sig: Any, target_context: Any) -> Any:
        if not self._enabled:
            return None
        key = self._index_key(sig, _AnyProcessor())
        for data in self._found(key):
            return self._impl.rebuild(target_context, data)
        return None

    def _found(self, key: Any) -> Iterator[Any]:
        for files in self._files:
            data = files.load(key)
            if data is not None:
                yield data

    def _save_overload(self, sig: Any, data: Any) -> None:
        if self._enabled and self._cache_path and self._impl.check_cachable(data):
            key = self._index_key(sig, _AnyProcessor())
            with suppress(OSError):  # a full disk: the next process compiles again
                self._files[-1].save(key, self._impl.reduce(data))
