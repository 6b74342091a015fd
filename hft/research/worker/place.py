"""The folder a worker lives in: a copy of the alpha, an empty one to write in, its limits.

The alpha is copied first, and the code hash is of the copy: what runs is what was hashed. The judge
holds a lock in the folder, so that what a killed one left is known by it and removed by the next.
"""

import os
import shutil
import sys
import sysconfig
import tempfile
from contextlib import suppress
from pathlib import Path

from hft.core.errors import Busy, JournalError, ValidationError
from hft.research.alphas.loader import sources
from hft.storage.lock import lock

PREFIX, HELD = "hft-worker-", "held"
FOLDER_MOST = 256 << 20  # bytes of an alpha's folder
SCRATCH, UP = "scratch", "up-"  # the folder to write in; how what lay deep in it is named to go
SCRATCH_MOST, FILES_MOST, THREADS_MOST = 512 << 20, 10_000, 64
WRITTEN_MOST, DEEP_MOST = (
    2 << 30,
    64,
)  # bytes of a life, files without a name too; folders in folders
SYSTEM = (
    *("/usr/lib", "/usr/lib64", "/usr/local/lib", "/lib", "/lib64", "/usr/share/zoneinfo"),
    *("/etc/ld.so.cache", "/etc/localtime", "/dev/null", "/dev/zero", "/dev/urandom"),
    *("/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat"),
    *("/sys/devices/system/cpu", "/sys/fs/cgroup"),
)
BASE = {"base": sys.base_prefix, "platbase": sys.base_exec_prefix}


class Place:
    """One worker's folder. Raises: ValidationError for an alpha's folder that cannot be copied."""

    def __init__(self) -> None:
        sweep()
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        new = self.folder / f"{HELD}.new"  # held before another judge that sweeps can find it
        self._held = os.open(new, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with suppress(JournalError):  # a file system without locks: nothing is swept there
            lock(self._held, new, wait_s=0)
        new.rename(self.folder / HELD)
        self.scratch = self.folder / SCRATCH
        self.scratch.mkdir()
        self.copy = self.folder

    def take(self, folder: Path) -> Path:
        """Copy an alpha's folder into it, under the same name."""
        self.copy = _copied(folder, self.folder)
        return self.copy

    def excess(self, process: int) -> str:
        """What the worker of this place took too much of; "" where it did not."""
        bytes_, files, deep = _held(self.scratch)
        if bytes_ > SCRATCH_MOST:
            return f"wrote more than {SCRATCH_MOST >> 20} MB into its folder"
        if files > FILES_MOST:
            return f"made more than {FILES_MOST} files"
        if deep > DEEP_MOST:
            return f"made folders more than {DEEP_MOST} deep"
        if _written(process) > WRITTEN_MOST:
            return f"wrote more than {WRITTEN_MOST >> 20} MB to the disk"
        with suppress(OSError):
            if len(os.listdir(f"/proc/{process}/task")) > THREADS_MOST:
                return f"started more than {THREADS_MOST} threads"
        return ""

    def cleanup(self) -> None:
        """Remove it."""
        remove(self.folder)
        with suppress(OSError):
            os.close(self._held)


def sweep() -> None:
    """Remove the folders of this user's judges that were killed."""
    with suppress(OSError):
        for entry in os.scandir(tempfile.gettempdir()):
            if entry.name.startswith(PREFIX) and entry.is_dir(follow_symlinks=False):
                _remove_left(Path(entry.path))


def _remove_left(folder: Path) -> None:
    with suppress(OSError, Busy, JournalError):
        if folder.stat().st_uid != os.getuid():
            return
        held = os.open(folder / HELD, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            lock(held, folder / HELD, wait_s=0)
            remove(folder)
        finally:
            os.close(held)


def remove(folder: Path) -> None:
    """Remove a folder, however deep: Python's own way ends at a thousand, or at 4096 characters."""
    count, left = 0, [folder / SCRATCH]
    while left:
        place = left.pop()
        with suppress(OSError):
            for entry in [one for one in os.scandir(place) if one.is_dir(follow_symlinks=False)]:
                count += 1
                up = folder / f"{UP}{count}"
                os.chmod(entry.path, 0o700)
                os.rename(entry.path, up)
                left.append(up)
    shutil.rmtree(folder, ignore_errors=True)


def _held(folder: Path) -> tuple[int, int, int]:
    """Bytes and files below a folder, as the disk counts them, and how deep; stops where it is too
    much."""
    bytes_ = files = deepest = 0
    left = [(folder, 0)]
    while left and files <= FILES_MOST and bytes_ <= SCRATCH_MOST and deepest <= DEEP_MOST:
        place, deep = left.pop()
        deepest = max(deepest, deep)
        with suppress(OSError):
            for entry in os.scandir(place):
                files += 1
                with suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        left.append((Path(entry.path), deep + 1))
                    else:
                        bytes_ += entry.stat(follow_symlinks=False).st_blocks * 512
    return bytes_, files, deepest


def _written(process: int) -> int:
    """Bytes that a process has brought to the disk in all, into files without a name too."""
    with suppress(OSError, ValueError), open(f"/proc/{process}/io") as file:
        found = dict(line.split(": ") for line in file)
        return int(found.get("write_bytes", 0))
    return 0


def environment_of(scratch: Path) -> dict[str, str]:
    """All that a worker knows of its surroundings."""
    return {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "PYTHONHASHSEED": "0",
        "POLARS_MAX_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }


def open_to_all(folder: Path) -> str:
    """Why a folder could be read behind the walls of any alpha; "" where it cannot."""
    resolved = folder.resolve()
    place = next((one for one in readable_places() if resolved.is_relative_to(one)), None)
    return "" if place is None else f"{folder} lies in {place}, which every worker may read"


def readable_places() -> list[str]:
    """What a worker may read: Python, its packages (also those that are links there), hft, and what
    the system's libraries ask for."""
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    schemes = [sysconfig.get_paths(vars=own) for own in (None, BASE)]
    found = {os.path.realpath(paths[name]) for paths in schemes for name in names}
    linked = {
        os.path.realpath(one) for place in found for one in os.scandir(place) if one.is_symlink()
    }
    package = str(Path(__file__).resolve().parents[2])
    return [*SYSTEM, *sorted(found | linked), package]


def _copied(folder: Path, place: Path) -> Path:
    """The files that the code hash is of, and no other, in a folder of the same name.

    Raises: ValidationError for a link, which could bring in a file of who judges, and for too much.
    """
    copy, home, left = place / folder.name, folder.resolve(), FOLDER_MOST
    owner = folder.stat().st_uid
    for path in sources(folder):
        inside = path.relative_to(folder)
        if path.resolve() != home / inside:
            raise ValidationError(
                f"{path}: is a link or lies behind one; put the file itself into the alpha's folder"
            )
        file = path.stat()
        if file.st_nlink > 1 and file.st_uid != owner:
            raise ValidationError(
                f"{path}: is another name of a file that somebody else owns; put a copy of it there"
            )
        left -= file.st_size
        if left < 0:
            raise ValidationError(f"{folder}: holds more than {FOLDER_MOST >> 20} MB")
        target = copy / inside
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return copy
