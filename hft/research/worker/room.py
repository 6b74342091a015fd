"""The process in which an alpha's code runs: it is handed rows and gives back numbers.

It puts the walls up before it imports anything but Python's standard library, then loads the alpha
from a copy of its folder. Whatever happens here afterwards may be the alpha's doing, so the judge
believes nothing but the numbers, and these only as the alpha's own answer.
"""

import io
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from hft.research.worker import walls
from hft.research.worker.message import Broken, Message, receive, send

MOST = 1 << 36  # bytes of rows: the judge is trusted
TRIED_MOST, WORDS_KEPT = 20, 100_000
# Events of Python that mean something was tried which a signal does not need.
TELLING = (
    *("socket.connect", "socket.bind", "socket.__new__", "socket.sendto", "socket.getaddrinfo"),
    *("subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.system", "os.kill", "os.killpg"),
    *("urllib.", "http.client.", "ftplib.", "smtplib.", "webbrowser.open", "sqlite3.connect"),
)
# These, and opening a file, tell where the path is none that the walls allow.
OF_PATHS = ("open", "os.remove", "os.rename", "os.link", "os.symlink", "os.truncate", "os.mkdir")
# What libraries look at for reasons of their own; the walls refuse what is not harmless of it.
SYSTEM = ("/proc/self", "/proc/sys", "/sys/", "/dev/", "/etc/", "/usr/", "/lib", "/bin", "/opt/")


class Tried:
    """What the code asked Python for beyond rows and libraries, each once, a few at most."""

    def __init__(self, allowed: Sequence[str]) -> None:
        self.allowed = (*allowed, *SYSTEM)
        # Python looks into each of these itself when something is imported late; none lies below.
        self.places = frozenset(os.path.abspath(one) for one in sys.path)
        self.found: list[str] = []

    def hook(self, event: str, given: tuple[Any, ...]) -> None:
        """As `sys.addaudithook` wants it; never raises."""
        if len(self.found) >= TRIED_MOST:
            return
        said = ""
        if event in OF_PATHS:
            if given and isinstance(given[0], str | bytes):
                path = os.path.abspath(os.fsdecode(given[0]))
                if not path.startswith(self.allowed) and path not in self.places:
                    said = f"{event} {path}"
        elif event.startswith(TELLING):
            said = event
        if said and said not in self.found:
            self.found.append(said)


def main() -> None:
    """Serve the judge on stdin and stdout until it closes them."""
    asked, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)  # what an alpha prints is no answer
    if sys.platform == "linux":
        walls.end_with_the_judge()
        walls.end_before_others()
    first = receive(asked, MOST)
    try:
        told = first.said
        if told["walled"]:
            walls.put_up(told["readable"], told["writable"], walls.Limits(**told["limits"]))
    except walls.NoWalls as error:
        send(answers, Message({"error": str(error), "kind": "walls"}))
        return
    tried = Tried((*told["readable"], *told["writable"]))
    served = _Served(told["folder"], tried)
    while True:
        try:
            send(answers, served.answer(first))
            first = receive(asked, MOST)
        except Broken:
            return


class _Served:
    """The alpha of one worker, and the rows of a stream so far."""

    def __init__(self, folder: str, tried: Tried) -> None:
        self.folder, self.tried = folder, tried
        self.alpha: Any = None
        self.made: Any = None
        self.streams: dict[str, Any] = {}

    def answer(self, message: Message) -> Message:
        """What the alpha says to one question; what it raises is an answer too."""
        from hft.core.errors import HftError

        try:
            said, body = getattr(self, f"on_{message.said['ask']}")(message)
        except HftError as error:
            said, body = {"error": str(error), "kind": type(error).__name__}, b""
        except MemoryError:
            said, body = {"error": "the memory it may use is not enough", "kind": "memory"}, b""
        return Message(said | {"tried": list(self.tried.found)}, body)

    def on_open(self, message: Message) -> tuple[dict[str, Any], bytes]:
        """Import the alpha; its manifest and what it has to say a number with."""
        from pathlib import Path

        import polars  # noqa: F401  (before the hook: a library opens what it likes)

        from hft.research.alphas import loader, signals
        from hft.research.rl.quotes import quotes_of

        sys.addaudithook(self.tried.hook)
        self.alpha = loader.load_folder(Path(self.folder))
        self.made = signals.instance(self.alpha)
        quotes = quotes_of(self.made)
        return {
            "manifest": self.alpha.manifest.to_dict(),
            "batch": signals.has_batch(self.made),
            "stream": signals.has_stream(self.made),
            "reads": list(self.alpha.reads),
            "expression": str(getattr(getattr(self.made, "expression", None), "canonical", "")),
            "quotes": None if quotes is None else quotes.to_dict(),
        }, b""

    def on_tests(self, message: Message) -> tuple[dict[str, Any], bytes]:
        """The alpha's own tests; it may lie about these, as it may write tests that say nothing."""
        import contextlib

        import pytest

        only = str(message.said["only"])
        asked = ["-q", "-p", "no:cacheprovider", "--color=no", f"{self.folder}/tests"]
        heard = io.StringIO()
        with contextlib.redirect_stdout(heard), contextlib.suppress(SystemExit):
            code = int(pytest.main([*asked, *(["-k", only] if only else [])]))
        return {"exit_code": code}, heard.getvalue()[-WORDS_KEPT:].encode()

    def on_imports(self, message: Message) -> tuple[dict[str, Any], bytes]:
        """Can a module be imported?"""
        import importlib

        try:
            importlib.import_module(str(message.said["module"]))
        except BaseException as error:
            return {"wrong": f"{type(error).__name__}: {error}"}, b""
        return {"wrong": ""}, b""

    def on_evaluate(self, message: Message) -> tuple[dict[str, Any], bytes]:
        """The signal of rows by the one instance that there is."""
        from hft.research.alphas import signals

        batch = message.said["batch"]
        return self._watched(message, lambda rows: signals.evaluate(self.made, rows, batch=batch))

    def on_extend(self, message: Message) -> tuple[dict[str, Any], bytes]:
        """The signal of rows that follow those before, name by name."""
        if message.said["begin"]:
            self.streams = {}
        return self._watched(message, self._extended)

    def _extended(self, data: Any) -> Any:
        import numpy as np

        from hft.research.alphas import signals

        found = np.full(len(data), np.nan)
        for symbol, rows in data.groups():
            if symbol not in self.streams:
                self.streams[symbol] = signals.Stream(self.alpha)
            found[rows] = self.streams[symbol].extend(data.of(symbol) if data.panel else data)
        return found

    def _watched(
        self, message: Message, evaluate: Callable[[Any], Any]
    ) -> tuple[dict[str, Any], bytes]:
        from hft.research.alphas.file_access import watching

        with watching(self.alpha.folder) as watch:
            found = evaluate(_rows(message))
        return {"opened": watch.opened}, found.astype("<f8").tobytes()


def _rows(message: Message) -> Any:
    import polars as pl

    from hft.research.data.dataset import ResearchData

    frame = pl.read_ipc_stream(io.BytesIO(message.body))
    return ResearchData(frame, "", str(message.said["source"]))
