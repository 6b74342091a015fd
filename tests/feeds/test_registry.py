"""Formats by name, by sniffing and from a user's own file."""

import gzip
import lzma
import zipfile
from pathlib import Path

import pytest

from hft.core.errors import ConfigError, DataError
from hft.feeds.base import DecodeOptions
from hft.feeds.files import peek, read_bytes
from hft.feeds.registry import FORMATS, decoder, formats, sniff, sniff_all

CSV = b"ts,price,qty\n1704196800,100.25,1\n"
PLUG_IN = """
from decimal import Decimal
from hft.core.instruments import Instrument
from hft.tape.schema import Columns, Feed
NAMES = ("mine",)
DESCRIPTION = "my own"
def sniff(head, path): return "mine" if head.startswith(b"MINE") else None
def decode(paths, options):
    instrument = options.instrument("M", Instrument("M", Decimal(1), Decimal(1)))
    return [Feed(instrument, Columns.empty(3))]
"""


def packed(tmp_path: Path, how: str) -> Path:
    path = tmp_path / f"own.csv.{how}"
    if how == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("own.csv", CSV)
        return path
    if how == "zst":
        import zstandard

        path.write_bytes(zstandard.compress(CSV))
        return path
    path.write_bytes({"gz": gzip.compress, "xz": lzma.compress, "plain": bytes}[how](CSV))
    return path


@pytest.mark.parametrize("how", ["gz", "xz", "zip", "zst", "plain"])
def test_a_packed_file_is_read_and_sniffed_by_its_content(tmp_path: Path, how):
    path = packed(tmp_path, how)
    assert read_bytes(path) == CSV
    assert peek(path, 8) == CSV[:8]
    assert sniff(path) == "csv"


@pytest.mark.parametrize("how", ["gz", "xz", "zip", "zst"])
def test_a_file_cut_short_is_refused_with_its_name(tmp_path: Path, how):
    path = packed(tmp_path, how)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DataError, match=rf"{path.name}: the compressed file is cut short"):
        read_bytes(path)


def test_empty_missing_and_unknown_files_are_one_sentence(tmp_path: Path):
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "noise").write_bytes(bytes(range(200)))
    for name, message in (("empty", "is empty"), ("gone", "no such file")):
        with pytest.raises(DataError, match=message):
            sniff(tmp_path / name)
    with pytest.raises(DataError, match=r"of no known format.*--format"):
        sniff(tmp_path / "noise")


def test_mixed_formats_name_both_files(tmp_path: Path):
    csv = packed(tmp_path, "plain")
    other = tmp_path / "b.parquet"
    other.write_bytes(b"PAR1....")
    with pytest.raises(DataError, match=r"b.parquet: is parquet but .* is csv"):
        sniff_all([csv, other])


def test_an_unknown_format_lists_those_there_are():
    with pytest.raises(ConfigError, match="binance-usdm"):
        decoder("binanse")
    assert {name for name, _ in formats()} == set(FORMATS)


def test_a_plug_in_is_one_file(tmp_path: Path):
    path = tmp_path / "mine.py"
    path.write_text(PLUG_IN)
    name, module = decoder(str(path))
    assert name == "mine"
    (feed,) = module.decode([], DecodeOptions())
    assert feed.instrument.symbol == "M"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import nothing_there", "nothing_there"),
        ("NAMES = ('a',)", "sniff"),
        ("import sys; sys.exit(0)", "broken.py: SystemExit: 0"),
    ],
)
def test_a_broken_plug_in_is_one_sentence(tmp_path: Path, source, message):
    path = tmp_path / "broken.py"
    path.write_text(source)
    with pytest.raises(ConfigError, match=message):
        decoder(str(path))


def test_a_plug_in_that_leaves_the_process_is_one_sentence(tmp_path: Path):
    path = tmp_path / "leaves.py"
    path.write_text(f"import sys\n{PLUG_IN}\ndef decode(paths, options):\n    sys.exit(0)\n")
    _, module = decoder(str(path))
    with pytest.raises(DataError, match=r"leaves.py, line \d+: SystemExit: 0"):
        module.decode([], DecodeOptions())


def test_vendor_files_are_recognised(shared_data: Path):
    expected = {
        "binance_raw_btc_20240808/usdm_btcusdt_20240808.gz": "binance-usdm",
        "binance_raw_btc_20240808/cm_btcusd_perp_20240809.gz": "binance-coinm",
        "binance_raw_btc_20240808/spot_btcusdt_20240808.gz": "binance-spot",
        "databento_dbn_es/esh4-glbx-mdp3-20231225.mbo.dbn.zst": "databento",
    }
    assert {name: sniff(shared_data / name) for name in expected} == expected
