"""The vector engine: the rule to the letter, money conserved, figures without surprises."""

import datetime as dt
import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hft.core.errors import ConfigError
from hft.research.backtest import Rules, annual_sharpe, held, run, split_rows
from hft.research.data.dataset import ResearchData
from hft.research.data.load import load
from tests.naive import backtest as naive

DAY = 86_400_000_000_000
NUMBERS = st.floats(-2.0, 2.0) | st.just(math.nan)


def rows(price: list[float], per_day: int = 1000, symbol: list[str] | None = None) -> ResearchData:
    """Prices a minute apart, `per_day` of them a session."""
    start = dt.datetime(2024, 1, 1, 12, tzinfo=dt.UTC)
    ts = [start + dt.timedelta(days=i // per_day, minutes=i % per_day) for i in range(len(price))]
    frame = pl.DataFrame({"ts": ts, "mid": price})
    if symbol is not None:
        frame = frame.with_columns(pl.Series("symbol", symbol))
    return load(frame)


@given(
    st.lists(st.tuples(NUMBERS, st.floats(1.0, 100.0)), min_size=1, max_size=60),
    st.floats(0.0, 1.0),
    st.integers(0, 3),
)
def test_the_engine_does_what_the_rule_says(
    pairs: list[tuple[float, float]], threshold: float, lag: int
) -> None:
    signal, price = (list(column) for column in zip(*pairs, strict=True))
    rules = Rules(threshold=threshold, taker_bps=1.5, lag=lag)
    found = run(rows(price), np.array(signal), rules)
    position, gross, fee = naive.follow(signal, price, threshold, 1.0, 5.0, 1.5, lag)
    assert found.position.tolist() == position
    np.testing.assert_allclose(found.gross, gross, atol=1e-9)
    np.testing.assert_allclose(found.fee, fee, atol=1e-12)


def test_a_signal_earns_only_from_the_next_row_on() -> None:
    found = run(rows([100.0, 110.0, 110.0]), np.array([1.0, 0.0, 0.0]), Rules(taker_bps=0.0))
    assert found.gross.tolist() == [0.0, 10.0, 0.0]
    late = run(rows([100.0, 110.0, 110.0]), np.array([0.0, 1.0, 0.0]), Rules(taker_bps=0.0))
    assert late.net.sum() == 0.0


def test_what_is_earned_is_position_times_price_whatever_the_sessions() -> None:
    random = np.random.default_rng(3)
    price = (100 + random.standard_normal(500).cumsum()).tolist()
    signal = random.standard_normal(500)
    one = run(rows(price), signal, Rules())
    many = run(rows(price, per_day=25), signal, Rules())
    assert one.net.tolist() == many.net.tolist()
    assert many.daily.sum() == pytest.approx(one.net.sum() / 1e6, rel=1e-12)
    assert len(many.daily) == 20


def test_names_of_a_panel_never_share_a_position() -> None:
    price = [10.0, 50.0, 11.0, 51.0]
    frame = pl.DataFrame(
        {
            "ts": [dt.datetime(2024, 1, 1, 12, m, tzinfo=dt.UTC) for m in (0, 0, 1, 1)],
            "symbol": ["A", "B", "A", "B"],
            "mid": price,
        }
    )
    data = load(frame)
    found = run(data, np.array([1.0, 0.0, 0.0, 0.0]), Rules(taker_bps=0.0))
    symbol = data.frame["symbol"].to_list()
    earned = {name: found.gross[[s == name for s in symbol]].sum() for name in "AB"}
    assert earned == {"A": 1.0, "B": 0.0}


def test_a_fall_on_the_first_row_counts_from_the_starting_equity() -> None:
    found = run(rows([100.0, 90.0]), np.array([1.0, 0.0]), Rules(taker_bps=0.0))
    assert found.drawdown == pytest.approx(-10.0 / 1_000_000)


def test_no_variance_is_no_sharpe_ratio() -> None:
    assert annual_sharpe(np.zeros(30)) is None
    assert annual_sharpe(np.full(30, 0.1)) is None
    assert annual_sharpe(np.array([0.1])) is None
    flat = run(rows([100.0] * 40), np.zeros(40), Rules())
    assert flat.sharpe() is None and flat.turnover == 0.0 and flat.drawdown == 0.0


def test_the_sharpe_ratio_is_the_textbook_one() -> None:
    returns = np.array([0.01, -0.02, 0.03, 0.0])
    assert annual_sharpe(returns) == pytest.approx(
        returns.mean() / returns.std(ddof=1) * math.sqrt(252)
    )
    assert annual_sharpe(returns, "step") == pytest.approx(
        returns.mean() / returns.std() * math.sqrt(252)
    )


def test_a_position_is_never_larger_than_the_cap() -> None:
    assert held(np.array([1.0, -1.0]), Rules(unit=10.0, max_position=2.0)).tolist() == [2.0, -2.0]


def test_in_sample_rows_end_a_horizon_before_the_others_begin() -> None:
    data = rows([100.0] * 100)
    end, begin = split_rows(data, 0.7, 5 * 60_000_000_000)
    assert begin == 70
    assert data.ts_ns[end - 1] + 5 * 60_000_000_000 < data.ts_ns[begin]


@pytest.mark.parametrize("field", ["threshold", "unit", "max_position", "cost"])
def test_a_rule_that_is_no_number_is_refused_by_name(field: str) -> None:
    for wrong in (math.nan, math.inf, -1.0):
        with pytest.raises(ConfigError, match=field):
            Rules(**{field: wrong})


def test_a_signal_of_another_length_is_refused() -> None:
    with pytest.raises(ConfigError, match="2 values for 3 rows"):
        run(rows([1.0, 2.0, 3.0]), np.zeros(2), Rules())
