"""One row of a chained file: its one form in bytes, its hash, and what a damaged line says.

Pure; the file it stands in belongs to `hft.storage.chain`.
"""

import hashlib
import hmac
import json
import math
from collections.abc import Mapping
from typing import Any

from hft.core.errors import DataError
from hft.core.json_text import ENCODER, line

INT_MIN, INT_MAX = -(2**63), 2**64 - 1
DEPTH_MAX = 64
HASH_CHARS = 64

_HASH_AT = b',"row_hash":"'


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


_DECODER = json.JSONDecoder(parse_constant=_refuse)


class NotARow(Exception):
    """A line that is no row; its text says why."""


def encode(row: Mapping[str, Any]) -> bytes:
    """The byte form of a row that is known to have one."""
    return ENCODER.encode(row).encode()


def canonical(row: Mapping[str, Any]) -> bytes:
    """The one byte form of a row: sorted keys, no spaces, ASCII, shortest floats.

    Raises: DataError naming the field that has no such form (NaN, infinity, an integer beyond 64
    bits, a key that is no text, a type that JSON does not have).
    """
    _check(row, "", 0)
    text = line(dict(row))
    if "\\ud" in text:  # half a character, as an undecodable file name has it
        try:
            json.dumps(dict(row), ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise DataError("a row has text that is not valid Unicode; replace it") from None
    return text.encode()


def _check(value: Any, where: str, depth: int) -> None:
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return
    if isinstance(value, int):
        if not INT_MIN <= value <= INT_MAX:
            raise DataError(f"row field {where}: an integer beyond 64 bits; write it as text")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise DataError(f"row field {where}: {value} is not a finite number; write null")
    elif depth > DEPTH_MAX:
        raise DataError(f"row field {where[:80]}: nested deeper than {DEPTH_MAX} levels")
    elif isinstance(value, dict) or (depth == 0 and isinstance(value, Mapping)):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise DataError(f"row field {where}{key!r}: a key must be text")
            _check(inner, f"{where}.{key}" if where else key, depth + 1)
    elif isinstance(value, list | tuple):
        for at, inner in enumerate(value):
            _check(inner, f"{where}[{at}]", depth + 1)
    elif not isinstance(value, str):
        raise DataError(f"row field {where}: a {kind.__name__} has no JSON form")


def row_hash(row: Mapping[str, Any], key: bytes | None = None) -> str:
    """The sha-256 (an HMAC where a key is given) of a row without its `row_hash`."""
    return digest(canonical({k: v for k, v in row.items() if k != "row_hash"}), key)


def digest(data: bytes, key: bytes | None) -> str:
    """Sha-256 of bytes, or an HMAC of them, in hex."""
    if key is None:
        return hashlib.sha256(data).hexdigest()
    return hmac.new(key, data, hashlib.sha256).hexdigest()


def seal(row: Mapping[str, Any], seq: int, prev_hash: str, key: bytes | None) -> tuple[str, bytes]:
    """The hash and the line of a row at its place in a chain."""
    full = {**row, "seq": seq, "prev_hash": prev_hash}
    own = digest(encode(full), key)
    return own, encode(full | {"row_hash": own}) + b"\n"


def parse(line: bytes) -> dict[str, Any]:
    """One line without its newline as a row. Raises: NotARow."""
    try:
        row = _DECODER.decode(line.decode())
    except (ValueError, RecursionError):
        raise NotARow("it is not JSON text") from None
    if not isinstance(row, dict):
        raise NotARow("it is not a JSON object")
    return row


def check_hash(line: bytes, key: bytes | None = None) -> None:
    """Compare a line's own hash with its bytes, without reading what they mean. Raises: NotARow."""
    at = line.find(_HASH_AT)
    if at < 0:
        raise NotARow("it has no row_hash")
    start = at + len(_HASH_AT)
    end = start + HASH_CHARS + 1  # behind the closing quote
    if line.find(_HASH_AT, start) < 0:
        found, computed = line[start:end], digest(line[:at] + line[end:], key)
    else:  # a nested field has that name too
        row = parse(line)
        found = f'{row.pop("row_hash", "")}"'.encode(errors="replace")
        try:
            computed = digest(encode(row), key)
        except (ValueError, RecursionError):
            raise NotARow("it is not in canonical form") from None
    if found != f'{computed}"'.encode():
        said = found[:12].decode(errors="replace")
        raise NotARow(f"its content gives row_hash {computed[:12]}, it says {said}")


def parse_whole(line: bytes, key: bytes | None = None) -> dict[str, Any]:
    """One line whose form and own hash are right. Raises: NotARow."""
    row = parse(line)
    try:
        same = encode(row) == line
    except (ValueError, RecursionError):
        same = False
    if not same:
        raise NotARow("it is not in canonical form (spaces, key order, number form, double key)")
    if type(row.get("seq")) is not int or not isinstance(row.get("prev_hash"), str):
        raise NotARow("it has no seq and prev_hash")
    check_hash(line, key)
    if type(row.get("row_hash")) is not str:  # that of a nested field was taken
        raise NotARow("it has no row_hash")
    return row
