"""Steps in blocks: what is written is read, as the documents say it, and damage is a sentence."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_runs import records
from naive import step_block as naive

from hft.core import digest
from hft.core.dtypes import STEP
from hft.core.errors import JournalError
from hft.core.jit import JIT_DISABLED
from hft.runs.folder import step_block
from hft.runs.folder.journal import StepJournal, most_bytes, read_steps
from hft.storage.log import read_segments, segment_paths

EDGES = (0, 1, -1, 63, 64, -65, 1 << 59, -(1 << 59), (1 << 63) - 1, -(1 << 63))


def random_steps(seed: int, rows: int, kinds: int = 4, wild: float = 0.3) -> np.ndarray:
    """Steps of random fields: some alike, some that count, some of any number there is."""
    rng = np.random.default_rng(seed)
    steps = np.zeros(rows, STEP)
    for name in STEP.names or ():
        info = np.iinfo(STEP[name])
        style = rng.random()
        if style < wild:
            wanted = rng.choice([e for e in EDGES if info.min <= e <= info.max], rows)
            far = rng.integers(info.min, info.max, rows, endpoint=True)
            steps[name] = np.where(rng.random(rows) < 0.5, wanted, far)
        elif style < 0.6:
            steps[name] = rng.integers(-3, 4)
        else:
            steps[name] = np.cumsum(rng.integers(-2, 3, rows))
    steps["seq"] = 1 + np.arange(rows) + int(rng.integers(0, 1 << 40))
    steps["kind"] = rng.integers(0, kinds, rows) * rng.integers(1, 60) % 256
    return steps


@pytest.mark.nojit
@given(st.integers(0, 1 << 32), st.integers(1, 40), st.integers(1, 5))
@settings(max_examples=25)
def test_a_block_is_what_its_twin_writes_and_both_read_it(seed: int, rows: int, kinds: int) -> None:
    steps = random_steps(seed, rows, kinds)
    block = step_block.encode(steps)
    assert block == naive.encode(steps)
    assert step_block.decode(block).tobytes() == steps.tobytes()
    assert naive.decode(block).tobytes() == steps.tobytes()


def test_a_journal_is_read_by_the_twin_from_its_bytes_alone(tmp_path: Path) -> None:
    made = records(wakes=40).steps
    journal = StepJournal(tmp_path)
    for part in np.array_split(made, 3):
        journal.take(part)
    journal.close()
    (path,) = segment_paths(tmp_path)
    blocks = [naive.decode(block) for block in naive.frames(path.read_bytes())]
    assert [len(block) for block in blocks] == [len(part) for part in np.array_split(made, 3)]
    assert np.concatenate(blocks).tobytes() == made.tobytes()


def test_steps_that_are_too_many_or_not_numbered_on_are_more_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step_block, "BLOCK_ROWS", 10)
    steps = random_steps(5, 37)
    steps["seq"][12:] += 5
    journal = StepJournal(tmp_path)
    journal.take(steps)
    journal.take(steps[:0])
    journal.close()
    blocks = list(read_steps(tmp_path))
    assert [len(block) for block in blocks] == [10, 2, 10, 10, 5]
    assert np.concatenate(blocks).tobytes() == steps.tobytes()


@pytest.mark.nojit
@pytest.mark.parametrize("rows", [1, 7, 300])
def test_no_steps_take_more_than_the_most_that_is_said(tmp_path: Path, rows: int) -> None:
    for seed in range(8):
        journal = StepJournal(tmp_path / str(seed))
        journal.take(random_steps(seed, rows, kinds=50, wild=1.0))
        assert journal.size <= most_bytes(rows)
        journal.close()


def test_the_mix_of_a_step_that_mixes_one_word_costs_only_its_low_half() -> None:
    """The high half follows from the digest's own rule, so this holds as long as that does."""
    lanes = np.array([digest.K1, digest.K2], np.uint64)
    steps = records(wakes=100).steps.copy()
    for row in steps:
        digest.mix(lanes, int(row["price"]))
        row["mix_lo"], row["mix_hi"] = (digest.as_int(lane) for lane in lanes)
    _, count, _, apart = step_block.HEAD.unpack_from(block := step_block.encode(steps))
    assert count == len(steps) and apart == 1, "the first row has none before it"
    assert step_block.decode(block).tobytes() == steps.tobytes()


def test_a_flipped_byte_in_a_journal_is_refused_by_place_or_leaves_out_the_last_block(
    tmp_path: Path,
) -> None:
    made = records(wakes=4).steps
    journal = StepJournal(tmp_path)
    parts = np.array_split(made, 3)
    for part in parts:
        journal.take(part)
    journal.close()
    (segment,) = read_segments(tmp_path)
    last = int(segment.frames.offsets[-1])
    whole = np.concatenate(parts[:2]).tobytes()
    for at in range(len(segment.data)):
        data = bytearray(segment.data)
        data[at] ^= 0x41
        segment.path.write_bytes(bytes(data))
        if at < last:
            with pytest.raises(JournalError, match=rf"{segment.path.name}: offset \d+"):
                list(read_steps(tmp_path))
        else:
            assert np.concatenate(list(read_steps(tmp_path))).tobytes() == whole


@pytest.mark.nojit
@pytest.mark.parametrize("seed", range(1 if JIT_DISABLED else 4))
def test_a_block_with_a_good_checksum_and_bad_bytes_is_refused_or_other_steps(seed: int) -> None:
    """What somebody wrote on purpose reads nothing that is not its own, and never crashes."""
    steps = random_steps(seed, 30)
    block = step_block.encode(steps)
    rng = np.random.default_rng(seed)
    refused = 0
    for at in range(len(block)):
        data = bytearray(block)
        data[at] ^= int(rng.integers(1, 256))
        try:
            found = step_block.decode(bytes(data))
        except (ValueError, EOFError):
            refused += 1
            continue
        assert found.dtype == STEP and len(found) == len(steps)
    for cut in range(len(block)):
        with pytest.raises((ValueError, EOFError)):
            step_block.decode(block[:cut])
    assert refused > 20


@pytest.mark.nojit
def test_packed_columns_that_are_tampered_with_stay_inside_their_rows() -> None:
    """Below the compression, where any byte can be anything."""
    import zstandard

    steps = random_steps(3, 30, wild=0.0)
    head = list(step_block.HEAD.unpack_from(block := step_block.encode(steps)))
    packed_end = step_block.HEAD.size + head[2]
    plain = zstandard.ZstdDecompressor().decompress(block[step_block.HEAD.size : packed_end])
    outcomes = set()
    for at in range(len(plain)):
        for value in (0, 1, 127, 128, 255):
            data = bytearray(plain)
            data[at] = value
            packed = zstandard.ZstdCompressor(level=1).compress(bytes(data))
            head[2] = len(packed)
            made = step_block.HEAD.pack(*head) + packed + block[packed_end:]
            try:
                outcomes.add(len(step_block.decode(made)))
            except ValueError as error:
                outcomes.add(str(error))
    assert outcomes == {30, "packed rows do not end where their bytes do"}
