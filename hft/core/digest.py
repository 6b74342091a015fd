"""The running digest of a run: 128 bits of uint64 arithmetic, folded to sha-256 at the end.

Two lanes take one word each step with a multiply and a rotate; this is a checksum of agreement
between two runs, not a cryptographic hash (the final sha-256 over the checkpoints is). The only
module besides `core.seeds` with modular arithmetic.
"""

import hashlib

import numpy as np

from hft.core.jit import JIT_DISABLED, kernel

_MASK = (1 << 64) - 1
K0 = np.uint64(0x9E3779B97F4A7C15)
K1 = np.uint64(0xC2B2AE3D27D4EB4F)
K2 = np.uint64(0x165667B19E3779F9)
K3 = np.uint64(0xD6E8FEB86659FD93)
K4 = np.uint64(0xA0761D6478BD642F)
K5 = np.uint64(0xE7037ED1A0B428DB)
K6 = np.uint64(0x8EBC6AF09C88C6E3)
K7 = np.uint64(0x589965CC75374CC3)

if JIT_DISABLED:

    def _mul(a: np.uint64, b: np.uint64) -> np.uint64:
        return np.uint64(int(a) * int(b) & _MASK)

    def _add(a: np.uint64, b: np.uint64) -> np.uint64:
        return np.uint64(int(a) + int(b) & _MASK)

    def _word(value: int) -> np.uint64:
        return np.uint64(int(value) & _MASK)

    def as_int(value: np.uint64) -> int:
        number = int(value)
        return number - (1 << 64) if number >> 63 else number
else:

    @kernel
    def _mul(a, b):  # type: ignore[no-untyped-def]
        return a * b

    @kernel
    def _add(a, b):  # type: ignore[no-untyped-def]
        return a + b

    @kernel
    def _word(value):  # type: ignore[no-untyped-def]
        return np.uint64(value)

    @kernel
    def as_int(value):  # type: ignore[no-untyped-def]
        return np.int64(value)


@kernel
def mix(lane: np.ndarray, value: int) -> None:
    """Fold one int64 into both lanes. Mutates: lane (uint64[2])."""
    word = _word(value)
    low = _mul(lane[0] ^ word, K0)
    low = low ^ (low >> np.uint64(29))
    lane[1] = _add(_mul(lane[1], K1), low)
    lane[0] = low


@kernel
def mix_words(
    low: np.uint64, high: np.uint64, word: np.uint64, value: int
) -> tuple[np.uint64, np.uint64]:
    """Fold a finished word and one int64 at once; the lanes wait for one multiply only."""
    word = _add(word, _mul(_word(value), K0))
    low = _mul(low ^ word, K0)
    low = low ^ (low >> np.uint64(29))
    return low, _add(_mul(high, K1), low)


@kernel(inline=True)
def rest_word(
    key: int,
    measured: int,
    limit: int,
    value: int,
    fill_id: int,
    fee: int,
    cmd_id: int,
    codes: int,
    others: int,
) -> int:
    """The rest of a step as one word: each part has a multiplier of its own, so none can cancel."""
    a = _add(_word(key), _mul(_word(measured), K0))
    b = _add(_mul(_word(limit), K1), _mul(_word(value), K2))
    c = _add(_mul(_word(fill_id), K3), _mul(_word(fee), K4))
    d = _add(_mul(_word(cmd_id), K5), _mul(_word(codes), K6))
    return as_int(_add(_add(_add(a, b), _add(c, d)), _mul(_word(others), K7)))


@kernel
def row_word(index: int, ts: int, kind: int, side: int, price: int, qty: int) -> np.uint64:
    """One tape row as a word; a sum of these over rows is the running mix of book updates.

    The row's index is inside, so that the sum still tells order, and the words do not wait for
    each other: this is the cheapest part of the digest and it runs once per market event.
    """
    a = _mul(_word(ts) ^ _mul(_word(index), K1), K0)
    b = _mul(_add(_mul(_word(price), K2), _word(qty)), K1)
    c = _add(_add(a, b), _mul(_word(kind), K2) ^ _word(side))
    return _mul(c ^ (c >> np.uint64(32)), K2)


@kernel
def row_add(total: np.uint64, word: np.uint64) -> np.uint64:
    """The running mix with one more row word."""
    return _add(total, word)


def key_of(text: str) -> int:
    """A positive 62-bit key of a name (BLAKE2b), for digests that must not see table positions."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") >> 2


def seal(checkpoints: np.ndarray, lane: np.ndarray, context: str) -> str:
    """The run digest: sha-256 over context, checkpoint lanes and the last lanes, as hex."""
    digest = hashlib.sha256(context.encode())
    digest.update(np.ascontiguousarray(checkpoints, dtype="<u8").tobytes())
    digest.update(np.ascontiguousarray(lane, dtype="<u8").tobytes())
    return digest.hexdigest()
