import json
from pathlib import Path

import pytest
from made_runs import records, write_run

from hft.cli import app


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli")
    made = records(wakes=60)
    write_run(folder, made, run_id="20260101T000000Z_aaaaaaaa", digest="a" * 64)
    made.steps["price"][90] += 1
    write_run(folder, made, run_id="20260102T000000Z_bbbbbbbb", digest="b" * 64)
    return folder


def run(out: Path, *args: str) -> int:
    return app.run(["replay", *args, "--out", str(out)])


def test_runs_are_listed(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(out, "list") == 0
    text = capsys.readouterr().out
    assert "20260101T000000Z_aaaaaaaa" in text and "market_making" in text
    assert run(out, "list", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["state"] for row in rows] == ["sealed", "sealed"]


def test_an_empty_folder_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "list") == 0
    assert "no runs" in capsys.readouterr().out


def test_a_card_a_table_and_a_report_are_shown(
    out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(out, "show") == 0
    assert "net P&L" in capsys.readouterr().out
    report, config = tmp_path / "r.html", tmp_path / "own.yaml"
    config.write_text("fees: {maker_bps: 1}\n")
    assert (
        run(out, "show", "last~1", "--frame", "orders", "--rows", "3", "--report", str(report)) == 0
    )
    printed = capsys.readouterr()
    assert printed.out.count("\n") == 4 and str(report) in printed.err
    assert report.read_text().startswith("<!doctype html>")
    assert app.run(["replay", "show", "last", "--out", str(out), "--report"]) == 0
    (own,) = out.glob("*/report.html")
    assert f"report: {own}" in capsys.readouterr().err
    assert app.run(["replay", "show", "--report", "--out", str(out)]) == 0
    capsys.readouterr()
    for words in (["--quiet"], ["--json"], ["--config", str(config)]):
        assert app.run([*words, "replay", "show", "--out", str(out), "--report"]) == 0, words
        capsys.readouterr()
    assert run(out, "show", "--frame", "fills", "--rows", "1", "--json") == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["ts"].endswith("Z") and row["price_tick"] > 0


def test_runs_that_differ_exit_with_two(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(out, "diff", "2026010", "last") == 65
    assert "write more of it" in capsys.readouterr().err
    assert run(out, "diff", "last~1", "last") == 2
    assert "differ first at step 91, in price" in capsys.readouterr().out
    assert run(out, "diff", "last", "last") == 0


@pytest.mark.parametrize(
    ("args", "code", "sentence"),
    [
        (("show", "zebra"), 65, "no run 'zebra' in folder"),
        (("show", "--frame", "colours"), 64, "'colours' is not one of"),
        (("list", "--where", "nett > 2"), 64, "did you mean 'net'"),
        (("run", "synthetic", "-s", "two_sided", "--set", "half"), 64, "key=value"),
        (("run", "synthetic", "-s", "two_sided", "--venue", "moon"), 78, "'moon' is not one of"),
        (("run", "synthetic", "-s", "two_sided", "--latency", "walk=5ms"), 78, "'walk' is not"),
    ],
)
def test_a_wrong_word_is_one_sentence(
    out: Path, args: tuple[str, ...], code: int, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(out, *args) == code
    error = capsys.readouterr().err
    assert sentence in error and error.count("\n") == 1


@pytest.mark.parametrize("word", ["fill", "Fills", "FILLS", "=fill"])
def test_a_frame_is_found_by_the_letters_of_its_name(
    out: Path, capsys: pytest.CaptureFixture[str], word: str
) -> None:
    asked = [f"--frame{word}"] if word.startswith("=") else ["--frame", word]
    assert run(out, "show", *asked, "--rows", "1") == 0
    assert capsys.readouterr().out.startswith("ts ")


@pytest.mark.parametrize("word", ["round_trips", "round-trips", "roundtrip"])
def test_round_trips_are_a_frame_however_they_are_written(
    out: Path, capsys: pytest.CaptureFixture[str], word: str
) -> None:
    assert run(out, "show", "--frame", word) == 0
    text = capsys.readouterr().out
    assert "opened" in text or "round_trips: no rows" in text
