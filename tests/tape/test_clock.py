"""Timed clocks: in open hours only, from each open anew; UTC days where no hours are known."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from hft.core.instruments import Instrument
from hft.tape.clock import ticks

pytestmark = pytest.mark.nojit

MINUTE, HOUR, DAY = 60_000_000_000, 3_600_000_000_000, 86_400_000_000_000


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text + "+00:00").timestamp()) * 1_000_000_000


@dataclass
class Recorded:
    """What a clock asks of a tape."""

    span: tuple[int, int]
    instrument: Instrument


def tape(calendar: str | None, first: str, last: str) -> Any:
    return Recorded(
        (ns(first), ns(last)), Instrument("X", Decimal(1), Decimal(1), calendar=calendar)
    )


def ticked(every_ns: int, *run: Any) -> list[str]:
    found = ticks(run, every_ns, run[0].span[0], run[-1].span[1])
    return [str(np.datetime64(int(ts) // MINUTE, "m")) for ts in found]


def test_closed_hours_and_holidays_have_no_row() -> None:
    # Recorded from Wednesday to Friday of Thanksgiving, pre-market and all; Friday is a half day.
    run = [
        tape("XNYS", "2013-11-27T09:00", "2013-11-28T01:00"),
        tape("XNYS", "2013-11-29T09:00", "2013-11-30T01:00"),
    ]
    found = ticked(MINUTE, *run)
    assert len(found) == 390 + 210
    assert (found[0], found[389]) == ("2013-11-27T14:31", "2013-11-27T21:00")
    assert (found[390], found[-1]) == ("2013-11-29T14:31", "2013-11-29T18:00")


def test_the_clock_begins_again_at_each_open() -> None:
    # 09:30 is no whole multiple of seven minutes or of an hour.
    run = tape("XNYS", "2024-07-02T08:00", "2024-07-03T23:00")
    seven = ticked(7 * MINUTE, run)
    assert (seven[0], seven[55]) == ("2024-07-02T13:37", "2024-07-03T13:37")
    assert ticked(HOUR, run)[:2] == ["2024-07-02T14:30", "2024-07-02T15:30"]


def test_a_change_of_the_clock_moves_the_rows_with_the_open() -> None:
    run = tape("XNYS", "2024-03-08T10:00", "2024-03-11T22:00")
    assert ticked(6 * HOUR, run) == ["2024-03-08T20:30", "2024-03-11T19:30"]


def test_an_interval_longer_than_the_session_has_one_row_at_the_close() -> None:
    run = tape("XNYS", "2024-07-02T08:00", "2024-07-05T23:00")
    assert ticked(DAY, run) == ["2024-07-02T20:00", "2024-07-03T17:00", "2024-07-05T20:00"]


def test_nothing_is_looked_at_before_the_first_row_or_after_the_last() -> None:
    run = tape("XNYS", "2024-07-02T15:00", "2024-07-02T15:02")
    assert ticked(MINUTE, run) == ["2024-07-02T15:00", "2024-07-02T15:01", "2024-07-02T15:02"]


@pytest.mark.parametrize("calendar", [None, "XYZ", "24/7"])
def test_without_hours_the_days_that_were_recorded_have_rows(calendar: str | None) -> None:
    friday = tape(calendar, "2024-07-05T13:30", "2024-07-05T20:00")
    monday = tape(calendar, "2024-07-08T13:30", "2024-07-08T20:00")
    found = ticked(HOUR, friday, monday)
    assert found[0] == "2024-07-05T14:00"
    assert not [text for text in found if text.startswith(("2024-07-06T01", "2024-07-07"))]
    assert len(found) == 11 + 21


def test_beyond_the_years_of_the_table_there_are_no_hours() -> None:
    old = tape("XNYS", "1990-07-05T13:30", "1990-07-05T23:00")
    assert ticked(HOUR, old)[-1] == "1990-07-05T23:00"
    assert (
        ticked(HOUR, replace(old, span=(ns("2024-07-05T13:30"), ns("2024-07-05T23:00"))))[-1]
        == "2024-07-05T19:30"
    )
