"""The same rows ingested again under another symbol: told with the cure, or replaced when asked."""

import json
from pathlib import Path

import polars as pl
import pytest

import hft
from hft.cli.app import run
from hft.core.errors import ConfigError
from hft.runs.ingest import ingest

pytestmark = pytest.mark.nojit

NOON = 1_704_196_800_000_000_000
QUOTES = pl.DataFrame(
    {"ts": [NOON, NOON + 5, NOON + 9], "bid": [100.0, 100.5, 100.0], "ask": [101.0, 101.5, 101.0]}
)


def held(out: Path) -> list[str]:
    return [tape.symbol for tape in hft.tapes(out)]


@pytest.mark.parametrize("tick", ["0.5", "0.25"])
def test_a_corrected_symbol_leaves_a_tape_that_is_told_and_goes_when_asked(tmp_path: Path, tick):
    given = {"lot": 1, "out": tmp_path}
    assert ingest(QUOTES, symbol="WRONG", tick="0.5", **given).notes == ()
    beside = ingest(QUOTES, symbol="RIGHT", tick=tick, **given)
    (note,) = beside.notes
    assert "frame_wrong_20240102.tape.arrow (WRONG) has the same rows" in note
    assert "--replace (replace=True) removes it" in note
    assert repr(beside).endswith(note)
    assert held(tmp_path) == ["RIGHT", "WRONG"]
    (note,) = ingest(QUOTES, symbol="RIGHT", tick=tick, replace=True, **given).notes
    assert note.endswith("(WRONG) had the same rows and is removed")
    assert held(tmp_path) == ["RIGHT"]
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert [one["symbol"] for one in manifest["tapes"]] == ["RIGHT"]
    assert ingest(QUOTES, symbol="RIGHT", tick=tick, **given).notes == ()


def test_other_rows_of_the_same_times_stay_and_nothing_is_said(tmp_path: Path):
    ingest(QUOTES, tmp_path, symbol="A", tick="0.5", lot=1)
    other = QUOTES.with_columns(pl.col("bid") - 0.5)
    assert ingest(other, tmp_path, symbol="B", tick="0.5", lot=1, replace=True).notes == ()
    assert held(tmp_path) == ["A", "B"]


def test_the_command_says_what_is_twice_and_its_cure_works(tmp_path: Path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    QUOTES.write_csv("own.csv")
    words = ["data", "ingest", "own.csv", "--tick", "0.5", "--lot", "1"]
    assert run([*words, "--symbol", "WRONG"]) == 0
    assert capsys.readouterr().err.count("\n") == 0
    assert run([*words, "--symbol", "RIGHT"]) == 0
    assert "csv_wrong_20240102.tape.arrow (WRONG) has the same rows" in capsys.readouterr().err
    assert run([*words, "--symbol", "RIGHT", "--replace"]) == 0
    assert run(["data", "verify", "tapes"]) == 0
    assert held(Path("tapes")) == ["RIGHT"]


@pytest.mark.parametrize("symbol", [":BTCUSDT", "BTCUSDT:", ": ", " "])
def test_a_symbol_of_half_a_name_is_refused(tmp_path: Path, symbol: str):
    with pytest.raises(ConfigError, match=r"symbol .*(nothing on one side of its colon|is empty)"):
        ingest(QUOTES, tmp_path, symbol=symbol, tick="0.5", lot=1)
    assert not list(tmp_path.iterdir())
