"""Drawdown: Bacon's 24 months, Brownian motion by theory and by walk, both tails of a bootstrap."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hft.statistics.drawdown import (
    drawdown_test,
    exceed_brownian,
    expected_brownian,
    max_drawdown,
)
from hft.statistics.sharpe import annualise, sharpe


def test_bacons_portfolio_has_the_figures_of_performance_analytics() -> None:
    fixtures = pytest.importorskip("vetted.fixtures", reason="the extra `oracles` has it")
    r = fixtures.BACON_PORTFOLIO
    assert max_drawdown(r) == pytest.approx(0.144673, abs=5e-7)
    assert max_drawdown(r, kind="simple") == pytest.approx(0.117375, abs=5e-7)
    assert annualise(sharpe(r), 12) == pytest.approx(0.788320, abs=5e-7)


def test_a_loss_on_the_first_day_is_a_drawdown() -> None:
    for kind in ("compound", "simple", "absolute"):
        assert max_drawdown([-0.1, 0.2], kind=kind) == pytest.approx(0.1)  # type: ignore[arg-type]
    assert max_drawdown([0.1, 0.2]) == 0.0


@given(st.lists(st.floats(-0.5, 0.5), min_size=1, max_size=50))
def test_it_is_the_definition(r: list[float]) -> None:
    wealth = np.concatenate([[1.0], np.cumprod(1 + np.array(r))])
    by_hand = max(1 - v / max(wealth[: i + 1]) for i, v in enumerate(wealth))
    assert max_drawdown(r) == pytest.approx(by_hand, abs=1e-12)
    summed = np.concatenate([[0.0], np.cumsum(r)])
    by_hand = max(max(summed[: i + 1]) - v for i, v in enumerate(summed))
    assert max_drawdown(r, kind="absolute") == pytest.approx(by_hand, abs=1e-12)


@pytest.mark.parametrize(
    ("mu", "sigma", "periods", "printed"),
    [(0.0005, 0.01, 252, 0.1557), (0.0, 1.0, 1000, 39.633), (0.1, 1.0, 252, 12.678)],
)
def test_the_expected_drawdown_is_that_of_fbasics(
    mu: float, sigma: float, periods: float, printed: float
) -> None:
    # With a drift R interpolates a table of the paper (0.2 %); the walk below is the judge.
    assert expected_brownian(mu, sigma, periods) == pytest.approx(
        printed, rel=2e-5 if mu == 0 else 2e-3
    )


def test_the_tail_is_that_of_fbasics_and_of_the_closed_form() -> None:
    found = exceed_brownian(20.0, 0.0, 1.0, 1000.0)
    assert found == pytest.approx(0.9414, abs=5e-4)
    k = np.arange(50)
    survival = 4 / np.pi * (-1.0) ** k / (2 * k + 1)
    survival = (survival * np.exp(-((2 * k + 1) ** 2) * np.pi**2 * 1000 / (8 * 400))).sum()
    assert found == pytest.approx(1 - survival, abs=1e-12)


def _walk(level: float, mu: float, sigma: float, periods: float, cells: int) -> float:
    """The same chance by a random walk of the drawdown on a fine grid, reflected at 0."""
    step = level / cells
    dt = (step / sigma) ** 2
    up = 0.5 * (1 - mu * dt / step)  # the drawdown drifts against the gain
    mass = np.zeros(cells)
    mass[0] = 1.0
    for _ in range(round(periods / dt)):
        moved = np.zeros(cells)
        moved[1:] += up * mass[:-1]
        moved[:-1] += (1 - up) * mass[1:]
        moved[0] += (1 - up) * mass[0]
        mass = moved
    return 1.0 - float(mass.sum())


@pytest.mark.parametrize("mu", [-0.05, 0.0, 0.08, 0.1, 0.2])
def test_the_tail_with_a_drift_is_that_of_a_random_walk(mu: float) -> None:
    assert exceed_brownian(10.0, mu, 1.0, 120.0) == pytest.approx(
        _walk(10.0, mu, 1.0, 120.0, 250), abs=4e-3
    )


@given(st.floats(-0.5, 0.5), st.floats(0.5, 30), st.floats(1, 500))
def test_the_tail_is_a_probability_and_falls_with_the_level(
    mu: float, level: float, periods: float
) -> None:
    low, high = (exceed_brownian(x, mu, 1.0, periods) for x in (level, level * 1.1))
    assert 0.0 <= high <= low + 1e-9 <= 1.0 + 1e-9


def test_a_claim_judges_its_own_drawdown_unremarkable_and_flags_both_tails() -> None:
    claimed = np.random.default_rng(1).standard_normal(750) * 0.01 + 0.0005
    own = drawdown_test(claimed, reps=500)
    assert 0.05 < own.percentile < 0.95
    assert drawdown_test(claimed, 0.6, reps=500).percentile > 0.99
    assert drawdown_test(claimed, 0.01, reps=500).percentile < 0.01
    polished = np.where(claimed < 0, 0.4 * claimed, claimed)
    assert drawdown_test(claimed, polished, reps=500).percentile < 0.02


def test_the_bootstrap_over_a_year_gives_the_chance_of_a_limit() -> None:
    r = np.random.default_rng(2).standard_normal(1500) * 0.01
    year = drawdown_test(r, length=252, reps=1000, block=1.0, kind="absolute")
    assert year.exceeds(0.2) == pytest.approx(
        exceed_brownian(0.2, float(r.mean()), float(r.std()), 252.0), abs=0.06
    )
    assert year.quantile(0.95) > year.quantile(0.05)
    assert (
        year.distribution.tolist()
        == drawdown_test(r, length=252, reps=1000, block=1.0, kind="absolute").distribution.tolist()
    )


def test_the_loss_of_the_whole_equity_is_a_drawdown_of_one() -> None:
    assert max_drawdown([0.1, -1.0]) == 1.0
    assert max_drawdown([-1.0, 0.5, -1.0]) == 1.0
    assert max_drawdown([0.1, -0.999]) == pytest.approx(0.999)
    drawn = drawdown_test([0.1, -0.1, -1.0, 0.2, 0.1, -0.2], reps=200, block=1.0).distribution
    assert drawn[-1] == 1.0 and np.isfinite(drawn).all()


def test_a_loss_of_more_than_the_whole_equity_does_not_compound() -> None:
    with pytest.raises(ValueError, match="more than the whole equity"):
        max_drawdown([0.1, -1.001])
    with pytest.raises(ValueError, match="positive"):
        expected_brownian(0.1, 0.0, 10.0)
    assert exceed_brownian(0.0, 0.1, 1.0, 10.0) == 1.0


def test_a_drawdown_that_ties_with_resamples_stands_in_the_middle_of_them() -> None:
    returns = np.tile([0.01, -0.01], 40)
    found = drawdown_test(returns, 0.0, reps=50, block=1.0)
    assert found.percentile == 0.0
    # Of resamples of two days the drawdown is 0, 0.01 or 0.0199: ties with each are half below.
    short = drawdown_test(returns, 0.01, length=2, reps=400, block=1.0)
    below, upto = (float(np.mean(short.distribution < 0.01 + k)) for k in (-1e-12, 1e-12))
    assert 0.1 < below < upto < 0.9
    level = float(short.distribution[int(below * 400)])
    tied = drawdown_test(returns, level, length=2, reps=400, block=1.0)
    at = float(np.mean(short.distribution == level))
    assert at > 0.2
    assert tied.percentile == pytest.approx(float(np.mean(short.distribution < level)) + at / 2)
