import pytest
from hypothesis import given
from hypothesis import strategies as st

from hft.core.errors import JournalError
from hft.storage import frame

payloads = st.lists(st.binary(max_size=40), min_size=1, max_size=8)


def segment(parts: list[bytes], first_seq: int = 1) -> bytes:
    head = frame.encode_header(frame.Header("test", first_seq, 7, b"fields"))
    frames = (frame.encode(first_seq + k, 100 + k, k % 9, part) for k, part in enumerate(parts))
    return head + b"".join(frames)


def read_back(data: bytes, scan: frame.Scan) -> list[bytes]:
    starts = (scan.frames.offsets + frame.HEAD_BYTES).tolist()
    lengths = scan.frames.lengths.tolist()
    return [data[a : a + n] for a, n in zip(starts, lengths, strict=True)]


@pytest.mark.nojit
@given(payloads, st.integers(1, 2**40))
def test_what_is_encoded_is_decoded(parts: list[bytes], first_seq: int) -> None:
    data = segment(parts, first_seq)
    header = frame.decode_header(data, "x")
    scan = frame.scan(data, header.first_seq)
    assert read_back(data, scan) == parts
    assert scan.frames.seq.tolist() == list(range(first_seq, first_seq + len(parts)))
    assert scan.frames.ts_ns.tolist() == [100 + k for k in range(len(parts))]
    assert (scan.torn_bytes, scan.damaged_at, header.topic) == (0, -1, "test")


@pytest.mark.parametrize("at", range(frame.HEADER_BYTES))
def test_a_damaged_header_is_refused(at: int) -> None:
    data = bytearray(segment([b"abc"]))
    data[at] ^= 0x10
    with pytest.raises(JournalError, match="x: "):
        frame.decode_header(bytes(data), "x")


def test_frames_of_mixed_lengths_are_read_beside_long_runs_of_one_length() -> None:
    parts = [b"long one" * 5, *[b"same"] * 100, b"", *[b"other"] * 70, b"end"]
    data = segment(parts)
    assert read_back(data, frame.scan(data, 1)) == parts


@pytest.mark.nojit
@pytest.mark.parametrize("before", [1, 100])
def test_a_frame_out_of_sequence_is_not_read_however_good_its_checksum(before: int) -> None:
    """A frame is missing: what follows would be taken for the one that it stood in for."""
    kept = [frame.encode(k, 0, 0, b"same") for k in range(1, before + 1)]
    data = b"".join([*kept, frame.encode(before + 2, 0, 0, b"same")])
    scan = frame.scan(data, 1, 0)
    assert scan.frames.seq.tolist() == list(range(1, before + 1))
    assert scan.torn_bytes == len(data) // (before + 1)
    followed = frame.scan(data + frame.encode(before + 3, 0, 0, b"same"), 1, 0)
    assert len(followed.frames) == before and followed.damaged_at == scan.end


def test_a_record_that_no_reader_would_take_is_refused_when_it_is_written() -> None:
    most = frame.FRAME_MAX - (frame.HEAD_BYTES - frame.COVERED)
    data = frame.encode(1, 0, 0, bytes(most))
    assert len(frame.scan(data, 1, 0).frames) == 1
    with pytest.raises(JournalError, match=f"record 1 has {most + 1} bytes; a frame holds {most}"):
        frame.encode(1, 0, 0, bytes(most + 1))
