"""The tapes behind a feature folder: found again, moved together, missed with a sentence."""

import json
import shutil
from pathlib import Path

import pytest

from hft.feeds.base import DecodeOptions
from hft.feeds.synthetic import synthesize
from hft.research.data import features
from hft.research.data.load import load
from hft.runs.ingest import open_tapes, write_feeds


@pytest.fixture
def made(tmp_path: Path) -> Path:
    feed = synthesize(3, events=6_000, span_ns=300_000_000_000)
    write_feeds([feed], tmp_path / "here" / "tape", DecodeOptions(format="synthetic"))
    features.write(open_tapes(tmp_path / "here" / "tape"), tmp_path / "here" / "features")
    return tmp_path / "here"


def test_the_tapes_are_found_again_and_give_the_same_data(made: Path) -> None:
    data = load(str(made / "features"), fields=["mid"])
    assert data.tapes.sha256 == open_tapes(made / "tape").sha256
    assert data.made_of_tapes and not data.notes


def test_features_and_tapes_can_be_moved_together(made: Path, tmp_path: Path) -> None:
    before = load(str(made / "features"))
    shutil.move(made, tmp_path / "there")
    after = load(str(tmp_path / "there" / "features"))
    assert after.tapes is not None and after.fingerprint == before.fingerprint


def test_tapes_that_are_gone_are_named(made: Path) -> None:
    shutil.move(made / "tape", made / "elsewhere")
    data = load(str(made / "features"))
    assert data.tapes is None and data.made_of_tapes
    assert "is not there any more" in data.notes[-1] and str(made / "tape") in data.notes[-1]


def test_other_tapes_in_their_place_are_not_taken(made: Path) -> None:
    shutil.rmtree(made / "tape")
    feed = synthesize(4, events=6_000, span_ns=300_000_000_000)
    write_feeds([feed], made / "tape", DecodeOptions(format="synthetic"))
    data = load(str(made / "features"))
    assert data.tapes is None and "other tapes" in data.notes[-1]


def test_a_folder_made_before_tapes_were_named_says_so(made: Path) -> None:
    path = made / "features" / "manifest.json"
    content = json.loads(path.read_text())
    del content["tape_paths"]
    path.write_text(json.dumps(content))
    data = load(str(made / "features"))
    assert data.tapes is None and "make the features again" in data.notes[-1]
