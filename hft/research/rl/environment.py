"""`hft/MarketMaking-v0`: a gymnasium environment over the replay engine (extra `rl`).

An action is two numbers, how eagerly to bid and to offer; it becomes quotes that pass the real
gateway and rest in the simulated venue's queue. The reward is the change of net equity after fees.
Importing this module registers it:
`gymnasium.make("hft.research.rl.environment:hft/MarketMaking-v0")`.
"""

from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from hft.core.errors import ConfigError, HftError
from hft.gateway.limits import Limits
from hft.research.rl.episode import Episode, Market
from hft.research.rl.quoting import ACTIONS, BOUND, FEATURES, Quoting
from hft.runs.durations import united
from hft.runs.ingest import open_tapes, synthetic
from hft.runs.result import Run
from hft.runs.venues import Venue, named
from hft.strategies.base import duration_ns
from hft.tape.dataset import Tapes

ID = "hft/MarketMaking-v0"
SYNTHETIC_EVENTS = 200_000


class MarketMaking(gymnasium.Env):
    """Quote both sides of one instrument for `steps` actions, or to the end of the tapes.

    `reset(seed)` begins at a time drawn from the seed; the same seed and actions give the same
    episode to the last bit. An episode that reaches the end of the tapes is terminated, one that
    ends after `steps`, or since no row is left in their span, is truncated; observation, reward and
    info of its last step are of the end of that span. Units: reward in currency times
    `reward_scale`.
    """

    metadata = {"render_modes": []}  # noqa: RUF012

    def __init__(
        self,
        tapes: Any = "synthetic",
        *,
        every: str | int = "1s",
        steps: int = 600,
        lots: int = 1,
        max_lots: int = 5,
        depth: int = 4,
        limits: Limits | None = None,
        venue: Venue | str | None = None,
        reward_scale: float = 1.0,
        cache: str | Path = "tapes",
        render_mode: str | None = None,
    ) -> None:
        if render_mode is not None:
            raise ConfigError(f"render_mode: {render_mode!r}; look at the sealed run's report")
        if isinstance(steps, bool) or not isinstance(steps, int | np.integer) or steps < 1:
            raise ConfigError(f"steps: {steps!r} is not a whole number of actions >= 1")
        self.render_mode = None
        self.market = Market(
            _opened(tapes, Path(cache)),
            limits or Limits(),
            named(venue) if isinstance(venue, str) else venue or Venue(latency="5ms"),
            duration_ns(united(every, "every"), "every"),
            Quoting(lots, max_lots, depth),
        )
        self.steps, self.reward_scale = int(steps), _scale(reward_scale)
        self.observation_space = spaces.Box(-BOUND, BOUND, (len(FEATURES),), np.float32)
        self.action_space = spaces.Box(-1.0, 1.0, (len(ACTIONS),), np.float32)
        self.episode: Episode | None = None
        self._ends_with_tape = False

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin an episode; `options={"start_ns": t}` begins it there."""
        super().reset(seed=seed)
        begin = (options or {}).get("start_ns")
        span, replay_seed = self._span(begin), int(self.np_random.integers(1 << 31))
        self.episode = Episode(self.market, span, replay_seed)
        if self.episode.over:
            raise ConfigError(
                f"start_ns: the tapes have no row after the first action of an episode from "
                f"{span[0]} to {span[1]}; begin earlier, or make it longer (every, steps)"
            )
        return self.episode.observation, self._info()

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Quote and wait for the next wake-up. Raises: ConfigError for an action that is none."""
        episode = self._running()
        bid, ask = _pair(action)
        before = episode.equity
        episode.act(bid, ask, last=len(episode.actions) + 1 == self.steps)
        reward = (episode.equity - before) * self.reward_scale
        over = episode.over
        return (
            episode.observation,
            reward,
            over and self._ends_with_tape,
            over and not self._ends_with_tape,
            self._info(),
        )

    def sealed(self, out: str | Path, record: str = "summary") -> Run:
        """The finished episode as a run folder with the same digest."""
        if self.episode is None or not self.episode.over:
            raise ConfigError("the episode is not over; step until it is")
        return self.episode.sealed(out, record)

    def close(self) -> None:
        """Let go of the episode."""
        self.episode = None

    def _span(self, begin: int | None) -> tuple[int, int]:
        """Start and end of an episode. Units: ns. Mutates: the generator."""
        first, last = self.market.tapes.span
        every_ns = self.market.every_ns
        length = every_ns * (self.steps + 1) - 1  # the wake-up after the last action is the end
        places = max(0, (last - length - first) // every_ns) + 1
        start = first + int(self.np_random.integers(places)) * every_ns
        if begin is not None:
            start = _instant(begin)
        self._ends_with_tape = start + length >= last
        return start, min(start + length, last)

    def _running(self) -> Episode:
        if self.episode is None or self.episode.over:
            raise gymnasium.error.ResetNeeded("the episode is over; call reset")
        return self.episode

    def _info(self) -> dict[str, Any]:
        episode = self.episode
        assert episode is not None
        info = {
            "ts_ns": episode.now_ns,
            "position": int(episode.view.position),
            "equity": episode.equity,
            **episode.counts,
        }
        return info | {"digest": episode.digest} if episode.over else info


def _pair(action: Any) -> tuple[float, float]:
    """The two numbers of an action. Raises: ConfigError naming the shape or the value."""
    wanted = f"two numbers of -1 to 1: {' and '.join(ACTIONS)}"
    try:
        values = np.asarray(action, np.float32)
    except (TypeError, ValueError):
        raise ConfigError(f"action: {action!r} is not {wanted}") from None
    if values.shape != (len(ACTIONS),):
        raise ConfigError(f"action: shape {values.shape} is not {wanted}")
    return float(values[0]), float(values[1])


def _scale(value: Any) -> float:
    """Raises: ConfigError for what would make every reward nothing or no number."""
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not number or not 0 < float(value) < float("inf"):
        raise ConfigError(f"reward_scale: {value!r} is not a finite number > 0")
    return float(value)


def _instant(value: Any) -> int:
    """Units: ns. Raises: ConfigError for what is no whole number."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise ConfigError(f"start_ns: {value!r} is not a whole number of ns since 1970")
    return int(value)


def _opened(tapes: Any, cache: Path) -> Tapes:
    """Tapes, a path of some, or "synthetic": a small synthetic market, made once in `cache`."""
    if isinstance(tapes, str) and tapes == "synthetic":
        return synthetic(seed=0, out=cache / "synthetic-rl", events=SYNTHETIC_EVENTS)
    try:
        return open_tapes(tapes)
    except HftError as error:
        raise ConfigError(f"tapes: {error}") from None


if ID not in gymnasium.registry:
    gymnasium.register(ID, entry_point="hft.research.rl.environment:MarketMaking")
