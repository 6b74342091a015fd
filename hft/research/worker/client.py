"""The judge's side of a worker: it starts the process, hands it rows and takes numbers.

A worker that is killed, hangs, takes too much memory, disk or threads, or prints rubbish is a
ValidationError with the reason.
"""

import io
import os
import signal
import subprocess
import sys
import tempfile
import time
import weakref
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

import numpy as np

from hft.core.errors import Unavailable, ValidationError
from hft.research.alphas.loader import code_hash
from hft.research.alphas.manifest import AlphaManifest
from hft.research.alphas.remote import RemoteAlpha
from hft.research.data.dataset import ResearchData
from hft.research.worker import walls
from hft.research.worker.message import Broken, Message, Patience, receive, send
from hft.research.worker.place import Place, environment_of, open_to_all, readable_places

ROOM = "hft.research.worker.room"
WAIT_S, LIFE_S = 600.0, 7200.0  # of one answer, and of all answers of a worker together
TEXT_MOST = 1 << 20
TOLD = {"manifest", "batch", "stream", "reads", "tried", "expression", "quotes"}
WORDS_KEPT, SAID_MOST, TEXT_LONGEST = 500, 100, 10_000
HORIZON_MOST, SIGNAL_MOST = 1 << 53, 1e100
LOOKS_S = 0.05  # between two looks at what a worker has taken, where it answers at once
FREE_TEXT = ("hypothesis", "formula")
SLOW = "took longer for all its answers together than a worker may"


class WorkerAlpha(RemoteAlpha):
    """An alpha that runs in a process of its own; to be closed."""

    def __init__(
        self,
        folder: Path,
        *,
        limits: walls.Limits | None = None,
        wait_s: float = WAIT_S,
        life_s: float = LIFE_S,
        environment: Mapping[str, str] | None = None,
        named: Path | None = None,
        like: Mapping[str, Any] | None = None,
    ) -> None:
        """Start it; `named` is the user's folder where `folder` is a copy of it, `like` how the
        process before described itself.

        Raises: ValidationError for what the alpha does, Unavailable for walls that do not stand.
        """
        self.folder, self.wait_s, self._life_s = named or folder, wait_s, life_s
        self.lacking = walls.missing() or open_to_all(self.folder)
        self._others: list[WorkerAlpha] = []
        self._limits, self._environment = limits or walls.Limits(), dict(environment or {})
        self._place = Place()
        self._end: Any = weakref.finalize(self, self._place.cleanup)
        try:
            self._copy = self._place.take(folder)
            self.code_hash = code_hash(self._copy)
            self._looked, self._stopped = 0.0, False
            self._process = self._started()
            self._told = self._opened()
            self._as_before(like or self._told)
            self._describe(self._told)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the process and those of its copies, and remove what it was given."""
        for other in self._others:
            other.close()
        self._end()

    def again(self, environment: Mapping[str, str] | None = None) -> "WorkerAlpha":
        """Another process with the same code, which shares nothing with this one and is alone."""
        for one in (self, *self._others):
            one._stop()
        other = WorkerAlpha(
            self._copy,
            limits=self._limits,
            wait_s=self.wait_s,
            life_s=self._life_s,
            environment=self._environment | dict(environment or {}),
            named=self.folder,
            like=self._told,
        )
        self._others.append(other)
        return other

    def tests(self, timeout_s: float, only: str = "") -> dict[str, Any]:
        """pytest over the alpha's own tests, in a process of their own."""
        answer = self._once({"ask": "tests", "only": only}, timeout_s)
        code = answer.said.get("exit_code")
        return {
            "exit_code": code if isinstance(code, int) else 1,
            "stdout": "\n".join(map(plain, answer.body.decode(errors="replace").split("\n"))),
        }

    def imports(self, module: str) -> str:
        """Why a module cannot be imported, "" where it can."""
        said = self._once({"ask": "imports", "module": module}, self.wait_s).said
        return self._own_words(said.get("wrong", "it said nothing"))

    def _once(self, asked: dict[str, Any], wait_s: float) -> Message:
        """One answer of a new process, which ends with it."""
        with WorkerAlpha(
            self._copy, limits=self._limits, wait_s=wait_s, named=self.folder
        ) as other:
            return other._answer(Message(asked), TEXT_MOST)

    def evaluate(self, data: ResearchData, *, batch: bool | None = None) -> np.ndarray:
        """The signal at each row, float64; see `signals.evaluate`. Raises: ValidationError."""
        message = self._of_rows("evaluate", data, {"batch": batch})
        return self._numbers(self._answer(message, 8 * len(data)), len(data))

    def extend(self, data: ResearchData, *, begin: bool) -> np.ndarray:
        """The signal at rows that follow the ones before; `begin` makes a new alpha first."""
        message = self._of_rows("extend", data, {"begin": begin})
        return self._numbers(self._answer(message, 8 * len(data), asked_on=True), len(data))

    def _of_rows(self, ask: str, data: ResearchData, more: Mapping[str, Any]) -> Message:
        frame = data.tick_frame(self.manifest.data_fields)
        rows = io.BytesIO()
        frame.write_ipc_stream(rows)
        return Message({"ask": ask, "source": data.source, **more}, rows.getvalue())

    def _numbers(self, answer: Message, rows: int) -> np.ndarray:
        if len(answer.body) != 8 * rows:
            raise self._refused(f"answered {len(answer.body)} bytes for {rows} rows")
        found = np.frombuffer(answer.body, "<f8").astype(np.float64)
        if np.any(np.abs(found[np.isfinite(found)]) > SIGNAL_MOST):
            raise self._refused(f"answered a number beyond {SIGNAL_MOST:g}, which nothing can sum")
        return found

    def _opened(self) -> dict[str, Any]:
        readable = readable_places()
        writable = [str(self._place.scratch), "/dev/null"]
        asked = {
            "ask": "open",
            "folder": str(self._copy),
            "walled": not self.lacking,
            "readable": [*readable, str(self._place.folder)],
            "writable": writable,
            "limits": asdict(self._limits),
        }
        said = self._answer(Message(asked), 0).said
        if not set(said) >= TOLD:
            raise self._refused("said what is no description of an alpha")
        return said

    def _as_before(self, before: Mapping[str, Any]) -> None:
        """Every process of an alpha says the same of it. Raises: ValidationError."""
        for name in sorted(TOLD - {"tried"}):
            if self._told[name] != before[name]:
                raise self._refused(f"describes itself otherwise than the one before: {name}")

    def _describe(self, told: Mapping[str, Any]) -> None:
        """Believe nothing of it but values of the right kinds. Raises: ValidationError."""
        try:
            self.manifest = AlphaManifest.from_dict(told["manifest"])
        except (TypeError, ValueError, AttributeError):
            raise self._refused("said what is no manifest") from None
        self._usable(self.manifest.to_dict())
        self.batch, self.stream = told["batch"] is True, told["stream"] is True
        self.reads = self._sayings(told["reads"])
        self.expression, quotes = str(told["expression"]), told["quotes"]
        if len(self.expression) > TEXT_LONGEST or not self.expression.isprintable():
            raise self._refused("said what is no expression")
        if quotes is not None and not isinstance(quotes, dict):
            raise self._refused("said what are no quotes")
        self.quotes = quotes

    def _usable(self, manifest: Mapping[str, Any]) -> None:
        """Texts without control characters, a horizon that a time can be moved by."""
        for name, value in manifest.items():
            for text in _texts(value):
                lines = text.replace("\n", "") if name in FREE_TEXT else text
                if not lines.isprintable() or len(text) > TEXT_LONGEST:
                    raise self._refused(f"has a manifest whose {name} is no plain text")
        if not 0 <= self.manifest.horizon_ns < HORIZON_MOST:
            raise self._refused("has a manifest whose horizon_ns is no time")

    def _sayings(self, said: Any) -> tuple[str, ...]:
        """A list of texts, in the user's words. Raises: ValidationError for anything else."""
        if not isinstance(said, list) or not all(isinstance(one, str) for one in said):
            raise self._refused("said what is no list of texts")
        return tuple(self._own_words(one) for one in said[:SAID_MOST])

    def _stop(self) -> None:
        """What is not asked does not run: it could hear what another says by its threads."""
        self._process.send_signal(signal.SIGSTOP)
        self._stopped = True

    def _answer(self, message: Message, most: int, asked_on: bool = False) -> Message:
        """What it says; afterwards it is stopped unless the next question follows at once."""
        began = time.monotonic()
        patience = Patience(began + min(self.wait_s, self._life_s), self._excess)
        pipes = self._process.stdin, self._process.stdout
        assert pipes[0] is not None and pipes[1] is not None
        if self._stopped:
            self._process.send_signal(signal.SIGCONT)
            self._stopped = False
        try:
            send(pipes[0].fileno(), message, patience)
            answer = receive(pipes[1].fileno(), most, patience)
        except Broken as error:
            said = self._ended(str(error))
            self._process.kill()
            raise self._refused(said) from None
        if not asked_on:
            self._stop()
        self._life_s -= time.monotonic() - began
        if said := self._excess(LOOKS_S):
            raise self._refused(said)
        if "error" in answer.said:
            said = self._own_words(answer.said["error"])
            if answer.said.get("kind") == "walls":
                raise Unavailable(f"alpha {self.folder.name!r}: no walls: {said}")
            raise ValidationError(said)
        self.tried = tuple(
            dict.fromkeys([*self.tried, *self._sayings(answer.said.get("tried", []))])
        )
        opened = self._sayings(answer.said.get("opened", []))
        self.reads = tuple(dict.fromkeys([*self.reads, *opened]))
        return answer

    def _excess(self, every_s: float = 0.0) -> str:
        now = time.monotonic()
        if now - self._looked < every_s:
            return ""
        self._looked = now
        return self._place.excess(self._process.pid)

    def _own_words(self, said: Any) -> str:
        """What a worker said, in one short line, with the user's folder in place of the copy."""
        return plain(str(said).replace(str(self._copy), str(self.folder))[:WORDS_KEPT])

    def _refused(self, why: str) -> ValidationError:
        return ValidationError(f"alpha {self.folder.name!r}: its process {why}")

    def _ended(self, why: str) -> str:
        """Why a process gave no answer, in the words of the kernel and its own last ones."""
        if why == "took too long":
            all_of_it = self._life_s < self.wait_s
            return f"took longer than {self.wait_s:g} s" if not all_of_it else SLOW
        if why == self._excess():
            return why
        try:
            code = self._process.wait(5)
        except subprocess.TimeoutExpired:
            return why
        if code == -signal.SIGXCPU:
            return f"used more than {self._limits.cpu_s} s of processor time"
        if code < 0:
            return f"was ended by {_name_of(-code)}"
        self._words.seek(0)
        said = self._words.read(1 << 20).decode(errors="replace").strip().splitlines()
        last = f": {self._own_words(said[-1])}" if said else ""
        return f"ended with exit code {code}{last}"

    def _started(self) -> "subprocess.Popen[bytes]":
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 (closed with it)
        root = str(Path(__file__).resolve().parents[3])
        code = f"import sys; sys.path.append({root!r}); from {ROOM} import main; main()"
        process = subprocess.Popen(
            [sys.executable, "-s", "-P", "-B", "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._words,
            cwd=self._place.scratch,
            env=environment_of(self._place.scratch) | self._environment,
            start_new_session=True,
        )
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            os.set_blocking(pipe.fileno(), False)
        self._end.detach()
        self._end = weakref.finalize(self, _ended, process, self._words, self._place)
        return process


def _ended(process: "subprocess.Popen[bytes]", words: IO[bytes], place: Place) -> None:
    """Also where nobody closed it: when the alpha is forgotten, or Python ends."""
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout, words):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()
    place.cleanup()


def _texts(value: Any) -> list[str]:
    """The texts of a value of a manifest, those of its lists and mappings, too."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    return [value] if isinstance(value, str) else []


def _name_of(number: int) -> str:
    """A signal's name; most of those for real time have none."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def plain(text: str) -> str:
    """A line without control characters, which could draw over what a terminal shows."""
    return "".join(one if one.isprintable() else " " for one in text)
