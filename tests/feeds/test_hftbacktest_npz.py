"""hftbacktest npz: both codings, one-sided rows, the way back, and the raw recording as truth."""

from decimal import Decimal

import numpy as np
import pytest

from hft.core.codes import EventKind, Flag, Side
from hft.core.errors import DataError
from hft.core.instruments import Instrument
from hft.feeds import binance, hftbacktest_npz
from hft.feeds.base import DecodeOptions, settle
from hft.feeds.files import peek

FOLDER = "hftbacktest_npz_btcusdt_20230404"
BTC = Instrument("BTCUSDT", Decimal("0.1"), Decimal("0.001"))
EXCH, LOCAL, BUY, SELL = 1 << 31, 1 << 30, 1 << 29, 1 << 28
BOTH = EXCH | LOCAL
GUESSED = ("guessed_tick", "guessed_lot")
NS = 1_680_652_700_000_000_000


def decode(*paths, **options):
    if "tick" not in options and "instruments" not in options:
        options |= {"waive": GUESSED}
    return hftbacktest_npz.decode(list(paths), DecodeOptions("hftbacktest", **options))


def events(*rows):
    """(ev, time, px, qty) as version 2 events received 1 ms later."""
    data = np.zeros(len(rows), hftbacktest_npz.EVENT)
    for event, (ev, time, px, qty) in zip(data, rows, strict=True):
        event["ev"], event["exch_ts"], event["local_ts"] = ev, NS + time, NS + time + 1_000_000
        event["px"], event["qty"] = px, qty
    return data


def save(path, data):
    np.savez_compressed(path, data=data)
    return path


@pytest.mark.data
def test_trades_equal_those_of_the_raw_recording_of_the_same_minutes(shared_data):
    options = {"instruments": {"BTCUSDT": BTC}}
    (feed,) = decode(shared_data / FOLDER / "btcusdt_20230404_mt.npz", **options)
    raw_options = DecodeOptions("binance-usdm", **options)
    (raw,) = binance.decode([shared_data / FOLDER / "btcusdt_20230404.dat.gz"], raw_options)

    def trades(columns):
        rows = np.flatnonzero(columns.kind == EventKind.TRADE)
        return np.stack([columns.exch_ts, columns.side, columns.price, columns.qty], 1)[rows]

    assert len(trades(feed.columns)) == 2197
    np.testing.assert_array_equal(trades(feed.columns), trades(raw.columns))


@pytest.mark.data
def test_one_sided_rows_of_the_old_coding_are_for_one_side_only(shared_data):
    (feed,) = decode(shared_data / FOLDER / "btcusdt_20230404_mt.npz")
    columns = feed.columns
    for flag in (Flag.VENUE_ONLY, Flag.VIEW_ONLY):
        mine = (columns.flags & flag) != 0
        kinds = columns.kind[mine]
        counts = [int((kinds == kind).sum()) for kind in (EventKind.CLEAR, EventKind.SNAPSHOT)]
        assert counts == [2, 2000]
        assert int((kinds == EventKind.LEVEL).sum()) == 542
    assert len(columns.kind) == 66820 + 2197 + 4 + 4000
    assert settle(feed, DecodeOptions(waive=GUESSED)).columns.exch_ts is columns.exch_ts


@pytest.mark.data
def test_a_snapshot_file_without_receive_times_is_seen_by_both_sides(shared_data):
    path = shared_data / FOLDER / "btcusdt_20230404_eod.npz"
    assert hftbacktest_npz.sniff(peek(path, 1 << 16), path) == "hftbacktest"
    (feed,) = decode(path)
    assert feed.instrument.tick == Decimal("0.1")
    assert not (feed.columns.flags & (Flag.VENUE_ONLY | Flag.VIEW_ONLY)).any()
    assert feed.columns.flags[-1] & Flag.LAST


def test_new_coding_keeps_order_flags_and_groups(tmp_path):
    data = events(
        (3 | BOTH, 0, 0.0, 0.0),
        (4 | BUY | BOTH, 0, 100.0, 1.5),
        (4 | SELL | BOTH, 0, 100.1, 2.0),
        (1 | BUY | EXCH, 5, 99.9, 0.001),
        (2 | SELL | BOTH, 6, 100.0, 0.25),
        (1 | BUY | LOCAL, 5, 99.9, 0.001),
        (105 | BOTH, 7, 1.0, 1.0),
    )
    (feed,) = decode(save(tmp_path / "btcusdt_20230404.npz", data), instruments={"BTCUSDT": BTC})
    c = feed.columns
    assert [EventKind(k).name for k in c.kind] == [
        "CLEAR",
        "SNAPSHOT",
        "SNAPSHOT",
        "LEVEL",
        "TRADE",
        "LEVEL",
    ]
    assert c.side.tolist() == [2, Side.BUY, Side.SELL, Side.BUY, Side.SELL, Side.BUY]
    assert c.price.tolist() == [0, 1000, 1001, 999, 1000, 999]
    assert c.qty.tolist() == [0, 1500, 2000, 1, 250, 1]
    last, venue, view = Flag.LAST, Flag.VENUE_ONLY, Flag.VIEW_ONLY
    assert c.flags.tolist() == [0, 0, last, last | venue, 0, last | view]
    assert {f.name: f.count for f in feed.findings} == {"skipped": 1}


def test_events_written_from_a_tape_read_back_as_the_same_rows(tmp_path):
    rng = np.random.default_rng(7)
    rows = 500
    data = events(
        *(
            (
                int(code) | int(side) | BOTH,
                at * 10,
                round(float(px) * 0.1, 1),
                round(qty * 0.001, 3),
            )
            for at, (code, side, px, qty) in enumerate(
                zip(
                    rng.choice([1, 2, 4, 5], rows),
                    rng.choice([BUY, SELL], rows),
                    rng.integers(1, 10**7, rows),
                    rng.integers(0, 10**6, rows).tolist(),
                    strict=True,
                )
            )
        )
    )
    options = {"instruments": {"BTCUSDT": BTC}}
    (feed,) = decode(save(tmp_path / "btcusdt_1.npz", data), symbol="BTCUSDT", **options)
    again = hftbacktest_npz.to_events(feed.columns, BTC)
    np.testing.assert_array_equal(again, data)
    (feed_again,) = decode(save(tmp_path / "btcusdt_2.npz", again), symbol="BTCUSDT", **options)
    for one, other in zip(feed.columns, feed_again.columns, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_status_row_has_no_event(tmp_path):
    (feed,) = decode(save(tmp_path / "x.npz", events((1 | BUY | BOTH, 0, 1.0, 1.0))))
    feed.columns.kind[0] = EventKind.STATUS
    with pytest.raises(DataError, match=r"row 1: .*STATUS"):
        hftbacktest_npz.to_events(feed.columns, feed.instrument)


def test_floats_that_are_index_times_tick_are_on_the_grid(tmp_path):
    px = 281_541 * 0.1
    assert px != 28154.1
    path = save(tmp_path / "btcusdt.npz", events((1 | BUY | BOTH, 0, px, 0.1 + 0.2)))
    (feed,) = decode(path, instruments={"BTCUSDT": BTC})
    assert (feed.columns.price.tolist(), feed.columns.qty.tolist()) == ([281_541], [300])
    assert feed.findings == []


def test_a_price_off_the_given_grid_is_refused(tmp_path):
    path = save(tmp_path / "btcusdt.npz", events((1 | BUY | BOTH, 0, 100.05, 1.0)))
    (feed,) = decode(path, instruments={"BTCUSDT": BTC})
    with pytest.raises(DataError, match="off_grid"):
        settle(feed, DecodeOptions())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04 torn", "not a readable npz"),
        (b"no archive at all", "not a readable npz"),
        ({"rows": np.zeros(3)}, "key 'data'"),
        ({"data": np.zeros((3, 5))}, "N x 6"),
        ({"data": np.zeros(3, [("ev", "u8"), ("px", "f8")])}, "lacks the field 'exch_ts'"),
        ({"data": np.full((3, 6), np.nan)}, "row 1"),
        ({"data": np.array([{}], object)}, "not a readable npz"),
    ],
)
def test_bad_archives_are_refused_by_name(tmp_path, content, said):
    path = tmp_path / "bad.npz"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        np.savez(path, **content)
    with pytest.raises(DataError, match=f"bad.npz: .*{said}"):
        decode(path)
