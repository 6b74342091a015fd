"""How likely a true alpha of some Sharpe ratio passes Gates A to C, before a trial is spent."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hft.core.errors import ConfigError
from hft.governance.power.life import Life, Rivals, live
from hft.governance.power.market import Alpha, drawn, lean
from hft.governance.profile import Profile
from hft.statistics.series import generator
from hft.statistics.study import Share

SHOWN = 3  # lines that stop most lives
VOLATILITY = 0.01
Tell = Callable[[int, int], None]


@dataclass(frozen=True)
class Chance:
    """Of lives with one true Sharpe ratio over so many days, how many pass, and what stops the
    others: `stopping` are lines of the gates with the lives that each stops, most frequent first.
    """

    sharpe: float
    days: int
    passed: Share
    stopping: tuple[tuple[str, int], ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        low, high = self.passed.interval
        return {
            "sharpe": self.sharpe,
            "days": self.days,
            "lives": self.passed.of,
            "passed": self.passed.count,
            "chance": self.passed.value,
            "low": low,
            "high": high,
            "stopping": dict(self.stopping),
        }


@dataclass(frozen=True)
class Power:
    """The chances, and what was assumed. Units: `taker_bps` of the traded value."""

    chances: tuple[Chance, ...]
    taker_bps: float
    trials: int
    beside: str  # in words, whose trials they are
    profile: str
    thresholds: str
    seed: int

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return plain | {"chances": [one.to_dict() for one in self.chances]}

    def text(self) -> str:
        """A table for a terminal."""
        lines = [
            f"Chance that an alpha passes gates A to C under {self.profile}: {self.beside},",
            f"fees of {self.taker_bps:g} bps, one declared threshold",
            "",
            f"{'true SR':>7}  {'days':>5}  {'passes':>7}  {'95 % interval':>15}  stopped most by",
        ]
        for one in self.chances:
            low, high = one.passed.interval
            by = ", ".join(f"{name} {count}x" for name, count in one.stopping[:SHOWN]) or "nothing"
            lines.append(
                f"{one.sharpe:>7g}  {one.days:>5}  {one.passed.value:>7.0%}  "
                f"{f'{low:.0%} to {high:.0%}':>15}  {by}"
            )
        lives = self.chances[0].passed.of if self.chances else 0
        return "\n".join(
            [
                *lines,
                "",
                f"{lives} drawn lives each, seed {self.seed}; true SR is annual and net. No trial "
                "was counted.",
            ]
        )


def power(
    profile: Profile,
    *,
    sharpes: Sequence[float] = (1.0, 2.0, 3.0),
    days: Sequence[int] = (1008,),
    taker_bps: float = 0.2,
    trials: int = 1,
    lives: int = 50,
    seed: int = 1,
    like: tuple[float, float] | None = None,
    beside: str = "",
    tell: Tell = lambda done, total: None,
) -> Power:
    """Draw lives and judge them. `trials` are on the data once this one ran; `like` is a family's
    effective number and variance of per-period Sharpe ratios, in their place.

    Raises: ConfigError for what cannot be drawn.
    """
    _fine(sharpes, days, taker_bps, trials, lives)
    alpha = Alpha(taker_bps=taker_bps)
    found: list[Chance] = []
    total = len(sharpes) * len(days) * lives
    for number in sorted(days):
        for sharpe in sharpes:
            judged = []
            for k in range(lives):
                judged.append(_one(profile, alpha, sharpe, number, trials, (seed, k), like))
                tell(len(found) * lives + k + 1, total)
            found.append(chance(sharpe, number, judged))
    words = beside or ("1 trial" if trials == 1 else f"{trials} trials")
    return Power(tuple(found), taker_bps, trials, words, profile.name, profile.hash, seed)


def chance(sharpe: float, days: int, judged: Sequence[Life]) -> Chance:
    """What so many lives say."""
    by = Counter(line for life in judged for line in life.stopping)
    by["t far below its level"] = sum(not life.passed and not life.gates for life in judged)
    passed = Share(sum(life.passed for life in judged), len(judged))
    ordered = sorted(((k, v) for k, v in by.items() if v), key=lambda pair: (-pair[1], pair[0]))
    return Chance(sharpe, days, passed, tuple(ordered))


def _one(
    profile: Profile,
    alpha: Alpha,
    sharpe: float,
    days: int,
    trials: int,
    seed: tuple[int, int],
    like: tuple[float, float] | None,
) -> Life:
    market = drawn(days, lean(sharpe, alpha), seed)
    random = generator(seed[0], seed[1], 7)
    # Worthless ones: their Sharpe ratios scatter as luck has it.
    beside = VOLATILITY * random.standard_normal((days, trials - 1))
    return live(market, alpha, profile, Rivals(beside, like), leaks=False)


def _fine(
    sharpes: Sequence[float], days: Sequence[int], taker_bps: float, trials: int, lives: int
) -> None:
    """Raises: ConfigError naming the option."""
    if not sharpes or not all(np.isfinite(one) for one in sharpes):
        raise ConfigError(f"--sharpe {sharpes}: write true annual Sharpe ratios such as 1,2,3")
    if not days or min(days) < 60:
        raise ConfigError(f"--days {min(days, default=0)}: at least 60, or nothing can be judged")
    if not 0.0 <= taker_bps < 100.0:
        raise ConfigError(f"--taker-bps {taker_bps:g}: a fee of 0 to 100 bps of the traded value")
    if trials < 1:
        raise ConfigError(f"--trials {trials}: at least 1, which is this one")
    if lives < 1:
        raise ConfigError(f"--lives {lives}: at least 1")
