"""The last step of an episode is of one moment: what is seen, earned, told and timed."""

from typing import Any

import numpy as np
import pytest

from hft.core.errors import ConfigError
from hft.research.rl.environment import MarketMaking
from hft.runs.venues import Venue
from hft.tape.dataset import Tapes

pytestmark = pytest.mark.nojit
SECOND = 1_000_000_000
LENGTHS = (1, 2, 7, 20, 39, 40, 44)


def moves(count: int) -> np.ndarray:
    stream = np.random.Generator(np.random.Philox(0))
    return stream.uniform(0, 1, (count, 2)).astype(np.float32)


def steps_of(env: MarketMaking, start_ns: int, most: int = 60) -> list[tuple[Any, ...]]:
    """Observation, reward, terminated, truncated and info of every step."""
    env.reset(seed=3, options={"start_ns": start_ns})
    found: list[tuple[Any, ...]] = []
    for move in moves(most):
        found.append(env.step(move))
        if found[-1][2] or found[-1][3]:
            break
    return found


def test_a_truncated_episode_ends_as_that_step_of_a_longer_one(tapes: Tapes) -> None:
    start = tapes.span[0] + 100 * SECOND
    longer = steps_of(MarketMaking(tapes, steps=60), start)
    rewards = []
    for count in LENGTHS:
        steps = steps_of(MarketMaking(tapes, steps=count), start)
        assert len(steps) == count
        seen, reward, terminated, truncated, info = steps[-1]
        seen_then, reward_then, _, _, info_then = longer[count - 1]
        assert (terminated, truncated) == (False, True)
        assert seen.tolist() == seen_then.tolist(), "volume too is of all that was since last time"
        assert reward == reward_then
        told = {name: info[name] for name in info_then if name != "ts_ns"}
        assert told == {name: value for name, value in info_then.items() if name != "ts_ns"}
        assert info["ts_ns"] == info_then["ts_ns"] - 1 == start + (count + 1) * SECOND - 1
        rewards.append(reward)
    assert sum(reward != 0 for reward in rewards) >= 3
    assert sum(longer[count - 1][0][6] > 0 for count in LENGTHS) >= 5, "trades were to be counted"


def test_answers_on_their_way_at_the_end_add_no_step(tapes: Tapes) -> None:
    """Three seconds of latency: the venue still answers when the span is over."""
    start = tapes.span[0] + 100 * SECOND
    env = MarketMaking(tapes, steps=5, venue=Venue(latency="3s"))
    steps = steps_of(env, start)
    assert [step[2:4] for step in steps] == [(False, False)] * 4 + [(False, True)]
    longer = steps_of(MarketMaking(tapes, steps=60, venue=Venue(latency="3s")), start)
    seen, then = steps[-1][0], longer[4][0]
    assert seen[1:7].tolist() == then[1:7].tolist(), "the market is that of the end of the span"
    assert seen[6] > 0
    assert steps[-1][4]["ts_ns"] >= start + 6 * SECOND - 1


def test_an_episode_without_a_row_says_so_and_not_that_the_tapes_end(tapes: Tapes) -> None:
    env = MarketMaking(tapes, steps=1, every="1ns")
    with pytest.raises(ConfigError, match=r"no row after the first action.*make it longer"):
        env.reset(options={"start_ns": tapes.span[0] + 100 * SECOND + 1})
