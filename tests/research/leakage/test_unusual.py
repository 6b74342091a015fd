"""Thirty leaks of code, most told with an example, and thirty odd innocents, none stopped."""

from collections.abc import Iterable
from typing import Any

import pytest
import unusual_innocents
import unusual_leaks

from hft.research.data.assembly import assemble
from hft.research.data.dataset import ResearchData
from hft.research.data.planted import planted
from hft.research.leakage import check_alpha


@pytest.fixture(scope="module")
def market() -> ResearchData:
    """Twelve days on which flow truly leans on the next bar: honest alphas earn, too."""
    return assemble({"minutes": planted(0.25, days=12, seed=6)}, {}, "minutes")


def thirds(names: Iterable[str]) -> list[Any]:
    """One in three in the test command, all of them by `make soak`."""
    return [
        pytest.param(name, marks=[pytest.mark.soak] if k % 3 else [])
        for k, name in enumerate(sorted(names))
    ]


@pytest.mark.parametrize("name", thirds(unusual_leaks.LEAKS))
def test_a_leak_is_told_with_its_row_and_what_to_look_at(name: str, market: ResearchData) -> None:
    first = check_alpha(unusual_leaks.LEAKS[name], market).first
    assert first is not None, f"{name} passed"
    assert first.ts_ns > 0 and len(first.sentence) > 60


@pytest.mark.parametrize("name", thirds(unusual_innocents.INNOCENTS))
def test_an_odd_innocent_passes(name: str, market: ResearchData) -> None:
    report = check_alpha(unusual_innocents.INNOCENTS[name], market)
    assert report.clean, f"{name}: {report.first.sentence if report.first else ''}"


def test_there_are_thirty_of_each() -> None:
    assert len(unusual_leaks.LEAKS) >= 30 and len(unusual_innocents.INNOCENTS) >= 30
