"""The table of sessions: what it says of days that are special, and that it is the library's."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from hft.core.errors import ConfigError
from hft.core.instruments import Instrument
from hft.tape import sessions
from hft.tape.sessions import DAY_NS, day_turns, sessions_of

pytestmark = pytest.mark.nojit

UTC, NEW_YORK = ZoneInfo("UTC"), ZoneInfo("America/New_York")
CHICAGO = ZoneInfo("America/Chicago")


def ns(text: str, zone: ZoneInfo = UTC) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()) * 1_000_000_000


def spans(name: str, day: int) -> list[tuple[int, int]]:
    found = sessions_of(name)
    assert found is not None
    rows = np.flatnonzero(found.day == day)
    return [(int(found.open_ns[k]), int(found.close_ns[k])) for k in rows]


def traded(calendar: str | None) -> Instrument:
    return Instrument("X", Decimal(1), Decimal(1), calendar=calendar)


@pytest.mark.parametrize("day", ["2024-03-08", "2024-03-11", "2024-11-01", "2024-11-04"])
def test_new_york_opens_at_half_past_nine_on_both_sides_of_a_clock_change(day: str) -> None:
    open_ns, close_ns = ns(f"{day}T09:30", NEW_YORK), ns(f"{day}T16:00", NEW_YORK)
    assert spans("XNYS", int(day.replace("-", ""))) == [(open_ns, close_ns)]


def test_a_half_day_closes_early_and_a_holiday_has_no_session() -> None:
    assert spans("XNYS", 20131129)[0][1] == ns("2013-11-29T13:00", NEW_YORK)
    assert spans("XNYS", 20131128) == []
    assert spans("XNYS", 20010912) == []


def test_tokyo_has_lunch_between_two_spans_of_one_day() -> None:
    tokyo = ZoneInfo("Asia/Tokyo")
    assert spans("XTKS", 20240704) == [
        (ns("2024-07-04T09:00", tokyo), ns("2024-07-04T11:30", tokyo)),
        (ns("2024-07-04T12:30", tokyo), ns("2024-07-04T15:00", tokyo)),
    ]


def test_globex_trades_from_the_evening_before_and_pauses_an_hour() -> None:
    monday, tuesday = spans("CME", 20240708)[0], spans("CME", 20240709)[0]
    assert monday[0] == ns("2024-07-07T17:00", CHICAGO)
    assert monday[1] == ns("2024-07-08T16:00", CHICAGO)
    assert tuesday[0] - monday[1] == 3_600_000_000_000


def test_a_close_that_nobody_knew_beforehand_is_not_in_the_table() -> None:
    # On that day New York stopped at 15:56, when its computers failed.
    assert spans("XNYS", 20050601)[0][1] == ns("2005-06-01T16:00", NEW_YORK)


def test_a_continuous_market_has_every_utc_day() -> None:
    found = sessions_of("24/7")
    assert found is not None
    assert np.array_equal(found.close_ns[:-1], found.open_ns[1:])
    assert set(np.unique(found.close_ns - found.open_ns)) == {DAY_NS}


def test_what_trades_outside_the_hours_belongs_to_the_nearer_session() -> None:
    found = sessions_of("XNYS")
    assert found is not None
    times = ["2024-07-05T09:29", "2024-07-05T19:59", "2024-07-07T12:00", "2024-07-03T18:00"]
    wanted = [20240705, 20240705, 20240708, 20240703]
    assert found.day_of(np.array([ns(text, NEW_YORK) for text in times])).tolist() == wanted


def test_open_hours_begin_with_the_open_and_end_before_the_close() -> None:
    found = sessions_of("XNYS")
    assert found is not None
    open_ns, close_ns = spans("XNYS", 20240705)[0]
    times = np.array([0, open_ns - 1, open_ns, close_ns - 1, close_ns])
    assert found.inside(times).tolist() == [False, False, True, True, False]


def test_days_of_a_run_turn_once_between_two_sessions() -> None:
    name, times = day_turns(
        [traded("XNAS"), traded("XNYS")], ns("2024-07-03T13:30"), ns("2024-07-08T20:00")
    )
    assert name == "XNYS"  # Thursday is a holiday, then there is a weekend
    assert len(times) == 2
    found = sessions_of("XNYS")
    assert found is not None and not found.inside(times).any()


@pytest.mark.parametrize("calendars", [(None,), ("XYZ",), ("XNYS", "24/7"), ("XNYS", None)])
def test_without_one_known_calendar_days_turn_at_midnight_utc(calendars: tuple[str]) -> None:
    instruments = [traded(name) for name in calendars]
    name, times = day_turns(instruments, ns("2024-07-03T13:30"), ns("2024-07-05T00:00"))
    assert name == sessions.UTC_DAYS
    assert times.tolist() == [ns("2024-07-04T00:00"), ns("2024-07-05T00:00")]


def test_beyond_the_years_of_the_table_days_turn_at_midnight_utc() -> None:
    name, times = day_turns([traded("XNYS")], ns("1996-07-03T13:30"), ns("1996-07-04T13:30"))
    assert (name, times.tolist()) == (sessions.UTC_DAYS, [ns("1996-07-04T00:00")])


def test_an_unknown_calendar_is_refused_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match=r"'XYZ' is not in the table of sessions; .*XNYS, .*24/7"):
        sessions.check_calendar("XYZ")


def test_spans_of_a_time_range_are_those_that_hold_any_of_it() -> None:
    found = sessions_of("XNYS")
    assert found is not None
    part = found.between(ns("2024-07-03T16:59"), ns("2024-07-05T13:30"))
    assert part.day.tolist() == [20240703, 20240705]
    assert len(found.between(ns("2024-07-04T00:00"), ns("2024-07-04T23:00"))) == 0


# The library that made the table ---------------------------------------------------------------
@pytest.fixture(scope="module")
def library() -> Any:
    pytest.importorskip("exchange_calendars", reason="the extra `oracles` is not installed")
    import session_table

    return session_table


@pytest.mark.slow
@pytest.mark.parametrize("name", sessions.names())
def test_the_table_says_what_the_library_says_on_every_day(library: Any, name: str) -> None:
    found = sessions_of(name)
    assert found is not None
    wanted = library.spans_of(name)
    rows = [
        (int(day.replace("-", "")), int(np.datetime64(day, "m").astype(int)) + low, high - low)
        for day, spans in wanted.items()
        for low, high in spans
    ]
    minute = 60_000_000_000
    made = np.array(
        [found.day, found.open_ns // minute, (found.close_ns - found.open_ns) // minute]
    )
    assert made.T.tolist() == [list(row) for row in rows]
    assert len(wanted) > 8000


@pytest.mark.slow
def test_making_the_table_again_gives_the_same_bytes(library: Any) -> None:
    assert library.text() == sessions.TABLE.read_text(encoding="ascii")
