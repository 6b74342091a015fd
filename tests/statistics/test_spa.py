"""SPA and StepM: noise does not beat cash, an edge does, a p is never 0, and arch may be absent."""

import sys

import numpy as np
import pytest

from hft.statistics.selection import (
    NotInstalled,
    Spa,
    confidence_set,
    reality_check,
    spa,
    stepm,
)


def panel(seed: int, edge: float = 0.0, columns: int = 8) -> np.ndarray:
    data = np.random.default_rng(seed).standard_t(5, (300, columns)) * 0.01
    data[:, 2] += edge * 0.01
    return data


@pytest.fixture
def with_arch() -> None:
    pytest.importorskip("arch", reason="arch was removed")


@pytest.mark.usefixtures("with_arch")
def test_noise_beats_cash_as_seldom_as_the_level_says() -> None:
    p = [spa(panel(seed), reps=200, block=2) for seed in range(60)]
    small = [one for one in p if isinstance(one, Spa) and one.p_consistent <= 0.05]
    assert len(small) <= 8


@pytest.mark.usefixtures("with_arch")
def test_a_real_edge_is_found_and_named_and_its_p_is_not_zero() -> None:
    data = panel(1, edge=0.4)
    found = spa(data, reps=400)
    assert isinstance(found, Spa)
    assert found.p_consistent == pytest.approx(1 / 401)
    assert found.p_lower <= found.p_consistent <= found.p_upper
    assert stepm(data, reps=400) == (2,)
    assert stepm(panel(3), reps=400) == ()


@pytest.mark.usefixtures("with_arch")
def test_the_p_is_archs_own_counted_from_one() -> None:
    from arch.bootstrap import SPA

    from hft.statistics.series import generator

    data = panel(5, edge=0.1)
    test = SPA(np.zeros(300), -data, block_size=3, reps=300, seed=generator(7, 4))
    test.compute()
    found = spa(data, block=3, reps=300, seed=7)
    assert isinstance(found, Spa)
    theirs = (1 + test.pvalues.to_numpy() * 300) / 301
    assert [found.p_lower, found.p_consistent, found.p_upper] == pytest.approx(theirs)


@pytest.mark.usefixtures("with_arch")
def test_poor_rivals_weaken_the_reality_check_and_not_the_consistent_p() -> None:
    data = panel(4, edge=0.17)
    poor = np.random.default_rng(9).standard_normal((300, 30)) * 0.06 - 0.02
    crowded = np.column_stack([data, poor])
    plain, white = spa(crowded, reps=500), reality_check(crowded, reps=500)
    assert isinstance(plain, Spa) and isinstance(white, float)
    assert plain.p_consistent <= 0.05 < white


@pytest.mark.usefixtures("with_arch")
def test_the_confidence_set_keeps_what_is_not_worse_than_the_best() -> None:
    data = panel(6, columns=4)
    data += [0.004, 0.004, -0.004, 0.0] - data.mean(axis=0)
    assert confidence_set(data, reps=300) == (0, 1)


@pytest.mark.usefixtures("with_arch")
def test_an_incumbent_just_as_good_is_not_beaten() -> None:
    data = panel(2, edge=0.4)
    found = spa(data, benchmark=data[:, 2] + 1e-9, reps=200)
    assert isinstance(found, Spa) and found.p_consistent > 0.5


def test_without_arch_the_answer_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "arch.bootstrap", None)
    answers = (spa(panel(0)), stepm(panel(0)), reality_check(panel(0)), confidence_set(panel(0)))
    for answer in answers:
        assert isinstance(answer, NotInstalled)
        assert answer.sentence == "arch is not installed: pip install arch"


def test_a_benchmark_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="benchmark: 5 values"):
        spa(panel(0), benchmark=np.zeros(5))
    with pytest.raises(ValueError, match="benchmark has 50 rows"):
        spa(panel(0), benchmark=np.zeros(50))
