"""What other processes ask of a session: a file each, taken in the order they were asked.

Whoever asks waits for the answer beside it, and takes the question back when none comes.
"""

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
ASKED, ANSWERED = ".ask", ".answer"
WAIT_S, PAUSE_S = 5.0, 0.01


@dataclass(frozen=True)
class Question:
    """One request as it was found: an entry as in a file of control inputs, without its time."""

    path: Path
    entry: dict[str, Any]


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


def answer(question: Question, *, at_ns: int = 0, refused: str = "") -> None:
    """Say what became of it: heard at this time of the tape, or refused."""
    said = {"at_ns": at_ns, "refused": refused}
    write_atomic(question.path.with_suffix(ANSWERED), line(said))
    question.path.unlink(missing_ok=True)


def ask(folder: Path, entry: dict[str, Any], wait_s: float = WAIT_S) -> int:
    """Ask and wait. Returns: the tape's time at which it was heard.

    Raises: ConfigError with the reason of a refusal; Unavailable when nobody answers.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{time.time_ns():020d}-{os.getpid()}{ASKED}"
    reply = path.with_suffix(ANSWERED)
    write_atomic(path, line(entry))
    deadline = time.monotonic() + wait_s
    try:
        while not reply.exists():
            if time.monotonic() > deadline:
                raise Unavailable(f"{folder.parent}: no gateway answered within {wait_s:g} s")
            time.sleep(PAUSE_S)
        said = json.loads(reply.read_text(encoding="utf-8"))
    except (HftError, KeyboardInterrupt):
        path.unlink(missing_ok=True)
        raise
    reply.unlink(missing_ok=True)
    if said["refused"]:
        raise ConfigError(said["refused"])
    return int(said["at_ns"])
