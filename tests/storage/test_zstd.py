"""Unpacking Zstandard: every frame, in order, and no torn file taken for a whole one."""

import struct

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from hft.storage.zstd import unpack


def streamed(data: bytes) -> bytes:
    """One frame that does not tell the size of its content."""
    packer = zstandard.ZstdCompressor(write_checksum=True).compressobj()
    return packer.compress(data) + packer.flush()


@settings(max_examples=60)
@given(st.lists(st.tuples(st.binary(max_size=400), st.booleans(), st.integers(0, 300)), max_size=5))
def test_all_frames_come_back_in_order(parts: list[tuple[bytes, bool, int]]) -> None:
    packed = content = b""
    for data, tells_size, repeat in parts:
        data = data * repeat
        packed += zstandard.compress(data) if tells_size else streamed(data)
        packed += struct.pack("<II", 0x184D2A51, 3) + b"abc"
        content += data
    assert bytes(unpack(packed)) == content


@settings(max_examples=60)
@given(data=st.data(), tells_size=st.booleans())
def test_a_cut_anywhere_is_refused_unless_it_falls_between_frames(
    data: st.DataObject, tells_size: bool
) -> None:
    content = bytes(range(256)) * 50
    frame = zstandard.compress(content) if tells_size else streamed(content)
    cut = data.draw(st.integers(1, 2 * len(frame) - 1))
    if cut == len(frame):
        assert bytes(unpack((frame + frame)[:cut])) == content
        return
    with pytest.raises(EOFError, match="cut short"):
        unpack((frame + frame)[:cut])


def test_noise_behind_a_frame_and_a_wrong_checksum_are_refused() -> None:
    frame = streamed(b"a day of orders" * 100)
    with pytest.raises(ValueError, match="no frame begins"):
        unpack(frame + b"noise")
    with pytest.raises(ValueError, match="checksum"):
        unpack(frame[:-4] + b"\0\0\0\0")


def test_what_is_unpacked_is_read_only() -> None:
    assert unpack(zstandard.compress(b"abc")).readonly
