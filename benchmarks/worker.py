"""One process a side: it loads and compiles once, then runs one measurement per request.

A request and its reply are one line of JSON each. Both sides are driven by this same loop, so that
alternated runs meet the same conditions. Standard library only: it runs in every environment.
"""

import contextlib
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
ASK_SECONDS = 1800.0

Handler = Callable[..., dict[str, Any]]


def serve(handlers: Mapping[str, Handler]) -> None:
    """Answer requests from standard input until it closes.

    Whatever the libraries print goes to standard error; a failure is a reply with its reason.
    """
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    for line in sys.stdin:
        request = json.loads(line)
        name = request.pop("call")
        try:
            reply: dict[str, Any] = {"ok": handlers[name](**request)}
        except Exception as error:
            reply = {"failed": f"{type(error).__name__}: {_first_line(error)}"}
        replies.write(json.dumps(reply) + "\n")
        replies.flush()


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else "no message"


class Failed(Exception):
    """The worker answered with a reason instead of a measurement."""


class Worker:
    """A running side; use it as a context manager."""

    def __init__(self, python: Path | str, module: str) -> None:
        hidden = {"PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "NUMBA_DISABLE_JIT"}
        env = {name: value for name, value in os.environ.items() if name not in hidden}
        self.module = module
        self.process = subprocess.Popen(
            [str(python), "-m", module],
            cwd=ROOT,
            env=env | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, call: str, **arguments: Any) -> None:
        """Start one measurement; `receive` waits for it."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps({"call": call} | arguments) + "\n")
            self.process.stdin.flush()
        except OSError as error:
            raise Failed(f"{self.module} ended with code {self.process.poll()}") from error

    def is_waiting(self, seconds: float) -> bool:
        """True while no reply has come, after at most that long."""
        assert self.process.stdout is not None
        ready = select.poll()  # unlike select, with any number of open files
        ready.register(self.process.stdout, select.POLLIN)
        return not ready.poll(1000 * seconds)

    def receive(self, seconds: float = ASK_SECONDS) -> dict[str, Any]:
        """The reply to the last request.

        Raises: Failed, with the worker's reason, its death, or the time it took.
        """
        if self.is_waiting(seconds):
            self.close()
            raise Failed(f"{self.module} gave no answer in {seconds:.0f} s")
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise Failed(f"{self.module} ended with code {self.process.wait()}")
        reply = json.loads(line)
        if "failed" in reply:
            raise Failed(reply["failed"])
        answer: dict[str, Any] = reply["ok"]
        return answer

    def ask(self, call: str, **arguments: Any) -> dict[str, Any]:
        """`send`, then `receive`."""
        self.send(call, **arguments)
        return self.receive()

    def close(self) -> None:
        """End the process."""
        if self.process.stdin is not None:
            with contextlib.suppress(OSError):  # what a dead worker did not read any more
                self.process.stdin.close()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


def timed(once: Callable[[], Any], at_least_s: float) -> tuple[float, int, Any]:
    """Repeat `once` until the runs took that long in all; seconds a run, runs, the last answer.

    `once` returns (seconds, answer): what it prepares outside its own clock is not counted.
    """
    total, runs = 0.0, 0
    while True:
        seconds, answer = once()
        total += seconds
        runs += 1
        if total >= at_least_s:
            return total / runs, runs, answer


def stopwatch(function: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds one call took, and what it returned."""
    start = time.perf_counter()
    answer = function()
    return time.perf_counter() - start, answer
