"""Tables fit the terminal, lose nothing in a pipe, and give the rows and columns asked for."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from made_runs import records, write_run

from hft.cli import app, columns, context, table
from hft.cli.columns import FRAMES, RUNS
from hft.runs.folder.listing import SCHEMA, listing
from hft.runs.result import load

RUN = "20260101T000000Z_aaaaaaaa"


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tables")
    write_run(folder, records(wakes=60), run_id=RUN, digest="a" * 64)
    return folder


@pytest.fixture
def shown(
    out: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> "Shown":
    return Shown(out, capsys, monkeypatch)


class Shown:
    """Prints tables of the run as a terminal of some width, or a pipe (None), gets them."""

    def __init__(
        self, out: Path, capsys: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch
    ) -> None:
        self.out, self.capsys, self.patch = out, capsys, patch

    def __call__(self, *words: str, width: int | None = None, code: int = 0) -> str:
        self.patch.setattr(table, "width", lambda: width)
        assert app.run(["replay", *words, "--out", str(self.out)]) == code
        captured = self.capsys.readouterr()
        return captured.err if code else captured.out


@pytest.mark.parametrize("width", [80, 120, 200])
@pytest.mark.parametrize("frame", [None, *FRAMES])
def test_a_table_fits_the_terminal_and_says_what_it_left_out(
    frame: str | None, width: int, shown: Shown
) -> None:
    words = ["list"] if frame is None else ["show", "last", "--frame", frame]
    text = shown(*words, width=width)
    assert max(map(len, text.splitlines())) <= width
    whole = shown(*words).splitlines()[0].split()
    there = text.splitlines()[0].split()
    assert [name for name in whole if name in there] == there, "in the order of the table"
    left_out = re.search(r"left out: (.*?);", text, re.DOTALL)
    said = re.split(r",\s+", left_out[1]) if left_out else []
    assert sorted([*there, *said]) == sorted(whole)


def test_the_first_of_the_rank_are_those_that_stay(shown: Shown) -> None:
    narrow = shown("list", width=60).splitlines()[0].split()
    assert set(RUNS[:4]) <= set(narrow) and "digest" not in narrow
    assert shown("list", width=10).splitlines()[0].split() == ["run_id"], "one column at least"


def test_every_rank_names_columns_that_are_there(out: Path) -> None:
    assert set(RUNS) <= set(SCHEMA)
    run = load("last", out)
    for name, rank in FRAMES.items():
        assert set(rank) <= set(getattr(run, name).columns), name
        assert len(set(rank)) == len(rank), name


def test_wide_cuts_nothing_and_a_pipe_gets_all(shown: Shown, out: Path) -> None:
    wide = shown("list", "--wide", width=40).splitlines()
    assert wide == shown("list").splitlines()
    assert wide[0].split() == listing(out).columns and "…" not in "".join(wide)
    assert len(shown("show", "last", "--frame", "orders").splitlines()) > table.ROWS + 1


def test_a_long_table_says_how_to_see_the_rest(shown: Shown) -> None:
    text = shown("show", "last", "--frame", "orders", width=80).splitlines()
    assert text[table.ROWS + 1].startswith(f"{table.ROWS} of ")
    every = shown("show", "last", "--frame", "orders", "--head", "0", width=80).splitlines()
    assert len(every) > len(text) and " rows: " not in every[-1]
    assert shown("show", "last", "--frame", "orders", "--rows", "3").count("\n") == 4


def test_head_and_tail_are_the_ends_and_exclude_each_other(shown: Shown) -> None:
    words = ("show", "last", "--frame", "orders", "--columns", "order_id")
    every = shown(*words).split()[1:]
    assert shown(*words, "--tail", "2").split()[1:] == every[-2:]
    assert shown(*words, "--head", "2").split()[1:] == every[:2]
    assert "give one" in shown(*words, "--head", "2", "--tail", "2", code=64)


def test_rows_are_sorted_before_the_first_are_taken(shown: Shown) -> None:
    words = ("show", "last", "--frame", "orders", "--columns", "order_id")
    ids = [int(text) for text in shown(*words).split()[1:]]
    down = [int(text) for text in shown(*words, "--sort", "-order_id", "--head", "3").split()[1:]]
    assert down == sorted(ids, reverse=True)[:3]
    prices = shown(*words[:4], "--columns", "price_tick", "--sort", "price_tick").split()[1:]
    assert prices == sorted(prices, key=lambda text: int(text.replace(",", "")))
    assert "--sort: there is no column 'prise'; did you mean 'price'?" in shown(
        "show", "last", "--frame", "orders", "--sort", "prise", code=64
    )


def test_columns_are_those_named_in_their_order(shown: Shown) -> None:
    words = ("show", "last", "--frame", "fills", "--columns")
    assert shown(*words, "lots, ts", width=20).splitlines()[0].split() == ["lots", "ts"]
    said = shown(*words, "lotz", code=64)
    assert "no column 'lotz'; did you mean 'lots'? there are ts, exch_ts" in said


def test_times_have_nanoseconds_when_asked(shown: Shown) -> None:
    words = ("show", "last", "--frame", "fills", "--columns", "ts", "--head", "1")
    assert re.fullmatch(r"ts\s+\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\s*", shown(*words))
    assert re.fullmatch(r"ts\s+\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{9}\s*", shown(*words, "--ns"))


def test_json_has_every_row_and_column_unless_some_are_named(shown: Shown, out: Path) -> None:
    rows = json.loads(shown("show", "last", "--frame", "orders", "--json"))
    orders = load("last", out).orders
    assert len(rows) == orders.height > table.ROWS and list(rows[0]) == orders.columns
    words = ("--columns", "lots", "--where", "order_id == 2")
    (row,) = json.loads(shown("show", "last", "--frame", "orders", "--json", *words))
    assert list(row) == ["lots"]


def test_what_is_no_finite_number_is_null_in_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    made = records(wakes=5)
    made.series["values"][1:3, 0] = [float("nan"), float("inf")]
    write_run(tmp_path, made)
    words = ["replay", "show", "--frame", "series", "--out", str(tmp_path), "--json"]
    assert app.run(words) == 0
    rows = json.loads(capsys.readouterr().out, parse_constant=refuse)
    assert [row["fair"] is None for row in rows] == [False, True, True, False, False]


def test_options_of_a_table_have_no_effect_on_a_card_and_are_refused(shown: Shown) -> None:
    assert "--tail: without --frame there is a card" in shown("show", "--tail", "2", code=64)


def test_a_sentence_is_cut_before_it_is_left_out_and_a_name_never_is() -> None:
    from hft.reports.render import as_text

    frame = pl.DataFrame({"id": ["x" * 30], "why": ["a long reason, in many words"], "n": [1]})
    kept, left_out = table.fit(as_text(frame), ("n", "why", "id"), 24)
    assert kept["why"].cells == ["a long reason, in ma…"] and left_out == ["id"]
    kept, left_out = table.fit(as_text(frame), ("n", "why", "id"), 10)
    assert [*kept] == ["n"] and left_out == ["id", "why"]


def test_a_real_terminal_is_measured(out: Path) -> None:
    """Through a pseudo-terminal of 80 columns, where a pipe gets all."""
    words = [sys.executable, "-m", "hft.cli.app", "replay", "list", "--out", str(out)]
    parent, child = pty.openpty()
    environment = os.environ | {"COLUMNS": "80", "LINES": "24"}
    with subprocess.Popen(words, stdout=child, env=environment) as process:
        os.close(child)
        seen = b""
        while chunk := _read(parent):
            seen += chunk
    os.close(parent)
    assert process.returncode == 0
    text = seen.decode().replace("\r", "")
    assert max(map(len, text.splitlines())) <= 80 and "left out" in text
    piped = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    assert piped.stdout.splitlines()[0].split() == listing(out).columns


def _read(file: int) -> bytes:
    try:
        return os.read(file, 4096)
    except OSError:  # Linux: the other end is closed
        return b""


@pytest.mark.parametrize(
    "words",
    [
        ["data", "instruments"],
        ["audit", "show"],
        ["audit", "overrides"],
        ["alpha", "list"],
        ["alpha", "inventory"],
        ["alpha", "canary", "status"],
        ["alpha", "experiments", "list"],
    ],
    ids=" ".join,
)
def test_every_table_takes_the_same_options(
    words: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "research" / "alphas").mkdir(parents=True)
    (tmp_path / "research" / "experiments").mkdir()
    monkeypatch.chdir(tmp_path)
    given = ["--wide", "--head", "2", "--ns", "--where", "kind == 'linear'"]
    code = app.run([*words, *given])
    if words == ["data", "instruments"]:
        assert code == 0 and len(capsys.readouterr().out.splitlines()) == 3
    elif words == ["audit", "overrides"]:
        assert code == 0 and "no overrides" in capsys.readouterr().out
    else:
        assert code == 64 and "there is no column 'kind'" in capsys.readouterr().err


def test_no_rank_names_a_column_twice() -> None:
    found = {name: one for name, one in vars(columns).items() if name.isupper()}
    ranks = [one for name, one in found.items() if name != "FRAMES"]
    assert len(ranks) > 10
    assert all(len(set(rank)) == len(rank) for rank in [*ranks, *columns.FRAMES.values()])


def test_sentences_are_folded_between_words_a_little_further_in() -> None:
    text = "short\n  -> " + "word " * 10 + "\nhttps://" + "x" * 60
    folded = context.folded(text, 30).splitlines()
    assert folded[:3] == ["short", "  -> word word word word word", "    word word word word word"]
    assert folded[-1] == "https://" + "x" * 60, "what has no space is not broken"
    assert context.folded(text, None) == text, "a pipe gets lines as they are"


@pytest.mark.parametrize("width", [80, 120, 200])
@pytest.mark.parametrize(
    "words", [["config", "show"], ["data", "formats"], ["data", "instruments"], ["replay", "list"]]
)
def test_other_pages_fit_too(
    words: list[str],
    width: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(context, "width", lambda: width)
    monkeypatch.setenv("COLUMNS", str(width))
    assert app.run(words) == 0
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= width
