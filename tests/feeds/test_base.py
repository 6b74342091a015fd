"""Exact grids, tape order, clock repair and the limits of findings."""

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hft.core.codes import EventKind, Flag
from hft.core.errors import ConfigError, DataError
from hft.core.instruments import Instrument
from hft.feeds.base import (
    CLOCK_FIX_MIN_LATENCY_NS,
    DecodeOptions,
    repair_clock,
    settle,
    to_ticks,
)
from hft.feeds.days import DAY_NS, split_days
from hft.feeds.findings import Findings, check_waivers
from hft.feeds.grid import guess_step
from hft.feeds.order import order_rows
from hft.tape.schema import Columns, Feed, Finding

STEPS = st.sampled_from([Decimal(text) for text in ("0.01", "0.1", "0.25", "0.00001", "0.5", "5")])
BTC = Instrument(symbol="BTC", tick=Decimal("0.1"), lot=Decimal(1))


def columns_of(times: list[tuple[int, int]], flags: int = 0) -> Columns:
    """Rows whose price is their number, so that a row can be told from its copies."""
    columns = Columns.empty(len(times))
    columns.exch_ts[:] = [exch for exch, _ in times]
    columns.local_ts[:] = [local for _, local in times]
    columns.price[:] = range(len(times))
    columns.flags[:] = flags
    return columns


@given(STEPS, st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=20))
def test_a_decimal_on_the_grid_becomes_its_exact_number_of_ticks(step, ticks):
    findings = Findings()
    prices = np.array([float(step * tick) for tick in ticks])
    assert to_ticks(prices, step, findings).tolist() == ticks
    assert findings.sorted() == []


@given(STEPS, st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=20))
def test_scaled_integers_become_the_same_ticks_as_decimals(step, ticks):
    findings = Findings()
    scaled = np.array([int(step * tick * 10**9) for tick in ticks], np.int64)
    assert to_ticks(scaled, step, findings, scale=10**9).tolist() == ticks
    assert findings.sorted() == []


@given(STEPS, st.integers(-(10**6), 10**6), st.integers(1, 99))
def test_a_price_between_two_ticks_is_a_finding_with_its_row(step, tick, hundredths):
    off = step * tick + step * hundredths / 100
    findings = Findings()
    prices = np.array([float(step * tick), float(off)])
    found = to_ticks(prices, step, findings, first_row=10)
    assert findings["off_grid"].count == 1
    assert findings["off_grid"].first_row == 11
    assert abs(Fraction(int(found[1])) - Fraction(off) / Fraction(step)) <= Fraction(1, 2)


def test_a_sum_of_floats_that_misses_the_decimal_is_the_tick_and_says_so():
    findings = Findings()
    prices = np.array([0.3, 0.1 + 0.2, 100.02000000000001])
    assert to_ticks(prices, Decimal("0.1"), findings, first_row=5).tolist() == [3, 3, 1000]
    assert (findings["float_dust"].count, findings["float_dust"].first_row) == (1, 6)
    assert findings["off_grid"].first_row == 7  # two ticks of 0.01 are none of 0.1


@pytest.mark.parametrize("step", [Decimal("0.01"), Decimal("0.25"), Decimal("100")])
@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(("share", "name"), [(0.9e-6, "float_dust"), (1.1e-6, "off_grid")])
def test_dust_is_within_a_millionth_of_a_step(step, side, share, name):
    findings = Findings()
    prices = np.array([float(step) * (400 + side * share)])
    assert to_ticks(prices, step, findings).tolist() == [400]
    assert [one.name for one in findings.sorted()] == [name]


def test_a_third_of_a_tick_is_off_the_grid_as_ever():
    findings = Findings()
    to_ticks(np.array([100.003, 100.007]), Decimal("0.01"), findings)
    assert [(one.name, one.count) for one in findings.sorted()] == [("off_grid", 2)]


def test_what_says_exactly_what_it_means_has_no_dust():
    findings = Findings()
    to_ticks(np.array([100.02000000000001]), Decimal("0.01"), findings, dusty=False)
    assert [one.name for one in findings.sorted()] == ["off_grid"]
    to_ticks(np.array([10_002_000_001]), Decimal("0.01"), findings, scale=10**8)
    assert findings["off_grid"].count == 2


def test_float32_prices_are_on_the_grid_of_their_own_precision():
    findings = Findings()
    prices = np.array([57312.4, 0.3], np.float32)
    assert to_ticks(prices, Decimal("0.1"), findings).tolist() == [573124, 3]
    assert "off_grid" not in findings


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
def test_a_number_that_is_no_price_is_bad_and_not_off_grid(value):
    findings = Findings()
    assert to_ticks(np.array([1.0, value]), Decimal("0.1"), findings).tolist() == [10, 0]
    assert findings["bad_number"].first_row == 2
    assert "off_grid" not in findings


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 3)), max_size=40))
def test_order_rows_keeps_every_row_and_never_goes_back(pairs):
    local = np.cumsum([step for _, step in pairs]).tolist()
    columns = columns_of([(exch, now) for (exch, _), now in zip(pairs, local, strict=True)])
    findings = Findings()
    out = order_rows(columns, findings)
    venue = (out.flags & Flag.VIEW_ONLY) == 0
    view = (out.flags & Flag.VENUE_ONLY) == 0
    assert (np.diff(out.exch_ts[venue]) >= 0).all()
    assert (np.diff(out.local_ts[view]) >= 0).all()
    everything = Counter(range(len(pairs)))
    assert Counter(out.price[venue].tolist()) == everything
    assert Counter(out.price[view].tolist()) == everything
    assert out.price[view].tolist() == list(range(len(pairs)))  # receive order is kept
    assert order_rows(out) is out  # what is split already stays as it is
    late = len(out.price) - len(pairs)
    assert (findings["disorder"].count if late else 0) == late


def test_a_late_row_goes_behind_the_rows_of_its_own_exchange_time():
    out = order_rows(columns_of([(1, 10), (5, 11), (5, 12), (9, 13), (5, 14)]))
    assert out.price.tolist() == [0, 1, 2, 4, 3, 4]
    assert out.flags.tolist() == [0, 0, 0, Flag.VENUE_ONLY, 0, Flag.VIEW_ONLY]


def test_rows_in_order_are_not_copied():
    columns = columns_of([(1, 2), (1, 2), (3, 4)])
    assert order_rows(columns) is columns


def test_a_clock_that_is_behind_is_refused_and_names_the_way_out():
    feed = Feed(BTC, columns_of([(100, 200), (300, 250)]), source={"file": "btc.gz"})
    found = r"btc.gz: negative_latency: 1 of 2 rows, the first at decoded row 2 .*--clock-fix"
    with pytest.raises(DataError, match=found):
        settle(feed, DecodeOptions())


def test_clock_repair_makes_the_smallest_latency_the_stated_one_and_says_so():
    second = 1_000_000_000
    columns = columns_of([(10 * second, 9 * second), (11 * second, 10 * second + 5)])
    findings = Findings()
    repaired = repair_clock(columns, findings)
    latency = repaired.local_ts - repaired.exch_ts
    assert latency.tolist() == [CLOCK_FIX_MIN_LATENCY_NS, CLOCK_FIX_MIN_LATENCY_NS + 5]
    assert findings["clock_repaired"].count == 2
    feed = settle(Feed(BTC, columns), DecodeOptions(clock_fix=True))
    assert "clock_repaired" in {finding.name for finding in feed.findings}


def test_a_good_clock_is_left_alone_by_clock_fix():
    columns = columns_of([(1, 2), (3, 3)])
    assert repair_clock(columns, Findings()) is columns


def test_a_feed_of_several_days_becomes_one_a_day_that_continues():
    times = [(now, now) for now in (1, 5, DAY_NS + 1, 3 * DAY_NS)]
    feed = Feed(BTC, columns_of(times), [Finding("disorder", 1, 1)])
    days = split_days(feed)
    assert [day.columns.price.tolist() for day in days] == [[0, 1], [2], [3]]
    assert ["continues" in day.source for day in days] == [False, True, True]
    found = [{finding.name for finding in day.findings} for day in days]
    assert ["disorder" in names for names in found] == [True, False, False]


def snapshot_at(now: int, later: int = 0) -> list[tuple[int, int, int]]:
    """Time, kind and side of a CLEAR with the book behind it, and of a level after it."""
    book = [(now, EventKind.CLEAR, 2), (now, EventKind.SNAPSHOT, 0), (now, EventKind.SNAPSHOT, 1)]
    return [*book, *([(later, EventKind.LEVEL, 0)] if later else [])]


def in_chicago(rows: list[tuple[int, int, int]]) -> list[Feed]:
    columns = columns_of([(now, now) for now, _, _ in rows])
    columns.kind[:], columns.side[:] = [row[1] for row in rows], [row[2] for row in rows]
    return split_days(Feed(replace(BTC, time_zone="America/Chicago"), columns))


def test_a_snapshot_that_no_row_of_its_day_follows_opens_the_next_day():
    noon, utc_midnight = DAY_NS // 2, DAY_NS  # 6:00 and 18:00 in Chicago
    rows = [*snapshot_at(noon, noon + 1), *snapshot_at(utc_midnight, 2 * DAY_NS - 1)]
    days = in_chicago(rows)
    assert [len(day.columns.kind) for day in days] == [4, 4]
    assert days[1].columns.kind.tolist()[0] == EventKind.CLEAR
    assert ["continues" in day.source for day in days] == [False, False]


def test_a_snapshot_that_rows_of_its_day_follow_stays_on_it():
    noon, utc_midnight = DAY_NS // 2, DAY_NS
    rows = [*snapshot_at(noon, noon + 1), *snapshot_at(utc_midnight, utc_midnight + 1)]
    days = in_chicago([*rows, (2 * DAY_NS - 1, EventKind.LEVEL, 0)])
    assert [len(day.columns.kind) for day in days] == [8, 1]
    assert ["continues" in day.source for day in days] == [False, True]


def test_minutes_around_midnight_stay_one_feed():
    feed = Feed(BTC, columns_of([(DAY_NS - 1, DAY_NS - 1), (DAY_NS + 1, DAY_NS + 1)]))
    assert split_days(feed) == [feed]


def test_a_waived_finding_is_recorded_as_waived():
    feed = Feed(BTC, columns_of([(100, 50)]))
    settled = settle(feed, DecodeOptions(waive=("negative_latency",)))
    assert settled.source["waived"] == ["negative_latency"]


def test_a_finding_that_no_table_knows_refuses_the_tape():
    findings = Findings()
    findings.add("new_defect", 1, 7)
    with pytest.raises(DataError, match="row 7: new_defect"):
        findings.enforce(100, (), "file.csv")


def test_a_share_limit_refuses_above_it_only():
    findings = Findings()
    findings.add("unknown_order_id", 10, 3)
    findings.enforce(1000, (), "a")
    with pytest.raises(DataError, match="unknown_order_id"):
        findings.enforce(999, (), "a")


def test_a_waiver_with_a_typo_lists_the_findings_there_are():
    with pytest.raises(ConfigError, match="negative_latency"):
        check_waivers(["negativ_latency"])


@pytest.mark.parametrize(
    ("prices", "tick"),
    [
        ([100.25, 100.5, 101.75], "0.25"),
        ([57312.4, 57312.5], "0.1"),
        ([10.0, 30.0], "10"),
        ([0.00012, 0.00013], "0.00001"),
        ([], "1"),
    ],
)
def test_the_guessed_step_is_the_coarsest_nice_grid(prices, tick):
    assert guess_step(np.array(prices)) == Decimal(tick)
