from pathlib import Path
from typing import Any

import pytest
from made_runs import Records, records, write_run

from hft.core.errors import JournalError
from hft.runs.folder.layout import folders
from hft.runs.result import Run
from hft.runs.verify import verify


@pytest.fixture(scope="module")
def made() -> Records:
    return records(wakes=60)


class Replayer:
    """Stands for the engine: writes the records it was given, and remembers how it was asked."""

    def __init__(self, made: Records, digest: str) -> None:
        self.made, self.digest, self.records = made, digest, list[str]()

    def __call__(self, manifest: dict[str, Any], record: str, out: str) -> Run:
        self.records.append(record)
        return write_run(Path(out), self.made, record=record, digest=self.digest)


def test_the_same_digest_verifies_and_leaves_nothing_behind(tmp_path: Path, made: Records) -> None:
    run = write_run(tmp_path, made)
    again = Replayer(made, run.digest)
    verdict = verify(run, again)
    assert verdict and run.digest[:16] in str(verdict)
    assert again.records == ["digest"]
    assert list(folders(tmp_path)) == [run.path] and len(list(tmp_path.iterdir())) == 1


def test_another_digest_names_the_first_differing_step(tmp_path: Path, made: Records) -> None:
    run = write_run(tmp_path, made)
    other = records(wakes=60)
    other.steps["price"][77] += 1
    verdict = verify(run, Replayer(other, "e" * 64))
    assert not verdict
    assert verdict.divergence is not None and verdict.divergence.step == 78
    assert "not the same" in str(verdict) and "step 78" in str(verdict)
    assert verdict.to_json()["divergence"]["step"] == 78
    assert len(list(tmp_path.iterdir())) == 1


def test_a_brief_run_is_compared_by_digest_alone(tmp_path: Path, made: Records) -> None:
    run = write_run(tmp_path, made, record="summary")
    verdict = verify(run, Replayer(made, "e" * 64))
    assert not verdict and verdict.divergence is None


def test_a_run_that_did_not_end_cannot_be_verified(tmp_path: Path, made: Records) -> None:
    run = write_run(tmp_path, made, partial=True)
    with pytest.raises(JournalError, match="did not end"):
        verify(run, Replayer(made, run.digest))
