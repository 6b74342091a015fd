"""PSR and the minimum track record: printed figures in both conventions, and three libraries."""

from math import sqrt

import numpy as np
import pytest

from hft.statistics.sharpe import moments
from hft.statistics.track import min_track_record, psr, sharpe_needed

# Two years of a fund, monthly: Bailey and Lopez de Prado (2012), figure 3 and text.
SKEW, KURTOSIS = -2.448, 10.164


def test_the_same_24_months_are_0982_as_normal_and_0913_as_they_are() -> None:
    assert psr(0.458, 24) == pytest.approx(0.982, abs=5e-4)
    assert psr(0.458, 24, SKEW, KURTOSIS) == pytest.approx(0.913, abs=5e-4)
    assert psr(1.585 / sqrt(12), 24, SKEW, KURTOSIS) == pytest.approx(0.913234, abs=5e-7)


def test_the_2025_convention_gives_another_figure_for_the_same_months() -> None:
    sr = 0.036 / 0.079
    given = {"skew": SKEW, "kurtosis": KURTOSIS, "convention": "2025"}
    assert psr(sr, 24, **given) == pytest.approx(0.987, abs=5e-4)
    assert psr(sr, 24, benchmark=0.1, **given) == pytest.approx(0.939, abs=5e-4)
    assert min_track_record(sr, **given) == pytest.approx(13.029, abs=5e-4)


@pytest.mark.parametrize(
    ("sr", "benchmark", "periods", "skew", "kurtosis", "years"),
    [
        (2.0, 1.0, 250, 0.0, 3.0, 2.7312),
        (2.0, 1.0, 52, 0.0, 3.0, 2.8288),
        (3.0, 2.5, 12, -0.72, 5.78, 27.353),
    ],
)
def test_minimum_track_records_are_those_printed(
    sr: float, benchmark: float, periods: int, skew: float, kurtosis: float, years: float
) -> None:
    need = min_track_record(
        sr / sqrt(periods), skew, kurtosis, benchmark / sqrt(periods), confidence=0.95
    )
    assert need is not None
    assert need / periods == pytest.approx(years, abs=6e-4 if years > 10 else 6e-5)


@pytest.mark.parametrize(
    ("sr", "skew", "kurtosis", "years"),
    [(0.7079, -0.2250, 2.9570, 0.7152), (0.8183, -1.4455, 7.0497, 1.1593)],
)
def test_the_hedge_fund_rows_are_those_printed(
    sr: float, skew: float, kurtosis: float, years: float
) -> None:
    need = min_track_record(sr, skew, kurtosis)
    assert need is not None
    assert need / 12 == pytest.approx(years, abs=5e-5)


@pytest.mark.parametrize(
    ("sr", "normal", "tailed"), [(1.0, 684, 732), (1.5, 305, 339), (2.0, 173, 199), (3.0, 78, 97)]
)
def test_days_needed_against_zero_are_those_of_the_reference(
    sr: float, normal: int, tailed: int
) -> None:
    assert round(min_track_record(sr / sqrt(252)) or 0) == normal
    assert round(min_track_record(sr / sqrt(252), -1.0, 10.0) or 0) == tailed


@pytest.mark.parametrize("seed", range(5))
def test_psr_agrees_with_three_libraries(seed: int) -> None:
    vetted = pytest.importorskip("vetted", reason="the extra `oracles` has it")
    purgedcv = pytest.importorskip("purgedcv", reason="the extra `oracles` has it")
    skfolio = pytest.importorskip("skfolio.measures", reason="the extra `oracles` has it")
    r = np.random.default_rng(seed).standard_t(5, 400) * 0.01 + 0.0006
    m = moments(r)
    ours = psr(m.sharpe, m.n, m.skew, m.kurtosis, benchmark=0.02)
    theirs = vetted.overfitting.probabilistic_sharpe(r, benchmark=0.02 * sqrt(252))
    assert ours == pytest.approx(theirs, abs=1e-10)
    # These two take other sample moments.
    assert ours == pytest.approx(purgedcv.probabilistic_sharpe_ratio(r, 0.02), abs=2e-3)
    assert ours == pytest.approx(float(skfolio.probabilistic_sharpe_ratio(r, 0.02)), abs=2e-3)


def test_min_track_record_agrees_with_vetted() -> None:
    vetted = pytest.importorskip("vetted", reason="the extra `oracles` has it")
    r = np.random.default_rng(8).standard_t(5, 900) * 0.01 + 0.001
    m = moments(r)
    theirs = vetted.overfitting.min_track_record(r, benchmark=0.5)
    assert min_track_record(m.sharpe, m.skew, m.kurtosis, 0.5 / sqrt(252)) == pytest.approx(theirs)


@pytest.mark.parametrize("convention", ["2012", "2025"])
def test_a_record_of_exactly_the_minimum_length_reaches_the_confidence(convention: str) -> None:
    need = min_track_record(0.12, -0.7, 6.0, 0.03, 0.95, convention)
    assert psr(0.12, need, -0.7, 6.0, 0.03, convention) == pytest.approx(0.95, abs=1e-12)


def test_the_sharpe_needed_reaches_the_confidence_and_not_a_bit_less_does() -> None:
    need = sharpe_needed(200, -0.5, 6.0, 0.03, 0.95)
    assert need is not None
    assert psr(need, 200, -0.5, 6.0, 0.03) >= 0.95
    assert psr(need - 1e-6, 200, -0.5, 6.0, 0.03) < 0.95
    assert sharpe_needed(1, confidence=0.95) is None


def test_what_is_undefined_is_none_and_no_length_saves_a_losing_record() -> None:
    assert psr(None, 100, None, None) is None
    assert psr(0.1, 1) is None
    assert psr(1.0, 100, skew=3.0, kurtosis=1.0) is None
    assert min_track_record(0.1, benchmark=0.1) is None
    assert min_track_record(-0.1) is None
    with pytest.raises(ValueError, match="convention"):
        psr(0.1, 100, convention="1999")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="confidence"):
        min_track_record(0.1, confidence=1.0)


def test_a_length_of_a_given_power_is_enough_that_often() -> None:
    """Tracks of the true Sharpe ratio, of the length for four in five: PSR reaches the level."""
    true, rng = 0.12, np.random.default_rng(8)
    needed = min_track_record(true, power=0.8)
    plain = min_track_record(true)
    assert needed is not None and plain is not None and needed > 2 * plain
    reached = []
    for _ in range(600):
        r = rng.standard_normal(round(needed)) + true
        reached.append(psr(float(r.mean() / r.std(ddof=1)), r.size) >= 0.95)  # type: ignore[operator]
    assert float(np.mean(reached)) == pytest.approx(0.8, abs=0.05)
