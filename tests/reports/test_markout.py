from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from hft.reports.costs import Contract, costs, with_values
from hft.reports.markout import markouts, overall

START = datetime(2024, 8, 8, tzinfo=UTC)
TIME = pl.Datetime("ns", "UTC")


def fills(*rows: tuple[float, str, float, float]) -> pl.DataFrame:
    """(second, side, price, mid at the fill), one lot each."""
    return pl.DataFrame(
        {
            "exch_ts": [START + timedelta(seconds=row[0]) for row in rows],
            "symbol": "X",
            "side": [row[1] for row in rows],
            "price": [row[2] for row in rows],
            "mid": [row[3] for row in rows],
            "lots": 1,
            "fee": 0.01,
            "liquidity": "MAKER",
            "order_id": list(range(len(rows))),
        },
        schema_overrides={"exch_ts": TIME},
    )


def marks(*rows: tuple[float, float]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "ts": [START + timedelta(seconds=row[0]) for row in rows],
            "symbol": ["X"] * len(rows),
            "mid": [row[1] for row in rows],
        },
        schema={"ts": TIME, "symbol": pl.String, "mid": pl.Float64},
    )


LINEAR = {"X": Contract(unit=10.0, inverse=False, tick=0.5)}


def test_a_buy_earns_when_the_mid_rises_and_a_sell_when_it_falls() -> None:
    valued = with_values(fills((0, "BUY", 100.0, 100.5), (0, "SELL", 101.0, 100.5)), LINEAR)
    table = markouts(valued, marks((1.2, 102.0)))
    rows = {(row["horizon"], row["side"]): row for row in table.iter_rows(named=True)}
    assert rows["0 s", "BUY"]["ticks"] == pytest.approx(1.0)
    assert rows["1 s", "BUY"]["ticks"] == pytest.approx(4.0)
    assert rows["1 s", "SELL"]["ticks"] == pytest.approx(-2.0)
    assert rows["1 s", "BUY"]["money"] == pytest.approx(2.0 * 10.0)
    assert rows["1 s", "SELL"]["bps"] == pytest.approx(-1.0 / 101.0 * 1e4)


@pytest.mark.parametrize(("mark_s", "measured"), [(0.99, 0), (1.0, 1), (2.0, 1), (2.01, 0)])
def test_a_horizon_takes_a_mark_between_one_and_two_of_it_or_none(
    mark_s: float, measured: int
) -> None:
    valued = with_values(fills((0, "BUY", 100.0, 100.5)), LINEAR)
    table = markouts(valued, marks((mark_s, 102.0)))
    row = table.filter(horizon="1 s").row(0, named=True)
    assert (row["fills"], row["measured"]) == (1, measured)
    assert (row["ticks"] is None) == (measured == 0)


def test_the_mean_counts_measured_fills_only() -> None:
    valued = with_values(fills((0, "BUY", 100.0, 100.0), (50, "BUY", 100.0, 100.0)), LINEAR)
    ticks, measured = overall(markouts(valued, marks((1.5, 101.0))), "1 s")
    assert (ticks, measured) == (pytest.approx(2.0), 1)
    assert overall(markouts(valued, marks()), "1 s") == (None, 0)


def test_an_inverse_contract_earns_in_its_base_currency() -> None:
    inverse = {"X": Contract(unit=100.0, inverse=True, tick=0.1)}
    valued = with_values(fills((0, "BUY", 50_000.0, 50_100.0)), inverse)
    assert valued["captured"][0] == pytest.approx(100 / 50_000 - 100 / 50_100)
    assert valued["value"][0] == pytest.approx(100 / 50_000)


def test_costs_add_by_side_and_liquidity() -> None:
    valued = with_values(fills((0, "BUY", 100.0, 100.5), (1, "BUY", 99.0, 99.5)), LINEAR)
    row = costs(valued).row(0, named=True)
    assert (row["fills"], row["lots"]) == (2, 2)
    assert row["turnover"] == pytest.approx(1990.0) and row["spread"] == pytest.approx(10.0)
    assert row["fees"] == pytest.approx(0.02)
