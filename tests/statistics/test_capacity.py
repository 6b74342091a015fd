"""Turnover and impact: the two orders of Almgren et al., and where the best size lies."""

import numpy as np
import pytest

from hft.statistics.capacity import (
    almgren,
    best_participation,
    break_even_participation,
    one_way_turnover,
    square_root_impact,
    turnover,
)


@pytest.mark.parametrize(
    ("volume", "outstanding", "sigma_bp", "permanent", "temporary", "cost"),
    [
        (6.561, 1728.0, 157.0, 20, [22, 15, 8], [32, 25, 18]),
        (1.929, 168.0, 226.0, 22, [32, 21, 12], [43, 32, 23]),
    ],
    ids=["IBM", "DRI"],
)
def test_a_tenth_of_a_days_volume_costs_what_the_paper_prints(
    volume: float, outstanding: float, sigma_bp: float, permanent: int, temporary: list, cost: list
) -> None:
    found = [almgren(volume / 10, volume, outstanding, sigma_bp, days) for days in (0.1, 0.2, 0.5)]
    assert [round(p) for p, _, _ in found] == [permanent] * 3
    # The paper rounds half a point down once (8.47 to 8).
    assert [t for _, t, _ in found] == pytest.approx(temporary, abs=0.51)
    assert [round(c) for _, _, c in found] == cost


def test_selling_moves_the_price_the_other_way() -> None:
    up, down = almgren(1e5, 1e6, 1e8, 1.0, 0.2), almgren(-1e5, 1e6, 1e8, 1.0, 0.2)
    assert down == tuple(-x for x in up)
    with pytest.raises(ValueError, match="positive"):
        almgren(1.0, 0.0, 1.0, 1.0, 1.0)


def test_the_square_root_law_breaks_even_and_peaks_where_it_says() -> None:
    edge, sigma, prefactor = 3.0, 120.0, 1.5
    whole = break_even_participation(edge, sigma, prefactor)
    best = best_participation(edge, sigma, prefactor)
    assert whole is not None and best is not None
    assert square_root_impact(whole, sigma, prefactor) == pytest.approx(edge)
    sizes = np.linspace(0, whole, 100_001)
    profit = sizes * (edge - prefactor * sigma * np.sqrt(sizes))
    assert sizes[profit.argmax()] == pytest.approx(best, rel=1e-3)
    assert best == pytest.approx((2 * edge / (3 * prefactor * sigma)) ** 2)
    assert break_even_participation(0.0, sigma) is None and best_participation(-1.0, sigma) is None


def test_turnover_says_which_convention_it_is() -> None:
    assert turnover([0.0, 1.0, 1.0, -1.0]) == pytest.approx(3 / 4)
    assert turnover([1.0, 1.0], start=1.0) == 0.0
    assert one_way_turnover([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]]) == pytest.approx(0.75)
    with pytest.raises(ValueError, match="negative"):
        square_root_impact(-0.1, 1.0)
