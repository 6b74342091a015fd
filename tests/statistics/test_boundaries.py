"""Planned looks: the bounds of gsDesign and the papers, and the error they promise."""

import numpy as np
import pytest

from hft.statistics.boundaries import bounds, obrien_fleming, pocock


@pytest.mark.parametrize(
    ("looks", "alpha", "spending", "printed"),
    [
        (5, 0.025, obrien_fleming, [4.877, 3.357, 2.680, 2.290, 2.031]),
        (5, 0.025, pocock, [2.438, 2.427, 2.410, 2.397, 2.386]),
        (4, 0.05, obrien_fleming, [3.750, 2.540, 2.016, 1.720]),
    ],
)
def test_bounds_are_those_printed(looks: int, alpha: float, spending, printed: list[float]) -> None:
    assert bounds(looks, alpha, spending) == pytest.approx(printed, abs=6e-4)


def test_one_look_is_the_plain_test() -> None:
    assert bounds(1, 0.05) == pytest.approx([1.6448536], abs=1e-6)


def test_uneven_looks_keep_the_error() -> None:
    looks = [0.1, 0.45, 0.5, 1.0]
    z = np.array(bounds(looks, 0.05))
    rng = np.random.default_rng(1)
    steps = rng.standard_normal((200_000, 4)) * np.sqrt(np.diff([0.0, *looks]))
    crossed = (np.cumsum(steps, axis=1) / np.sqrt(looks) >= z).any(axis=1).mean()
    assert crossed == pytest.approx(0.05, abs=0.002)


@pytest.mark.parametrize("spending", [obrien_fleming, pocock])
def test_spending_ends_at_alpha(spending) -> None:
    assert spending(0.05)(1.0) == pytest.approx(0.05)
    assert spending(0.05)(0.2) < 0.05


@pytest.mark.parametrize("looks", [[], [0.5], [0.5, 0.4, 1.0], [0.0, 1.0], [0.5, 1.2]])
def test_looks_that_are_no_plan_are_refused(looks: list[float]) -> None:
    with pytest.raises(ValueError, match="looks"):
        bounds(looks)
