"""What choosing may not do: stand on a needle, or earn in sample what is gone out of it."""

from dataclasses import replace

import numpy as np
import pytest

from hft.governance.gates.c import gate_c
from hft.governance.profile import Profile
from hft.governance.verdict import Check, Verdict
from hft.research.backtest import Rules
from hft.research.data.dataset import ResearchData
from hft.research.data.load import load
from hft.research.data.planted import planted
from hft.research.measures.evidence import Levels, Tries, weigh
from hft.research.measures.measurement import Measured, Options, measure
from hft.research.measures.stress import Neighbour
from hft.settings import read_profile

BAR = 60_000_000_000
DAYS = 60


@pytest.fixture(scope="module")
def data() -> ResearchData:
    return load(planted(0.0, days=DAYS, seed=8))


def ahead(data: ResearchData) -> np.ndarray:
    """Where the price goes in the next row; only to make signals of a known worth."""
    return np.sign(np.append(np.diff(data.price), 0.0))


def right(data: ResearchData, share: float, seed: int = 1) -> np.ndarray:
    """The same, right in this share of the rows and random in the others."""
    random = np.random.Generator(np.random.Philox(seed))
    known = random.random(len(data)) < share
    return np.where(known, ahead(data), random.choice([-1.0, 1.0], len(data)))


def check(data: ResearchData, signal: np.ndarray, id: str, **options: object) -> Check:
    return of(measure(data, signal, Options(horizon_ns=BAR, **options)), id)  # type: ignore[arg-type]


def of(found: Measured, id: str) -> Check:
    tries = Tries(1, 1.0, 1.0 / max(len(found.returns) - 1, 1))
    evidence = weigh(found.returns, found.sweep, tries, Levels(spa_reps=20), 1)
    profile = Profile.from_dict(read_profile("standard"), "standard")
    return next(one for one in gate_c(found, evidence, profile).checks if one.id == id)


def test_a_plateau_passes_wherever_on_it_the_threshold_stands(data: ResearchData) -> None:
    random = np.random.Generator(np.random.Philox(2))
    signal = right(data, 0.4) * random.uniform(0.0, 1.0, len(data))
    for level in (0.1, 0.3, 0.6):
        found = check(data, signal, "plateau", rules=Rules(threshold=level))
        assert found.verdict is Verdict.PASS and found.value == 1.0, level


def test_a_needle_fails_and_says_where_the_edge_is_gone(data: ResearchData) -> None:
    """Right at 0.31 alone; wrong from 0.18 to 0.29, and nothing is traded above."""
    random = np.random.Generator(np.random.Philox(3))
    needle = random.random(len(data)) < 0.3
    size = random.choice([0.19, 0.25, 0.29], len(data))
    signal = np.where(needle, 0.31 * ahead(data), -size * ahead(data))
    found = check(data, signal, "plateau")
    assert found.verdict is Verdict.FAIL and found.value == 0.0
    assert "less than 50% of the edge is left at 0.6, 0.8, 1.2, 1.4 times" in found.reason


def test_the_foot_of_a_cliff_fails_though_one_side_is_flat(data: ResearchData) -> None:
    random = np.random.Generator(np.random.Philox(4))
    good = random.random(len(data)) < 0.5
    signal = np.where(good, 0.7 * right(data, 0.5), -0.28 * ahead(data))
    found = check(data, signal, "plateau")
    assert found.value == 0.0 and found.verdict is Verdict.FAIL
    assert "at 0.6, 0.8 times" in found.reason, "the others take the same positions"


def test_noise_has_no_edge_that_a_threshold_beside_could_keep(data: ResearchData) -> None:
    random = np.random.Generator(np.random.Philox(5))
    found = check(data, random.uniform(-1.0, 1.0, len(data)), "plateau")
    assert found.verdict is Verdict.FAIL and "no edge" in found.reason


def test_thresholds_that_change_nothing_are_no_neighbourhood(data: ResearchData) -> None:
    assert not check(data, right(data, 0.3), "plateau").applicable


def test_a_threshold_that_the_manifest_declares_is_the_only_trial(data: ResearchData) -> None:
    options = Options(horizon_ns=BAR, rules=Rules(threshold=0.2), declared=True)
    random = np.random.Generator(np.random.Philox(2))
    found = measure(data, right(data, 0.4) * random.uniform(0.0, 1.0, len(data)), options)
    assert options.levels == [0.2] and len(found.sweep.configs) == 1
    assert of(found, "plateau").verdict is Verdict.PASS, "the thresholds beside are looked at"


@pytest.mark.parametrize(("until", "verdict"), [(1.0, Verdict.PASS), (0.7, Verdict.FAIL)])
def test_an_edge_that_ends_with_the_sample_is_a_gap(
    data: ResearchData, until: float, verdict: Verdict
) -> None:
    signal = right(data, 0.5)
    rows = int(until * len(data))
    signal[rows:] = right(data, 0.0, seed=9)[rows:]
    assert check(data, signal, "is_oos_gap").verdict is verdict


def test_the_gap_of_one_and_the_same_process_is_standard_normal() -> None:
    """2.33 standard errors refuse one alpha in a hundred that loses nothing out of sample."""
    gaps = []
    for seed in range(40):
        small = load(planted(0.0, days=40, seed=seed))
        found = measure(small, right(small, 0.05, seed), Options(horizon_ns=BAR, declared=True))
        assert found.gap is not None
        gaps.append(found.gap)
    assert abs(float(np.mean(gaps))) < 0.4 and 0.75 < float(np.std(gaps)) < 1.25


def test_a_neighbour_keeps_most_of_the_edge_or_counts_as_lost(data: ResearchData) -> None:
    stress = measure(data, right(data, 0.6), Options(horizon_ns=BAR)).stress
    own = stress.at_cost(1.0)
    assert own is not None and own > 0
    kept = (0.75, 0.45, -0.1, None)
    others = tuple(
        Neighbour(1.0 + k, None if one is None else one * own, False) for k, one in enumerate(kept)
    )
    beside = replace(stress, neighbours=(*others, Neighbour(1.4, 9 * own, True)))
    assert [beside.plateau(keep) for keep in (0.7, 0.4, 0.8)] == [0.25, 0.5, 0.0]
