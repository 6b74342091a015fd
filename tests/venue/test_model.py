"""Latency per leg and the settings of a simulated venue."""

from typing import Any

import numpy as np
import pytest

from hft.core.codes import LatencyLeg
from hft.core.errors import ConfigError
from hft.core.jit import kernel
from hft.venue.latency import leg_ns
from hft.venue.model import Latency, VenueModel
from hft.venue.state import VenueState, new_state

pytestmark = pytest.mark.nojit

ENTRY, RESPONSE = int(LatencyLeg.ENTRY), int(LatencyLeg.RESPONSE)


@kernel
def _legs(venue: VenueState, leg: int, times: np.ndarray, out: np.ndarray) -> None:
    for i in range(len(times)):
        out[i] = leg_ns(venue, leg, times[i])


def latencies(model: VenueModel, leg: int, times: list[int], seed: int = 1) -> list[int]:
    venue = new_state(1, 16, samples=model.table_size)
    model.install(venue, seed, [False])
    out = np.zeros(len(times), np.int64)
    _legs(venue, leg, np.array(times, np.int64), out)
    return [int(value) for value in out]


def test_a_rule_of_taken_liquidity_that_there_is_not_is_refused() -> None:
    with pytest.raises(ConfigError, match="taken='gone' is not one of stays, restated"):
        VenueModel(taken="gone")


def test_a_leg_that_is_not_named_takes_no_time() -> None:
    model = VenueModel({"entry": Latency(base_ns=250)})
    assert latencies(model, ENTRY, [0, 9]) == [250, 250]
    assert latencies(model, RESPONSE, [0, 9]) == [0, 0]


def test_an_interpolated_leg_runs_between_its_samples_and_is_flat_outside() -> None:
    table = (100, 10, 200, 30, 300, 20)
    model = VenueModel({"response": Latency("interpolated", table=table)})
    times = [0, 100, 150, 200, 250, 299, 300, 999]
    assert latencies(model, RESPONSE, times) == [10, 10, 20, 30, 25, 20, 20, 20]


def test_a_sampled_leg_gives_its_samples_and_nothing_else() -> None:
    model = VenueModel({"entry": Latency("sampled", 5, table=(1, 2, 40))})
    found = latencies(model, ENTRY, list(range(300)))
    assert set(found) == {6, 7, 45}
    assert min(found.count(value) for value in (6, 7, 45)) > 60


def test_two_legs_have_their_own_samples() -> None:
    legs = {"entry": Latency("sampled", table=(1, 2)), "response": Latency("sampled", table=(7,))}
    model = VenueModel(legs)
    assert set(latencies(model, ENTRY, list(range(50)))) == {1, 2}
    assert set(latencies(model, RESPONSE, list(range(50)))) == {7}


def test_a_uniform_leg_stays_in_its_range_and_follows_the_seed() -> None:
    model = VenueModel({"entry": Latency("uniform", 100, 9)})
    times = list(range(400))
    found = latencies(model, ENTRY, times)
    assert set(found) == set(range(100, 110))
    assert found == latencies(model, ENTRY, times)
    assert found != latencies(model, ENTRY, times, seed=2)


BAD: list[tuple[dict[str, Any], str]] = [
    ({"queue": "magic"}, "queue='magic' is not one of risk_averse, prob_log"),
    ({"legs": {"exit": Latency()}}, "latency leg 'exit' is not one of entry, amend, cancel"),
    ({"legs": {"entry": Latency("normal")}}, "latency.entry: 'normal' is not one of constant"),
    ({"legs": {"entry": Latency(base_ns=-1)}}, "latency.entry: a latency cannot be negative"),
    ({"legs": {"amend": Latency("sampled", table=(1, -1))}}, "latency.amend: a latency cannot"),
    ({"legs": {"cancel": Latency("sampled")}}, "latency.cancel: sampled needs samples"),
]


@pytest.mark.parametrize(("given", "text"), BAD)
def test_a_setting_that_cannot_be_is_refused_by_name(given: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        VenueModel(**given)
    assert text in str(caught.value)


def test_crossed_is_one_of_two_rules() -> None:
    with pytest.raises(ConfigError, match="crossed='gone' is not one of returns, restated"):
        VenueModel(crossed="gone")
