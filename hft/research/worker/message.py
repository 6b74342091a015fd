"""Messages between the judge and a worker: a line of JSON and, behind it, bytes of a known length.

Either side may be lied to by the other: lengths are bounded before anything is read, and no object
is ever unpickled.
"""

import json
import os
import select
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hft.core.json_text import line

HEAD = struct.Struct("<IQ")  # bytes of JSON, bytes behind it
HEADER_MOST = 1 << 24
PIECE = 1 << 20
LOOKS_S = 0.5  # between two looks at who is waited for


class Broken(Exception):
    """The other side ended, took too long, or said what is no message; the text says which."""


@dataclass(frozen=True)
class Message:
    """What was said: JSON values by name, and bytes."""

    said: dict[str, Any] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Patience:
    """Until when an answer is waited for (`time.monotonic`), and what may end the wait before.

    `look` is asked about every half a second of waiting and says why it goes on no longer, "" where
    it does.
    """

    deadline: float
    look: Callable[[], str] = lambda: ""

    def for_(self, pipe: int, event: int) -> None:
        """Wait until the pipe is ready. Raises: Broken when the time is up."""
        poll = select.poll()
        poll.register(pipe, event)
        while True:
            left = self.deadline - time.monotonic()
            if poll.poll(max(0, int(min(left, LOOKS_S) * 1000))):
                return
            if said := self.look():
                raise Broken(said)
            if left <= 0:
                raise Broken("took too long")


def send(pipe: int, message: Message, patience: Patience | None = None) -> None:
    """Write all of a message. Raises: Broken."""
    header = line(message.said).encode()
    _write(pipe, HEAD.pack(len(header), len(message.body)) + header, patience)
    _write(pipe, message.body, patience)


def receive(pipe: int, most: int, patience: Patience | None = None) -> Message:
    """Read one message of at most `most` bytes behind its JSON. Raises: Broken."""
    first, behind = HEAD.unpack(_read(pipe, HEAD.size, patience))
    if first > HEADER_MOST or behind > most:
        raise Broken(f"announced {behind} bytes where at most {most} were asked for")
    header, body = _read(pipe, first, patience), _read(pipe, behind, patience)
    try:
        said = json.loads(header)
        json.dumps(said, ensure_ascii=False).encode()  # halves of characters are none
    except (ValueError, RecursionError):
        raise Broken("said what is no JSON") from None
    if not isinstance(said, dict):
        raise Broken("said what is no message")
    return Message(said, body)


def _read(pipe: int, count: int, patience: Patience | None) -> bytes:
    found = bytearray()
    while len(found) < count:
        _wait(pipe, select.POLLIN, patience)
        piece = os.read(pipe, min(PIECE, count - len(found)))
        if not piece:
            raise Broken("ended")
        found += piece
    return bytes(found)


def _write(pipe: int, data: bytes, patience: Patience | None) -> None:
    left = memoryview(data)
    while left:
        _wait(pipe, select.POLLOUT, patience)
        try:
            left = left[os.write(pipe, left[:PIECE]) :]
        except BlockingIOError:
            continue
        except BrokenPipeError:
            raise Broken("ended") from None


def _wait(pipe: int, event: int, patience: Patience | None) -> None:
    if patience is not None:
        patience.for_(pipe, event)
