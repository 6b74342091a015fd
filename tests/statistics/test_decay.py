"""Decay: a planted half-life comes back, its bounds cover it, and no decay is no number."""

import numpy as np
import pytest

from hft.statistics.decay import fit, half_life

HORIZONS = [1.0, 2.0, 5.0, 10.0, 30.0, 60.0]


@pytest.mark.parametrize(("ic0", "life"), [(0.05, 3.0), (0.05, 20.0), (-0.08, 12.0)])
def test_an_exact_curve_gives_its_half_life_back(ic0: float, life: float) -> None:
    curve = ic0 * 2.0 ** (-np.array(HORIZONS) / life)
    found_ic0, found = fit(HORIZONS, curve)
    assert found == pytest.approx(life, rel=1e-9)
    assert found_ic0 == pytest.approx(ic0, rel=1e-9)


@pytest.mark.parametrize("life", [0.7, 4.0, 41.3])
def test_the_half_life_lies_on_no_grid(life: float) -> None:
    h = np.array([1.0, 2.0, 3.0, 5.0, 8.0, 13.0])
    assert fit(h, 0.1 * 2.0 ** (-h / life))[1] == pytest.approx(life, rel=1e-9)


def test_the_fit_is_that_of_scipy() -> None:
    optimize = pytest.importorskip("scipy.optimize")
    rng = np.random.default_rng(1)
    h = np.array(HORIZONS)
    y = 0.05 * 2.0 ** (-h / 9.0) + 0.003 * rng.standard_normal(6)
    w = np.array([1.0, 2.0, 3.0, 1.0, 1.0, 0.5])
    theirs, _ = optimize.curve_fit(
        lambda t, a, b: a * 2.0 ** (-t / b),
        h,
        y,
        p0=[0.05, 5.0],
        sigma=1 / np.sqrt(w),
        xtol=1e-14,
        ftol=1e-14,
    )
    assert fit(h, y, w) == pytest.approx(tuple(theirs), rel=1e-6)


def test_the_bounds_cover_the_truth_about_as_often_as_they_say() -> None:
    h, inside = np.array(HORIZONS), 0
    for seed in range(60):
        noise = np.random.default_rng(seed).standard_normal((200, 6))
        found = half_life(h, 0.05 * 2.0 ** (-h / 8.0) + 0.1 * noise, reps=300, block=1.0)
        low = 0.0 if found.low is None else found.low
        high = np.inf if found.high is None else found.high
        inside += low <= 8.0 <= high
    assert inside / 60 >= 0.8


def test_a_flat_curve_and_a_rising_one_have_no_half_life() -> None:
    assert fit(HORIZONS, [0.05] * 6)[1] is None
    assert fit(HORIZONS, [0.01, 0.02, 0.03, 0.04, 0.05, 0.06])[1] is None
    assert fit(HORIZONS, [0.0] * 6) == (0.0, None)
    noise = np.random.default_rng(3).standard_normal((50, 6)) * 0.01
    found = half_life(HORIZONS, 0.05 + noise, reps=100)
    assert found.high is None and found.unresolved > 0.3


def test_the_same_seed_gives_the_same_bounds() -> None:
    data = np.random.default_rng(4).standard_normal((60, 6)) + 1.0
    assert half_life(HORIZONS, data, reps=50) == half_life(HORIZONS, data, reps=50)


@pytest.mark.parametrize("bad", [[1.0], [0.0, 1.0], [2.0, 1.0]])
def test_horizons_must_rise_from_above_zero(bad: list[float]) -> None:
    with pytest.raises(ValueError, match="horizons"):
        fit(bad, [0.1] * len(bad))
