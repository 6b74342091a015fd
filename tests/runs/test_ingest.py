"""From a user's file to a sealed dataset, and what a refusal leaves behind."""

import gzip
import json
import threading
from functools import partial
from itertools import islice
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hft.core.errors import ConfigError, DataError, HftError, JournalError
from hft.feeds import synthetic
from hft.runs import ingest as module
from hft.runs.ingest import ingest, open_tapes

NOON = 1_704_196_800_000_000_000


def frame(**changes):
    data = {"ts": [NOON, NOON + 1], "price": [100.25, 100.5], "qty": [1, 2], "side": ["buy", "s"]}
    return pl.DataFrame(data | changes)


def take_in(src, out, **options):
    return ingest(src, out, **({"symbol": "X", "tick": "0.25", "lot": 1} | options))


def test_a_frame_becomes_a_sealed_dataset(tmp_path: Path):
    tapes = take_in(frame(), tmp_path / "out")
    tapes.verify()
    assert tapes.symbols == ("X",)
    assert open_tapes(tmp_path / "out").trades().collect()["price"].to_list() == [100.25, 100.5]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "frame_x_20240102.tape.arrow",
        "manifest.json",
    ]


class SpeaksArrow:
    """What any other library's frame looks like (pandas 2.2 and later among them)."""

    def __arrow_c_stream__(self, requested_schema=None):
        return frame().__arrow_c_stream__(requested_schema)


@pytest.mark.parametrize("given", [frame().lazy(), frame().to_arrow(), SpeaksArrow()])
def test_other_kinds_of_frame_are_the_same(tmp_path: Path, given):
    assert take_in(given, tmp_path / "a")[0].sha256 == take_in(frame(), tmp_path / "b")[0].sha256


def test_what_is_neither_path_nor_frame_is_refused(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"dict is neither a path nor a frame; polars.DataFrame"):
        take_in({"ts": [1]}, tmp_path)


def test_csv_and_frame_give_the_same_rows(tmp_path: Path):
    frame().write_csv(tmp_path / "own.csv")
    from_file = take_in(tmp_path / "own.csv", tmp_path / "a")
    assert from_file[0].sha256 == take_in(frame(), tmp_path / "b")[0].sha256


def test_globs_and_folders_are_read_in_order(tmp_path: Path):
    for day in (3, 2):
        ts = [NOON + day * 86_400_000_000_000]
        data = frame(ts=ts * 2)
        data.write_csv(tmp_path / f"x{day}.csv")
    tapes = take_in(str(tmp_path / "x*.csv"), tmp_path / "out")
    assert tapes.days == ("2024-01-04", "2024-01-05")
    with pytest.raises(DataError, match="no such file"):
        take_in(str(tmp_path / "y*.csv"), tmp_path / "out")


def test_a_second_ingest_adds_to_the_folder(tmp_path: Path):
    take_in(frame(), tmp_path)
    take_in(frame(), tmp_path, symbol="Y")
    assert open_tapes(tmp_path).symbols == ("X", "Y")
    assert len(json.loads((tmp_path / "manifest.json").read_text())["tapes"]) == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"price": [100.3, 100.3], "qty": [1.6, 1.6]},
            "row 1: off_grid: 4 values, the tape has 2 rows",
        ),
        (
            {"price": [100.25, 100.3]},
            "row 2: off_grid: 1 value, the tape has 2 rows .*--waive off_grid",
        ),
        ({"ts": [NOON, NOON - 1]}, "row 2: receive_disorder"),
        (
            {"local_ts": [NOON - 10, NOON + 2]},
            "negative_latency: 1 of 2 rows, the first at decoded row 1",
        ),
        ({"qty": [1, -2]}, "row 2: negative_qty"),
    ],
)
def test_a_refused_source_leaves_nothing(tmp_path: Path, changes, message):
    with pytest.raises(DataError, match=message):
        take_in(frame(**changes), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_refusal_of_the_second_symbol_leaves_the_old_dataset(tmp_path: Path):
    take_in(frame(), tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    bad = frame(symbol=["X", "Y"], price=[100.75, 100.3])
    with pytest.raises(DataError, match="row 2: off_grid"):
        take_in(bad, tmp_path, symbol=None)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_waiver_lets_it_through_and_is_on_the_tape(tmp_path: Path):
    tapes = take_in(frame(price=[100.25, 100.3]), tmp_path, waive=["off_grid"])
    assert tapes[0].waived == ("off_grid",)
    assert tapes.findings.filter(pl.col("waived"))["finding"].to_list() == ["off_grid"]
    assert tapes.trades().collect()["price_tick"].to_list() == [401, 401]


def test_the_clock_is_repaired_only_when_asked(tmp_path: Path):
    late = frame(local_ts=[NOON - 10, NOON + 2])
    tapes = take_in(late, tmp_path, clock_fix=True)
    assert tapes[0].summary["latency_ns_min"] == 1_000_000
    assert "clock_repaired" in tapes.findings["finding"].to_list()


def test_a_disk_that_is_full_leaves_the_old_dataset(tmp_path: Path, monkeypatch):
    take_in(frame(), tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("hft.tape.writer._write_file", full)
    with pytest.raises(JournalError, match="No space left on device; make room"):
        take_in(frame(price=[1.0, 2.0]), tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "own.csv.gz: the file is empty"),
        (gzip.compress(b"ts,price,qty\n" + b"1704196800,1,1\n" * 9999)[:-20], "is cut short"),
        (gzip.compress(b"ts,price,qty\n"), "own.csv.gz: no rows"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_sentence(tmp_path: Path, content, message):
    path = tmp_path / "own.csv.gz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        take_in(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "options", [{"tick": "x"}, {"lot": 0}, {"waive": ["disorder"]}, {"format": "nope"}]
)
def test_an_argument_that_cannot_be_used_is_a_config_error(tmp_path: Path, options):
    src = tmp_path / "own.csv"
    frame().write_csv(src)
    with pytest.raises(ConfigError):
        take_in(src, tmp_path / "out", **options)


def test_the_progress_ends_at_the_whole(tmp_path: Path):
    frame().write_csv(tmp_path / "own.csv")
    seen = []
    take_in(tmp_path / "own.csv", tmp_path / "out", progress=lambda *now: seen.append(now))
    size = (tmp_path / "own.csv").stat().st_size
    assert seen[-1] == (size, size, 2)


def test_synthetic_is_made_once_per_seed(tmp_path: Path, monkeypatch):
    first = module.synthetic(seed=3, out=tmp_path / "s", events=2_000)
    inode = first[0].path.stat().st_ino
    again = module.synthetic(seed=3, out=tmp_path / "s", events=2_000)
    assert again[0].path.stat().st_ino == inode
    other = module.synthetic(seed=4, out=tmp_path / "s", events=2_000)
    assert other[0].sha256 != first[0].sha256


def test_a_synthetic_market_that_several_make_at_once_is_written_once(tmp_path: Path, monkeypatch):
    """As the first replays of a clean clone do that run at a time; here they are threads."""
    everybody, wrote, found = threading.Barrier(3), [], []
    synthesize, write = synthetic.synthesize, module.write_feeds

    def made(*given, **named):
        feed = synthesize(*given, **named)
        everybody.wait(30)  # nobody has seen it written
        return feed

    def written(*given):
        wrote.append(given)
        return write(*given)

    monkeypatch.setattr(synthetic, "synthesize", made)
    monkeypatch.setattr(module, "write_feeds", written)
    make = partial(module.synthetic, seed=4, events=2_000, out=tmp_path / "market")
    makers = [threading.Thread(target=lambda: found.append(make())) for _ in range(3)]
    for one in makers:
        one.start()
    for one in makers:
        one.join(60)
    assert len(wrote) == 1 and len(found) == 3
    assert len({tuple(tape.sha256 for tape in tapes) for tapes in found}) == 1
    assert [path.name for path in (tmp_path / "market").glob("*.aside")] == []


def test_a_recording_whose_clock_is_behind_is_refused_then_repaired(tmp_path: Path, shared_data):
    whole = shared_data / "binance_raw_btc_20240808" / "spot_btcusdt_20240808.gz"
    path = tmp_path / whole.name  # the clock is behind from the first row on
    with gzip.open(whole) as lines:
        path.write_bytes(gzip.compress(b"".join(islice(lines, 8_000))))
    with pytest.raises(DataError, match=r"negative_latency: .*--clock-fix"):
        take_in(path, tmp_path, symbol=None, tick="0.01", lot="0.00001")
    tapes = take_in(path, tmp_path, symbol=None, tick="0.01", lot="0.00001", clock_fix=True)
    assert tapes[0].summary["latency_ns_min"] == 1_000_000
    tapes.verify()


CELLS = st.sampled_from(
    ["1704196800", "2024-01-02T12:00:00Z", "", "nan", "-1", "1e400", "100.25", "0", "x", '"', "NaN"]
)
HEADERS = ["ts,price,qty", "ts,bid,ask,bid_qty,ask_qty", "ts,kind,side,price,qty,order_id", "a,b"]


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(HEADERS), st.lists(st.lists(CELLS, min_size=1, max_size=7), max_size=6))
def test_any_csv_is_ingested_or_refused_with_a_sentence(tmp_path: Path, header, rows):
    path, out = tmp_path / "fuzz.csv", tmp_path / "out"
    path.write_text("\n".join([header, *(",".join(row) for row in rows)]))
    waive = ["off_grid", "bad_number", "negative_qty", "receive_disorder", "zero_qty"]
    try:
        take_in(path, out, format="csv", waive=waive).verify()
    except HftError as error:
        assert "\n" not in str(error)
        assert "fuzz.csv" in str(error)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(min_size=1, max_size=80), st.sampled_from([b"", b"\x1f\x8b\x08", b"PAR1", b"PK"]))
def test_any_bytes_are_refused_with_a_sentence(tmp_path: Path, noise: bytes, magic: bytes):
    path = tmp_path / "noise.bin"
    path.write_bytes(magic + noise)
    with pytest.raises(HftError, match=r"noise\.bin"):
        take_in(path, tmp_path / "out")
