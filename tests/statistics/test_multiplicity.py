"""Many p-values: printed counts, statsmodels, and the haircut of Harvey and Liu."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hft.statistics.multiplicity import adjust, haircut, survivors

# Benjamini and Hochberg (1995), section 3.2.
FIFTEEN = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344,
    0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000,
]  # fmt: skip
# Harvey and Liu (2015), exhibit with six tests.
SIX = [0.005, 0.009, 0.0128, 0.0135, 0.045, 0.06]


def test_benjamini_and_hochberg_reject_four_where_bonferroni_rejects_three() -> None:
    assert survivors(FIFTEEN, "bonferroni") == 3
    assert survivors(FIFTEEN, "bh") == 4


@pytest.mark.parametrize(
    ("method", "count"), [("bonferroni", 1), ("holm", 2), ("bh", 4), ("by", 4), ("none", 5)]
)
def test_harvey_and_lius_six(method: str, count: int) -> None:
    assert survivors(SIX, method) == count  # type: ignore[arg-type]


p_values = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=40)


@given(p_values, st.sampled_from(["bonferroni", "holm", "bh", "by"]))
def test_adjustment_is_that_of_statsmodels(p: list[float], method: str) -> None:
    tools = pytest.importorskip("statsmodels.stats.multitest", reason="statsmodels comes with arch")
    name = {"bh": "fdr_bh", "by": "fdr_by"}.get(method, method)
    theirs = tools.multipletests(p, method=name)[1]
    assert adjust(p, method) == pytest.approx(theirs, abs=1e-12)  # type: ignore[arg-type]


@given(p_values)
def test_the_methods_stand_in_their_order(p: list[float]) -> None:
    raw, bh, holm, bonferroni, by = (
        adjust(p, method) for method in ("none", "bh", "holm", "bonferroni", "by")
    )
    room = 1e-12
    assert np.all(raw <= bh + room) and np.all(bh <= holm + room)
    assert np.all(holm <= bonferroni + room) and np.all(bh <= by + room)


def test_trials_whose_p_is_not_known_still_count() -> None:
    assert adjust([0.001], "bonferroni", 20).tolist() == [0.02]
    assert adjust([0.001], "holm", 20).tolist() == [0.02]
    assert adjust([0.001], "bh", 20).tolist() == [0.02]
    padded = adjust([0.001, 0.002, 1.0, 1.0], "by")[:2]
    assert adjust([0.001, 0.002], "by", 4) == pytest.approx(padded)


def test_the_haircut_of_the_paper() -> None:
    """Monthly, ten years, Sharpe 1, autocorrelation 0.1, 100 tests."""
    found = haircut(1.0, 120, 100, "bonferroni", periods=12, rho=0.1)
    assert found.p_adjusted == pytest.approx(0.465, abs=5e-4)
    assert found.t == pytest.approx(2.885, abs=5e-4)
    assert found.t / np.sqrt(10) == pytest.approx(0.9122, abs=5e-5)
    # With a normal p and no autocorrelation the same Sharpe ratio looks far better.
    assert haircut(1.0, 120, 100, "bonferroni", periods=12).p_adjusted < 0.25


@pytest.mark.parametrize("method", ["bonferroni", "holm", "by"])
def test_the_haircut_agrees_with_vetted_on_long_histories(method: str) -> None:
    vetted = pytest.importorskip("vetted", reason="the extra `oracles` has it")
    rng = np.random.default_rng(1)
    trials = np.append(rng.standard_normal(30) * 0.5, 1.9)
    ours = haircut(1.9, 50_000, trials.tolist(), method)  # type: ignore[arg-type]
    theirs = vetted.overfitting.haircut_sharpe(
        1.9, 50_000, trials, "bhy" if method == "by" else method
    )
    # They take the normal distribution, we Student's.
    assert ours.adjusted == pytest.approx(theirs["haircut_sharpe"], rel=1e-3)
    assert ours.trials == theirs["trials"]


def test_more_trials_cut_more_and_a_loss_has_nothing_to_lose() -> None:
    cuts = [haircut(1.5, 1000, n, "bonferroni").adjusted for n in (1, 10, 100, 10_000)]
    assert cuts == sorted(cuts, reverse=True)
    one = haircut(1.5, 1000, 1, "bonferroni")
    assert one.adjusted == pytest.approx(1.5) and one.haircut == pytest.approx(0.0)
    lost = haircut(-0.4, 1000, 5, "bonferroni")
    assert lost.adjusted == 0.0 and lost.haircut is None
    assert haircut(0.3, 500, 1000, "bonferroni").adjusted == pytest.approx(0.0, abs=1e-9)


def test_a_mere_count_is_not_enough_for_a_step_down() -> None:
    with pytest.raises(ValueError, match="every trial"):
        haircut(1.0, 120, 100, "by")
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        adjust([1.2])
    with pytest.raises(ValueError, match="method"):
        adjust([0.1], "sidak")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="trials"):
        adjust([0.1, 0.2], "bh", 1)


def test_a_trial_that_the_list_lacks_is_counted_beside_it() -> None:
    beside, listed = (haircut(1.5, 1000, one) for one in ([0.2, 0.4], [0.2, 0.4, 1.5]))
    assert beside.trials == listed.trials == 3
    assert beside.adjusted == listed.adjusted


@pytest.mark.parametrize("trials", [200, [0.5, 1.0, 1.0]])
def test_a_sharpe_ratio_beyond_all_tails_keeps_nearly_all_of_itself(
    trials: int | list[float],
) -> None:
    """Of a t of 60 and more no float holds the p; it once came out as all lost."""
    cuts = []
    for sharpe in (20.0, 26.0, 30.0, 40.0, 400.0):
        method = "bonferroni" if isinstance(trials, int) else "by"
        found = haircut(sharpe, 1008, trials, method)  # type: ignore[arg-type]
        assert found.haircut is not None and 0.0 < found.haircut < 0.01
        assert found.adjusted == pytest.approx(sharpe * (1.0 - found.haircut))
        cuts.append(found.haircut)
    assert cuts == pytest.approx(sorted(cuts, reverse=True), abs=1e-12)
