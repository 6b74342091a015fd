"""Files that appear whole or not at all: written aside, synced, then renamed into place.

A crash or a full disk leaves what was there before; a left-over aside file begins with a dot and is
removed by the next writer of that name.
"""

import errno
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from hft.storage.interrupts import held_back

SUFFIX = ".aside"


def aside_path(path: Path, mark: str = "") -> Path:
    """Where the content of `path` is written before it is complete; a `mark` is its writer's."""
    return path.with_name(f".{path.name}{mark}{SUFFIX}")


def sync_folder(folder: Path) -> None:
    """Make renames in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file(path: Path) -> None:
    """Make the content of a file durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_atomic(path: Path, content: bytes | str, *, contended: bool = False) -> None:
    """Replace the content of one file, whole or not at all.

    Of a `contended` file each writer has an aside of its own: several may write it at once.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    mark = f".{os.getpid()}-{threading.get_ident()}" if contended else ""
    with staged(path.parent, mark) as stage:
        data = content.encode() if isinstance(content, str) else content
        try:
            stage.aside(path.name).write_bytes(data)
        except OSError as error:  # a full disk is reported without the file's name
            raise type(error)(error.errno, error.strerror, str(path)) from None


class Stage:
    """Several files of one folder that are renamed into place together, in the order asked for."""

    def __init__(self, folder: Path, mark: str = "") -> None:
        self.folder, self._mark = folder, mark
        self._names: list[str] = []

    def aside(self, name: str) -> Path:
        """The path to write `name` to; it is synced and renamed when the stage ends well."""
        if name not in self._names:
            self._names.append(name)
        path = self._aside(name)
        path.unlink(missing_ok=True)
        return path

    def commit(self) -> None:
        for name in self._names:
            sync_file(self._aside(name))
        with held_back():  # all names or none
            for name in self._names:
                os.replace(self._aside(name), self.folder / name)
            if self._names:
                sync_folder(self.folder)

    def discard(self) -> None:
        for name in self._names:
            self._aside(name).unlink(missing_ok=True)

    def _aside(self, name: str) -> Path:
        return aside_path(self.folder / name, self._mark)


@contextmanager
def staged(folder: Path, mark: str = "") -> Iterator[Stage]:
    """A stage in `folder` (made when absent) that commits at the end or leaves nothing behind."""
    made = _make(folder)
    stage = Stage(folder, mark)
    try:
        yield stage
        stage.commit()
    except BaseException:
        stage.discard()
        for path in made:
            _remove_if_empty(path)
        raise


def write_folder(folder: Path, files: Mapping[str, bytes]) -> bool:
    """A new folder with all its files, by one rename; False when something has its name already."""
    if folder.exists():
        return False
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(SUFFIX, f".{folder.name}.", folder.parent))
    try:
        for name, content in files.items():
            (aside / name).write_bytes(content)
            sync_file(aside / name)
        aside.chmod(0o755)
        sync_folder(aside)
        os.rename(aside, folder)
    except BaseException as error:
        shutil.rmtree(aside, ignore_errors=True)
        if isinstance(error, OSError) and error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            return False
        raise
    sync_folder(folder.parent)
    return True


def _make(folder: Path) -> list[Path]:
    """Create a folder; returns those that were absent, deepest first."""
    absent = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return absent


def _remove_if_empty(path: Path) -> None:
    try:
        path.rmdir()
    except OSError:
        return
