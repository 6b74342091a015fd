"""Checking an SSH signature with the standard library alone.

It decides whether an armoured signature of `ssh-keygen -Y sign` (type ssh-ed25519) fits a message
and a public key. It makes no signatures and knows no names: who owns a key is in `keys`. An
evidence pack carries this file's text in its own `verify.py`, so nothing of hft is imported here.

Source: RFC 8032 (Ed25519), RFC 8709 (its SSH form), OpenSSH PROTOCOL.sshsig.
"""

import base64
import binascii
import hashlib
from typing import NamedTuple

KEY_TYPE = "ssh-ed25519"
BEGIN, END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
MAGIC = b"SSHSIG"

# The field, the order of the base point, and the constants of the curve -x^2 + y^2 = 1 + d x^2 y^2.
P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)  # a square root of -1

# A point (x, y) as X, Y, Z, T with x = X/Z, y = Y/Z, x y = T/Z.
Point = tuple[int, int, int, int]
NEUTRAL: Point = (0, 1, 1, 0)


class BadSignature(ValueError):
    """Text that is no signature, or one that does not fit; the text says why."""


class Armoured(NamedTuple):
    """What an armoured signature says about itself, before anything is checked."""

    public: bytes  # 32 bytes
    namespace: str
    hash_name: str
    signature: bytes  # 64 bytes


def check_armoured(message: bytes, armour: str, namespace: str) -> bytes:
    """The 32-byte public key whose signature over `message` this is. Raises: BadSignature."""
    found = read_armour(armour)
    if found.namespace != namespace:
        raise BadSignature(f"it is for the namespace {found.namespace!r}, not {namespace!r}")
    digest = hashlib.new(found.hash_name, message).digest()
    fields = (namespace.encode(), b"", found.hash_name.encode(), digest)
    if not verify(found.public, MAGIC + b"".join(map(pack_text, fields)), found.signature):
        raise BadSignature("it does not fit the content")
    return found.public


def read_armour(armour: str) -> Armoured:
    """The fields of an armoured signature. Raises: BadSignature."""
    lines = armour.strip().splitlines()
    if len(lines) < 3 or lines[0].strip() != BEGIN or lines[-1].strip() != END:
        raise BadSignature(f"it does not stand between {BEGIN!r} and {END!r}")
    try:
        blob = base64.b64decode("".join(line.strip() for line in lines[1:-1]), validate=True)
    except (binascii.Error, ValueError):
        raise BadSignature("it is not base64") from None
    if blob[:6] != MAGIC or blob[6:10] != b"\0\0\0\1":
        raise BadSignature("it is not an SSH signature of version 1")
    key, namespace, reserved, hash_name, signature = split_texts(blob[10:], 5)
    if reserved:
        raise BadSignature("its reserved field is not empty")
    if hash_name not in (b"sha512", b"sha256"):
        raise BadSignature("its hash is neither sha512 nor sha256")
    public = public_of(key)
    kind, raw = split_texts(signature, 2)
    if kind != KEY_TYPE.encode() or len(raw) != 64:
        raise BadSignature(f"it is not of type {KEY_TYPE}")
    return Armoured(public, namespace.decode("ascii", "replace"), hash_name.decode(), raw)


def public_of(blob: bytes) -> bytes:
    """The 32 bytes of a public key in SSH form. Raises: BadSignature."""
    parts = split_texts(blob, 2)
    if parts[0] != KEY_TYPE.encode() or len(parts[1]) != 32:
        raise BadSignature(f"its key is not of type {KEY_TYPE}")
    return parts[1]


def pack_text(data: bytes) -> bytes:
    """Length and bytes, as SSH writes them."""
    return len(data).to_bytes(4, "big") + data


def split_texts(data: bytes, count: int) -> list[bytes]:
    """Exactly `count` length-prefixed texts. Raises: BadSignature."""
    found, at = [], 0
    for _ in range(count):
        length = int.from_bytes(data[at : at + 4], "big")
        end = at + 4 + length
        if at + 4 > len(data) or end > len(data):
            raise BadSignature("it is cut short")
        found.append(data[at + 4 : end])
        at = end
    if at != len(data):
        raise BadSignature("it has bytes after its end")
    return found


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Ed25519: whether `signature` (64 bytes) over `message` was made with the key's owner.

    Stricter than RFC 8032 asks: encodings that are not the one canonical form are refused.
    """
    if len(public) != 32 or len(signature) != 64:
        return False
    key = decode(public)
    scalar = int.from_bytes(signature[32:], "little")
    if key is None or scalar >= ORDER:
        return False
    hashed = hashlib.sha512(signature[:32] + public + message).digest()
    challenge = int.from_bytes(hashed, "little") % ORDER
    minus_key = (P - key[0], key[1], key[2], P - key[3])
    return encode(_combine(scalar, BASE, challenge, minus_key)) == signature[:32]


def decode(data: bytes) -> Point | None:
    """The point of 32 bytes; None where there is none."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & ((1 << 255) - 1)
    if y >= P:
        return None
    numerator, denominator = (y * y - 1) % P, (D * y * y + 1) % P
    # RFC 8032, 5.1.3: the candidate root of numerator / denominator.
    x = numerator * pow(denominator, 3, P) % P
    x = x * pow(numerator * pow(denominator, 7, P) % P, (P - 5) // 8, P) % P
    square = denominator * x * x % P
    if square == (P - numerator) % P:
        x = x * ROOT % P
    elif square != numerator:
        return None
    if x == 0 and sign:
        return None
    if x & 1 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


def encode(point: Point) -> bytes:
    """The 32 bytes of a point."""
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def add(one: Point, other: Point) -> Point:
    """The sum of two points, complete: it also doubles. Source: RFC 8032, 5.1.4."""
    a = (one[1] - one[0]) * (other[1] - other[0]) % P
    b = (one[1] + one[0]) * (other[1] + other[0]) % P
    c = 2 * one[3] * other[3] * D % P
    d = 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def _combine(s: int, one: Point, t: int, other: Point) -> Point:
    """s times one plus t times other, with one run of doublings."""
    table = (NEUTRAL, one, other, add(one, other))
    total = NEUTRAL
    for bit in range(max(s.bit_length(), t.bit_length()) - 1, -1, -1):
        total = add(total, total)
        total = add(total, table[(s >> bit & 1) | (t >> bit & 1) << 1])
    return total


def _base() -> Point:
    point = decode((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))
    assert point is not None  # its y is 4/5
    return point


BASE = _base()


def public_of_line(line: str) -> bytes:
    """The 32 bytes of a public key in the text of a .pub file. Raises: BadSignature."""
    try:
        return public_of(base64.b64decode(line.split()[1], validate=True))
    except (binascii.Error, ValueError, IndexError):
        raise BadSignature("its key is damaged") from None


def fingerprint_of(line: str) -> str:
    """SHA256:... of a public key in the text of a .pub file, as `ssh-keygen -l` prints it."""
    digest = hashlib.sha256(base64.b64decode(line.split()[1])).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")
