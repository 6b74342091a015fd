from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from hft.reports.performance import drawdown, sharpe, total_equity

START = datetime(2024, 8, 8, tzinfo=UTC)


def curve(values: list[float], step_s: int = 60) -> pl.DataFrame:
    ts = [START + timedelta(seconds=step_s * k) for k in range(len(values))]
    return pl.DataFrame(
        {"ts": ts, "net": values}, schema={"ts": pl.Datetime("ns", "UTC"), "net": pl.Float64}
    )


@pytest.mark.parametrize(
    ("values", "depth", "start", "end"),
    [
        ([0, 5, 3, 8, 2, 9], -6.0, 3, 4),
        ([-1, -4, -2], -4.0, 0, 1),
        ([1, 2, 3], 0.0, 0, 0),
        ([2, -1, 4], -3.0, 0, 1),
    ],
)
def test_the_deepest_fall_counts_from_the_highest_point_or_zero(
    values: list[float], depth: float, start: int, end: int
) -> None:
    found = drawdown(curve(values))
    assert found is not None and found.depth == depth
    if depth < 0:
        first = int(START.timestamp()) * 10**9
        assert (found.from_ns - first) // 60_000_000_000 == start
        assert (found.to_ns - first) // 60_000_000_000 == end


def test_too_few_samples_have_no_ratio() -> None:
    assert drawdown(curve([])) is None
    assert sharpe(curve([1.0] * 20)) is None
    assert sharpe(curve([0.0] * 100)) is None


def test_the_ratio_is_that_of_minute_changes() -> None:
    changes = np.random.default_rng(1).normal(0.1, 1.0, 300)
    found = sharpe(curve(np.cumsum(changes).tolist()))
    assert found == pytest.approx(changes.mean() / changes.std(ddof=1) * np.sqrt(1440))


def test_samples_within_a_minute_do_not_change_the_ratio() -> None:
    minutes = np.cumsum(np.random.default_rng(2).normal(0, 1, 100))
    fine = np.repeat(minutes, 6)
    assert sharpe(curve(fine.tolist(), 10)) == pytest.approx(sharpe(curve(minutes.tolist())))


def test_equity_adds_over_strategies_and_symbols() -> None:
    ts = [START, START, START + timedelta(seconds=1)]
    columns = {name: [1.0, 2.0, 5.0] for name in ("realized", "unrealized", "fees", "net")}
    total = total_equity(pl.DataFrame({"ts": ts, "symbol": ["A", "B", "A"], **columns}))
    assert total["net"].to_list() == [3.0, 5.0]
