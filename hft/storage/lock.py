"""One lock for every file that several processes share: `flock` with an end to the waiting.

A lock goes with its process, so a crash leaves none. A process that is stopped keeps its own; who
waits for it is told after `wait_s` which process that is. Owns nothing; the caller closes the file.
"""

import contextlib
import fcntl
import itertools
import os
import time
from collections.abc import Iterator
from pathlib import Path

from hft.core.errors import Busy, JournalError
from hft.storage.cures import cured

WAIT_S = 60.0
PAUSE_S, PAUSE_MAX_S = 0.0002, 0.02
COMMAND_CHARS = 60
HOLDS = "holds its lock"


def lock(
    file: int, path: Path, *, shared: bool = False, wait_s: float = WAIT_S, doing: str = HOLDS
) -> None:
    """Lock an open file until it is closed; `wait_s` 0 asks once.

    `path` and `doing` are for the message. Raises: Busy naming the process that holds it,
    JournalError on a file system without locks.
    """
    kind = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB
    deadline, pause = time.monotonic() + wait_s, PAUSE_S
    while True:
        try:
            fcntl.flock(file, kind)
            return
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise Busy(_held(file, path, doing, wait_s)) from None
        except OSError as error:
            raise JournalError(f"{path}: cannot be locked: {error.strerror or error}") from None
        time.sleep(pause)
        pause = min(pause * 1.5, PAUSE_MAX_S)


def unlock(file: int) -> None:
    """Let a lock go before its file is closed."""
    fcntl.flock(file, fcntl.LOCK_UN)


@contextlib.contextmanager
def locked(path: Path, *, wait_s: float = WAIT_S, doing: str = HOLDS) -> Iterator[int]:
    """Hold a lock file of its own, made when absent, for a few writes elsewhere.

    Raises: Busy naming the process that holds it, JournalError when the file cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise JournalError(f"{path}: {cured(error)}") from None
    try:
        lock(file, path, wait_s=wait_s, doing=doing)
        yield file
    finally:
        os.close(file)


def _held(file: int, path: Path, doing: str, wait_s: float) -> str:
    """One sentence: who holds the lock, what for, how long was waited, and what to do about it."""
    who, stopped = _holder(file)
    waited = f"; waited {wait_s:g} s" if wait_s else ""
    cure = "continue it or end it, then try again" if stopped else "try again"
    state = ", which is stopped," if stopped else ""
    return f"{path}: {who}{state} {doing}{waited}; {cure}"


def _holder(file: int) -> tuple[str, bool]:
    """The process that locks a file in words, and is it stopped; Linux tells, others do not."""
    status = os.fstat(file)
    device = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/locks").read_text().splitlines():
            words = line.split()  # 1: FLOCK ADVISORY WRITE pid device start end
            if words[1] == "FLOCK" and words[5] == device:
                return _named(int(words[4]))
    return "another process", False


def _named(pid: int) -> tuple[str, bool]:
    """A process by number and command, without its options: those may hold a password."""
    if pid == os.getpid():
        return f"this process ({pid})", False
    folder = Path("/proc") / str(pid)
    state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
    words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
    names = [Path(words[0]).name, *words[1:]]
    if names[0].startswith("python") and len(names) > 1:
        names = names[2:] if names[1] == "-m" else [Path(names[1]).name, *names[2:]]
    command = " ".join(itertools.takewhile(lambda word: word and word[0] != "-", names))
    return f"process {pid} ({command[:COMMAND_CHARS] or names[0]})", state in "Tt"
