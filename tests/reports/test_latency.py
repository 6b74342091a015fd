from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from hft.reports.latency import latencies

START = datetime(2024, 8, 8, tzinfo=UTC)


def test_a_leg_counts_the_orders_that_reached_it() -> None:
    at = [START + timedelta(milliseconds=ms) for ms in (1, 2, 3, 4)]
    orders = pl.DataFrame(
        {
            "sent": [START] * 4,
            "arrived": at,
            "acked": [*at[:3], None],
            "first_fill": [None] * 4,
            "ended": [*at[:1], None, None, None],
        },
        schema=dict.fromkeys(
            ("sent", "arrived", "acked", "first_fill", "ended"), pl.Datetime("ns", "UTC")
        ),
    )
    rows = {row["leg"]: row for row in latencies(orders).iter_rows(named=True)}
    assert rows["to the venue"]["orders"] == 4 and rows["to the venue"]["max"] == pytest.approx(4)
    assert rows["to the acknowledgement"]["p50"] == pytest.approx(2)
    assert (rows["to the first fill"]["orders"], rows["to the first fill"]["p50"]) == (0, None)
