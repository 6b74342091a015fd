"""How far a figure may lie from the blessed one."""

import pytest

from hft.core.errors import ConfigError
from hft.runs.regression.tolerance import Tolerance, tolerances

pytestmark = pytest.mark.nojit


@pytest.mark.parametrize(
    ("written", "was", "allowed", "refused"),
    [
        ("exact", -2.5, (-2.5,), (-2.5001, 2.5, 0.0)),
        (0.5, -2.0, (-2.5, -1.5), (-2.51, -1.49)),
        ("10%", -2.0, (-2.2, -1.8), (-2.21, -1.79)),
        ("10%", 0.0, (0.0,), (0.001,)),
        (3, 7, (4, 10), (3, 11)),
    ],
)
def test_a_figure_may_lie_as_far_away_as_is_written(written, was, allowed, refused) -> None:
    tolerance = tolerances({"net": written})["net"]
    assert all(tolerance.allows(was, now) for now in allowed)
    assert not any(tolerance.allows(was, now) for now in refused)


def test_a_list_of_names_means_exact_up_to_the_last_digits_of_a_sum() -> None:
    assert tolerances(["net"]) == {"net": Tolerance()}
    assert Tolerance().allows(0.1 + 0.2, 0.3)


@pytest.mark.parametrize("written", ["most", "%", "x%", "nan%", -1, "-1%", True, None, [1]])
def test_what_is_no_tolerance_is_refused(written) -> None:
    with pytest.raises(ConfigError, match=r"net: .* is none of exact, 0\.5"):
        tolerances({"net": written})
