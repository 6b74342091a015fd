"""Daily figures: whose days they are, and that they add up to the run."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from hft.core.instruments import Instrument
from hft.reports.daily import daily, days_of

pytestmark = pytest.mark.nojit

# Net P&L after fees of 1 a sample: up and down over two sessions and the night between.
SAMPLES = [
    ("2024-07-02T13:30", 0.0),
    ("2024-07-02T15:00", 8.0),
    ("2024-07-02T19:59", 5.0),
    ("2024-07-03T01:00", 4.0),  # 21:00 in New York: the evening of the 2nd
    ("2024-07-03T14:00", 1.0),
    ("2024-07-03T16:59", 7.0),
]


def of(calendar: str | None) -> Instrument:
    return Instrument("X", Decimal(1), Decimal(1), calendar=calendar)


def frame(rows: list[tuple[Any, ...]], *names: str) -> pl.DataFrame:
    made = pl.DataFrame(rows, schema=list(names), orient="row")
    times = [datetime.fromisoformat(f"{text}+00:00") for text in made["ts"]]
    return made.with_columns(pl.Series("ts", times).cast(pl.Datetime("ns", "UTC")))


def found(*instruments: Instrument) -> tuple[pl.DataFrame, str]:
    rows = [(ts, net + k + 1, 0.0, k + 1.0, net) for k, (ts, net) in enumerate(SAMPLES)]
    equity = frame(rows, "ts", "realized", "unrealized", "fees", "net")
    fills = frame([(ts, 1.0) for ts, _ in SAMPLES], "ts", "fee")
    return daily(equity, fills, instruments)


def test_days_are_the_sessions_of_the_calendar_that_all_share() -> None:
    days, name = found(of("XNAS"), of("XNYS"))
    assert days.rows() == [
        (date(2024, 7, 2), 4.0, 8.0, 4.0, -4.0, 4),
        (date(2024, 7, 3), 3.0, 5.0, 2.0, -3.0, 2),
    ]
    assert days_of(name) == "sessions of XNYS"


@pytest.mark.parametrize("calendars", [(None,), ("XNYS", "24/7")])
def test_days_are_utc_days_where_no_one_calendar_is_known(calendars: tuple[str | None]) -> None:
    days, name = found(*(of(calendar) for calendar in calendars))
    assert days["net"].to_list() == [5.0, 2.0]
    assert days["fills"].to_list() == [3, 3]
    assert "UTC days" in days_of(name)


def test_the_days_add_up_to_the_run() -> None:
    for calendar in ("XNYS", None, "CMES"):
        days, _ = found(of(calendar))
        assert days["net"].sum() == SAMPLES[-1][1]
        assert days["fees"].sum() == len(SAMPLES)
        assert days["fills"].sum() == len(SAMPLES)


def test_a_fill_after_the_last_sample_of_a_day_costs_its_fee_on_that_day() -> None:
    rows = [
        ("2024-07-02T23:00", 0.0, 0.0, 0.0, 0.0),
        ("2024-07-04T01:00", 5.0, 0.0, 3.0, 2.0),
    ]
    equity = frame(rows, "ts", "realized", "unrealized", "fees", "net")
    fills = frame([("2024-07-02T23:59", 1.0), ("2024-07-03T12:00", 2.0)], "ts", "fee")
    days, _ = daily(equity, fills, [of(None)])
    assert days.rows() == [
        (date(2024, 7, 2), -1.0, 0.0, 1.0, 0.0, 1),
        (date(2024, 7, 3), -2.0, 0.0, 2.0, 0.0, 1),
        (date(2024, 7, 4), 5.0, 5.0, 0.0, 0.0, 0),
    ]


def test_a_run_without_samples_has_no_days() -> None:
    empty = frame([], "ts", "realized", "unrealized", "fees", "net", "fee")
    assert daily(empty, empty, [of("XNYS")])[0].height == 0
