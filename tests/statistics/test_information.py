"""The information coefficient: scipy's figures, missing is not zero, overlap is paid for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hft.statistics.information import (
    fundamental_law,
    ic,
    ic_by_chunk,
    ic_by_date,
    ic_over_time,
    ranks,
    rolling,
)

values = st.lists(st.integers(-5, 5), min_size=3, max_size=60)


@given(values)
def test_ties_get_average_ranks_as_in_scipy(x: list[int]) -> None:
    stats = pytest.importorskip("scipy.stats")
    assert ranks(np.array(x, float)).tolist() == stats.rankdata(x).tolist()


@given(st.integers(0, 10_000), st.integers(3, 80))
def test_both_coefficients_are_those_of_scipy(seed: int, n: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(seed)
    x, y = np.round(rng.standard_normal(n), 1), rng.standard_normal(n)
    if np.ptp(x) == 0:
        return
    found = ic(x, y)
    assert found.spearman == pytest.approx(stats.spearmanr(x, y)[0], abs=1e-12)
    assert found.pearson == pytest.approx(stats.pearsonr(x, y)[0], abs=1e-12)


@pytest.mark.parametrize("constant", [0.0, 3.7, 1e12])
def test_a_constant_side_is_missing_and_not_zero(constant: float) -> None:
    y = np.random.default_rng(0).standard_normal(20)
    assert ic(np.full(20, constant), y).spearman is None
    assert ic(y, np.full(20, constant)).pearson is None
    assert ic([1.0], [2.0]).spearman is None


@given(st.integers(0, 10_000))
def test_many_dates_at_once_are_one_date_at_a_time(seed: int) -> None:
    """Dates of unequal lengths, with ties, NaN and stretches that do not vary."""
    rng = np.random.default_rng(seed)
    dates = np.repeat(np.arange(12), rng.integers(1, 9, 12))
    x = np.round(rng.standard_normal(dates.size), int(rng.integers(0, 3)))
    y = rng.standard_normal(dates.size)
    x[rng.random(dates.size) < 0.1] = np.nan
    x[dates == 3], y[dates == 5] = 1.0, -2.5
    found = ic_by_date(dates, x, y, min_names=3)
    fine, alone = np.isfinite(x), {}
    for date in range(12):
        mine = fine & (dates == date)
        one = ic(x[mine], y[mine], 3)
        if one.spearman is not None and one.pearson is not None:
            alone[date] = (one.spearman, one.pearson)
    assert found.at.tolist() == list(alone)
    assert found.spearman.tolist() == pytest.approx([s for s, _ in alone.values()], abs=1e-14)
    assert found.pearson.tolist() == pytest.approx([p for _, p in alone.values()], abs=1e-14)


@given(st.integers(0, 10_000))
def test_the_mean_of_the_sessions_parts_is_the_coefficient_of_all_rows(seed: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(seed)
    sessions = np.repeat(np.arange(30), rng.integers(1, 9, 30))
    x = np.round(rng.standard_normal(sessions.size), 1)
    y = x + 3.0 * rng.standard_normal(sessions.size)
    found = ic_over_time(sessions, x, y)
    assert found.mean == pytest.approx(stats.spearmanr(x, y)[0], abs=1e-12)
    assert found.pearson_mean == pytest.approx(stats.pearsonr(x, y)[0], abs=1e-12)
    y[:4] = np.nan
    fewer = ic_over_time(sessions, x, y)
    assert fewer.mean == pytest.approx(stats.spearmanr(x[4:], y[4:])[0], abs=1e-12)
    assert fewer.dropped == 30 - len(set(sessions[4:]))


def slow(rng: np.random.Generator, sessions: int, rows: int, decay: float) -> np.ndarray:
    """An AR(1) that remembers about 1 / (1 - decay) rows."""
    found, level = np.empty(sessions * rows), 0.0
    for row, one in enumerate(rng.standard_normal(found.size)):
        level = decay * level + one
        found[row] = level
    return found * np.sqrt(1.0 - decay * decay)


def test_the_t_of_a_slow_signal_without_edge_is_standard_normal() -> None:
    rng, found = np.random.default_rng(5), []
    sessions = np.repeat(np.arange(250), 12)
    for _ in range(400):
        t = ic_over_time(sessions, slow(rng, 250, 12, 0.9), rng.standard_normal(3000)).t
        assert t is not None and t.t is not None
        found.append(t.t)
    assert abs(np.mean(found)) < 0.15 and 0.9 < np.std(found) < 1.15
    assert np.mean(np.array(found) > 2.33) < 0.03


def test_a_slow_signal_keeps_what_a_session_alone_takes_away() -> None:
    """The edge lies in the level of the whole session, which a coefficient within it never sees."""
    rng = np.random.default_rng(6)
    sessions = np.repeat(np.arange(500), 12)
    signal = slow(rng, 500, 12, 0.99)
    label = 0.08 * signal + rng.standard_normal(6000)
    over, within = ic_over_time(sessions, signal, label).t, ic_by_date(sessions, signal, label).t
    assert over is not None and within is not None
    assert over.t > 3.0 > within.t  # type: ignore[operator]


def test_one_outlier_moves_pearson_and_not_spearman() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal(200), rng.standard_normal(200)
    x[0], y[0] = 100.0, 100.0
    found = ic(x, y)
    assert found.pearson is not None and found.spearman is not None
    assert found.pearson > 0.9 and abs(found.spearman) < 0.2


@pytest.mark.parametrize(
    ("n", "chunks"), [(7, 0), (8, 1), (15, 1), (16, 2), (100, 12), (1000, 20), (1039, 20)]
)
def test_chunks_are_a_twentieth_and_at_least_eight_rows(n: int, chunks: int) -> None:
    rng = np.random.default_rng(2)
    found = ic_by_chunk(rng.standard_normal(n), rng.standard_normal(n))
    assert found.spearman.size == chunks
    assert (found.mean is None) == (chunks == 0)


def test_the_mean_over_chunks_is_what_it_says() -> None:
    rng = np.random.default_rng(3)
    x = rng.standard_normal(400)
    y = x + 2 * rng.standard_normal(400)
    found = ic_by_chunk(x, y)
    by_hand = [np.corrcoef(x[a : a + 20], y[a : a + 20])[0, 1] for a in range(0, 400, 20)]
    assert found.pearson.tolist() == pytest.approx(by_hand)
    assert found.pearson_mean == pytest.approx(np.mean(by_hand))
    assert found.pearson_sd == pytest.approx(np.std(by_hand, ddof=1))
    assert found.icir == pytest.approx(found.spearman.mean() / found.spearman.std(ddof=1))
    assert found.hit_rate == (found.spearman > 0).mean()
    assert found.t is not None and found.t.t is not None and found.t.t > 3


def test_a_date_with_too_few_names_or_no_spread_is_dropped_and_counted() -> None:
    rng = np.random.default_rng(4)
    dates = np.repeat([20, 10, 30, 40], 10)
    x, y = rng.standard_normal(40), rng.standard_normal(40)
    x[0:6] = np.nan  # date 20 keeps four names
    y[20:30] = 1.0  # date 30 has no spread
    found = ic_by_date(dates, x, y, min_names=5)
    assert found.at.tolist() == [0, 3], "dates 10 and 40, in ascending order"
    assert found.dropped == 2
    assert found.spearman[0] == pytest.approx(ic(x[10:20], y[10:20]).spearman)


def test_overlapping_labels_are_paid_for() -> None:
    rng = np.random.default_rng(5)
    noise = rng.standard_normal((900, 20))
    label = np.sum([np.roll(noise, -k, axis=0) for k in range(30)], axis=0)
    signal = np.repeat(rng.standard_normal((30, 20)), 30, axis=0)
    dates = np.repeat(np.arange(900), 20)
    plain = ic_by_date(dates, signal.ravel(), label.ravel())
    honest = ic_by_date(dates, signal.ravel(), label.ravel(), horizon=30)
    assert plain.t is not None and honest.t is not None
    assert honest.t.lags >= 29
    assert honest.t.se is not None and plain.t.se is not None
    assert honest.t.se > 1.5 * plain.t.se


def test_rolling_means_begin_when_there_are_enough() -> None:
    found = rolling([1.0, 2.0, 3.0, 4.0], 3)
    assert np.isnan(found[:2]).all()
    assert found[2:].tolist() == [2.0, 3.0]
    assert np.isnan(rolling([1.0], 3)).all()
    with pytest.raises(ValueError, match="window"):
        rolling([1.0], 0)


def test_the_fundamental_law_and_a_ratio_without_spread() -> None:
    assert fundamental_law(0.02, 2500) == pytest.approx(1.0)
    with pytest.raises(ValueError, match="breadth"):
        fundamental_law(0.02, -1)
    with pytest.raises(ValueError, match="equal lengths"):
        ic_by_date([1, 2], [0.1], [0.2])
