"""The door of every statistic: NaN, infinity and the wrong shape stop there, with a sentence."""

import numpy as np
import pytest

from hft.statistics import (
    betting,
    bootstrap,
    capacity,
    cusum,
    decay,
    drawdown,
    hac,
    information,
    marginal,
    multiplicity,
    overfitting,
    permutation,
    redundancy,
    selection,
    sequential,
    sharpe,
    trials,
)
from hft.statistics.series import generator, paired, panel, series

GOOD = np.random.default_rng(0).standard_normal(64) * 0.01
WIDE = np.random.default_rng(1).standard_normal((64, 4)) * 0.01
HORIZONS = [1.0, 2.0, 4.0, 8.0]

ONE = {
    "moments": sharpe.moments,
    "sharpe": sharpe.sharpe,
    "sharpe_se_hac": sharpe.sharpe_se_hac,
    "effective_length": sharpe.effective_length,
    "hac_t": hac.hac_t,
    "hac_line": lambda x: hac.hac_line(x, WIDE),
    "block_length": bootstrap.block_length,
    "max_drawdown": drawdown.max_drawdown,
    "drawdown_test": lambda x: drawdown.drawdown_test(x, reps=5),
    "ic": lambda x: information.ic(x, GOOD),
    "ic_by_chunk": lambda x: information.ic_by_chunk(GOOD, x),
    "turnover": capacity.turnover,
    "circular_p": lambda x: permutation.circular_p(x, GOOD, reps=5),
    "adverse": lambda x: sequential.adverse(x, 0.0, 1.0),
    "mean_confidence": lambda x: sequential.mean_confidence(x, 1.0),
    "e_bh": lambda x: sequential.e_bh(np.abs(x)),
    "cusum": lambda x: cusum.cusum(x, 0.0, 1.0),
    "empirical_bernstein": lambda x: betting.empirical_bernstein(x, -1.0, 1.0),
    "betting_interval": lambda x: betting.betting_interval(x, -1.0, 1.0),
    "correlations": lambda x: redundancy.correlations(x, WIDE),
    "vif": lambda x: redundancy.vif(x, WIDE),
    "spanning": lambda x: redundancy.spanning(x, WIDE),
    "addition": lambda x: marginal.addition(x, WIDE, reps=5),
    "adjust": lambda x: multiplicity.adjust(np.abs(x)),
}
MANY = {
    "cscv": lambda x: overfitting.cscv(x, blocks=4),
    "effective_trials": trials.effective_trials,
    "participation_ratio": trials.participation_ratio,
    "half_life": lambda x: decay.half_life(HORIZONS, x, reps=5),
    "one_way_turnover": capacity.one_way_turnover,
    "spa": lambda x: selection.spa(x, reps=5),
}


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", sorted(ONE))
def test_a_value_that_is_no_number_is_refused_in_a_series(name: str, bad: float) -> None:
    ONE[name](GOOD)
    broken = GOOD.copy()
    broken[17] = bad
    with pytest.raises(ValueError, match=r"17.* is not a number"):
        ONE[name](broken)


@pytest.mark.parametrize("name", sorted(MANY))
def test_a_value_that_is_no_number_is_refused_in_a_matrix(name: str) -> None:
    MANY[name](WIDE)
    broken = WIDE.copy()
    broken[9, 2] = np.nan
    with pytest.raises(ValueError, match=r"\[9, 2\] is not a number"):
        MANY[name](broken)


def test_shapes_are_named_in_the_refusal() -> None:
    with pytest.raises(ValueError, match="one axis, got 2"):
        series(WIDE)
    with pytest.raises(ValueError, match="got 1 axes"):
        panel(GOOD)
    with pytest.raises(ValueError, match="64 x 4, at least 100 x 1"):
        panel(WIDE, rows=100)
    with pytest.raises(ValueError, match="signal has 64 values and label 63"):
        paired(GOOD, GOOD[1:], 1, ("signal", "label"))


def test_two_purposes_never_share_a_draw() -> None:
    one, other = generator(1, 2), generator(1, 3)
    assert not np.array_equal(one.random(8), other.random(8))
    assert np.array_equal(generator(1, 2).random(8), generator(1, 2).random(8))
