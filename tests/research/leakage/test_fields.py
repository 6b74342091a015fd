"""Columns made of later rows are named with figure and row; honest ones, edges too, pass."""

from pathlib import Path

import columns
import numpy as np
import polars as pl
import pytest

from hft.research.data.assembly import assemble
from hft.research.data.dataset import ResearchData
from hft.research.data.load import load
from hft.research.leakage.fields import knows_later, named_label, steps_of

HALF_AN_HOUR = 30 * 60 * 10**9


@pytest.fixture(scope="module")
def minutes() -> ResearchData:
    return columns.market()


@pytest.mark.parametrize("name", sorted(columns.LEAKS))
def test_a_column_of_later_rows_is_told_with_its_figure(name: str, minutes: ResearchData) -> None:
    data = columns.with_column(minutes, columns.LEAKS[name])
    found = knows_later(data, "score", HALF_AN_HOUR)
    assert found is not None, name
    assert "'score'" in found.sentence and "an honest field stays below" in found.sentence
    assert found.known is not None and (0.25 <= found.known <= 1.0 + 1e-9 or found.known >= 12)


@pytest.mark.parametrize("name", sorted(columns.HONEST))
def test_a_column_of_the_past_or_of_a_small_true_edge_passes(
    name: str, minutes: ResearchData
) -> None:
    found = knows_later(columns.with_column(minutes, columns.HONEST[name]), "score", HALF_AN_HOUR)
    assert found is None, found.sentence


def test_the_alphas_own_horizon_is_looked_at_with_half_and_twice_of_it(
    minutes: ResearchData,
) -> None:
    assert steps_of(minutes, HALF_AN_HOUR) == (1, 2, 3, 5, 10, 15, 20, 30, 60)
    assert steps_of(minutes, 0) == (1, 2, 3, 5, 10, 20)


def test_a_label_is_known_by_words_that_leave_no_other_reading() -> None:
    labels = "label target_5m y fwd_ret_5 future_return next_mid label_300s outcome t_end_5 ret_fwd"
    others = (
        "fed_target target_rate price_target forward_points next_expiry auction_outcome future_px"
    )
    assert [name for name in labels.split() if not named_label(name)] == []
    assert [name for name in others.split() if named_label(name)] == []


def drawn_to_par() -> ResearchData:
    data = columns.market()
    level = np.zeros(len(data))
    for k, step in enumerate(0.05 * columns.noise(data)[1:], start=1):
        level[k] = 0.9 * level[k - 1] + step
    return data.with_frame(data.frame.with_columns(pl.Series("mid", 100.0 + level)))


def test_a_column_that_repeats_the_price_is_not_blamed_for_what_the_price_foretells() -> None:
    data = drawn_to_par()
    away = columns.with_column(data, lambda d: 100.0 - d.price)
    assert knows_later(away, "score", HALF_AN_HOUR) is None
    told = columns.with_column(data, lambda d: columns.ahead(d.price, 10))
    assert knows_later(told, "score", HALF_AN_HOUR) is not None


def panel(leaking: str = "", across: bool = False) -> ResearchData:
    frames = []
    for k, name in enumerate(("AA", "BB", "CC", "DD")):
        data = columns.market(days=8, seed=10 + k)
        make = columns.LEAKS["30 rows' return"] if name == leaking else columns.noise
        frame = columns.with_column(data, make).frame
        if across:
            common = np.cumsum(columns.noise(data, 77)) * 0.1
            frame = frame.with_columns(pl.col("mid") + common)
        frames.append(frame.with_columns(pl.lit(name).alias("symbol")))
    data = assemble({"panel": pl.concat(frames)}, {}, "panel")
    if not across:
        return data
    later = (pl.col("mid").shift(-5).over("symbol") / pl.col("mid") - 1.0).alias("score")
    ranked = data.frame.with_columns(later)
    ranked = ranked.with_columns(pl.col("score").rank().over("ts").cast(pl.Float64))
    return data.with_frame(ranked.with_columns(pl.col("score").fill_null(np.nan)))


def test_a_column_that_leaks_for_one_name_of_many_is_found_with_that_name() -> None:
    found = knows_later(panel("CC"), "score", HALF_AN_HOUR)
    assert found is not None and "of CC" in found.sentence
    assert knows_later(panel(), "score", HALF_AN_HOUR) is None


def test_a_rank_among_names_by_what_comes_is_found_though_the_market_moves_them_all() -> None:
    found = knows_later(panel(across=True), "score")
    assert found is not None and found.reach == 5


def test_misprints_at_the_same_rows_are_no_likeness(minutes: ResearchData) -> None:
    """One wild price and one wild value make any correlation."""
    price, score = minutes.price.copy(), columns.noise(minutes)
    price[500] *= 3.0
    score[499] = 1e6
    data = minutes.with_frame(
        minutes.frame.with_columns(pl.Series("mid", price), pl.Series("score", score))
    )
    assert knows_later(data, "score", HALF_AN_HOUR) is None


@pytest.mark.parametrize(
    "files",
    [
        "qqq_micro_bars_1m/2024*.parquet",
        "lean_us_equity_hour/*.zip",
        "crypto_bars/*.feather",
        "crypto_bars/*.csv.gz",
        "us_etf_bars_1m/IWM/20*-12.parquet",
        "sp500_daily_2000_2016/A*.csv.xz",
    ],
)
def test_every_column_of_recorded_bars_passes(files: str, shared_data: Path) -> None:
    data = load(sorted(shared_data.glob(files)))
    numbers = [name for name in data.columns if data.frame[name].dtype.is_numeric()]
    found = [knows_later(data, name, HALF_AN_HOUR) for name in numbers]
    assert [one.sentence for one in found if one is not None] == [] and len(numbers) >= 4
