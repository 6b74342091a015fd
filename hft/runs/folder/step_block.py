"""Steps as one block of the journal and back: bytes to rows, no file.

Little endian: `first i64, rows u32, packed u32, apart u32`; then `packed` bytes of Zstandard, the
`mix_lo` of each row, and the rows whose `mix_hi` is not what the row before says. Unpacked they are
the kind of each row, one byte, and the other fields as `hft.storage.packed` has them, in the order
of the row and by kind. Steps are numbered on from `first`.
"""

import struct
from collections.abc import Iterator

import numpy as np

from hft.core.dtypes import STEP
from hft.core.errors import JournalError
from hft.storage.zstd import unpack as unzipped

BLOCK_ROWS = 1 << 15
HEAD = struct.Struct("<qIII")
ZSTD_LEVEL = 1
# mix_hi = before * MIX + mix_lo, as the running digest goes on; books are mixed in now and then.
MIX = np.uint64(0xC2B2AE3D27D4EB4F)
_APART = np.dtype([("row", "<u4"), ("by", "<u8")])
_OTHERS = tuple(n for n in STEP.names or () if n not in ("seq", "kind", "mix_lo", "mix_hi"))
# What a row, and what is around rows, takes at most where nothing can be compressed.
ROW_BYTES = (10 + 1) * len(_OTHERS) + 2 + 8 + _APART.itemsize
AROUND_BYTES = HEAD.size + 64


def blocks_of(steps: np.ndarray) -> Iterator[np.ndarray]:
    """The steps in parts that can be a block: not too long, and numbered without a gap."""
    gaps = np.flatnonzero(np.diff(steps["seq"]) != 1) + 1
    for part in np.split(steps, gaps):
        for at in range(0, len(part), BLOCK_ROWS):
            yield part[at : at + BLOCK_ROWS]


def encode(steps: np.ndarray) -> bytes:
    """A block of steps; see `blocks_of`."""
    import zstandard

    from hft.storage.packed import grouped, layout, pack  # kernels, which only a full record needs

    kinds = steps["kind"].astype(np.uint8)
    if not np.array_equal(kinds, steps["kind"]):
        raise JournalError(f"step {int(steps['seq'][0])} and the next: a kind is beyond 255")
    rows = np.ascontiguousarray(steps)
    low, high = (steps[name].astype(np.uint64) for name in ("mix_lo", "mix_hi"))
    by = high - _said(np.concatenate([[np.uint64(0)], high[:-1]]), low)
    apart = np.zeros(np.count_nonzero(by), _APART)
    apart["row"] = np.flatnonzero(by)
    apart["by"] = by[apart["row"]]
    plain = kinds.tobytes() + pack(rows, grouped(kinds), layout(STEP, _OTHERS)).tobytes()
    packed = zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress(plain)
    head = HEAD.pack(int(steps["seq"][0]), len(steps), len(packed), len(apart))
    return b"".join((head, packed, low.astype("<u8").tobytes(), apart.tobytes()))


def decode(block: bytes) -> np.ndarray:
    """The steps of a block. Raises: ValueError or EOFError for what `encode` does not write."""
    from hft.storage.packed import grouped, layout, unpack

    if len(block) < HEAD.size:
        raise EOFError("its head is cut")
    first, count, packed, aparts = HEAD.unpack_from(block)
    mixes_at = HEAD.size + packed
    if len(block) != mixes_at + 8 * count + _APART.itemsize * aparts:
        raise ValueError("it has not the length that its head says")
    plain = np.frombuffer(unzipped(block[HEAD.size : mixes_at]), np.uint8)
    if len(plain) < count:
        raise ValueError("kinds of steps are missing")
    steps = np.zeros(count, STEP)
    unpack(plain[count:], steps, grouped(plain[:count]), layout(STEP, _OTHERS))
    steps["seq"] = np.arange(first, first + count)
    steps["kind"] = plain[:count]
    low = np.frombuffer(block, "<u8", count, mixes_at).astype(np.uint64)
    apart = np.frombuffer(block, _APART, aparts, mixes_at + 8 * count)
    if aparts and int(apart["row"].max()) >= count:
        raise ValueError("it speaks of a row that it has not")
    steps["mix_lo"] = low.view(np.int64)
    steps["mix_hi"] = _mixed(low, apart).view(np.int64)
    return steps


def _said(before: np.ndarray, low: np.ndarray) -> np.ndarray:
    """The high half of the mix that follows from the row before. Wraps, as the digest does."""
    said: np.ndarray = before * MIX + low
    return said


def _mixed(low: np.ndarray, apart: np.ndarray) -> np.ndarray:
    """The high halves of all rows at once: high[n] = MIX^n * sum of (low + by)[k] / MIX^k."""
    added = low.copy()
    added[apart["row"]] += apart["by"]
    powers = np.ones(len(low), np.uint64)
    backwards = powers.copy()
    powers[1:], backwards[1:] = MIX, pow(int(MIX), -1, 1 << 64)
    np.multiply.accumulate(powers, out=powers)
    np.multiply.accumulate(backwards, out=backwards)
    high: np.ndarray = powers * np.cumsum(added * backwards)
    return high
