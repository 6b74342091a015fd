"""CSV as people's tools leave it: the tape of the plain file, or one sentence with file and row."""

import io
import tarfile
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from hft.core.errors import DataError
from hft.feeds.base import DecodeOptions
from hft.feeds.frame import decode
from hft.feeds.registry import sniff

pytestmark = pytest.mark.nojit

OPTIONS = DecodeOptions(symbol="X", tick=Decimal("0.05"), lot=Decimal("0.25"))
HEADER = "ts,bid,ask,bid_qty,ask_qty,price,qty,side"
ROWS = [
    "2024-08-09T00:00:00.250Z,59999.95,60000.05,1.5,2.25,,,",
    "2024-08-09T00:00:00.500Z,,,,,60000.05,0.25,buy",
    "2024-08-09T00:00:00.750Z,59999.75,60000.25,1.25,2.5,,,",
]
PLAIN = "\n".join([HEADER, *ROWS]) + "\n"
AGGREGATES = (
    "100,59999.95,0.25,7,9,1723161600250,False,True\n101,60000,0.5,10,10,1723161600500,true,True\n"
)
KLINE = "1723161600000,1.5,2.5,1.0,2.0,12.5,1723161659999,7500.5,320,6.1,3660.5,0\n"


def tape(tmp_path: Path, content: str | bytes, name: str = "own.csv", **changes):
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    assert sniff(path) == "csv"
    (feed,) = decode([path], DecodeOptions(**(vars(OPTIONS) | changes)))
    return feed


def rows(feed) -> list[list[int]]:
    return [column.tolist() for column in feed.columns]


def quoted(text: str) -> str:
    return "\n".join(",".join(f'"{cell}"' for cell in line.split(",")) for line in text.split())


def zipped(members: dict[str, str]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


@pytest.mark.parametrize(
    "left",
    [
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.encode("utf-16"),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\r"),
        lambda text: text.rstrip("\n"),
        lambda text: text + "\n\n",
        lambda text: text + ",,,,,,,\n",
        lambda text: "\n" + text,
        lambda text: "# my recorder, 2024\n" + text,
        lambda text: "sep=;\n" + text.replace(",", ";"),
        lambda text: text.replace(",", ";").replace(".", ",").replace("T00", " 00"),
        lambda text: text.replace(",", ", "),
        lambda text: text.replace(",,", ",NULL,").replace(",,", ",N/A,"),
        lambda text: text.replace("ts", "").replace("Z", "+00:00"),
        lambda text: text.replace("Z", "+00"),
        lambda text: text.replace("Z", " UTC"),
        quoted,
        lambda text: zipped({"__MACOSX/._own": "\0", "data/": "", "data/own": text}),
    ],
    ids=[
        *("byte order mark", "UTF-16", "CRLF", "CR", "no end", "empty lines", "commas alone"),
        *(
            "empty first line",
            "comment",
            "Excel's sep",
            "decimal comma",
            "spaces",
            "words for none",
        ),
        *("index without a name", "zone of hours", "zone in words", "quoted", "zip of a Mac"),
    ],
)
def test_what_a_tool_leaves_in_a_file_changes_no_row(
    tmp_path: Path, left: Callable[[str], str | bytes]
):
    assert rows(tape(tmp_path, left(PLAIN), "left.csv")) == rows(tape(tmp_path, PLAIN))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            PLAIN.replace(",1.25,2.5,,,\n", ""),
            r"own.csv, row 4: the row has 3 cells, the first line 8: it is the last one",
        ),
        (
            PLAIN.replace(ROWS[2], "2024-08"),
            r"row 4: the row has 1 cell, the first line 8.*may be cut off",
        ),
        (PLAIN.replace("buy", "buy,7"), r"row 3: the row has 9 cells, the first line 8; correct"),
        ("\n\n" + PLAIN.replace("buy", "buy,7"), "row 5: the row has 9 cells"),
        (
            PLAIN.replace("ask,", "bid,", 1),
            r"column 'bid' stands twice \(columns 2 and 3\); rename",
        ),
        (PLAIN + PLAIN, r"column 'ts', row 5: the row repeats the names of the first line"),
        (PLAIN.replace("2024-08-09T", ""), r"'ts', row 2: time '00:00:00.250Z' has no date"),
        (
            PLAIN.replace("60000.05,1", '"60,000.05",1'),
            r"'ask', row 2: '60,000.05' is no number; wri",
        ),
        ("ts;price;qty\n2024-08-09T00:00:00Z;60,250;1\n", r"'price', row 2: '60,250' is no number"),
        (
            PLAIN.replace("buy", '5" pipe'),
            r"row 3: .* a quotation mark \(\"\) in the row has",
        ),
        (
            "ts,type,bid,ask,price,qty\n1723161600,trade,1,2,,\n1723161601,quote,1,2,,\n",
            r"'type', row 3: 'quote' is none of .*; --columns kind= says that no column",
        ),
        ("ts,price,qty\n45293.5,100.25,1\n", r"row 2: 45293.5 is no time; give seconds since 1970"),
    ],
)
def test_what_cannot_be_right_is_one_sentence_with_its_row(tmp_path: Path, text: str, said: str):
    with pytest.raises(DataError, match=said):
        tape(tmp_path, text)


def test_a_text_in_another_encoding_is_named_at_its_row(tmp_path: Path):
    with pytest.raises(DataError, match="row 3: the CSV cannot be read: it is no UTF-8 text"):
        tape(tmp_path, PLAIN.replace("buy", "bu\xff").encode("latin-1"))


def test_rows_behind_empty_lines_are_those_of_the_file(tmp_path: Path):
    lines = PLAIN.split("\n")
    lines[2:2] = ["", ""]
    text = "\n".join(lines).replace(",buy", ",bought")
    with pytest.raises(DataError, match=r"column 'side', row 5: 'bought' is none of"):
        tape(tmp_path, text)


@pytest.mark.parametrize(
    "text",
    [
        AGGREGATES,
        AGGREGATES.replace(",True\n", "\n"),
        "100,59999.95,0.25,9.5,1723161600250,False,True\n101,60000,0.5,9,1723161600500,true,True\n",
        "100,59999.95,0.25,9.5,1723161600250,false\n101,60000,0.5,9,1723161600500,true\n",
        "100,59999.95,0.25,9.5,1723161600250000,false\n101,60000,0.5,9,1723161600500000,true\n",
    ],
)
def test_trades_of_binance_without_names_are_known_by_their_cells(tmp_path: Path, text: str):
    named = "time,price,qty,side\n1723161600250,59999.95,0.25,buy\n1723161600500,60000,0.5,sell\n"
    feed = tape(tmp_path, text, "BTCUSDT-aggTrades-2024-08-09.csv", symbol=None)
    assert rows(feed) == rows(tape(tmp_path, named))
    assert feed.instrument.symbol == "BTCUSDT"
    assert feed.findings[0].first_row == 1, "the first line is a row"


def test_klines_are_no_ticks_and_are_told_so_with_and_without_names(tmp_path: Path):
    names = "open_time,open,high,low,close,volume,close_time,a,b,c,d,e\n"
    for text in (KLINE * 2, names + KLINE):
        with pytest.raises(
            DataError, match=r"open_time, open.*are klines \(bars\).*calls close_time"
        ):
            tape(tmp_path, text)


def test_updates_of_databento_are_not_read_as_trades(tmp_path: Path):
    text = (
        "ts_recv,ts_event,action,side,price,size,bid_px_00,ask_px_00,bid_sz_00,ask_sz_00\n"
        "2024-08-09T00:00:00.000000001Z,2024-08-09T00:00:00Z,A,B,100.25,1,100.25,100.5,1,1\n"
        "2024-08-09T00:00:00.000000002Z,2024-08-09T00:00:00Z,T,B,100.5,2,100.25,100.5,1,1\n"
    )
    with pytest.raises(DataError, match=r"column 'action': A are no trades but updates"):
        tape(tmp_path, text)
    quotes = tape(tmp_path, text, columns={"price": None, "qty": None})
    assert quotes.columns.kind.tolist() == [8] * 4, "the way out that is named"
    trades = tape(tmp_path, "".join(line + "\n" for line in text.split() if ",A," not in line))
    assert trades.columns.kind.tolist() == [8, 8, 7]


def test_a_file_of_another_kind_is_told_what_it_is(tmp_path: Path):
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("own.csv"))
    for content, said in (
        (b'{"ts": 1, "price": 2}\n', r"is JSON: hft.ingest\(polars.read_ndjson\('odd'\)"),
        (tar.getvalue(), "is a tar archive: unpack it"),
        (
            zipped({"[Content_Types].xml": "<x/>"}),
            "is a workbook of Excel: save its sheet as CSV",
        ),
    ):
        path = tmp_path / "odd"
        path.write_bytes(content)
        with pytest.raises(DataError, match=said):
            sniff(path)
    path.write_bytes(zipped({"a": PLAIN, "b": PLAIN}))
    with pytest.raises(DataError, match=r"holds 2 files \(a, b\); unpack the one that is meant"):
        decode([path], OPTIONS)


def test_an_index_of_pandas_that_counts_rows_is_no_time(tmp_path: Path):
    frame = pl.read_csv(io.StringIO(PLAIN)).with_columns(
        pl.col("ts").str.to_datetime(time_zone="UTC")
    )
    frame.with_columns(__index_level_0__=pl.Series([3, 5, 8])).write_parquet(tmp_path / "p.parquet")
    (feed,) = decode([tmp_path / "p.parquet"], OPTIONS)
    assert rows(feed) == rows(tape(tmp_path, PLAIN))


def test_a_number_behind_ten_thousand_whole_ones_changes_no_other_column(tmp_path: Path):
    lines = [
        f"{1_723_161_600 + i / 4},{100 + i % 7 / 4},{1 if i < 11_000 else 0.5}"
        for i in range(12_000)
    ]
    feed = tape(tmp_path, "\n".join(["ts,price,qty", *lines]))
    assert len(feed.columns.kind) == 12_000 and feed.columns.qty.tolist()[-1] == 2
    assert int(feed.columns.exch_ts[1] - feed.columns.exch_ts[0]) == 250_000_000


def test_a_file_of_the_newest_first_is_turned_round_where_that_is_accepted(tmp_path: Path):
    same = ROWS[1].replace(",buy", ",sell")  # at one time the order within it counts
    shown = [HEADER, *ROWS[:2], same, ROWS[2]]
    text = "\n".join([HEADER, *shown[:0:-1]])
    with pytest.raises(
        DataError, match=r"back 250 ms, the newest row stands first.*turns the"
    ) as told:
        tape(tmp_path, text)
    assert told.value.facts == {"row": 3, "back_ns": 250_000_000, "times": 2}
    turned = tape(tmp_path, text, waive=("receive_disorder",))
    assert rows(turned) == rows(tape(tmp_path, "\n".join(shown)))
