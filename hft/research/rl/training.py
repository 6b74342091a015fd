"""The cross-entropy method on episodes: small policies, numpy only, the same result every time.

Every candidate of a round plays the same episodes, so that luck of the start is not skill. What a
training run is worth is measured elsewhere, on other time; one training run is one trial.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from hft.core.errors import ConfigError
from hft.research.rl.episode import Episode, Market
from hft.research.rl.policy import ArrayPolicy

Score = Callable[[ArrayPolicy], float]


@dataclass(frozen=True)
class CrossEntropy:
    """Rounds of `population` candidates of which the best share `elite` makes the next mean."""

    rounds: int = 8
    population: int = 16
    elite: float = 0.25
    spread: float = 0.7
    spread_least: float = 0.05
    seed: int = 42

    def __post_init__(self) -> None:
        if self.rounds < 1 or self.population < 4 or not 0 < self.elite < 1:
            raise ConfigError("training: rounds >= 1, population >= 4 and 0 < elite < 1")


@dataclass(frozen=True, eq=False)
class Trained:
    """The policy of the last mean; `history` has (mean of all, mean of the elite) a round."""

    policy: ArrayPolicy
    history: tuple[tuple[float, float], ...]


def cross_entropy(first: ArrayPolicy, score: Score, how: CrossEntropy) -> Trained:
    """Climb from a policy by its score; ties go to the earlier candidate."""
    stream = np.random.Generator(np.random.Philox(how.seed))
    mean = first.flat()
    spread = np.full(len(mean), how.spread)
    kept = max(2, round(how.population * how.elite))
    history = []
    for _ in range(how.rounds):
        drawn = mean + spread * stream.standard_normal((how.population, len(mean)))
        drawn[0] = mean  # the mean itself competes
        scores = np.array([score(ArrayPolicy.unflat(first.shape, one)) for one in drawn])
        best = np.argsort(-scores, kind="stable")[:kept]
        mean = drawn[best].mean(axis=0)
        spread = np.maximum(drawn[best].std(axis=0), how.spread_least)
        history.append((float(scores.mean()), float(scores[best].mean())))
    return Trained(ArrayPolicy.unflat(first.shape, mean), tuple(history))


@dataclass(frozen=True, eq=False)
class Outcome:
    """One episode of a policy: a reward and a position a step, when, and the replay's digest."""

    rewards: np.ndarray
    positions: np.ndarray
    ts_ns: np.ndarray
    digest: str
    episode: Episode

    @property
    def net(self) -> float:
        """Currency earned after fees."""
        return float(self.rewards.sum())


def play(market: Market, policy: ArrayPolicy, span: tuple[int, int], seed: int = 0) -> Outcome:
    """A policy from the start of a span to its end."""
    episode = Episode(market, span, seed)
    rewards, positions, times = [], [], []
    while not episode.over:
        before = episode.equity
        bid, ask = policy.act(episode.observation).astype(np.float32).tolist()
        times.append(int(episode.view.now))
        positions.append(int(episode.view.position))
        episode.act(bid, ask)
        rewards.append(episode.equity - before)
    return Outcome(
        np.array(rewards),
        np.array(positions, np.float64),
        np.array(times, np.int64),
        episode.digest,
        episode,
    )


def scored_on(market: Market, spans: Sequence[tuple[int, int]], seed: int = 0) -> Score:
    """Mean net of the spans, less half its deviation over them: steady beats lucky."""

    def score(policy: ArrayPolicy) -> float:
        nets = np.array([play(market, policy, span, seed).net for span in spans])
        return float(nets.mean() - 0.5 * nets.std())

    return score
