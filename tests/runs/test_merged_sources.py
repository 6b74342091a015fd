"""What ingest is given: lists of frames, quotes and trades apart, pandas, plug-ins, deltas."""

from pathlib import Path

import polars as pl
import pytest

import hft
from hft.core.codes import EventKind
from hft.core.errors import ConfigError, DataError
from hft.runs.dead_books import book_warnings
from hft.runs.given import as_frame
from hft.runs.ingest import ingest

pytestmark = pytest.mark.nojit

NOON = 1_704_196_800_000_000_000
DAY = 86_400_000_000_000
QUOTES = pl.DataFrame(
    {"ts": [NOON, NOON + 10], "bid": [100.0, 100.25], "ask": [100.5, 100.75], "bid_qty": [1, 2]}
)
TRADES = pl.DataFrame({"ts": [NOON + 5, NOON + 10], "price": [100.5, 100.75], "qty": [3, 4]})
BOTH = [EventKind.BBO] * 2 + [EventKind.TRADE] + [EventKind.BBO] * 2 + [EventKind.TRADE]


def take_in(src, out, **options):
    return ingest(src, out, **({"symbol": "X", "tick": "0.25", "lot": 1} | options))


def kinds(tapes):
    return tapes.events().collect()["kind"].to_list()


def found(tapes):
    return {(row["day"], row["finding"]): row["count"] for row in tapes.findings.to_dicts()}


def test_quotes_and_trades_of_one_instrument_become_one_tape_by_time_then_as_given(tmp_path):
    tapes = take_in([QUOTES, TRADES], tmp_path / "a")
    assert len(tapes) == 1
    prices = tapes.events().collect()["price"].to_list()
    assert prices == [100.0, 100.5, 100.5, 100.25, 100.75, 100.75]
    turned = take_in([TRADES, QUOTES], tmp_path / "b").events().collect()["price"].to_list()
    assert turned == [100.0, 100.5, 100.5, 100.75, 100.25, 100.75]


def test_files_are_merged_when_asked_and_refused_when_they_overlap(tmp_path: Path):
    QUOTES.write_csv(tmp_path / "quotes.csv")
    TRADES.write_csv(tmp_path / "trades.csv")
    files = [tmp_path / "quotes.csv", tmp_path / "trades.csv"]
    with pytest.raises(DataError, match=r"trades.csv: overlaps in time .* of X; --merge"):
        take_in(files, tmp_path / "a")
    assert not (tmp_path / "a").exists()
    merged = take_in(files, tmp_path / "b", merge=True)
    assert merged[0].sha256 == take_in([QUOTES, TRADES], tmp_path / "c")[0].sha256
    assert merged[0].source["merged"] == ["quotes.csv", "trades.csv"]


def test_a_column_that_is_named_need_be_in_one_merged_file_only(tmp_path: Path):
    QUOTES.rename({"bid_qty": "mine"}).write_csv(tmp_path / "quotes.csv")
    TRADES.write_csv(tmp_path / "trades.csv")
    files, names = [tmp_path / "quotes.csv", tmp_path / "trades.csv"], {"bid_qty": "mine"}
    merged = take_in(files, tmp_path / "a", merge=True, columns=names)
    plain = take_in([QUOTES, TRADES], tmp_path / "plain")
    assert merged.events().collect().equals(plain.events().collect())
    with pytest.raises(DataError, match="no column 'other'"):
        take_in(files, tmp_path / "b", merge=True, columns={"bid_qty": "other"})
    with pytest.raises(DataError, match=r"trades.csv: columns: no column 'mine'"):
        take_in(files, tmp_path / "c", columns=names)


def test_the_public_ingest_takes_zone_merge_and_book_from_deltas(tmp_path: Path):
    naive = QUOTES.with_columns(ts=pl.Series(["2024-01-02 07:00:00", "2024-01-02 07:00:01"]))
    naive.write_csv(tmp_path / "quotes.csv")
    TRADES.write_csv(tmp_path / "trades.csv")
    grid = {"symbol": "X", "tick": "0.25", "lot": 1}
    files = [tmp_path / "quotes.csv", tmp_path / "trades.csv"]
    zone = {"tz": "America/New_York"}
    tapes = hft.ingest(files, tmp_path / "a", merge=True, book_from_deltas=0, **zone, **grid)
    assert len(tapes) == 1
    assert tapes.events().collect().height == len(BOTH)


def test_sources_of_two_grids_are_not_merged(tmp_path: Path):
    with pytest.raises(DataError, match=r"frame 2: X has tick .*; give one --tick and --lot"):
        ingest(
            [QUOTES, TRADES.with_columns(pl.col("price") + 0.03)],
            tmp_path,
            symbol="X",
            waive=("guessed_tick", "guessed_lot"),
        )


def test_a_named_column_has_to_be_in_one_frame_of_a_list(tmp_path: Path):
    renamed = QUOTES.rename({"bid": "b"})
    assert len(take_in([renamed, TRADES], tmp_path / "a", columns={"bid": "b"})) == 1
    with pytest.raises(DataError, match="no column 'nowhere'"):
        take_in([renamed, TRADES], tmp_path / "b", columns={"bid": "nowhere"})


@pytest.mark.parametrize("given", [[], [QUOTES, "file.csv"], [[QUOTES]], 7])
def test_what_is_no_list_of_frames_is_one_sentence(tmp_path: Path, given):
    with pytest.raises((ConfigError, DataError), match=r"^source: "):
        take_in(given, tmp_path)


def test_findings_are_filed_on_the_day_of_their_rows(tmp_path: Path):
    frame = pl.DataFrame(
        {
            "ts": [NOON, NOON + DAY, NOON + DAY + 1, NOON + 2 * DAY],
            "price": [100.0, 100.25, 100.25, 100.0],
            "qty": [1, 1, 1, 1],
            "side": ["buy", None, None, "sell"],
        }
    )
    tapes = take_in(frame, tmp_path)
    assert found(tapes)["2024-01-03", "unknown_side"] == 2
    assert not [day for day, name in found(tapes) if name == "unknown_side" and day != "2024-01-03"]
    shares = [found(tapes)[day, "assumed_clock"] for day in tapes.days]
    assert shares == [1, 2, 1]


def test_an_index_of_times_is_a_column(tmp_path: Path):
    pandas = pytest.importorskip("pandas")
    times = pandas.to_datetime([NOON, NOON + 10], utc=True)
    frame = pandas.DataFrame({"bid": [100.0, 100.25], "ask": [100.5, 100.75]}, index=times)
    assert as_frame(frame).columns == ["ts", "bid", "ask"]
    named = frame.rename_axis("when")
    assert as_frame(named).columns == ["when", "bid", "ask"]
    plain = frame.reset_index(drop=True)
    assert as_frame(plain).columns == ["bid", "ask"]
    assert take_in(frame, tmp_path).rows == 4
    assert take_in(named, tmp_path / "b", columns={"ts": "when"}).rows == 4
    frame.to_feather(tmp_path / "own.feather")
    assert take_in(tmp_path / "own.feather", tmp_path / "c").rows == 4


def test_a_tape_is_no_source(tmp_path: Path):
    tape = take_in(QUOTES, tmp_path / "a")[0].path
    with pytest.raises(DataError, match="is a tape already; open it with"):
        take_in(tape, tmp_path / "b")


DELTAS = pl.DataFrame(
    {
        "ts": [NOON, NOON, NOON + 2, NOON + 3, NOON + 4],
        "kind": ["clear", "level", "level", "level", "level"],
        "side": [None, "buy", "sell", "buy", "sell"],
        "price": [None, 100.0, 100.5, 99.75, 100.75],
        "qty": [None, 1, 1, 1, 1],
    }
)


def test_a_book_of_deltas_alone_says_why_nothing_can_be_traded_and_what_to_do(tmp_path: Path):
    tapes = take_in(DELTAS, tmp_path)
    (note,) = [r["note"] for r in tapes.findings.to_dicts() if r["finding"] == "book_never_valid"]
    assert "no snapshot" in note
    assert "--book-from-deltas N" in note
    assert tapes[0].summary["spread_ticks_median"] is None


def test_a_replay_of_a_book_that_never_is_whole_is_refused_with_the_cause(tmp_path: Path):
    tapes = take_in(DELTAS, tmp_path / "tapes")
    cause = "X 2024-01-02: nothing can be traded, the book is never whole: no snapshot"
    with pytest.raises(ConfigError, match=cause):
        hft.replay(tapes, "market_making", out=tmp_path / "runs", plain=True)


LATER = DAY + 100
TWO_DAYS = pl.DataFrame(
    {
        "ts": [NOON] * 2 + [NOON + LATER] * 2 + [NOON + LATER + 1],
        "is_snapshot": [True, True, False, False, False],
        "side": ["buy", "sell"] * 2 + ["buy"],
        "price": [100.0, 100.5, 99.75, 100.75, 100.25],
        "qty": [1, 1, 1, 1, 1],
    }
)


def test_a_replay_of_a_day_without_the_day_its_book_comes_from_says_so(tmp_path: Path):
    tapes = take_in(TWO_DAYS, tmp_path / "tapes")
    assert [tape.day for tape in tapes] == ["2024-01-02", "2024-01-03"]
    said = "X 2024-01-03: the tape goes on from the book of the tape before it"
    (one,) = book_warnings(tapes.select("2024-01-03", None))
    assert one.startswith(f"{said} ({tapes[0].path.name}), which is not in this run: levels")
    assert book_warnings(tapes) == book_warnings(tapes.select("2024-01-02", None)) == []
    run = hft.replay(tapes[1].path, "two_sided", out=tmp_path / "runs", limits="off", plain=True)
    assert said in repr(run)


def test_a_book_of_deltas_is_whole_after_so_many_levels_when_asked(tmp_path: Path):
    tapes = take_in(DELTAS, tmp_path, book_from_deltas=2)
    assert ("2024-01-02", "book_from_deltas") in found(tapes)
    assert ("2024-01-02", "book_never_valid") not in found(tapes)
    assert tapes[0].summary["touch_samples"] == 1
    more = take_in(DELTAS, tmp_path / "b", book_from_deltas=3)
    assert ("2024-01-02", "book_never_valid") in found(more)
    with pytest.raises(ConfigError, match="book_from_deltas: -1 is no number of levels"):
        take_in(DELTAS, tmp_path / "c", book_from_deltas=-1)


PLUG_IN = """
import numpy as np
from decimal import Decimal
from hft.core.instruments import Instrument
from hft.feeds.findings import Findings, Limit
from hft.tape.schema import Columns, Feed
NAMES = ("mine",)
def sniff(head, path):
    return "mine"
def decode(paths, options):
    found = Findings()
    found.add("odd_lots", 3, 2, "three of them")
    columns = Columns.empty(4)
    columns.exch_ts[:] = columns.local_ts[:] = 1_704_196_800_000_000_000
    columns.kind[:] = 8
    columns.side[:] = [0, 1, 0, 1]
    columns.price[:], columns.qty[:] = [10, 12, 10, 12], 1
    BODY
    return [Feed(Instrument("X", Decimal(1), Decimal(1)), columns, found.sorted(), {})]
"""


def plug_in(tmp_path: Path, body: str = "pass", end: str = "") -> dict[str, str]:
    file = tmp_path / "mine.py"
    file.write_text(PLUG_IN.replace("BODY", body) + end)
    (tmp_path / "day.mine").write_text("x")
    return {"src": str(tmp_path / "day.mine"), "out": tmp_path / "out", "format": str(file)}


def test_a_finding_that_a_plug_in_names_can_be_waived(tmp_path: Path):
    given = plug_in(tmp_path)
    with pytest.raises(DataError, match=r"odd_lots: 3 of 4 rows .*--waive odd_lots"):
        ingest(**given)
    with pytest.raises(ConfigError, match=r"unknown finding 'odd_lot'; known: .*odd_lots"):
        ingest(**given, waive="odd_lot")
    assert ingest(**given, waive="odd_lots")[0].waived == ("odd_lots",)


def test_a_plug_in_may_say_how_many_of_its_findings_are_accepted(tmp_path: Path):
    end = 'FINDINGS = {"odd_lots": Limit("below the round lot", None)}\n'
    assert ingest(**plug_in(tmp_path, end=end)).rows == 4


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("1 / 0", r"mine.py, line 18: ZeroDivisionError: division by zero$"),
        ("columns = columns._replace(qty=columns.qty[:2])", "a column qty of 2 rows where exch_ts"),
        (
            "columns = columns._replace(qty=columns.qty * 1.5)",
            "a column qty that is no array of in",
        ),
        ("return [7]", "a int where a Feed belongs"),
        ("columns.price[2] = 13", "crossed_book: 1 of 4 rows"),
        ("columns.kind[:] = 99", "tape row 1: kind, side or qty is out of range"),
    ],
)
def test_an_error_in_a_plug_in_is_said_to_be_its_own(tmp_path: Path, body, message):
    with pytest.raises(DataError, match=message) as caught:
        ingest(**plug_in(tmp_path, body), waive="odd_lots")
    assert caught.value.exit_code == 65
