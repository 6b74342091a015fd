import copy
from pathlib import Path

import numpy as np
import pytest
from made_runs import MANIFEST, Records, records, write_run

from hft.core.errors import JournalError
from hft.runs.diff import diff
from hft.runs.folder.journal import StepJournal, read_steps


@pytest.fixture(scope="module")
def made() -> Records:
    return records(wakes=200)


def changed(made: Records, at: int, field: str, by: int = 1) -> Records:
    other = copy.deepcopy(made)
    other.steps[field][at] += by
    return other


def test_equal_digests_are_the_same_run(tmp_path: Path, made: Records) -> None:
    run = write_run(tmp_path, made)
    found = diff(run, write_run(tmp_path, made))
    assert found and found.step == 0 and "the same" in str(found)


@pytest.mark.parametrize("at", [0, 1, 500, -1])
@pytest.mark.parametrize("field", ["price", "code", "ts_ns", "measured"])
def test_the_first_differing_step_is_named(
    tmp_path: Path, made: Records, at: int, field: str
) -> None:
    other = changed(made, at, field)
    if at >= 0:
        other.steps["price"][at + 300 :] += 5  # what follows is not the first
    left = write_run(tmp_path, made, digest="a" * 64)
    right = write_run(tmp_path, other, digest="b" * 64)
    found = diff(left, right)
    assert not found
    assert found.step == int(made.steps["seq"][at])
    assert found.fields == (field,)
    assert f"step {found.step}" in found.left and f"step {found.step}" in found.right
    assert found.left != found.right


def test_both_sides_are_told_in_words(tmp_path: Path, made: Records) -> None:
    at = int(np.flatnonzero((made.steps["kind"] == 1) & (made.steps["code"] == 440))[0])
    other = copy.deepcopy(made)
    other.steps["code"][at] = 0
    found = diff(
        write_run(tmp_path, made, digest="a" * 64), write_run(tmp_path, other, digest="b" * 64)
    )
    assert found.fields == ("code",)
    assert "POSITION_LIMIT (measured" in found.left and "limit 2 lots" in found.left
    assert found.right.endswith("-> OK [code=0]")
    assert "market_making BTCUSDT" in found.left and "2024-08-08T00:" in found.left
    assert "step" in found.before and list(found.positions) == ["market_making BTCUSDT"]
    left, right = found.positions["market_making BTCUSDT"]
    assert left == right


def test_a_run_that_stops_earlier_says_where(tmp_path: Path, made: Records) -> None:
    half = copy.deepcopy(made)
    half.steps = half.steps[:333]
    short = write_run(tmp_path, half, digest="", partial=True)
    whole = write_run(tmp_path, made)
    for found, side in ((diff(short, whole), "left"), (diff(whole, short), "right")):
        assert found.step == 334
        assert "was interrupted after step 333" in found.sentence
        assert getattr(found, side) == "" and "ended" in str(found)


def test_configurations_that_differ_are_named(tmp_path: Path, made: Records) -> None:
    other = copy.deepcopy(MANIFEST)
    other["config"]["strategies"]["market_making"]["params"]["half_ticks"] = 3.0
    other["config"]["strategies"]["market_making"]["file"] = "another/place.py"
    other["hashes"]["config"] = "c2" * 32
    left = write_run(tmp_path, made, digest="a" * 64)
    right = write_run(tmp_path, changed(made, 40, "price"), digest="b" * 64, manifest=other)
    found = diff(left, right)
    assert found.config == {
        "config.strategies.market_making.params.half_ticks": (2.0, 3.0),
        "hashes.config": ("c1" * 32, "c2" * 32),
    }
    assert "half_ticks: 2.0 | 3.0" in str(found)


def test_runs_that_differ_between_their_steps_say_so(tmp_path: Path, made: Records) -> None:
    other = copy.deepcopy(made)
    other.steps["mix_lo"][123:] ^= 7
    found = diff(
        write_run(tmp_path, made, digest="a" * 64), write_run(tmp_path, other, digest="b" * 64)
    )
    assert not found and found.step == 124
    assert "no step differs" in found.sentence


def test_journals_of_many_segments_compare_alike(tmp_path: Path, made: Records) -> None:
    journal = StepJournal(tmp_path / "j", segment_bytes=2_000)
    for block in np.array_split(made.steps, 30):
        journal.take(block)
    journal.close()
    blocks = list(read_steps(tmp_path / "j"))
    assert len(blocks) == 30 and len(list((tmp_path / "j").iterdir())) > 5
    assert np.concatenate(blocks).tobytes() == made.steps.tobytes()


def test_a_run_without_a_journal_cannot_be_compared(tmp_path: Path, made: Records) -> None:
    brief = write_run(tmp_path, made, record="summary", digest="a" * 64)
    with pytest.raises(JournalError, match='record="full"'):
        diff(brief, write_run(tmp_path, made))
