"""Anytime tests: printed figures of two packages, and the promise itself, by simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr

from hft.statistics.sequential import (
    adverse,
    best_rho,
    calibrate,
    e_bh,
    mean_confidence,
    merge,
    mixture,
    normal_log_mixture,
    normal_mixture_bound,
    one_sided_bound,
    one_sided_log_mixture,
)
from tests.naive.r_random import r_normals


def test_the_normal_mixture_has_the_figures_confseq_prints() -> None:
    rho = best_rho(100, 0.05)
    assert rho == pytest.approx(12.60056, abs=5e-6)
    assert normal_log_mixture(10, 100, rho) == pytest.approx(-0.6510052, abs=5e-8)
    assert normal_mixture_bound(100, 0.05, rho) == pytest.approx(30.35209, abs=5e-6)


def test_the_one_sided_mixture_has_the_figures_confseq_prints() -> None:
    rho = best_rho(100, 0.10)
    assert one_sided_log_mixture(10, 100, rho) == pytest.approx(-0.06502391, abs=5e-9)
    assert one_sided_bound(100, 0.05, rho) == pytest.approx(27.66071, abs=5e-6)


def test_the_r_session_of_the_mixture_sprt_readme_is_repeated() -> None:
    """10000 pairs, the second shifted by 0.05; its tau comes from calcTau, rounded to 2 digits."""
    drawn = r_normals(1337, 20_000)
    z = drawn[:10_000] - (drawn[10_000:] + 0.05)
    b = 2 * np.log(1 / 0.05) / np.sqrt(10_000)
    density = np.exp(-(b**2) / 2) / np.sqrt(2 * np.pi)
    tau = round(float(ndtr(-b) / (density / b - ndtr(-b))), 2)
    process = mixture(z, 0.0, np.sqrt(2.0), tau2=tau**2 / 2.0)
    assert process.crossed(20.0) == 7632
    assert process.e_max == pytest.approx(273.962, abs=5e-4)


def test_the_mixture_is_the_formula_of_the_reference() -> None:
    x = np.random.default_rng(0).standard_normal(40) * 2.0 + 0.3
    s, n, s2, t2 = x.sum(), 40, 4.0, 0.04 * 4.0
    by_hand = np.sqrt(s2 / (s2 + n * t2)) * np.exp(t2 * s**2 / (2 * s2 * (s2 + n * t2)))
    assert mixture(x, 0.0, 2.0).e == pytest.approx(by_hand)


def _naive_one_sided(x: np.ndarray, tau2: float) -> float:
    """The half-normal mixture of likelihood ratios, integrated on a grid."""
    theta = np.linspace(0, 12 * np.sqrt(tau2), 200_001)
    weight = 2 * np.exp(-(theta**2) / (2 * tau2)) / np.sqrt(2 * np.pi * tau2)
    ratio = np.exp(theta * x.sum() - theta**2 * x.size / 2)
    return float(np.trapezoid(weight * ratio, theta))


@pytest.mark.parametrize("seed", range(3))
def test_the_adverse_process_is_a_mixture_over_shortfalls(seed: int) -> None:
    x = np.random.default_rng(seed).standard_normal(30)
    found = adverse(x, 0.25, 1.5, 0.04).e
    assert found == pytest.approx(_naive_one_sided((0.25 - x) / 1.5, 0.04), rel=1e-6)


@pytest.mark.parametrize("one_sided", [True, False])
@pytest.mark.parametrize("margin", [0.0, 0.3])
def test_a_harmless_stream_is_rarely_rolled_back_however_often_one_looks(
    one_sided: bool, margin: float
) -> None:
    rng = np.random.default_rng(11)
    crossed = sum(
        adverse(rng.standard_normal(250) + margin, 0.0, 1.0, one_sided=one_sided).e_max >= 20.0
        for _ in range(2000)
    )
    assert crossed / 2000 <= 0.05


def test_looking_daily_at_a_plain_t_test_would_not_do() -> None:
    rng = np.random.default_rng(12)
    z = np.cumsum(rng.standard_normal((2000, 60)), axis=1) / np.sqrt(np.arange(1, 61))
    assert (z < -1.645).any(axis=1).mean() > 0.2


@pytest.mark.parametrize(
    ("shift", "share", "day"),
    [(-0.1, 0.05, None), (-0.2, 0.44, None), (-0.3, 0.92, 127), (-0.5, 1.0, 60)],
)
def test_the_power_is_that_of_the_reference_and_one_sided_is_better(
    shift: float, share: float, day: int | None
) -> None:
    x = np.random.default_rng(13).standard_normal((1500, 250)) + shift
    days = [adverse(row, 0.0, 1.0, one_sided=False).crossed(100.0) for row in x]
    found = [at for at in days if at is not None]
    assert len(found) / 1500 == pytest.approx(share, abs=0.04)
    assert day is None or np.mean(found) == pytest.approx(day, abs=6)
    assert np.mean([adverse(row, 0.0, 1.0).e_max >= 100 for row in x]) >= len(found) / 1500


def test_a_confidence_sequence_holds_at_every_look_at_once() -> None:
    rng = np.random.default_rng(14)
    missed = 0
    for _ in range(500):
        x = rng.standard_normal(200) * 2.0 + 1.0
        looks = [mean_confidence(x[:n], 2.0, 0.05) for n in range(1, 201)]
        missed += any(look is not None and not look.contains(1.0) for look in looks)
    assert missed / 500 <= 0.05
    assert mean_confidence([], 1.0) is None


def test_an_e_process_begins_at_one_and_reports_when_it_crossed() -> None:
    empty = adverse([], 0.0, 1.0)
    assert (empty.e, empty.e_max, empty.p, empty.crossed(20)) == (1.0, 1.0, 1.0, None)
    bad = adverse(np.full(100, -1.0), 0.0, 1.0)
    at = bad.crossed(100.0)
    assert at is not None
    assert np.exp(bad.log_e[at - 1]) >= 100 > np.exp(bad.log_e[at - 2])
    assert adverse(np.full(100, 1.0), 0.0, 1.0).e < 1.0


def test_a_sigma_that_was_not_frozen_is_refused() -> None:
    with pytest.raises(ValueError, match="freeze"):
        adverse([0.1, 0.2], 0.0, 0.0)
    with pytest.raises(ValueError, match="not a number"):
        adverse([0.1, float("nan")], 0.0, 1.0)


def test_a_calibrated_p_value_is_an_e_value() -> None:
    p = (np.arange(100_000) + 0.5) / 100_000
    assert np.mean([calibrate(x) for x in p]) == pytest.approx(1.0, abs=0.01)
    with pytest.raises(ValueError):
        calibrate(0.0)


def test_merged_e_values_of_copies_are_not_counted_twice() -> None:
    assert merge([30.0, 30.0, 30.0]) == 30.0
    assert merge([]) == 1.0


def naive_e_bh(e: list[float], alpha: float) -> tuple[int, ...]:
    best: tuple[int, ...] = ()
    for k in range(1, len(e) + 1):
        chosen = [i for i, x in enumerate(e) if x >= len(e) / (k * alpha)]
        if len(chosen) >= k and len(chosen) > len(best):
            best = tuple(chosen)
    return best


@given(st.lists(st.floats(0, 500), max_size=12), st.sampled_from([0.05, 0.1, 0.2]))
def test_e_bh_equals_its_definition(e: list[float], alpha: float) -> None:
    assert e_bh(e, alpha) == naive_e_bh(e, alpha)


def test_e_bh_of_a_fleet() -> None:
    assert e_bh([1, 40, 30, 0.2], 0.10) == (1, 2)
    assert e_bh([1, 39, 5, 0.2], 0.10) == ()
    assert e_bh([]) == ()
