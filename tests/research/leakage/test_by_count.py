"""Who finds the answers by how many sessions came before, and who just remembers for long."""

from typing import Any

import numpy as np
import polars as pl
import pytest
import zoo

from hft.research.data.dataset import ResearchData
from hft.research.data.load import load
from hft.research.data.planted import planted
from hft.research.leakage import check_alpha


@pytest.fixture(scope="module")
def worthless() -> ResearchData:
    return load(planted(0.0, days=60, seed=4))


def turns(frame: pl.DataFrame) -> np.ndarray:
    """How many sessions a row has before it, by the gaps of the time."""
    days = frame["ts"].dt.date().to_numpy().astype("datetime64[D]").astype(int)
    return np.cumsum(np.diff(days, prepend=days[0] if len(days) else 0) != 0)


def test_answers_by_the_number_of_the_session_are_lost_without_some_sessions(
    worthless: ResearchData,
) -> None:
    days = worthless.sessions
    price = worthless.price
    ends = [price[worthless.session == day] for day in days]
    key = np.array([np.sign(one[-1] - one[0]) for one in ends])

    def answer(frame: pl.DataFrame) -> Any:
        return key[turns(frame) % len(key)]

    (found,) = check_alpha(zoo.batch(answer, "mid"), worthless).violations
    assert found.kind == "jitter"
    assert "without a few of the first sessions" in found.sentence
    assert "how many came before" in found.sentence


def test_a_long_memory_keeps_what_it_earns_without_some_sessions() -> None:
    data = load(planted(0.3, days=60, seed=5))

    def answer(frame: pl.DataFrame) -> Any:
        flow = frame["ofi"]
        lean = flow.ewm_mean(half_life=20.0)

        return (lean / (lean.abs().cum_max() + 1e-9)).to_numpy()

    report = check_alpha(zoo.batch(answer, "ofi"), data)
    assert report.clean, report.violations[0].sentence
