"""One lock, with an end to the waiting: a process that is stopped blocks nobody for ever."""

import ast
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import hft.storage
from hft.core.errors import Busy, JournalError
from hft.storage.lock import lock, locked, unlock

pytestmark = pytest.mark.nojit

HOLD = """
import sys, time
from pathlib import Path
from hft.storage.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""
Hold = Callable[[Path], subprocess.Popen[str]]
ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux names a lock's holder")


@pytest.fixture
def hold(tmp_path: Path) -> Iterator[Hold]:
    """Another process, of a script named `keeper`, that holds the lock of a file."""
    script = tmp_path / "keeper"
    script.write_text(HOLD)
    running = []

    def start(path: Path) -> subprocess.Popen[str]:
        command = [sys.executable, str(script), str(path), "--dsn", "user:secret@host"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        running.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()


@ON_LINUX
def test_who_waits_for_a_stopped_process_is_told_which_and_goes_on(
    tmp_path: Path, hold: Hold
) -> None:
    path = tmp_path / "lock"
    holder = hold(path)
    holder.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, holder.pid, os.WSTOPPED | os.WNOWAIT)
    began = time.monotonic()
    with pytest.raises(Busy) as error, locked(path, wait_s=0.2, doing="writes here"):
        pass
    assert 0.2 <= time.monotonic() - began < 10
    text = str(error.value)
    assert f"process {holder.pid} (keeper" in text
    assert "which is stopped, writes here; waited 0.2 s; continue it or end it" in text
    assert "secret" not in text, "options may hold a password"
    assert error.value.exit_code == 75
    holder.kill()
    with locked(path, wait_s=30):
        pass


@ON_LINUX
def test_a_lock_that_is_asked_for_once_is_not_waited_for(tmp_path: Path, hold: Hold) -> None:
    holder = hold(tmp_path / "lock")
    began = time.monotonic()
    told = rf"process {holder.pid} .* holds its lock; try again"
    with pytest.raises(Busy, match=told), locked(tmp_path / "lock", wait_s=0):
        pass
    assert time.monotonic() - began < 1


def test_a_lock_goes_with_the_process_that_is_killed(tmp_path: Path, hold: Hold) -> None:
    hold(tmp_path / "lock").kill()
    with locked(tmp_path / "lock", wait_s=30):
        pass


def test_readers_share_a_lock_and_a_writer_waits_for_them(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with open(path, "w+") as one, open(path) as two, open(path) as three:
        lock(one.fileno(), path, shared=True)
        lock(two.fileno(), path, shared=True, wait_s=0)
        with pytest.raises(Busy):
            lock(three.fileno(), path, wait_s=0)
        unlock(one.fileno())
        unlock(two.fileno())
        lock(three.fileno(), path, wait_s=0)


def test_a_lock_file_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(JournalError, match="lock: "), locked(tmp_path / "file" / "lock"):
        pass


def test_nothing_else_locks() -> None:
    package = Path(hft.storage.__path__[0]).parent
    users = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in ("flock", "lockf")
    }
    # A lease never waits: its lock says that a process lives, and its file who leads.
    users -= {"services/lease/file_lease.py"}
    assert users == {"storage/lock.py"}, "take the lock of hft.storage.lock: it ends"
