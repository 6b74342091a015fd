"""What of a journal nobody needs any more: all before the record that the oldest checkpoint needs.

The oldest goes first and for good, so that a crash leaves no gap: whole lives, then segments of the
first life that is still needed. They are removed, or moved to an archive with the same names.
"""

import contextlib
import errno
import itertools
from pathlib import Path

from hft.core.errors import JournalError
from hft.services.history import History
from hft.storage.atomic import SUFFIX
from hft.storage.disk import REAL, Disk
from hft.storage.log import OWNER, segment_paths


def retire(
    history: History, needed: int, *, archive: Path | None = None, disk: Disk = REAL
) -> list[Path]:
    """Take away segments that end before record `needed`; returns where they were.

    The newest life keeps its last segment. Raises: JournalError.
    """
    gone: list[Path] = []
    try:
        for path in _before(history, needed, disk):
            _take(path, history, archive, disk)
            gone.append(path)
    except OSError as error:
        raise JournalError(f"{history.folder}: {error.strerror or error}") from None
    return gone


def _before(history: History, needed: int, disk: Disk) -> list[Path]:
    """The segments nobody needs, oldest first."""
    lives = history.lives()
    found: list[Path] = []
    for k, life in enumerate(lives):
        paths = segment_paths(history.place(life.fence), disk)
        if k + 1 < len(lives) and lives[k + 1].begins <= needed:
            found += paths
            continue
        for path, after in itertools.pairwise(paths):
            begins = history.begins(after)
            if begins is None or begins > needed:
                break
            found.append(path)
        break
    return found


def _move(path: Path, place: Path, disk: Disk) -> None:
    """To a folder of this disk, or of another: there it is whole before it is gone here."""
    try:
        disk.rename(path, place / path.name)
    except FileNotFoundError:
        pass
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _copy(path, place, disk)
        disk.unlink(path)
    else:
        disk.sync_folder(place)


def _copy(path: Path, place: Path, disk: Disk) -> None:
    """Written aside, synced and read again before it has its name. Raises: JournalError."""
    aside, content = place / f".{path.name}{SUFFIX}", disk.read(path)
    with contextlib.suppress(FileNotFoundError):  # of a copy that was cut off
        disk.unlink(aside)
    file = disk.create(aside)
    at = 0
    while at < len(content):
        at += file.write(at, memoryview(content)[at:])
    file.sync()
    file.close()
    if disk.read(aside) != content:
        raise JournalError(f"{aside}: reads other than what was written; look at that disk")
    disk.rename(aside, place / path.name)
    disk.sync_folder(place)


def _take(path: Path, history: History, archive: Path | None, disk: Disk) -> None:
    if archive is None:
        disk.unlink(path)
    else:
        place = archive / path.parent.name
        disk.make(place)
        if OWNER not in disk.names(place):
            file = disk.create(place / OWNER)
            file.write(0, f"{history.account}\n".encode())
            file.sync()
            file.close()
        _move(path, place, disk)
    disk.sync_folder(path.parent)
