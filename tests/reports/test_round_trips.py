import numpy as np
import polars as pl
import pytest

from hft.reports.round_trips import round_trips, summary

SECOND = 10**9


def fills(seed: int, count: int = 60, inverse: bool = False) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "strategy": rng.choice(["a", "b"], count),
            "symbol": rng.choice(["X", "Y"], count),
            "exch_ts": pl.Series(np.sort(rng.integers(0, 10**6, count)) * SECOND).cast(
                pl.Datetime("ns", "UTC")
            ),
            "fill_id": np.arange(count) + 1,
            "side": rng.choice(["BUY", "SELL"], count),
            "price": 100.0 + rng.integers(-20, 21, count) / 2,
            "lots": rng.integers(1, 6, count),
            "fee": rng.integers(0, 5, count) / 10,
            "unit": np.full(count, 2.0),
            "inverse": np.full(count, inverse),
        }
    )


def naive(rows: pl.DataFrame) -> list[tuple[str, int, int, float, float]]:
    """One lot after the other: (side, opened, closed, gross, fees), for one pair."""
    live: list[tuple[str, int, float, float]] = []
    out = []
    for row in rows.iter_rows(named=True):
        at = int(row["exch_ts"].timestamp()) * SECOND
        for _ in range(row["lots"]):
            fee = row["fee"] / row["lots"]
            if live and live[0][0] != row["side"]:
                side, opened, entry, paid = live.pop(0)
                sign = 1 if side == "BUY" else -1
                move = 1 / entry - 1 / row["price"] if row["inverse"] else row["price"] - entry
                out.append((side, opened, at, sign * move * row["unit"], paid + fee))
            else:
                live.append((row["side"], at, row["price"], fee))
    return out


@pytest.mark.parametrize("seed", range(10))
def test_trips_are_what_matching_lot_by_lot_gives(seed: int) -> None:
    given = fills(seed, inverse=seed % 2 == 1)
    found = round_trips(given)
    for (strategy, symbol), rows in given.group_by("strategy", "symbol"):
        mine = found.filter((pl.col("strategy") == strategy) & (pl.col("symbol") == symbol))
        each = [
            (
                row["side"],
                row["opened"],
                row["closed"],
                row["gross"] / row["lots"],
                row["fees"] / row["lots"],
            )
            for row in mine.iter_rows(named=True)
            for _ in range(row["lots"])
        ]
        wanted = naive(rows.sort("exch_ts", "fill_id"))
        assert [one[:3] for one in each] == [one[:3] for one in wanted], f"seed {seed}"
        for one, other in zip(each, wanted, strict=True):
            assert one[3:] == pytest.approx(other[3:], abs=1e-12)
    assert (found["held_ns"] >= 0).all()
    assert found["net"].to_list() == pytest.approx((found["gross"] - found["fees"]).to_list())


def test_the_summary_adds_up_over_pairs() -> None:
    trips = round_trips(fills(1))
    found = summary(trips)
    pairs, every = found[:-1], found[-1:]
    assert every["strategy"][0] == "all" and pairs.height == 4
    assert pairs["trips"].sum() == every["trips"][0] == trips.height
    assert pairs["net"].sum() == pytest.approx(every["net"][0])
    assert every["worst"][0] == trips["net"].min() and every["best"][0] == trips["net"].max()


def test_one_pair_has_one_row_and_nothing_bought_has_none() -> None:
    one = fills(2).with_columns(strategy=pl.lit("a"), symbol=pl.lit("X"))
    assert summary(round_trips(one)).height == 1
    nothing = round_trips(one.head(0))
    assert nothing.height == 0 and "net" in nothing.columns
