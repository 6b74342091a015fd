"""A block of the journal as the page of runs describes it, written and read a number at a time."""

import itertools
import struct
import zlib

import numpy as np
import zstandard

from hft.core.dtypes import STEP

MIX, ALL = 0xC2B2AE3D27D4EB4F, (1 << 64) - 1
FIELDS = [name for name in STEP.names or () if name not in ("seq", "kind", "mix_lo", "mix_hi")]


def encode(steps: np.ndarray) -> bytes:
    """The block of these steps, as plain Python would make it."""
    rows = [{name: int(row[name]) for name in STEP.names or ()} for row in steps]
    plain = bytes(row["kind"] for row in rows)
    for kind in sorted({row["kind"] for row in rows}):
        alike = [row for row in rows if row["kind"] == kind]
        for name in FIELDS:
            values = [row[name] for row in alike]
            plain += varint(zigzag(values[0]))
            if len(set(values)) == 1:
                plain += b"\0"
                continue
            plain += b"\1"
            for before, value in itertools.pairwise(values):
                plain += varint(zigzag(signed(value - before)))
    apart, before = [], 0
    for k, row in enumerate(rows):
        by = (row["mix_hi"] - before * MIX - row["mix_lo"]) & ALL
        apart += [struct.pack("<IQ", k, by)] if by else []
        before = row["mix_hi"]
    packed = zstandard.ZstdCompressor(level=1).compress(plain)
    head = struct.pack("<qIII", rows[0]["seq"], len(rows), len(packed), len(apart))
    mixes = b"".join(struct.pack("<q", row["mix_lo"]) for row in rows)
    return head + packed + mixes + b"".join(apart)


def decode(block: bytes) -> np.ndarray:
    """The steps of a block."""
    first, count, packed, aparts = struct.unpack_from("<qIII", block)
    plain = zstandard.ZstdDecompressor().decompress(block[20 : 20 + packed])
    steps = np.zeros(count, STEP)
    steps["kind"] = list(plain[:count])
    at = count
    for kind in sorted(set(plain[:count])):
        alike = [k for k in range(count) if plain[k] == kind]
        for name in FIELDS:
            number, at = read_varint(plain, at)
            value, differs, at = unzigzag(number), plain[at], at + 1
            for k in alike:
                if differs and k != alike[0]:
                    number, at = read_varint(plain, at)
                    value = signed(value + unzigzag(number))
                steps[name][k] = value
    assert at == len(plain)
    rest = block[20 + packed :]
    apart = dict(struct.iter_unpack("<IQ", rest[8 * count :]))
    assert len(apart) == aparts
    before = 0
    for k in range(count):
        (low,) = struct.unpack_from("<q", rest, 8 * k)
        before = (before * MIX + low + apart.get(k, 0)) & ALL
        steps["seq"][k], steps["mix_lo"][k], steps["mix_hi"][k] = first + k, low, signed(before)
    return steps


def frames(segment: bytes) -> list[bytes]:
    """The blocks of a segment of the journal, each with a good checksum."""
    found, at = [], 64
    while at < len(segment):
        length, crc = struct.unpack_from("<II", segment, at)
        covered = segment[at + 8 : at + 8 + length]
        assert zlib.crc32(covered) == crc
        found.append(covered[20:])
        at += 8 + length
    return found


def zigzag(value: int) -> int:
    return 2 * value if value >= 0 else -2 * value - 1


def unzigzag(number: int) -> int:
    return -(number + 1) // 2 if number & 1 else number // 2


def signed(value: int) -> int:
    """A number as 64 bits hold it."""
    value &= ALL
    return value - (1 << 64) if value >> 63 else value


def varint(number: int) -> bytes:
    out = b""
    while number >= 128:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        number |= (data[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 128:
            return number, at
