"""Common exports are read as they come: columns, times, sides and books of each vendor's layout."""

from decimal import Decimal
from pathlib import Path
from zipfile import ZipFile

import polars as pl
import pytest

from hft.core.codes import EventKind, Flag
from hft.core.errors import ConfigError, DataError
from hft.feeds import lean
from hft.feeds.base import DecodeOptions
from hft.feeds.frame import decode, decode_frame
from hft.feeds.registry import sniff
from hft.feeds.times import check_zone

pytestmark = pytest.mark.nojit

EXPORTS = Path(__file__).with_name("exports")
GRID = DecodeOptions(tick=Decimal("0.00001"), lot=Decimal("0.00001"))
MIDNIGHT = 1_723_161_600_000_000_000  # 2024-08-09T00:00:00Z
QUOTES = [EventKind.BBO, EventKind.BBO] * 2
TRADES = [EventKind.TRADE] * 2
BOOK = [EventKind.CLEAR, EventKind.SNAPSHOT, EventKind.SNAPSHOT, *[EventKind.LEVEL] * 3]


def read(name: str, **options: str):
    path = EXPORTS / name
    assert sniff(path) == "csv"
    (feed,) = decode([path], DecodeOptions(tick=GRID.tick, lot=GRID.lot, **options))
    return feed


@pytest.mark.parametrize(
    ("name", "kinds", "symbol", "first_ms", "tz"),
    [
        ("ccxt_trades.csv", TRADES, "BTC/USDT", 123, None),
        ("ccxt_tickers.csv", QUOTES, "BTC/USDT", 123, None),
        ("freqtrade_trades.csv", TRADES, "freqtrade_trades", 123, None),
        ("tardis_trades.csv", TRADES, "XBTUSD", 123, None),
        ("tardis_quotes.csv", QUOTES, "BTC-USD", 123, None),
        ("tardis_incremental_book_L2.csv", BOOK, "BTC-PERPETUAL", 123, None),
        ("tardis_book_snapshot_5.csv", QUOTES, "BTCUSDT", 123, None),
        ("binance_vision_aggTrades.csv", TRADES, "binance_vision_aggTrades", 123, None),
        ("binance_vision_bookTicker.csv", QUOTES, "binance_vision_bookTicker", 123, None),
        ("metatrader_ticks.csv", QUOTES, "metatrader_ticks", 123, "UTC"),
        ("dukascopy_ticks.csv", QUOTES, "dukascopy_ticks", 16 * 86_400_000 + 75_600_123, "UTC"),
        ("kaggle_quotes.csv", QUOTES, "kaggle_quotes", 912_600_001, "America/New_York"),
    ],
)
def test_an_export_is_read_as_it_comes(name, kinds, symbol, first_ms, tz):
    feed = read(name, **({"tz": tz} if tz else {}))
    assert feed.columns.kind.tolist() == kinds
    assert feed.instrument.symbol == symbol
    assert int(feed.columns.exch_ts[0]) == MIDNIGHT + first_ms * 1_000_000


def test_sides_of_exports_are_those_of_the_aggressors():
    assert read("ccxt_trades.csv").columns.side.tolist() == [0, 1]
    assert read("binance_vision_aggTrades.csv").columns.side.tolist() == [0, 1]
    assert read("tardis_trades.csv").columns.side.tolist() == [0, 2]


def test_receive_times_of_tardis_are_not_its_exchange_times():
    columns = read("tardis_quotes.csv").columns
    assert int(columns.local_ts[0] - columns.exch_ts[0]) == 77_123_000
    assert columns.qty.tolist()[2:] == [300_000, 0]  # one side without a quote is withdrawn


def test_a_snapshot_among_updates_clears_the_book_and_makes_it_whole():
    columns = read("tardis_incremental_book_L2.csv").columns
    assert columns.flags.tolist() == [0, 0, Flag.LAST, 0, Flag.LAST, Flag.LAST]
    assert columns.side.tolist() == [2, 0, 1, 0, 0, 1]


def test_columns_that_were_not_read_are_named_on_the_tape():
    source = read("tardis_book_snapshot_5.csv").source
    assert source["columns"]["bid"] == "bids[0].price"
    assert "bids[1].price" in source["columns_not_read"]


def own(**changes):
    data = {"when": [MIDNIGHT], "p": [1.0], "q": [1.0], "type": ["add"], "side": ["buy"]}
    return pl.DataFrame(data | changes)


def test_named_columns_that_are_a_layout_leave_no_kind_to_guess():
    given = DecodeOptions(
        tick=GRID.tick, lot=GRID.lot, columns={"ts": "when", "price": "p", "qty": "q"}
    )
    (feed,) = decode_frame(own(), given)
    assert feed.columns.kind.tolist() == [EventKind.TRADE]
    assert feed.columns.side.tolist() == [0]


def test_a_field_can_be_named_away():
    frame = own().rename({"when": "ts", "p": "price", "q": "qty"})
    named = DecodeOptions(tick=GRID.tick, lot=GRID.lot, columns={"kind": None, "side": ""})
    (feed,) = decode_frame(frame, named)
    assert (feed.columns.kind.tolist(), feed.columns.side.tolist()) == ([EventKind.TRADE], [2])


@pytest.mark.parametrize(("word", "side"), [("limit", 2), ("buy", 0), ("SELL", 1)])
def test_a_type_is_a_kind_of_event_only_where_its_cells_say_so(word, side):
    frame = own(type=[word]).drop("side").rename({"when": "ts", "p": "price", "q": "qty"})
    (feed,) = decode_frame(frame, GRID)
    assert (feed.columns.kind.tolist(), feed.columns.side.tolist()) == ([EventKind.TRADE], [side])


def test_bars_are_refused_with_the_way_to_use_them():
    bars = pl.DataFrame({name: [1.0] for name in ("time", "open", "high", "low", "close")})
    with pytest.raises(DataError, match=r"are bars, which have no book to replay.*hft data report"):
        decode_frame(bars, GRID)


def test_a_file_without_names_is_told_so():
    with pytest.raises(DataError, match="names no columns"):
        decode_frame(pl.DataFrame({"1723161600123": [1], "61700.1": [2.0], "0.5": [3.0]}), GRID)


def times(values, tz=None):
    frame = pl.DataFrame({"ts": values, "price": [1.0] * len(values), "qty": [1.0] * len(values)})
    options = DecodeOptions(tick=GRID.tick, lot=GRID.lot, tz=tz)
    (feed,) = decode_frame(frame, options, "own.csv")
    return [int(time) for time in feed.columns.exch_ts]


def test_times_without_a_zone_are_those_of_the_zone_given():
    texts = ["2024-08-09 02:00:00", "2024-08-09T01:00:00.5Z"]
    assert times(texts, "Europe/Berlin") == [MIDNIGHT, MIDNIGHT + 3_600_500_000_000]
    clock = pl.Series(["2024-08-09 02:00:00"]).str.to_datetime()
    assert times(clock, "Europe/Berlin") == [MIDNIGHT]
    with pytest.raises(DataError, match=r"row 1: time .* has no zone; .*--tz"):
        times(["2024-08-09 02:00:00"])
    with pytest.raises(ConfigError, match="'Nowhere' is no time zone"):
        check_zone("Nowhere")


@pytest.mark.parametrize("hour", ["2024-10-27 02:30:00", "2024-03-31 02:30:00"])
def test_an_hour_that_is_there_twice_or_never_is_refused(hour):
    with pytest.raises(DataError, match=r"own.csv, column 'ts', row 1: .* twice or never"):
        times([hour], "Europe/Berlin")


def test_day_and_month_are_told_by_another_row_or_refused():
    first = [1_722_643_200_000_000_000, 1_724_544_000_000_000_000]  # 3 and 25 August 2024
    assert times(["03/08/2024 00:00:00", "25/08/2024 00:00:00"], "UTC") == first
    assert times(["08/03/2024 00:00:00", "08/25/2024 00:00:00"], "UTC") == first
    with pytest.raises(DataError, match=r"row 1: '03/08/2024' may be day or month first; write"):
        times(["03/08/2024", "04/08/2024"], "UTC")


def lean_zip(tmp_path: Path, line: str, market: str = "fxcm") -> Path:
    folder = tmp_path / market / "gbpusd"
    folder.mkdir(parents=True)
    path = folder / "20140501_quote.zip"
    with ZipFile(path, "w") as archive:
        archive.writestr("20140501_gbpusd_tick_quote.csv", line * 3)
    return path


def test_an_fx_pair_that_nobody_described_is_refused_or_guessed_as_a_finding(tmp_path: Path):
    path = lean_zip(tmp_path, "1000,1.68801,1.68811\n")
    with pytest.raises(DataError, match=r"instrument 'GBPUSD' is unknown: .*--tick, --lot"):
        lean.decode([path], DecodeOptions(format="lean"))
    guessed = DecodeOptions(format="lean", waive=("guessed_tick", "guessed_lot"))
    (feed,) = lean.decode([path], guessed)
    assert {"guessed_tick", "guessed_lot"} <= {one.name for one in feed.findings}


def test_bars_of_seconds_are_refused_with_the_way_to_use_them(tmp_path: Path):
    path = lean_zip(tmp_path, "34200000,4826400,4827300,4826400,4827300,3600\n", "equity")
    assert sniff(path) == "lean"
    with pytest.raises(DataError, match=r"holds bars, which have no book to replay: give the tick"):
        lean.decode([path], DecodeOptions(format="lean"))
