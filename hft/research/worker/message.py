"""Messages between the judge and a worker: a line of JSON and, behind it, bytes of a known length.

Either side may be lied to by the other: lengths are bounded before anything is read, and no object
is ever unpickled.
"""

import json
import os
import select
import struct
import time
from dataclasses import dataclass, field
from typing import Any

from hft.core.json_text import line

HEAD = struct.Struct("<IQ")  # bytes of JSON, bytes behind it
HEADER_MOST = 1 << 24
PIECE = 1 << 20


class Broken(Exception):
    """The other side ended, took too long, or said what is no message; the text says which."""


@dataclass(frozen=True)
class Message:
    """What was said: JSON values by name, and bytes."""

    said: dict[str, Any] = field(default_factory=dict)
    body: bytes = b""


def send(pipe: int, message: Message, deadline: float | None = None) -> None:
    """Write all of a message. Raises: Broken."""
    header = line(message.said).encode()
    _write(pipe, HEAD.pack(len(header), len(message.body)) + header, deadline)
    _write(pipe, message.body, deadline)


def receive(pipe: int, most: int, deadline: float | None = None) -> Message:
    """Read one message of at most `most` bytes behind its JSON. Raises: Broken."""
    first, behind = HEAD.unpack(_read(pipe, HEAD.size, deadline))
    if first > HEADER_MOST or behind > most:
        raise Broken(f"announced {behind} bytes where at most {most} were asked for")
    header, body = _read(pipe, first, deadline), _read(pipe, behind, deadline)
    try:
        said = json.loads(header)
        json.dumps(said, ensure_ascii=False).encode()  # halves of characters are none
    except (ValueError, RecursionError):
        raise Broken("said what is no JSON") from None
    if not isinstance(said, dict):
        raise Broken("said what is no message")
    return Message(said, body)


def _read(pipe: int, count: int, deadline: float | None) -> bytes:
    found = bytearray()
    while len(found) < count:
        _wait(pipe, select.POLLIN, deadline)
        piece = os.read(pipe, min(PIECE, count - len(found)))
        if not piece:
            raise Broken("ended")
        found += piece
    return bytes(found)


def _write(pipe: int, data: bytes, deadline: float | None) -> None:
    left = memoryview(data)
    while left:
        _wait(pipe, select.POLLOUT, deadline)
        try:
            left = left[os.write(pipe, left[:PIECE]) :]
        except BlockingIOError:
            continue
        except BrokenPipeError:
            raise Broken("ended") from None


def _wait(pipe: int, event: int, deadline: float | None) -> None:
    """Until the pipe is ready. Raises: Broken when the time is up."""
    if deadline is None:
        return
    poll = select.poll()
    poll.register(pipe, event)
    left_ms = max(0, int((deadline - time.monotonic()) * 1000))
    if not poll.poll(left_ms):
        raise Broken("took too long")
