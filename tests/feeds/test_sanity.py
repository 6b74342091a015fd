"""The sanity checks of every tape: what each sees in rows, whoever decoded them."""

from decimal import Decimal

import numpy as np
import polars as pl
import pytest

from hft.core.codes import EventKind, Flag, StatusCode
from hft.core.errors import DataError
from hft.core.instruments import Instrument
from hft.feeds.base import DecodeOptions, settle
from hft.feeds.checks import LOTS_MAX, NAMES
from hft.feeds.findings import LIMITS
from hft.feeds.frame import decode_frame
from hft.feeds.sanity import Sanity
from hft.tape.schema import Columns, Feed, Finding

pytestmark = pytest.mark.nojit

SECOND = 1_000_000_000
BID, ASK, ALL = 0, 1, 2
LEVEL, CLEAR, SNAPSHOT = EventKind.LEVEL, EventKind.CLEAR, EventKind.SNAPSHOT
ADD, CANCEL, EXECUTE = EventKind.ADD, EventKind.CANCEL, EventKind.EXECUTE
BBO, TRADE = EventKind.BBO, EventKind.TRADE


def columns_of(*rows):
    """Rows of (seconds, kind, side, price, qty[, order id[, flags]])."""
    out = Columns.empty(len(rows))
    for i, (seconds, kind, side, price, qty, *rest) in enumerate(rows):
        out.exch_ts[i] = out.local_ts[i] = int(seconds * SECOND)
        out.kind[i], out.side[i], out.price[i], out.qty[i] = kind, side, price, qty
        out.order_id[i], out.flags[i] = [*rest, 0, 0][:2]
    return out


def found(*rows):
    """Name -> count of what the checks see in rows."""
    columns = columns_of(*rows)
    return {one.name: one.count for one in Sanity(columns, "x").part(0, len(rows))}


QUOTED = ((1, BBO, BID, 100, 5), (1, BBO, ASK, 102, 5))
ORDERS = ((1, CLEAR, ALL, 0, 0, 0, Flag.LAST), (2, ADD, BID, 100, 5, 7), (2, ADD, ASK, 102, 5, 8))


def test_quotes_and_orders_that_can_be_true_show_nothing():
    assert found(*QUOTED, (2, TRADE, BID, 102, 1)) == {}
    assert found(*ORDERS, (3, EXECUTE, BID, 100, 2, 7), (4, CANCEL, BID, 100, 3, 7)) == {
        "one_sided": 1
    }


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("crossed_book", (*QUOTED, (2, BBO, ASK, 99, 5))),
        ("locked_book", (*QUOTED, (2, BBO, ASK, 100, 5))),
        ("locked_long", (*QUOTED, (2, BBO, ASK, 100, 5), (3, TRADE, BID, 100, 1))),
        ("one_sided", (*QUOTED, (2, BBO, ASK, 0, 0))),
        ("non_positive_price", (*QUOTED, (2, BBO, ASK, 0, 5))),
        ("non_positive_price", (*QUOTED, (2, BBO, BID, -1, 5))),
        ("zero_qty", (*QUOTED, (2, TRADE, BID, 102, 0))),
        ("huge_number", (*QUOTED, (2, BBO, BID, 100, LOTS_MAX + 1))),
        ("huge_number", (*QUOTED, (2, BBO, ASK, (1 << 40) + 1, 1))),
        ("repeated_row", (*QUOTED, (2, TRADE, BID, 102, 1), (2, TRADE, BID, 102, 1))),
        ("silence", (*QUOTED, (400, TRADE, BID, 102, 1))),
        ("far_price", (*QUOTED, (2, TRADE, BID, 1020, 1))),
        ("outside_touch", (*QUOTED, (2, TRADE, BID, 103, 1))),
        ("side_against_touch", (*QUOTED, (2, TRADE, ASK, 102, 1))),
        ("unknown_side", (*QUOTED, (2, TRADE, ALL, 102, 1))),
        ("unknown_order_id", (*ORDERS, (3, CANCEL, BID, 100, 1, 9))),
        ("duplicate", (*ORDERS, (3, ADD, BID, 100, 1, 7))),
        ("over_reduced", (*ORDERS, (3, CANCEL, BID, 100, 6, 7))),
        ("order_mismatch", (*ORDERS, (3, CANCEL, BID, 99, 1, 7))),
        ("order_mismatch", (*ORDERS, (3, EXECUTE, ASK, 100, 1, 7))),
        ("missing_snapshot", ORDERS[1:]),
        ("book_invalid", (*ORDERS, (3, CLEAR, ALL, 0, 0), (4, LEVEL, BID, 99, 1, 0, Flag.LAST))),
        (
            "book_never_valid",
            ((1, CLEAR, ALL, 0, 0), (2, LEVEL, BID, 9, 1), (2, LEVEL, ASK, 10, 1)),
        ),
    ],
)
def test_what_cannot_be_or_is_worth_knowing_is_counted(name, rows):
    assert found(*rows)[name] >= 1
    assert name in LIMITS


def test_a_doubled_print_is_found_behind_the_quotes_of_its_row():
    print_, quotes = (2, TRADE, BID, 102, 1), ((2, BBO, BID, 100, 5), (2, BBO, ASK, 102, 5))
    columns = columns_of(*quotes, print_, *quotes, print_)
    (finding,) = Sanity(columns, "x").part(0, 6)
    assert (finding.name, finding.count, finding.first_row) == ("repeated_row", 1, 6)
    assert "TRADE buy 1 lots at tick 102" in finding.note
    for other in ((2, TRADE, BID, 102, 2), (2, TRADE, ALL, 102, 1), (3, TRADE, BID, 102, 1)):
        assert "repeated_row" not in found(*quotes, print_, *quotes, other)


def test_rows_received_early_or_very_late_are_counted():
    columns = columns_of(*QUOTED, (200, TRADE, BID, 102, 1))
    columns.local_ts[0] -= 5
    columns.exch_ts[2] -= 61 * SECOND
    names = {one.name: one.count for one in Sanity(columns, "x").part(0, 3)}
    assert (names["negative_latency"], names["slow_receive"]) == (1, 1)


def test_groups_that_cross_within_one_moment_are_not_crossed():
    assert "crossed_book" not in found(*QUOTED, (2, BBO, BID, 103, 5), (2, BBO, ASK, 104, 5))


STATUS, CROSSING = EventKind.STATUS, (3, BBO, ASK, 99, 5)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (StatusCode.OPEN, "crossed_book"),
        (StatusCode.GAP, "crossed_book"),
        (StatusCode.AUCTION, "crossed_auction"),
        (StatusCode.HALT, "crossed_auction"),
        (StatusCode.CLOSE, "crossed_auction"),
    ],
)
def test_a_book_may_cross_while_status_rows_say_that_nothing_trades(code, name):
    seen = found(*QUOTED, (2, STATUS, ALL, 0, code), CROSSING)
    assert {n: c for n, c in seen.items() if n.startswith("crossed")} == {name: 1}
    opened = found(*QUOTED, (2, STATUS, ALL, 0, code), (3, STATUS, ALL, 0, 0), CROSSING)
    assert opened["crossed_book"] == 1


GLOBEX_OPEN = np.datetime64("2023-12-25T23:00:00", "ns").astype(np.int64)  # closed since the 22nd


@pytest.mark.parametrize(
    ("calendar", "told"),
    [("CMES", (1, 2)), ("24/7", (3, None)), (None, (3, None)), ("NOWHERE", (3, None))],
)
def test_a_book_may_cross_outside_the_hours_of_a_calendar(calendar, told):
    rows = columns_of(*QUOTED, (2, BBO, ASK, 99, 5), (9, BBO, ASK, 98, 5), (10, BBO, ASK, 97, 5))
    for times in (rows.exch_ts, rows.local_ts):
        times += GLOBEX_OPEN - 10 * SECOND  # the last row is of the opening moment
    names = {f.name: f.count for f in Sanity(rows, "x", calendar=calendar).part(0, 5)}
    assert (names["crossed_book"], names.get("crossed_auction")) == told


def test_status_rows_count_before_the_calendar():
    rows = columns_of(*QUOTED, (2, STATUS, ALL, 0, StatusCode.OPEN), CROSSING)
    for times in (rows.exch_ts, rows.local_ts):
        times += GLOBEX_OPEN - 10 * SECOND
    names = {one.name for one in Sanity(rows, "x", calendar="CMES").part(0, 4)}
    assert "crossed_book" in names and "crossed_auction" not in names


def test_a_book_may_be_locked_for_long_outside_continuous_trading():
    locked = ((3, BBO, ASK, 100, 5), (9, TRADE, BID, 100, 1))
    assert found(*QUOTED, *locked)["locked_long"] == 1
    auction = (2, STATUS, ALL, 0, StatusCode.AUCTION)
    assert "locked_long" not in found(*QUOTED, auction, *locked)


def test_findings_say_whose_row_is_the_first():
    feed = Feed(
        Instrument("X", Decimal(1), Decimal(1)),
        columns_of(*QUOTED, (2, TRADE, ALL, 102, 1)),
        [Finding("skipped", 1, 7)],
    )
    whose = {one.name: (one.of, one.first_row) for one in settle(feed, DecodeOptions()).findings}
    assert whose == {"skipped": ("source", 7), "unknown_side": ("tape", 3)}


def test_every_check_is_in_the_table_with_its_effect_on_a_replay():
    assert set(NAMES) <= set(LIMITS)
    assert not [name for name, limit in LIMITS.items() if not (limit.meaning and limit.effect)]
    assert not [name for name, limit in LIMITS.items() if limit.share is not None and not limit.fix]


def test_a_feed_of_any_decoder_is_refused_above_a_limit_and_says_where():
    rows = [*QUOTED, *((second, BBO, ASK, 90, 5) for second in range(2, 50))]
    feed = Feed(Instrument("X", Decimal(1), Decimal(1)), columns_of(*rows), source={"file": "own"})
    with pytest.raises(
        DataError, match=r"^own: crossed_book: 48 of 50 rows, the first at tape row 3 \(1970"
    ):
        settle(feed, DecodeOptions())
    assert settle(feed, DecodeOptions(waive=("crossed_book",))).source["waived"] == ["crossed_book"]


def test_what_a_decoder_counted_itself_is_not_counted_twice():
    feed = Feed(
        Instrument("X", Decimal(1), Decimal(1)),
        columns_of(*QUOTED, (2, TRADE, ALL, 102, 1)),
        [Finding("unknown_side", 3, 1)],
    )
    (one,) = [one for one in settle(feed, DecodeOptions()).findings if one.name == "unknown_side"]
    assert one.count == 3


OWN = DecodeOptions(symbol="X", tick=Decimal("0.25"), lot=Decimal(1))
NOON = 1_704_196_800_000_000_000


def own_quotes(bid, ask, **more):
    times = [NOON + i for i in range(len(bid))]
    (feed,) = decode_frame(pl.DataFrame({"ts": times, "bid": bid, "ask": ask, **more}), OWN)
    return feed


@pytest.mark.parametrize(
    ("bid", "ask", "name"),
    [
        ([100.0, 100.0], [99.0, 99.0], "crossed_book"),
        ([-1.0, 100.0], [100.25, 100.25], "non_positive_price"),
        ([100.0, 100.0], [0.0, 100.25], "non_positive_price"),
    ],
)
def test_own_quotes_that_no_market_has_are_refused(bid, ask, name):
    with pytest.raises(DataError, match=name):
        settle(own_quotes(bid, ask), OWN)


def test_a_quantity_of_nothing_withdraws_a_quote_at_price_zero():
    feed = settle(own_quotes([100.0, 0.0], [100.25, 100.25], bid_qty=[1, 0]), OWN)
    assert {one.name for one in feed.findings} == {"assumed_clock", "one_sided"}


def concatenated():
    """What `concat([quotes, trades])` makes: each row knows its own half only."""
    return pl.DataFrame(
        {
            "ts": [NOON, NOON + 1, NOON + 2],
            "bid": [100.0, None, 100.0],
            "ask": [100.5, None, None],
            "price": [None, 100.5, None],
            "qty": [None, 2, None],
        }
    )


def test_a_row_of_a_trade_alone_leaves_the_quotes_as_they_are():
    (feed,) = decode_frame(concatenated(), OWN)
    assert feed.columns.kind.tolist() == [BBO, BBO, TRADE, BBO, BBO]
    assert feed.columns.qty.tolist() == [1, 1, 2, 1, 0]  # one quote without the other withdraws it


def test_sides_are_missed_on_rows_with_a_trade_only():
    (feed,) = decode_frame(concatenated(), OWN)
    assert {one.name: one.count for one in feed.findings}["unknown_side"] == 1


@pytest.mark.parametrize(
    ("cells", "note"),
    [
        ({"price": None, "qty": 2.0, "side": None}, "a trade without a price"),
        ({"price": float("nan"), "qty": None, "side": "buy"}, "a trade without a price"),
        ({"bid_qty": 1.5}, "bid: a quantity without a price"),
    ],
)
def test_a_quantity_or_a_side_without_a_price_is_a_row_that_was_lost(cells, note):
    names = ("bid", "ask", "bid_qty", "ask_qty", "price", "qty", "side")
    rows = [
        {"bid": 100.0, "ask": 100.5, "bid_qty": 1.0, "ask_qty": 1.0},
        {"price": 100.5, "qty": 1.0, "side": "buy"},
        cells,
        {"qty": 0.0},
    ]
    data = {name: [row.get(name) for row in rows] for name in names}
    (feed,) = decode_frame(pl.DataFrame({"ts": [NOON + i for i in range(4)]} | data), OWN)
    lost = {one.name: one for one in feed.findings}["bad_number"]
    assert (lost.count, lost.first_row, lost.note) == (1, 3, note)
    with pytest.raises(
        DataError, match=rf"row 3: bad_number: 1 value, the tape has 3 rows \({note}\)"
    ):
        settle(feed, OWN)


@pytest.mark.parametrize("column", ["bid_qty", "qty"])
def test_a_price_without_a_quantity_is_refused_and_is_not_zero(column):
    frame = pl.DataFrame(
        {
            "ts": [NOON, NOON + 1],
            "bid": [100.0, 100.0],
            "ask": [100.5, 100.5],
            "bid_qty": [1.0, 2.0],
            "ask_qty": [1.0, 1.0],
            "price": [None, 100.5],
            "qty": [None, 2.0],
        }
    ).with_columns(pl.when(pl.col("ts") > NOON).then(None).otherwise(pl.col(column)).alias(column))
    (feed,) = decode_frame(frame, OWN)
    with pytest.raises(DataError, match=r"row 2: missing_qty: 1 of"):
        settle(feed, OWN)
    kept = settle(feed, DecodeOptions(waive=("missing_qty",)))
    assert (kept.columns.qty > 0).all()


def test_a_diff_does_not_make_a_cleared_book_whole_in_the_summary_either():
    from hft.tape.summary import frozen, summarise

    rows = ((1, CLEAR, ALL, 0, 0), (2, LEVEL, BID, 9, 1), (2, LEVEL, ASK, 11, 1, 0, Flag.LAST))
    assert summarise(frozen(columns_of(*rows)))["spread_ticks_median"] is None
    whole = (*rows, (3, SNAPSHOT, BID, 9, 1, 0, Flag.LAST))
    assert summarise(frozen(columns_of(*whole)))["spread_ticks_median"] == 2


def test_parts_of_a_feed_count_their_own_rows_and_share_one_book():
    columns = columns_of(*ORDERS, (3, CANCEL, BID, 100, 1, 7), (4, CANCEL, BID, 100, 1, 9))
    checks = Sanity(columns, "x")
    assert checks.part(0, 4) == []
    (one,) = checks.part(4, 5)
    assert (one.name, one.count, one.first_row) == ("unknown_order_id", 1, 1)


def test_more_orders_than_the_table_first_holds_are_all_known():
    rows = [(1, CLEAR, ALL, 0, 0, 0, Flag.LAST)]
    rows += [(2, ADD, BID, 100, 1, order) for order in range(1, 33_000)]
    rows += [(3, CANCEL, BID, 100, 1, order) for order in range(32_999, 0, -1)]
    assert "unknown_order_id" not in found(*rows)


def test_columns_that_no_tape_has_are_refused():
    columns = columns_of(*QUOTED)
    columns.kind[1] = 77
    with pytest.raises(DataError, match="tape row 2: kind, side or qty"):
        Sanity(columns, "x")
    assert np.iinfo(np.int64).max > LOTS_MAX * 1_000_000
