"""Files that appear whole or not at all: written aside, synced, then renamed into place.

A crash or a full disk leaves what was there before; a left-over aside file begins with a dot and is
removed by the next writer of that name.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hft.storage.interrupts import held_back

SUFFIX = ".aside"


def aside_path(path: Path) -> Path:
    """Where the content of `path` is written before it is complete."""
    return path.with_name(f".{path.name}{SUFFIX}")


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


def write_atomic(path: Path, content: bytes | str) -> None:
    """Replace the content of one file, whole or not at all."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    with staged(path.parent) as stage:
        data = content.encode() if isinstance(content, str) else content
        try:
            stage.aside(path.name).write_bytes(data)
        except OSError as error:  # a full disk is reported without the file's name
            raise type(error)(error.errno, error.strerror, str(path)) from None


class Stage:
    """Several files of one folder that are renamed into place together, in the order asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._names: list[str] = []

    def aside(self, name: str) -> Path:
        """The path to write `name` to; it is synced and renamed when the stage ends well."""
        if name not in self._names:
            self._names.append(name)
        path = aside_path(self.folder / name)
        path.unlink(missing_ok=True)
        return path

    def commit(self) -> None:
        for name in self._names:
            sync_file(aside_path(self.folder / name))
        with held_back():  # all names or none
            for name in self._names:
                os.replace(aside_path(self.folder / name), self.folder / name)
            if self._names:
                sync_folder(self.folder)

    def discard(self) -> None:
        for name in self._names:
            aside_path(self.folder / name).unlink(missing_ok=True)


@contextmanager
def staged(folder: Path) -> Iterator[Stage]:
    """A stage in `folder` (made when absent) that commits at the end or leaves nothing behind."""
    made = _make(folder)
    stage = Stage(folder)
    try:
        yield stage
        stage.commit()
    except BaseException:
        stage.discard()
        for path in made:
            _remove_if_empty(path)
        raise


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
