"""Workers of alphas that start with Python's libraries imported: forks of one process that did.

A worker imports polars and hft for a third of a second before it hears a question, and a validation
starts ten. The forks put up their own walls, have the environment, folder, pipes and end of a real
one, and share nothing but what was imported. A worker with an environment of its own, such as
another seed of hashes, is started as ever.

Not for the tests in REAL, which are about these processes; and the commands that tests start as a
process have workers that import for themselves, but those of `test_life.py` and of notebooks.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

import pytest

from hft.research.worker import client

TESTS = Path(__file__).resolve().parent
REAL = (
    "attacks",
    "research/worker",
    "research/leakage",
    "research/test_scaffold.py",
    "governance/validation/test_ended.py",
)
SERVER = """
import array, gc, json, os, signal, socket, sys
sys.path.append({root!r})
import polars
from hft.research.alphas import file_access, loader, signals
from hft.research.rl import quotes
from hft.research.worker import room
gc.collect()
gc.freeze()

def child(said, given):
    os.setsid()
    os.chdir(said["cwd"])
    os.environ.clear()
    os.environ.update(said["env"])
    for number, one in enumerate(given):
        os.dup2(one, number)
    os.closerange(3, 256)
    room.main()
    sys.exit()

door = socket.socket(fileno=0)
while True:
    asked, given, _, _ = socket.recv_fds(door, 1 << 16, 3)
    if not asked:
        break
    said = json.loads(asked)
    if "wait" in said:
        pid, status = os.waitpid(said["wait"], os.WNOHANG)
        answer = os.waitstatus_to_exitcode(status) if pid else None
    else:
        answer = os.fork()
        if answer == 0:
            child(said, given)
        for one in given:
            os.close(one)
    door.send(json.dumps(answer).encode())
"""


class Forks:
    """The process that has imported; it ends with this one."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._door, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        code = SERVER.format(root=str(TESTS.parent))
        words = [sys.executable, "-s", "-P", "-B", "-c", code]
        self._process = subprocess.Popen(
            words, stdin=theirs, env=dict(environment), start_new_session=True
        )
        theirs.close()
        self._one_at_a_time = threading.Lock()

    def ask(self, said: Mapping[str, Any], given: tuple[int, ...] = ()) -> Any:
        """A number for an answer, or None."""
        with self._one_at_a_time:
            socket.send_fds(self._door, [json.dumps(said).encode()], given)
            return json.loads(self._door.recv(1 << 16))

    def close(self) -> None:
        self._door.close()
        assert self._process.wait(timeout=60) == 0


class Worker:
    """What the judge uses of a process."""

    def __init__(self, forks: Forks, words: IO[bytes], cwd: Path, env: Mapping[str, str]) -> None:
        self._forks, self.returncode = forks, None
        asked, answers = os.pipe(), os.pipe()
        said = {"cwd": str(cwd), "env": dict(env)}
        self.pid: int = forks.ask(said, (asked[0], answers[1], words.fileno()))
        os.close(asked[0])
        os.close(answers[1])
        self.stdin, self.stdout = os.fdopen(asked[1], "wb", 0), os.fdopen(answers[0], "rb", 0)

    def send_signal(self, number: int) -> None:
        """Nobody else has the number of one that was not waited for."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = self._forks.ask({"wait": self.pid})
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        begun = time.monotonic()
        while (code := self.poll()) is None:
            if timeout is not None and time.monotonic() - begun > timeout:
                raise subprocess.TimeoutExpired("worker", timeout)
            time.sleep(0.001)
        return code


class Started:
    """Stands in for `subprocess.Popen` in the judge's module; forks where a fork is the same.

    `by_forks` of this process, too, of which one at a time asks.
    """

    def __init__(self, by_forks: bool = False) -> None:
        self._known, self._us = client.environment_of(Path("scratch")), os.getpid()
        self._by_forks = by_forks
        self._forks = Forks(self._known) if by_forks else None

    def __call__(self, words: list[str], **given: Any) -> Any:
        own = {
            name: value for name, value in given["env"].items() if name not in ("HOME", "TMPDIR")
        }
        known = {name: value for name, value in self._known.items() if name in own}
        if own != known or not (self._by_forks or os.getpid() == self._us):
            return subprocess.Popen(words, **given)
        if self._forks is None:
            self._forks = Forks(self._known)
        return Worker(self._forks, given["stderr"], given["cwd"], given["env"])

    def close(self) -> None:
        if self._forks is not None:
            self._forks.close()


def stand_in(started: Started) -> SimpleNamespace:
    """What the judge's module uses of `subprocess`, as it is to be put into it."""
    return SimpleNamespace(
        Popen=started, PIPE=subprocess.PIPE, TimeoutExpired=subprocess.TimeoutExpired
    )


@pytest.fixture(scope="session")
def forks_of_workers() -> Iterator[Started]:
    """Begun when the first worker is."""
    made = Started()
    yield made
    made.close()


@pytest.fixture(scope="module", autouse=True)
def forked_workers(request: pytest.FixtureRequest, forks_of_workers: Started) -> Iterator[None]:
    """Workers that this process starts are forks, but in the tests of REAL."""
    place = request.path.relative_to(TESTS).as_posix()
    if place.startswith(REAL):
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client, "subprocess", stand_in(forks_of_workers))
        yield
