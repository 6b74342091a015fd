"""Golden runs that need no recording: the seeded markets, wherever the tests run."""

from collections.abc import Callable

import pytest
from market_days import SYNTHETIC, Case

from hft.runs.regression.outcome import Outcome, text_of
from hft.runs.result import Run


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in SYNTHETIC])
def test_a_synthetic_day_gives_the_committed_digest(
    case: Case, checked: Callable[[Case], Outcome]
) -> None:
    found = checked(case)
    assert found.ok, f"{text_of(found)}\nif it should move, `make bless` and say why"
    get = Run.open(found.run).metrics.get_value
    assert get("orders") > 0 and get("buys") > 0 and get("sells") > 0
