"""Databento: what cannot be read is refused with its name; the table of live orders."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hft.core.codes import EventKind
from hft.core.errors import DataError
from hft.feeds import databento, databento_rows
from hft.feeds.base import DecodeOptions, settle
from tests.feeds.databento_files import OPTIONS, SECOND_DAY, decode_mbo, named, write
from tests.feeds.recordings import header, mbo

# Bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"DBN", "not a DBN file"),
        (b"DBZ" + bytes(100), "not a DBN file"),
        (header(0)[:60], "header is cut short"),
        (b"DBN\x09" + header(0)[4:], "version 9 is not supported"),
        (header(7) + mbo(("A", "B", 1, 1, 1, 0)).tobytes(), "schema 7 is not supported"),
        (header(0, ts_out=1) + bytes(56), "send times"),
        (header(0), "no records"),
        (header(0) + mbo(("A", "B", 1, 1, 1, 0)).tobytes()[:-3], "record 1: cut short"),
        (header(1) + mbo(("A", "B", 1, 1, 1, 0)).tobytes(), "record 1: 56 bytes"),
        (header(9, version=3) + bytes([90, 0x13]) + bytes(358), "record 1: 360 bytes"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_its_name(
    tmp_path: Path, data: bytes, text: str
) -> None:
    path = tmp_path / "bad.dbn"
    path.write_bytes(data)
    with pytest.raises(DataError, match=text) as refusal:
        databento.decode([path], OPTIONS)
    assert "bad.dbn" in str(refusal.value)


def test_a_record_of_another_kind_inside_is_a_finding_that_refuses(tmp_path: Path) -> None:
    records = mbo(*[("A", "B", 100, 1, n, 128) for n in range(1, 4)])
    records["rtype"][1] = 0x17
    feed = databento.decode([write(tmp_path / "a.dbn", records)], OPTIONS)[0]
    assert named(feed)["bad_row"] == (1, 2)
    with pytest.raises(DataError, match="row 2: bad_row"):
        settle(feed, OPTIONS)


def test_a_torn_compressed_file_is_refused(es: Any, tmp_path: Path) -> None:
    path = tmp_path / "torn.dbn.zst"
    path.write_bytes(es(SECOND_DAY).read_bytes()[:-1000])
    with pytest.raises(DataError, match=r"torn\.dbn\.zst"):
        databento.decode([path], OPTIONS)


@settings(max_examples=60)
@given(position=st.integers(0, 500), value=st.integers(0, 255))
def test_any_flipped_byte_is_accepted_or_refused_with_a_reason(
    tmp_path_factory: pytest.TempPathFactory, position: int, value: int
) -> None:
    data = bytearray(header(0) + mbo(*[("A", "B", 100, 1, n, 128) for n in range(1, 5)]).tobytes())
    data[position % len(data)] = value
    path = tmp_path_factory.mktemp("flip") / "a.dbn"
    path.write_bytes(data)
    try:
        feeds = databento.decode([path], DecodeOptions())
    except DataError as refusal:
        assert "a.dbn" in str(refusal) or "tick" in str(refusal)
    else:
        assert all(len(set(map(len, feed.columns))) == 1 for feed in feeds)


# The table of live orders against a dictionary ------------------------------------------------


@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from("ACM"), st.integers(1, 12)), max_size=120))
def test_the_table_of_live_orders_agrees_with_a_dictionary(events: list[tuple[str, int]]) -> None:
    records = mbo(*[(action, "B", 100, 1, key * 2**33, 128) for action, key in events] or [])
    live: set[int] = set()
    unknown = duplicate = 0
    for action, key in events:
        unknown += action != "A" and key not in live
        duplicate += action == "A" and key in live
        live = live - {key} if action == "C" else live | {key}
    if not len(records):
        return
    records.flags.writeable = False
    found = np.zeros(len(databento_rows.FINDINGS), databento_rows.FOUND)
    state = np.zeros(databento_rows.STATE, np.int64)
    databento._decode_mbo(records, 250_000_000, state, found)
    assert state[databento_rows.LIVE] == len(live)
    assert found[databento_rows.UNKNOWN]["count"] == unknown
    assert found[databento_rows.DUPLICATE]["count"] == duplicate


def test_tables_and_columns_grow_with_the_number_of_orders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databento, "FIRST_TABLE_ROWS", 4)
    monkeypatch.setattr(databento, "SPARE_ROWS", 2)
    events = []
    for n in range(1, 60):  # a CLEAR before each order needs twice the rows
        events += [("A", "B", 100, 1, n, 32 if n % 2 else 0)]
    events += [("A", "B", 100, 1, n, 0) for n in range(60, 99)]
    events += [("C", "B", 100, 1, n, 128) for n in range(60, 99)]
    feed = decode_mbo(tmp_path, *events)
    assert np.count_nonzero(feed.columns.kind == EventKind.CLEAR) == 30
    assert len(feed.columns.kind) == len(events) + 30
    assert "unknown_order_id" not in named(feed)
