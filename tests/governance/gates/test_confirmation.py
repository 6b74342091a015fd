"""A Sharpe ratio that is too good waits for a replay of the tapes that keeps half of it."""

from dataclasses import replace

import numpy as np
import pytest

from hft.governance.gates.confirmation import confirmed
from hft.governance.profile import Profile
from hft.governance.verdict import Verdict
from hft.research.data.load import load
from hft.research.data.planted import planted
from hft.research.measures.measurement import Measured, Options, measure
from hft.settings import read_profile

STANDARD = Profile.from_dict(read_profile("standard"), "standard")


@pytest.fixture(scope="module")
def found() -> Measured:
    """An alpha that is told the next move: no edge is that large."""
    data = load(planted(0.0, days=60, seed=4))
    told = np.append(np.sign(np.diff(data.price)), 0.0)
    return measure(data, told, Options(horizon_ns=60_000_000_000))


def test_without_a_replay_it_is_undecided_and_the_cure_is_tapes(found: Measured) -> None:
    check = confirmed(found, None, STANDARD)
    assert check.verdict is Verdict.INSUFFICIENT and float(check.value or 0) > 10.0
    assert check.reason.startswith("replay: a Sharpe ratio of") and "tapes" in check.missing[0]


def test_a_replay_that_keeps_half_confirms_it_and_less_does_not(found: Measured) -> None:
    own = float(confirmed(found, None, STANDARD).value or 0)
    kept = confirmed(found, 0.51 * own, STANDARD)
    assert kept.verdict is Verdict.PASS and "the replay keeps 51%" in kept.reason
    lost = confirmed(found, 0.49 * own, STANDARD)
    assert lost.verdict is Verdict.INSUFFICIENT and "49%" in lost.reason


def test_an_ordinary_sharpe_ratio_needs_none(found: Measured) -> None:
    random = np.random.Generator(np.random.Philox(5))
    noise = measure(found.data, random.standard_normal(len(found.data)), found.options)
    assert confirmed(noise, None, STANDARD).verdict is Verdict.PASS


def test_figures_that_are_those_of_a_replay_are_not_asked_again(found: Measured) -> None:
    quotes = replace(found, options=replace(found.options, execution="maker"))
    assert not confirmed(quotes, None, STANDARD).applicable
    base = Profile.from_dict(read_profile("base"), "base")
    assert not confirmed(found, None, base).applicable


def test_one_that_is_too_good_out_of_sample_alone_is_asked_for_too(found: Measured) -> None:
    random = np.random.Generator(np.random.Philox(5))
    noise = measure(found.data, random.standard_normal(len(found.data)), found.options)
    configs = list(noise.sweep.configs)
    configs[noise.sweep.base] = replace(noise.config, sharpe_oos=40.0)
    late = replace(noise, sweep=replace(noise.sweep, configs=tuple(configs)))
    check = confirmed(late, None, STANDARD)
    assert check.verdict is Verdict.INSUFFICIENT and check.value == 40.0
