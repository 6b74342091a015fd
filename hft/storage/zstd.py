"""The one reader of Zstandard: all frames into one buffer; one that is cut short is refused.

The library reads over the end of a torn file without a word, so the frames are first walked by
their block headers, which costs nothing beside unpacking. Nothing here opens a file.
Source: RFC 8878, sections 3.1.1 (frames and blocks) and 3.1.2 (skippable frames).
"""

import struct
from typing import Any

MAGIC = 0xFD2FB528
SKIPPABLE, SKIPPABLE_MASK = 0x184D2A50, 0xFFFFFFF0
CONTENT_SIZE_BYTES = (0, 2, 4, 8)
DICTIONARY_BYTES = (0, 1, 2, 4)
RLE_BLOCK = 1
GROWTH = 6  # how much larger than packed an unknown content is first taken to be


def unpack(packed: bytes) -> memoryview:
    """The content of all frames, read-only.

    Raises: EOFError when the last frame is cut short, ValueError when a frame is corrupt.
    """
    import zstandard

    size, known = _walk(packed)
    out = bytearray(size if known else max(GROWTH * len(packed), 1 << 16))
    filled = 0
    try:
        reader = zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True)
        while True:
            if filled == len(out):
                rest = reader.read(1 << 16)
                if not rest:
                    break
                filled += len(rest)
                out.extend(rest)
                out.extend(bytes(len(out)))
                continue
            with memoryview(out) as room:
                count = reader.readinto(room[filled:])
            if not count:
                break
            filled += count
    except zstandard.ZstdError as error:
        raise ValueError(str(error)) from None
    return memoryview(out)[:filled].toreadonly()


def stream(file: Any) -> Any:
    """The content of an open file, to be read as far as is wanted; a cut is not looked for."""
    import zstandard

    return zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)


def _walk(packed: bytes) -> tuple[int, bool]:
    """Go through all frames: the size of what they hold, and whether every frame tells it."""
    at, size, known = 0, 0, True
    try:
        while at < len(packed):
            (magic,) = struct.unpack_from("<I", packed, at)
            if magic & SKIPPABLE_MASK == SKIPPABLE:
                at += 8 + struct.unpack_from("<I", packed, at + 4)[0]
                continue
            if magic != MAGIC:
                raise ValueError(f"no frame begins at byte {at}")
            at, content = _walk_frame(packed, at + 4)
            known = known and content is not None
            size += content or 0
    except (struct.error, IndexError):
        at = len(packed) + 1
    if at > len(packed):
        raise EOFError("the last frame is cut short")
    return size, known


def _walk_frame(packed: bytes, at: int) -> tuple[int, int | None]:
    """(end of the frame, size of its content if told) of a frame whose descriptor is at `at`."""
    descriptor = packed[at]
    single = descriptor >> 5 & 1
    width = CONTENT_SIZE_BYTES[descriptor >> 6] or single
    at += 1 + (1 - single) + DICTIONARY_BYTES[descriptor & 3]
    field = packed[at : at + width]
    content = int.from_bytes(field, "little") + (256 if width == 2 else 0) if width else None
    at += width
    last = 0
    while not last:
        header = packed[at] | packed[at + 1] << 8 | packed[at + 2] << 16
        last, kind = header & 1, header >> 1 & 3
        at += 3 + (1 if kind == RLE_BLOCK else header >> 3)
    return at + 4 * (descriptor >> 2 & 1), content
