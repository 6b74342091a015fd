"""Research data: the same rows are the same data in any files; nothing is guessed."""

import gzip
import json
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import zstandard

from hft.core.errors import DataError, ValidationError
from hft.research.data.dataset import ResearchData
from hft.research.data.load import load
from hft.research.data.sample import sample

NS = 1_000_000_000
DAY = 86_400 * NS


def rows(count: int = 40, start: int = 19_700) -> pl.DataFrame:
    ts = (start * 86_400 + 50_000 + np.arange(count) * 60) * NS
    price = 100 + np.arange(count) * 0.25
    return pl.DataFrame({"ts": ts, "close": price, "vol": np.arange(count) + 1.0})


@pytest.fixture(scope="module")
def qqq(shared_data: Path) -> ResearchData:
    return load(shared_data / "qqq_micro_bars_1m")


def test_files_and_their_order_do_not_change_the_fingerprint(tmp_path: Path) -> None:
    frame = rows()
    frame.write_parquet(tmp_path / "all.parquet")
    (tmp_path / "cut").mkdir()
    frame[25:].write_parquet(tmp_path / "cut" / "a.parquet")
    frame[:25].sample(fraction=1.0, shuffle=True, seed=1).write_parquet(tmp_path / "cut/b.parquet")
    frame.select("vol", "ts", "close").write_csv(tmp_path / "text.csv")
    (tmp_path / "text.csv.gz").write_bytes(gzip.compress((tmp_path / "text.csv").read_bytes()))
    frame.write_ipc(tmp_path / "text.feather")
    array = np.zeros(len(frame), [("ts", "i8"), ("close", "f8"), ("vol", "f8")])
    for name in frame.columns:
        array[name] = frame[name].to_numpy()
    np.save(tmp_path / "array.npy", array)
    np.savez(tmp_path / "array.npz", data=array)
    prints = {
        load(tmp_path / name).fingerprint
        for name in ("all.parquet", "text.csv", "text.csv.gz", "text.feather", "array.npy")
    }
    prints |= {load(tmp_path / "array.npz").fingerprint, load(frame).fingerprint}
    prints |= {load(frame.to_pandas()).fingerprint, load(array).fingerprint}
    assert len(prints) == 1
    # Two files of other names are a panel, so these are named as parts of one.
    (tmp_path / "cut/a.parquet").rename(tmp_path / "cut/part-2.parquet")
    (tmp_path / "cut/b.parquet").rename(tmp_path / "cut/part-1.parquet")
    assert load(tmp_path / "cut").fingerprint in prints
    assert load(frame.with_columns(pl.col("vol") * 2)).fingerprint not in prints


def zstd_frames(text: bytes, parts: int) -> bytes:
    """The text packed as several frames, one behind the other."""
    cuts = [len(text) * k // parts for k in range(parts + 1)]
    return b"".join(zstandard.compress(text[a:b]) for a, b in pairwise(cuts))


@pytest.mark.parametrize("parts", [1, 2, 5])
def test_a_packed_table_is_read_wholly_or_refused(tmp_path: Path, parts: int) -> None:
    text = rows(20_000).write_csv().encode()
    path = tmp_path / "rows.csv.zst"
    path.write_bytes(zstd_frames(text, parts))
    assert len(load(path)) == 20_000
    for cut in (1, 1000):
        path.write_bytes(zstd_frames(text, parts)[:-cut])
        with pytest.raises(DataError, match=r"rows\.csv\.zst: the compressed file is cut short"):
            load(path)
    path = tmp_path / "rows.csv.gz"
    path.write_bytes(gzip.compress(text)[:-1000])
    with pytest.raises(DataError, match=r"rows\.csv\.gz: the compressed file is cut short"):
        load(path)


def test_a_row_that_stands_in_two_files_counts_once(tmp_path: Path) -> None:
    frame = rows()
    frame[:30].write_parquet(tmp_path / "x-2023-12-01.parquet")
    frame[20:].write_parquet(tmp_path / "x-2023-12-02.parquet")
    data = load(tmp_path)
    assert len(data) == 40 and data.counts["repeated"] == 10
    assert data.fingerprint == load(frame).fingerprint


@pytest.mark.parametrize(
    ("asked", "column"),
    [
        ("trade_vol", "vol"),
        ("volume", "vol"),
        ("current_mid", "close"),
        ("signed_volume", "svol"),
        ("queue_imbalance", "qi_mean"),
        ("spread", "spr_mean"),
        ("bid_qty", "bsz"),
        ("ask_size", "asz"),
        ("ofi", "ofi"),
        ("order_flow", "ofi"),
        ("volatility", "rv"),
    ],
)
def test_a_field_answers_to_its_other_names(asked: str, column: str, qqq: ResearchData) -> None:
    found, there = qqq.field(asked), qqq.frame[column].to_numpy()
    assert np.array_equal(found, there, equal_nan=True)


def test_what_can_be_computed_from_the_row_is(qqq: ResearchData) -> None:
    micro = qqq.field("microprice")
    bid, ask = qqq.field("bid_qty"), qqq.field("ask_qty")
    expected = qqq.price + qqq.field("spread") / 2 * (bid - ask) / (bid + ask)
    assert np.allclose(micro, expected, equal_nan=True)
    data = sample()
    assert np.allclose(data.field("spread"), data.field("ask_px") - data.field("bid_px"))
    weighted = data.field("bid_px") * data.field("ask_qty")
    weighted = weighted + data.field("ask_px") * data.field("bid_qty")
    whole = data.field("bid_qty") + data.field("ask_qty")
    assert np.allclose(data.field("microprice"), weighted / whole)


def test_an_unknown_field_names_the_file_and_what_is_near(qqq: ResearchData) -> None:
    with pytest.raises(
        ValidationError, match=r"qqq_micro.*no field 'qi_men'; did you mean qi_mean"
    ):
        qqq.field("qi_men")


def test_every_file_must_have_every_field(tmp_path: Path) -> None:
    rows().write_parquet(tmp_path / "x-20231209.parquet")
    rows(start=19_701).drop("vol").write_parquet(tmp_path / "x-20231210.parquet")
    with pytest.raises(ValidationError, match=r"x-20231210.parquet: has no field 'trade_vol'"):
        load(tmp_path, fields=["trade_vol"])


def test_minutes_of_the_new_york_session_are_known_at_their_end(qqq: ResearchData) -> None:
    assert len(qqq) == 91_224 and len(qqq.sessions) == 234
    first = qqq.frame.row(0, named=True)
    assert first["ts"] == datetime(2023, 9, 20, 13, 31, tzinfo=UTC)
    winter = qqq.frame.filter(pl.col("session") == 20231206)["ts"]
    assert winter[0] == datetime(2023, 12, 6, 14, 31, tzinfo=UTC)
    assert winter[-1] == datetime(2023, 12, 6, 21, 0, tzinfo=UTC)


def test_evening_trading_belongs_to_the_day_it_began(shared_data: Path) -> None:
    data = load(shared_data / "us_etf_bars_1m" / "SPY" / "2006-12.parquet")
    assert data.sessions[-1] == 20061229
    assert str(data.frame["ts"][-1])[:10] == "2006-12-30"


def test_markets_that_never_close_turn_at_midnight(shared_data: Path) -> None:
    data = load(shared_data / "crypto_bars" / "ETH_BTC-5m.feather")
    dates = data.frame["ts"].dt.strftime("%Y%m%d").cast(pl.Int64).to_numpy()
    assert np.array_equal(dates, data.session)


def test_several_names_are_a_panel(shared_data: Path) -> None:
    folder = shared_data / "sp500_daily_2000_2016"
    data = load([folder / "AAPL.csv.xz", folder / "MMC.csv.xz", folder / "XL.csv.xz"])
    assert data.panel and data.symbols == ("AAPL", "MMC", "XL")
    one = data.of("MMC")
    assert not one.panel and np.all(np.diff(one.ts_ns) > 0)
    label = data.labels(DAY)
    rows_of = dict(data.groups())["MMC"]
    expected = one.price[1:] / one.price[:-1] - 1
    assert np.allclose(label.value[rows_of][:-1], expected) and np.isnan(label.value[rows_of][-1])


def test_hour_bars_of_lean_are_read(shared_data: Path) -> None:
    data = load(shared_data / "lean_us_equity_hour" / "spy.zip")
    assert len(data) == 40_832 and 50 < data.price[0] < 150
    assert data.sessions[0] == 19980102


def test_labels_stay_in_their_session_and_know_their_end(qqq: ResearchData) -> None:
    label = qqq.labels(300 * NS)
    day = np.flatnonzero(qqq.session == 20231206)
    assert np.isnan(label.value[day][-5:]).all() and np.isfinite(label.value[day][:-5]).all()
    price = qqq.price[day]
    assert np.allclose(label.value[day][:-5], price[5:] / price[:-5] - 1)
    assert np.array_equal(label.t_end - label.t_start, np.full(len(qqq), 300 * NS))
    assert set(label.steps[day][:-5]) == {5}
    ahead = qqq.labels(0)
    assert np.allclose(ahead.value[:-1], qqq.price[1:] / qqq.price[:-1] - 1)


def test_a_row_without_a_price_is_dropped_and_counted_and_infinities_are_missing() -> None:
    frame = rows().with_columns(
        pl.when(pl.col("vol") == 3).then(None).otherwise(pl.col("close")).alias("close"),
        pl.when(pl.col("vol") == 5).then(float("inf")).otherwise(pl.col("vol")).alias("vol"),
    )
    data = load(frame)
    assert len(data) == 39 and data.counts["no_price"] == 1 and data.counts["infinite"] == 1
    assert np.isnan(data.field("vol")).sum() == 1


@pytest.mark.parametrize(
    ("frame", "sentence"),
    [
        (pl.DataFrame({"close": [1.0]}), "no column of times"),
        (pl.DataFrame({"ts": [1, None], "close": [1.0, 2.0]}), "row 2: ts: is no time"),
        (pl.DataFrame({"ts": ["soon"], "close": [1.0]}), "row 1: ts: is no time"),
        (pl.DataFrame({"ts": [1], "size": [1.0]}), "has no price"),
        (pl.DataFrame({"ts": [1, 2], "price": ["1.0", "oops"]}), "row 2: price: 'oops' is no num"),
        (pl.DataFrame({"ts": [1], "price": ["1.0"]}), "price: the prices are text"),
        (pl.DataFrame({"ts": [], "close": []}), "there are no rows"),
        (
            pl.DataFrame({"day": ["20231206"] * 2 + ["20231207"], "close": [1.0, 2.0, 3.0]}),
            "day: 2 rows are of 2023-12-06 and no column says when.*b or minute",
        ),
        (
            pl.DataFrame({"date": ["2023-12-06"] * 3, "close": [1.0, 2.0, 3.0]}),
            "date: 3 rows are of 2023-12-06",
        ),
    ],
)
def test_a_frame_that_cannot_be_used_says_why(frame: pl.DataFrame, sentence: str) -> None:
    with pytest.raises((DataError, ValidationError), match=sentence):
        load(frame)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.parquet", b"PAR1 no"),
        ("a.csv.gz", b"not packed"),
        ("a.csv.xz", b"not packed"),
        ("a.csv.zip", b"PK no"),
        ("a.feather", b"ARROW1 no"),
        ("a.npy", b"\x93NUMPY no"),
        ("a.npz", b"PK\x03\x04 no"),
        ("a.csv", b"\xff\xfe\x00"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises((DataError, ValidationError), match=name):
        load(tmp_path / name)


def test_a_path_that_matches_nothing_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file or folder"):
        load(tmp_path / "*.parquet")
    with pytest.raises(DataError, match="holds no table"):
        load(tmp_path)


def test_times_come_in_any_unit_and_zone() -> None:
    base = rows(5)
    whole = base["ts"].to_numpy()
    aware = pl.Series(whole).cast(pl.Datetime("ns")).dt.replace_time_zone("UTC")
    tokyo = aware.dt.convert_time_zone("Asia/Tokyo")
    texts = aware.dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    for ts in (whole // 10**9, whole // 10**6, whole // 10**3, aware, tokyo, texts):
        data = load(base.with_columns(pl.Series("ts", ts)))
        assert np.array_equal(data.ts_ns, whole)
    naive = load(base.with_columns(aware.dt.replace_time_zone(None).alias("ts")))
    assert "taken as UTC" in naive.notes[0]


def test_a_sidecar_explains_gaps_and_is_checked(tmp_path: Path) -> None:
    from hft.governance.gates.inputs import audit
    from hft.governance.validation.structure import governance

    days = [rows(5, start) for start in (19_700, 19_701, 19_702, 19_720, 19_721)]
    path = tmp_path / "mine.parquet"
    pl.concat(days).write_parquet(path)
    gap = audit(load(path), now_ns=10**19)[3]
    assert gap.id == "data_gaps"
    assert "sessions are missing between 20231211 and 20231229" in gap.reason
    told = {"gaps": [{"after": 20231211, "before": 20231229, "reason": "moved house"}]}
    (tmp_path / "mine.parquet.meta.json").write_text(json.dumps(told))
    data = load(path)
    gap = audit(data, now_ns=10**19)[3]
    assert gap.verdict.value == "PASS"
    assert any("dataset_id is missing" in text for text in governance(data, []))
    assert any("is not under" in text for text in governance(data, [str(tmp_path / "else")]))
    (tmp_path / "mine.parquet.meta.json").write_text("{")
    with pytest.raises(DataError, match=r"mine.parquet.meta.json: is no JSON"):
        load(path)


def test_daily_rows_need_no_time_of_day_and_a_panel_has_one_row_a_name() -> None:
    days = ["20231206", "20231206", "20231207", "20231207"]
    frame = pl.DataFrame({"day": days, "symbol": ["a", "b"] * 2, "close": [1.0, 2.0, 3.0, 4.0]})
    assert load(frame).sessions == (20231206, 20231207) and len(load(frame)) == 4
    single = frame.filter(pl.col("symbol") == "a").drop("symbol")
    assert len(load(single)) == 2
    assert len(load(pl.concat([single, single]))) == 2, "the same row twice is one row"
    with pytest.raises(DataError, match="2 rows are of 2023-12-06"):
        load(frame.with_columns(pl.lit("a").alias("symbol")))
