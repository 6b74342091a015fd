"""Databento: records against the official decoder, rows against meaning, days against truth.

The truth tests replay raw records (never our rows) with dictionaries, so that decoder and test can
only agree by both being right.
"""

from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from hft.core.codes import EventKind, Flag
from hft.core.errors import DataError
from hft.feeds import databento
from hft.feeds import databento_records as dbn
from hft.feeds.base import DecodeOptions, settle
from tests.feeds.databento_files import (
    DEFINITIONS,
    ES,
    FIRST_DAY,
    OPTIONS,
    QUOTES,
    SECOND_DAY,
    TRADES,
    decode_mbo,
    named,
    table,
    write,
)
from tests.feeds.recordings import SECOND, header, mbo

UNSIGNED = ("order_id", "expiration", "activation")


# The official decoder as oracle ---------------------------------------------------------------


def official(path: Path) -> list[Any]:
    oracle = pytest.importorskip("databento_dbn")
    decoder = oracle.DBNDecoder(upgrade_policy=oracle.VersionUpgradePolicy.AS_IS)
    with path.open("rb") as file:
        stream = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)
        decoder.write(stream.read())
    return list(decoder.decode())


def plain(value: Any) -> Any:
    """An official value as the number or text behind it."""
    if isinstance(value, int):
        return int(value)
    if isinstance(value, str):
        return value
    return plain(value.value) if hasattr(value, "value") else int(value)


@pytest.mark.parametrize("name", [FIRST_DAY, SECOND_DAY, QUOTES, TRADES, DEFINITIONS])
def test_every_field_of_every_record_equals_the_official_decoder(es: Any, name: str) -> None:
    metadata, *theirs = official(es(name))
    file = dbn.read(es(name))
    assert (file.version, file.dataset) == (metadata.version, metadata.dataset)
    assert file.schema == str(metadata.schema)
    assert sorted(file.symbols.values()) == sorted(metadata.symbols)
    assert len(theirs) == len(file.records) > 0
    skipped = {"length", "levels"} | {n for n in file.records.dtype.names if "reserved" in n}
    fields = [field for field in file.records.dtype.names if field not in skipped]
    compared = 0
    for field in fields:
        column = file.records[field]
        if column.dtype.kind == "i" and (field.startswith("ts_") or field in UNSIGNED):
            column = column.astype(np.uint64) if field != "ts_in_delta" else column
        is_code = field in ("action", "side")
        mine = [chr(v) if is_code else v for v in column.tolist()]
        mine = [v.decode() if isinstance(v, bytes) else v for v in mine]
        assert mine == [plain(getattr(record, field)) for record in theirs], field
        compared += len(mine)
    if "levels" in file.records.dtype.names:
        for field in ("bid_px", "ask_px", "bid_sz", "ask_sz", "bid_ct", "ask_ct"):
            mine = file.records["levels"][field][:, 0].tolist()
            assert mine == [getattr(record.levels[0], field) for record in theirs]
    print(f"{name}: {compared} values of {len(fields)} fields equal")
    assert compared == len(fields) * len(theirs)


@pytest.mark.parametrize("version", [1, 2, 3])
def test_official_bytes_of_each_version_are_read(tmp_path: Path, version: int) -> None:
    oracle = pytest.importorskip("databento_dbn")
    metadata = oracle.Metadata(
        dataset="GLBX.MDP3",
        start=0,
        stype_in=oracle.SType.RAW_SYMBOL,
        stype_out=oracle.SType.INSTRUMENT_ID,
        schema=oracle.Schema.MBO,
        symbols=["ESH4"],
        version=version,
    )
    assert metadata.version == version
    records = mbo(("A", "B", 100, 1, 5, 128), ("C", "B", 100, 1, 5, 128))
    path = tmp_path / "a.dbn.zst"
    path.write_bytes(zstandard.compress(metadata.encode() + records.tobytes()))
    file = dbn.read(path)
    assert (file.version, file.dataset, file.schema) == (version, "GLBX.MDP3", "mbo")
    assert file.records.tobytes() == records.tobytes()


# What the rows mean ---------------------------------------------------------------------------


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_snapshot_begins_with_clear_ends_with_last_and_happens_when_it_was_sent(
    tmp_path: Path, version: int
) -> None:
    feed = decode_mbo(
        tmp_path,
        ("A", "B", 100, 3, 1, 32),
        ("A", "A", "100.25", 4, 2, 32),
        ("A", "B", "99.75", 5, 3, 0),
        ("C", "A", "100.25", 1, 2, 128),
        version=version,
    )
    assert feed.instrument.symbol == "ESH4"
    assert table(feed) == [
        (EventKind.CLEAR, 2, 0, 0, 0, 0),
        (EventKind.ADD, 0, 400, 3, 1, 0),
        (EventKind.ADD, 1, 401, 4, 2, Flag.LAST),
        (EventKind.ADD, 0, 399, 5, 3, 0),
        (EventKind.CANCEL, 1, 401, 1, 2, Flag.LAST),
    ]
    columns = feed.columns
    assert columns.exch_ts[:3].tolist() == columns.local_ts[:3].tolist()
    assert (columns.local_ts[3:] - columns.exch_ts[3:]).tolist() == [500, 500]
    assert not named(feed)


def test_a_modify_is_what_it_does_to_the_queue(tmp_path: Path) -> None:
    feed = decode_mbo(
        tmp_path,
        ("R", "N", 0, 0, 0, 128),
        ("A", "B", 100, 5, 1, 0),
        ("M", "B", 100, 5, 1, 128),
        ("M", "B", 100, 3, 1, 128),
        ("M", "B", 100, 4, 1, 128),
        ("M", "B", "100.25", 4, 1, 128),
        ("C", "B", "100.25", 4, 1, 128),
    )
    add, cancel, last = EventKind.ADD, EventKind.CANCEL, Flag.LAST
    assert table(feed)[1:] == [
        (add, 0, 400, 5, 1, last),  # the modify that changes nothing has no row of its own
        (cancel, 0, 400, 2, 1, last),  # smaller: keeps its place
        (cancel, 0, 400, 3, 1, 0),  # larger: leaves and joins behind the others
        (add, 0, 400, 4, 1, last),
        (cancel, 0, 400, 4, 1, 0),  # another price
        (add, 0, 401, 4, 1, last),
        (cancel, 0, 401, 4, 1, last),
    ]


def test_an_iceberg_that_shows_its_next_part_goes_to_the_end_of_the_queue(tmp_path: Path) -> None:
    feed = decode_mbo(
        tmp_path,
        ("R", "N", 0, 0, 0, 128),
        ("A", "B", 100, 5, 1, 128),
        ("T", "A", 100, 2, 9, 0),
        ("F", "B", 100, 2, 1, 0),
        ("M", "B", 100, 3, 1, 128),
        ("T", "A", 100, 3, 9, 0),
        ("F", "B", 100, 3, 1, 0),
        ("M", "B", 100, 3, 1, 128),
    )
    rows = [row[:5] for row in table(feed)]
    assert rows[4] == (EventKind.CANCEL, 0, 400, 2, 1)
    assert rows[7:] == [(EventKind.CANCEL, 0, 400, 3, 1), (EventKind.ADD, 0, 400, 3, 1)]


def test_events_of_unknown_orders_never_touch_the_lots_of_others(tmp_path: Path) -> None:
    feed = decode_mbo(
        tmp_path,
        ("R", "N", 0, 0, 0, 128),
        ("A", "B", 100, 5, 1, 128),
        ("C", "B", 100, 2, 8, 128),
        ("M", "B", 100, 2, 9, 128),
        ("C", "B", 100, 9, 1, 128),
    )
    assert [row[:5] for row in table(feed)[1:]] == [
        (EventKind.ADD, 0, 400, 5, 1),
        (EventKind.ADD, 0, 400, 2, 9),
        (EventKind.CANCEL, 0, 400, 5, 1),
    ]
    assert named(feed)["unknown_order_id"] == (2, 3)


def test_a_trade_carries_the_volume_and_a_fill_leaves_the_book_to_the_next_rows(
    tmp_path: Path,
) -> None:
    feed = decode_mbo(
        tmp_path,
        ("R", "N", 0, 0, 0, 128),
        ("A", "B", 100, 5, 1, 128),
        ("T", "A", 100, 2, 77, 0),
        ("F", "B", 100, 2, 1, 0),
        ("C", "B", 100, 2, 1, 128),
    )
    assert table(feed)[2:] == [
        (EventKind.TRADE, 1, 400, 2, 0, 0),
        (EventKind.EXECUTE, 0, 400, 2, 1, Flag.NO_BOOK),
        (EventKind.CANCEL, 0, 400, 2, 1, Flag.LAST),
    ]


def test_a_fill_of_the_aggressors_own_order_is_left_out_and_counted(tmp_path: Path) -> None:
    feed = decode_mbo(
        tmp_path,
        ("R", "N", 0, 0, 0, 128),
        ("A", "B", 100, 1, 1, 128),
        ("A", "A", "100.25", 1, 2, 128),
        ("T", "B", "100.25", 1, 1, 0),
        ("F", "B", "100.25", 1, 1, 0),
        ("F", "A", "100.25", 1, 2, 0),
        ("C", "B", 100, 1, 1, 0),
        ("C", "A", "100.25", 1, 2, 128),
    )
    executed = [row[4] for row in table(feed) if row[0] == EventKind.EXECUTE]
    assert executed == [2]
    assert named(feed) == {"skipped": (1, 5)}


def test_an_auction_is_flagged_and_takes_its_sides_from_the_orders(tmp_path: Path) -> None:
    feed = decode_mbo(
        tmp_path,
        ("R", "N", 0, 0, 0, 128),
        ("A", "B", 101, 2, 1, 128),
        ("A", "A", 100, 2, 2, 128),
        ("T", "N", 100, 2, 0, 0),
        ("F", "N", 100, 2, 1, 0),
        ("F", "N", 100, 1, 2, 0),
        ("F", "N", 100, 1, 99, 128),
    )
    assert table(feed)[3:] == [
        (EventKind.TRADE, 2, 400, 2, 0, Flag.AUCTION),
        (EventKind.EXECUTE, 0, 400, 2, 1, Flag.AUCTION | Flag.NO_BOOK),
        (EventKind.EXECUTE, 1, 400, 1, 2, Flag.AUCTION | Flag.NO_BOOK | Flag.LAST),
    ]
    assert named(feed) == {"skipped": (1, 7), "unknown_side": (1, 4)}


def test_defects_of_the_stream_are_findings_with_their_first_record(tmp_path: Path) -> None:
    feed = decode_mbo(
        tmp_path,
        ("A", "B", 100, 2, 1, 128),
        ("A", "B", 100, 2, 1, 128),
        ("C", "B", 100, 2, 8, 128),
        ("A", "B", "100.10", 2, 3, 128),
        ("A", "B", 100, 0, 4, 128),
        ("C", "B", 100, 2, 1, 128 | 4),
    )
    assert named(feed) == {
        "missing_snapshot": (1, 1),
        "duplicate": (1, 2),
        "unknown_order_id": (1, 3),
        "off_grid": (1, 4),
        "zero_qty": (1, 5),
        "gap": (1, 6),
    }
    with pytest.raises(DataError, match="row 6: gap"):
        settle(feed, OPTIONS)


Ladder = list[tuple[int, int]]  # (price, size), best first


def mbp_10(ladders: list[tuple[Ladder, Ladder]]) -> np.ndarray:
    records = np.zeros(len(ladders), dbn.RECORDS[dbn.MBP_10])
    records["length"], records["rtype"], records["instrument_id"] = 92, 0x0A, 17
    records["action"], records["side"], records["flags"] = ord("A"), ord("B"), 128
    records["ts_event"] = records["ts_recv"] = SECOND + np.arange(len(ladders))
    levels = records["levels"]
    levels["bid_px"] = levels["ask_px"] = dbn.UNDEFINED_PRICE
    for row, sides in enumerate(ladders):
        for (px, sz), side in zip((("bid_px", "bid_sz"), ("ask_px", "ask_sz")), sides, strict=True):
            for level, (price, size) in enumerate(side):
                levels[px][row, level], levels[sz][row, level] = price * SECOND, size
    return records


def test_price_levels_become_the_changes_between_two_ladders(tmp_path: Path) -> None:
    records = mbp_10(
        [([(100, 5), (99, 6)], [(101, 7)]), ([(99, 4)], [(101, 7), (102, 1)]), ([], [])]
    )
    feed = databento.decode([write(tmp_path / "a.dbn", records, schema=2)], OPTIONS)[0]
    level, last = EventKind.LEVEL, Flag.LAST
    assert table(feed) == [
        (EventKind.CLEAR, 2, 0, 0, 0, 0),
        (level, 0, 400, 5, 0, 0),
        (level, 0, 396, 6, 0, 0),
        (level, 1, 404, 7, 0, last),
        (level, 0, 400, 0, 0, 0),
        (level, 0, 396, 4, 0, 0),
        (level, 1, 408, 1, 0, last),
        (level, 0, 396, 0, 0, 0),
        (level, 1, 404, 0, 0, 0),
        (level, 1, 408, 0, 0, last),
    ]


SIDE_OF_LADDER = st.dictionaries(st.integers(1, 25), st.integers(1, 3), max_size=10)


@settings(max_examples=60)
@given(st.lists(st.tuples(SIDE_OF_LADDER, SIDE_OF_LADDER), min_size=1, max_size=12))
def test_level_rows_replayed_are_the_recorded_ladders(
    tmp_path_factory: pytest.TempPathFactory, sides: list[tuple[dict, dict]]
) -> None:
    ladders = [
        (sorted(bids.items(), reverse=True), sorted((p + 25, q) for p, q in asks.items()))
        for bids, asks in sides
    ]
    path = write(tmp_path_factory.mktemp("mbp") / "a.dbn", mbp_10(ladders), schema=2)
    feed = databento.decode([path], OPTIONS)[0]
    rows = zip(feed.columns.exch_ts.tolist(), table(feed), strict=True)
    moved = sorted((ts - SECOND, *row[:4]) for ts, row in rows if row[0] == EventKind.LEVEL)
    book: tuple[dict[int, int], dict[int, int]] = ({}, {})
    for at, ladder in enumerate(ladders):
        for _, _, side, price, qty in [row for row in moved if row[0] == at]:
            assert book[side].get(price, 0) != qty, "a row that changes nothing"
            book[side][price] = qty
        for side in (0, 1):
            left = {price // 4: qty for price, qty in book[side].items() if qty}
            assert left == dict(ladder[side])


def test_instruments_of_one_file_become_feeds_of_their_own(tmp_path: Path) -> None:
    records = mbo(*[("A", "B", 100, 1, n, 128) for n in range(1, 7)])
    records["instrument_id"][1::2] = 18
    records["price"][5] += 1
    options = DecodeOptions(instruments={"ESH4": ES, "18": ES})
    first, second = databento.decode([write(tmp_path / "a.dbn", records)], options)
    assert first.columns.order_id.tolist() == [1, 3, 5]
    assert second.columns.order_id.tolist() == [2, 4, 6]
    assert named(second)["off_grid"] == (1, 6)  # the record's number in the file


def test_a_tick_told_from_prices_is_a_finding_and_a_definition_beside_the_file_is_better(
    es: Any,
) -> None:
    with pytest.raises(DataError, match=r"is unknown: .* give its tick \(--tick\)"):
        databento.decode([es(QUOTES)], DecodeOptions())
    alone = databento.decode([es(QUOTES)], DecodeOptions(waive=("guessed_tick",)))[0]
    assert alone.instrument.tick == Decimal("0.25") and "guessed_tick" in named(alone)
    known = databento.decode([es(DEFINITIONS), es(QUOTES)], DecodeOptions())[0]
    assert not named(known)
    assert known.instrument.multiplier == 50 and known.instrument.currency == "USD"
    assert known.instrument.notes == ("expires 20240920",)
    root = DecodeOptions(instruments={"ES": ES})
    assert databento.decode([es(QUOTES)], root)[0].instrument.symbol == "ESU4"


def official_definition(oracle: Any, version: int) -> bytes:
    """A definition record of a later version, made by the official package."""
    known = {
        "publisher_id": 1,
        "instrument_id": 17,
        "ts_event": 11,
        "ts_recv": 12,
        "min_price_increment": 250_000_000,
        "display_factor": SECOND,
        "expiration": 1_710_504_000 * SECOND,
        "unit_of_measure_qty": 50 * SECOND,
        "raw_symbol": "ESH4",
        "currency": "EUR",
        "exchange": "XCME",
        "instrument_class": oracle.InstrumentClass.FUTURE,
        "security_update_action": oracle.SecurityUpdateAction.ADD,
        "match_algorithm": oracle.MatchAlgorithm.FIFO,
        "user_defined_instrument": oracle.UserDefinedInstrument.NO,
    }
    record = oracle.InstrumentDefMsgV2 if version == 2 else oracle.InstrumentDefMsg
    texts = {"settl_currency", "secsubtype", "group", "asset", "cfi", "security_type"}
    texts |= {"unit_of_measure", "underlying", "strike_price_currency"}
    for name in record.__text_signature__.strip("()").split(", "):
        if "=" not in name and name not in known:
            known[name] = "" if name in texts else 0
    if version == 2:
        known["contract_multiplier"] = np.iinfo(np.int32).max
    return bytes(record(**known))


@pytest.mark.parametrize("version", [2, 3])
def test_definitions_of_later_versions_name_the_instrument(tmp_path: Path, version: int) -> None:
    oracle = pytest.importorskip("databento_dbn")
    path = tmp_path / "definition.dbn"
    path.write_bytes(header(9, version) + official_definition(oracle, version))
    market = write(tmp_path / "a.dbn", mbo(("R", "N", 0, 0, 0, 128), ("A", "B", 1, 1, 1, 128)))
    known = databento.decode([path, market], DecodeOptions())[0].instrument
    assert (known.symbol, known.tick, known.multiplier) == ("ESH4", Decimal("0.25"), 50)
    assert (known.currency, known.venue, known.notes) == ("EUR", "XCME", ("expires 20240315",))
