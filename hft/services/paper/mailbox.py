"""What other processes ask of a session: a file each, taken in the order they were asked.

Whoever asks waits for the answer beside it, and takes the question back when none comes; a kill
stays, for it has to hold.
"""

import contextlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hft.core.errors import ConfigError, HftError, Unavailable
from hft.core.json_text import line
from hft.storage.atomic import write_atomic

MAILBOX = "requests"  # below a session's home
ASKED, ANSWERED, KEPT = ".ask", ".answer", ".kept.ask"
WAIT_S, PAUSE_S = 5.0, 0.01


@dataclass(frozen=True)
class Question:
    """One request as it was found: an entry as in a file of control inputs, without its time."""

    path: Path
    entry: dict[str, Any]

    @property
    def is_kept(self) -> bool:
        """Was it asked for a life that was not there yet?"""
        return self.path.name.endswith(KEPT)


def questions(folder: Path) -> Iterator[Question]:
    """What is asked and not answered yet, oldest first; what cannot be read is refused."""
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(ASKED))
    except FileNotFoundError:
        return
    for name in names:
        path = folder / name
        try:
            entry = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:  # taken back
            continue
        except (OSError, ValueError) as error:
            answer(Question(path, {}), refused=f"{path}: cannot be read: {error}")
            continue
        yield Question(path, entry if isinstance(entry, dict) else {})


def answer(question: Question, *, at_ns: int = 0, refused: str = "", **more: Any) -> None:
    """Say what became of it, where somebody waits: heard at this time of the tape, or refused."""
    said = {"at_ns": at_ns, "refused": refused}
    if not question.is_kept:
        write_atomic(question.path.with_suffix(ANSWERED), line(said | more))
    question.path.unlink(missing_ok=True)


def keep(folder: Path, entry: dict[str, Any]) -> None:
    """Ask whoever runs here next; it is heard before the first decision."""
    write_atomic(_path(folder, KEPT), line(entry))


def ask(folder: Path, entry: dict[str, Any], wait_s: float = WAIT_S) -> dict[str, Any]:
    """Ask and wait. Returns: the answer; its `at_ns` is the tape's time at which it was heard.

    Raises: ConfigError with the reason of a refusal; Unavailable when nobody answers.
    """
    path = _path(folder, ASKED)
    reply = path.with_suffix(ANSWERED)
    write_atomic(path, line(entry))
    deadline = time.monotonic() + wait_s
    try:
        while not reply.exists():
            if time.monotonic() > deadline:
                raise Unavailable(_unanswered(folder, path, entry, wait_s))
            time.sleep(PAUSE_S)
        said = json.loads(reply.read_text(encoding="utf-8"))
    except (HftError, KeyboardInterrupt):
        path.unlink(missing_ok=True)
        raise
    reply.unlink(missing_ok=True)
    if said["refused"]:
        raise ConfigError(said["refused"])
    return dict(said)


def _unanswered(folder: Path, path: Path, entry: dict[str, Any], wait_s: float) -> str:
    said = f"{folder.parent}: no gateway answered within {wait_s:g} s"
    if entry.get("kind") != "kill":
        return f"{said}; nothing was changed, and `hft gateway status` says how it is"
    with contextlib.suppress(FileNotFoundError):  # it is being heard in this moment
        os.rename(path, path.with_name(path.name.removesuffix(ASKED) + KEPT))
    return (
        f"{said}; the kill is kept and holds from when it is heard; where the process hangs, end "
        "it, and the next `hft gateway run` hears it before it decides anything"
    )


def _path(folder: Path, suffix: str) -> Path:
    """Of a new question; the names sort as they were asked."""
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{time.time_ns():020d}-{os.getpid()}{suffix}"
