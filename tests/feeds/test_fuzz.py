"""Damaged recordings of every format: read or refused with a sentence, never a crash or a hang.

`make fuzz` runs these over many seeds, with bounds checks in the kernels.
"""

import faulthandler
import gzip
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hft.core.errors import ConfigError, DataError
from hft.feeds.base import DecodeOptions
from hft.feeds.findings import LIMITS
from hft.feeds.registry import formats
from hft.feeds.synthetic import synthesize
from hft.runs.ingest import ingest, write_feeds
from tests.feeds.recordings import Recording, recordings

ROUNDS = 12
HANG_S = 120
KINDS = [(one.format, one.name) for one in recordings(random.Random(0))]
WAIVERS = tuple(name for name, limit in LIMITS.items() if limit.share is not None)
NOISE = (b'"', b"[", b"{", b"]", b"\n", b",", b"\\", b"9" * 20, b"-", b"nan", b"1e400", b"\0\xff")


@pytest.fixture(autouse=True)
def _ends() -> Iterator[None]:
    """A kernel that never returns ends the process, and says where."""
    faulthandler.dump_traceback_later(HANG_S, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


def cut(data: bytearray, draw: random.Random) -> None:
    del data[draw.randrange(len(data)) :]


def flip(data: bytearray, draw: random.Random) -> None:
    for _ in range(draw.randint(1, 4)):
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)


def remove(data: bytearray, draw: random.Random) -> None:
    at = draw.randrange(len(data))
    del data[at : at + draw.randint(1, 40)]


def repeat(data: bytearray, draw: random.Random) -> None:
    at = draw.randrange(len(data))
    data[at:at] = data[at : at + draw.randint(1, 60)]


def insert(data: bytearray, draw: random.Random) -> None:
    at = draw.randrange(len(data))
    data[at:at] = draw.choice(NOISE)


def overwrite(data: bytearray, draw: random.Random) -> None:
    """Whole words of ones or zeros: the extremes of a binary field."""
    at = draw.randrange(len(data))
    word = draw.choice((b"\xff" * 8, b"\0" * 8, b"\x7f" + b"\xff" * 7, b"\x80" + b"\0" * 7))
    data[at : at + 8] = word[: len(data) - at]


def columns(data: bytearray, draw: random.Random) -> None:
    """The fields of a text in another order, or one of them gone."""
    lines = bytes(data).split(b"\n")
    width = max(line.count(b",") for line in lines) + 1
    order = draw.sample(range(width), draw.randint(max(width - 1, 1), width))
    rows = [line.split(b",") for line in lines]
    data[:] = b"\n".join(b",".join(row[i] for i in order if i < len(row)) for row in rows)


DAMAGES: tuple[Callable[[bytearray, random.Random], None], ...] = (
    *(cut, flip, remove, repeat, insert, overwrite, columns),
)


def damaged(recording: Recording, draw: random.Random) -> bytes:
    """The file's bytes, damaged before or after it was packed."""
    content = bytearray(recording.content)
    inside = draw.random() < 0.8
    if inside:
        draw.choice(DAMAGES)(content, draw)
    packed = bytearray(recording.pack(bytes(content)))
    if draw.random() < 0.2:
        packed = bytearray(gzip.compress(bytes(packed)))
    if not inside and packed:
        draw.choice(DAMAGES)(packed, draw)
    return bytes(packed)


@pytest.mark.parametrize("format_name", [name for name, _ in formats() if name != "synthetic"])
def test_every_format_that_reads_files_is_fuzzed(format_name):
    assert format_name in {name for name, _ in KINDS}


@pytest.mark.parametrize("index", range(len(KINDS)), ids=[name for _, name in KINDS])
def test_a_whole_recording_is_read(tmp_path: Path, index: int):
    recording = recordings(random.Random(0))[index]
    path = tmp_path / recording.name
    path.write_bytes(recording.pack(recording.content))
    tapes = ingest(path, tmp_path / "out", symbol="X", tick="0.01", lot=1, waive=WAIVERS)
    assert tapes.rows >= 3


@pytest.mark.parametrize("index", range(len(KINDS)), ids=[name for _, name in KINDS])
def test_fuzz_a_damaged_recording_is_read_or_refused_with_a_sentence(
    tmp_path: Path, index: int, sim_seed: int
):
    draw = random.Random(sim_seed * 1000 + index)
    for turn in range(ROUNDS):
        recording = recordings(draw)[index]
        path, out = tmp_path / recording.name, tmp_path / f"out{turn}"
        path.write_bytes(damaged(recording, draw))
        named = recording.format if draw.random() < 0.7 else None
        waive = WAIVERS if draw.random() < 0.7 else ()
        try:
            tapes = ingest(
                path, out, format=named, symbol="X", tick="0.01", lot=1, waive=waive, clock_fix=True
            )
            tapes.verify()
        except (DataError, ConfigError) as error:
            assert "\n" not in str(error)
            assert recording.name in str(error)
            assert not out.exists()


@pytest.mark.parametrize("kind", ["l2", "l3"])
def test_fuzz_a_synthetic_market_of_any_length_is_a_tape(tmp_path: Path, kind, sim_seed: int):
    for turn, events in enumerate((1, 2, 3, random.Random(sim_seed).randint(4, 400))):
        feed = synthesize(sim_seed, events=events, kind=kind)
        write_feeds([feed], tmp_path / f"out{turn}", DecodeOptions("synthetic")).verify()
