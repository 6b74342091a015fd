"""The spread of luck: a variance for worthless trials, blind to trials that lose on purpose."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hft.statistics.luck import luck_variance

RATIOS = st.lists(st.floats(-5.0, 5.0), min_size=2, max_size=30)


@pytest.mark.parametrize("seed", range(5))
def test_for_worthless_trials_it_is_the_variance(seed: int) -> None:
    sharpes = 0.03 * np.random.default_rng(seed).standard_normal(20_000)
    assert luck_variance(sharpes) == pytest.approx(sharpes.var(), rel=0.05)


def test_dear_losers_raise_no_hurdle() -> None:
    luck = 0.03 * np.random.default_rng(1).standard_normal(500)
    losers = np.random.default_rng(2).uniform(-3.0, -0.5, 500)
    alone, beside = luck_variance(luck), luck_variance(np.concatenate([luck, losers]))
    assert alone is not None and beside is not None
    # Half of the trials fell away from the middle, so only what is above zero is left to measure.
    assert beside == pytest.approx(alone, rel=0.15)
    assert np.concatenate([luck, losers]).var() > 100 * alone


def test_the_cells_of_one_good_alpha_are_no_luck() -> None:
    cells = 0.3 + 0.01 * np.random.default_rng(3).standard_normal(12)
    assert luck_variance(cells) < 0.001  # type: ignore[operator]


def test_trials_that_all_lose_show_no_luck() -> None:
    assert luck_variance([-0.1, -0.2, -0.3]) is None
    assert luck_variance([]) is None


@given(RATIOS, st.integers(1, 4))
def test_a_trial_counted_in_parts_is_one_trial(values: list[float], parts: int) -> None:
    split = np.repeat(values, parts)
    weights = np.full(len(split), 1.0 / parts)
    one, many = luck_variance(values), luck_variance(split, weights)
    assert (one is None) == (many is None)
    if one is not None:
        assert many == pytest.approx(one, rel=1e-9, abs=1e-12)


@given(st.lists(st.floats(-5.0, 5.0), min_size=3, max_size=30), st.floats(-5.0, 0.0))
def test_losers_never_lift_it_beyond_what_lies_above_zero(
    values: list[float], loser: float
) -> None:
    found = luck_variance([*values, *[loser] * len(values)])
    winners = [value for value in values if value > 0.0]
    if found is not None and winners:
        assert found <= np.mean(np.square(winners)) + 1e-12


@given(st.lists(st.floats(-0.15, 0.5), min_size=2, max_size=30), st.integers(1, 40))
def test_losses_beyond_luck_count_like_one_trial_in_the_middle(
    values: list[float], losers: int
) -> None:
    sampling = 1.0 / 504
    beside = luck_variance([*values, *[-3.15] * losers], sampling=sampling)
    middle = luck_variance([*values, float(np.median(values))], sampling=sampling)
    assert (beside is None) == (middle is None)
    if beside is not None and middle is not None:
        assert beside <= middle * (1 + 1e-9)


def test_unequal_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="2 Sharpe ratios and 1 weights"):
        luck_variance([0.1, 0.2], [1.0])


def test_a_loss_is_beyond_luck_from_four_deviations_on() -> None:
    around, sampling = [-0.02, -0.01, 0.0, 0.01, 0.02], 0.01**2
    far, near = (luck_variance([*around, one, one], sampling=sampling) for one in (-0.041, -0.039))
    assert far is not None and near is not None
    # Two beyond luck stand for one trial in the middle; two within it move the median below 0.
    assert far == pytest.approx(sum(x * x for x in around) / 5)
    assert near == pytest.approx((0.01**2 + 0.02**2) / 2) != far
