"""Who looks ahead now and then, by the time or the numbers of the rows, or not at all."""

from typing import Any

import numpy as np
import polars as pl
import pytest
import zoo

from hft.research.data.dataset import ResearchData
from hft.research.data.sample import sample
from hft.research.leakage import check_alpha

SEEDS = 40


@pytest.fixture(scope="module")
def market() -> ResearchData:
    return sample(rows=3_000, seed=21)


def peeking(share: float, seed: int) -> type:
    """Honest but on a share of the rows, where the next price is known."""

    def answer(frame: pl.DataFrame) -> Any:
        mid = frame["mid"].to_numpy()
        honest = np.append([0.0], np.sign(mid[:-1] - mid[1:]))[: len(mid)]
        move = np.append(np.sign(np.diff(mid)), 0.0)
        ts = frame["ts"].dt.epoch("ns").to_numpy() // 60_000_000_000
        chosen = (ts * (2_654_435_761 + 2 * seed)) % 100_000 < 100_000 * share
        return np.where(chosen, move, honest)

    return zoo.batch(answer, "mid")


def test_a_look_ahead_on_one_row_in_a_hundred_is_found_nearly_always(market: ResearchData) -> None:
    found = [not check_alpha(peeking(0.01, seed), market).clean for seed in range(SEEDS)]
    assert sum(found) >= 0.95 * SEEDS, f"{sum(found)} of {SEEDS}"


def test_the_same_rule_without_a_look_ahead_passes(market: ResearchData) -> None:
    report = check_alpha(peeking(0.0, 1), market)
    assert report.clean, report.first.sentence if report.first else ""


def answers(market: ResearchData) -> dict[int, float]:
    move = np.append(np.sign(np.diff(market.price)), 0.0)
    return dict(zip(market.ts_ns.tolist(), move.tolist(), strict=True))


def by_time(market: ResearchData, *fields: str) -> type:
    key = answers(market)

    def answer(frame: pl.DataFrame) -> Any:
        ts = frame["ts"].dt.epoch("ns").to_list()
        return np.array([key.get(t, 0.0) for t in ts]) + 1e-6 * frame["ofi"].to_numpy()

    return zoo.batch(answer, *fields)


def by_numbers(market: ResearchData, digits: int) -> type:
    move = np.append(np.sign(np.diff(market.price)), 0.0)
    key = {
        (round(a, digits), round(b)): c
        for a, b, c in zip(market.price, market.field("ofi"), move, strict=True)
    }

    def answer(frame: pl.DataFrame) -> Any:
        pairs = zip(frame["mid"].to_list(), frame["ofi"].to_list(), strict=True)
        return np.array([key.get((round(a, digits), round(b)), 0.0) for a, b in pairs])

    return zoo.batch(answer, "mid", "ofi")


@pytest.mark.parametrize("fields", [("ofi",), ("ofi", "ts_ns"), ("ofi", "session", "ts_ns")])
def test_answers_by_time_lose_what_they_earn_when_the_dates_move(
    market: ResearchData, fields: tuple[str, ...]
) -> None:
    report = check_alpha(by_time(market, *fields), market)
    kinds = {one.kind for one in report.violations}
    assert kinds & {"jitter", "inputs"}
    if "ts_ns" in fields:
        assert "28 years earlier" in report.violations[0].sentence


@pytest.mark.parametrize("digits", [12, 4])
def test_answers_by_the_numbers_of_a_row_lose_what_they_earn_when_those_move(
    market: ResearchData, digits: int
) -> None:
    (found,) = check_alpha(by_numbers(market, digits), market).violations
    assert found.kind == "jitter" and "by their numbers" in found.sentence


def reverting() -> ResearchData:
    """Prices that swing on a grid of 0.01: whoever fades the last move earns honestly."""
    data = sample(rows=3_000, seed=5)
    random = np.random.Generator(np.random.Philox(8))
    swing = np.round(100.0 + 0.01 * random.integers(-3, 4, len(data)), 2)
    spread = 0.01 * random.integers(1, 3, len(data))
    columns = {"mid": swing, "bid_px": swing - spread / 2, "ask_px": swing + spread / 2}
    return data.with_frame(data.frame.with_columns(pl.Series(k, v) for k, v in columns.items()))


def fading(frame: pl.DataFrame) -> Any:
    return -frame["mid"].diff().fill_null(0.0) * 100


def on_one_tick(frame: pl.DataFrame) -> Any:
    """Trades only while the spread is one tick, to the last digit that a float has."""
    spread = (frame["ask_px"] - frame["bid_px"]).round(4)
    return -frame["mid"].diff().fill_null(0.0).sign() * (spread == 0.01)


def by_rank(frame: pl.DataFrame) -> Any:
    return 50.0 - (frame["mid"].rolling_rank(50).fill_null(25.0) * 2.0)


def on_round_prices(frame: pl.DataFrame) -> Any:
    return (100.0 - frame["mid"]).sign()


@pytest.mark.parametrize("rule", [fading, on_one_tick, by_rank, on_round_prices])
def test_a_fast_honest_rule_with_ticks_and_ties_keeps_what_it_earns(rule: Any) -> None:
    fields = ("mid", "bid_px", "ask_px")
    report = check_alpha(zoo.batch(rule, *fields), reverting())
    assert report.clean, report.first.sentence if report.first else ""


def transformed_votes(frame: pl.DataFrame) -> Any:
    """Votes of a causal filter by Fourier: on a tie rounding decides, more rows round otherwise."""
    from scipy.signal import fftconvolve

    lots = frame["trades"].to_numpy()
    kernel = np.concatenate([np.ones(4), -np.ones(4)])
    return np.sign(fftconvolve(lots, kernel)[: len(lots)])


def voting_market() -> ResearchData:
    data = sample(rows=1_500, seed=3)
    random = np.random.Generator(np.random.Philox(2))
    lots = pl.Series("trades", random.integers(1, 40, len(data)).astype(float))
    return data.with_frame(data.frame.with_columns(lots))


def test_votes_on_ties_are_no_look_ahead_and_the_page_says_what_they_are() -> None:
    report = check_alpha(zoo.batch(transformed_votes, "trades"), voting_market())
    assert report.clean, report.first.sentence if report.first else ""
    assert report.ties > 0, "no tie was met: the test shows nothing"


def test_votes_that_look_ahead_on_ties_are_stopped() -> None:
    """The same filter with the next row in it: no rounding of the rows before explains that."""

    def ahead(frame: pl.DataFrame) -> Any:
        votes = transformed_votes(frame)
        return np.append(votes[1:], 0.0)

    assert not check_alpha(zoo.batch(ahead, "trades"), voting_market()).clean
