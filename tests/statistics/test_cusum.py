"""CUSUM: run lengths of the R package spc, the naive recursion, and simulated alarms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hft.statistics.cusum import cusum, run_length, threshold


@pytest.mark.parametrize(("h", "one", "two", "shifted"), [(4, 335, 168, 8.38), (5, 931, 465, 10.4)])
def test_run_lengths_are_those_of_spc(h: float, one: int, two: int, shifted: float) -> None:
    assert round(run_length(0.5, h)) == one
    assert round(run_length(0.5, h, two_sided=True)) == two
    digits = 2 if shifted < 10 else 1
    assert round(run_length(0.5, h, 1.0), digits) == shifted


@pytest.mark.parametrize(("k", "h"), [(0.5, 5.071), (0.25, 8.585)])
def test_the_threshold_for_a_thousand_days_is_the_one_of_the_canary(k: float, h: float) -> None:
    assert round(threshold(k, 1000), 3) == h


def test_simulated_alarms_come_as_late_as_computed() -> None:
    rng = np.random.default_rng(3)
    waits = [cusum(rng.standard_normal(3000), 0.0, 1.0, 0.5, 3.0).alarm or 3000 for _ in range(800)]
    expected = run_length(0.5, 3.0)
    assert np.mean(waits) == pytest.approx(expected, abs=4 * np.std(waits) / np.sqrt(800))


@given(st.lists(st.floats(-5, 5), max_size=60), st.floats(0, 1), st.floats(0.1, 6))
def test_the_path_is_the_recursion(values: list[float], k: float, h: float) -> None:
    found = cusum(values, 0.2, 1.3, k, h)
    level, path = 0.0, []
    for value in values:
        level = max(0.0, level + (0.2 - value) / 1.3 - k)
        path.append(level)
    assert found.path == pytest.approx(path, abs=1e-9)
    assert found.value == pytest.approx(level, abs=1e-9)
    if found.alarm is not None:
        assert found.path[found.alarm - 1] > h and not np.any(found.path[: found.alarm - 1] > h)


def test_good_days_do_not_pay_for_bad_ones_later() -> None:
    good, bad = np.full(200, 1.0), np.full(20, -1.0)
    assert cusum(np.concatenate([good, bad]), 0.0, 1.0).alarm == 212
    with pytest.raises(ValueError, match="sigma"):
        cusum([0.1], 0.0, 0.0)
