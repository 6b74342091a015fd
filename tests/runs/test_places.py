"""A manifest holds no machine's paths; a run's tapes are found by their hash wherever they lie."""

import json
import shutil
import tarfile
from pathlib import Path
from typing import Any

import pytest

import hft
from hft.cli import app
from hft.core.errors import DataError
from hft.runs.folder.places import PLACES, split_places, with_places
from hft.runs.ingest import synthetic
from hft.runs.result import Run
from hft.runs.tapes import find_tapes
from hft.tape.dataset import Tapes

STRATEGY = """
import hft

@hft.strategy(every="1s")
def joining(view, order, p, s):
    order.quote(hft.BUY, view.bid_tick, 1)
"""


@pytest.fixture
def tapes(tmp_path: Path) -> Tapes:
    return synthetic(seed=8, out=tmp_path / "first" / "tapes", events=4_000)


def entries(tapes: Tapes) -> list[dict[str, str]]:
    return [
        {"path": str(tape.path), "file": tape.path.name, "sha256": tape.sha256} for tape in tapes
    ]


def test_an_exported_run_is_verified_on_another_machine_by_the_hashes_of_its_tapes(
    tapes: Tapes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.py").write_text(STRATEGY)
    strategy = f"{tmp_path / 'mine.py'}:joining"
    run = hft.replay(tapes, strategy, out=tmp_path / "runs")
    assert run.verify()
    archive = run.export(tmp_path / "run.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(tmp_path / "there", filter="data")
    for file in (tmp_path / "there").rglob("*"):
        assert not file.is_file() or str(tmp_path).encode() not in file.read_bytes(), file
    elsewhere = tmp_path / "archive" / "deep"
    elsewhere.mkdir(parents=True)
    (elsewhere / "broken.tape.arrow").write_bytes(b"no tape")
    for tape in tapes:
        shutil.move(tape.path, elsewhere / f"renamed-{tape.path.name}")
    (tmp_path / "mine.py").unlink()
    there = Run.open(tmp_path / "there" / run.path.name)
    with pytest.raises(DataError, match=r"is not where it was; name the folder .*--tapes DIR"):
        there.verify()
    assert there.verify(tapes=tmp_path / "archive")
    words = ["replay", "verify", str(there.path), "--tapes", str(tmp_path / "archive")]
    assert app.run(words) == 0
    assert "verified" in capsys.readouterr().out
    with pytest.raises(DataError, match="no tape below"):
        there.verify(tapes=tmp_path / "runs")


@pytest.mark.nojit
def test_the_manifest_names_tapes_by_hash_and_this_machine_finds_them_all_the_same(
    tmp_path: Path,
) -> None:
    queue = {"name": "mine", "file": "/mine/mine.py", "source": "..."}
    strategies = {"a": {"file": "/mine/mine.py", "params": {}}, "b": {"file": "", "params": {}}}
    given = {
        "tapes": [{"path": "/data/x.tape.arrow", "sha256": "1" * 64, "rows": 5}],
        "config": {"strategies": strategies, "venue": {"queue": queue}},
    }
    before = json.dumps(given)
    plain, places = split_places(given)
    assert json.dumps(given) == before, "what was given is as it was"
    assert "/mine/" not in json.dumps(plain) and "/data" not in json.dumps(plain)
    assert plain["tapes"] == [{"file": "x.tape.arrow", "sha256": "1" * 64, "rows": 5}]
    (tmp_path / PLACES).write_text(json.dumps(places))
    found = with_places(json.loads(json.dumps(plain)), tmp_path)
    assert found["config"] == given["config"]
    assert found["tapes"][0]["path"] == "/data/x.tape.arrow"
    for text in ("", "[]", '{"strategies": {"gone": "x"}}'):
        (tmp_path / PLACES).write_text(text)
        assert with_places(json.loads(json.dumps(plain)), tmp_path) == plain, "no run is lost by it"


def test_a_tape_that_was_replaced_is_looked_for_elsewhere(tapes: Tapes, tmp_path: Path) -> None:
    wanted = entries(tapes)
    kept = tmp_path / "kept"
    shutil.copytree(tapes[0].path.parent, kept)
    other = synthetic(seed=9, out=tmp_path / "other", events=4_000)
    shutil.copy(other[0].path, tapes[0].path)
    with pytest.raises(DataError, match="is not the tape the run was made from"):
        find_tapes(wanted)
    assert [tape.sha256 for tape in find_tapes(wanted, kept)] == [one["sha256"] for one in wanted]
    with pytest.raises(DataError, match="no such folder"):
        find_tapes(wanted, tmp_path / "nowhere")


def test_a_tape_that_goes_on_from_another_book_is_another_tape(tapes: Tapes) -> None:
    wanted: list[dict[str, Any]] = [
        one | {"continues": tape.continues, "instrument": tape.instrument.to_dict()}
        for one, tape in zip(entries(tapes), tapes, strict=True)
    ]
    assert [one["continues"] for one in wanted] == [None, tapes[0].sha256]
    assert len(find_tapes(wanted)) == len(wanted)
    wanted[1]["continues"] = "1" * 64
    with pytest.raises(DataError, match="it goes on from another tape's book"):
        find_tapes(wanted)
