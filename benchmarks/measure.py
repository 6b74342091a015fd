"""Figures and verdicts: medians of alternated runs, their spread, and what may be said of a goal.

A goal is met when the median meets it. A miss is only a miss when the spread is smaller than the
margin; otherwise it is "not decided". Timings are reported here and are never tests.
"""

import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

MET, MISSED, NOT_DECIDED = "met", "missed", "not decided"
REPORTED, NOT_MEASURED = "reported", "not measured"

Reply = dict[str, Any]


@dataclass(frozen=True)
class Series:
    """The same figure measured several times, in the order it was taken."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def low(self) -> float:
        return min(self.values)

    @property
    def high(self) -> float:
        return max(self.values)


@dataclass(frozen=True)
class Goal:
    """A bound for a median: at least that much, or at most."""

    bound: float
    at_least: bool = True

    def verdict(self, series: Series) -> str:
        """Met, missed, or not decided where the spread is larger than the miss."""
        margin = series.median - self.bound if self.at_least else self.bound - series.median
        if margin >= 0:
            return MET
        return NOT_DECIDED if series.high - series.low > -margin else MISSED


@dataclass
class Row:
    """One line of the report; `judged` names the series that the goal reads."""

    name: str
    title: str
    unit: str
    ours: Series | None = None
    peer: Series | None = None
    peer_name: str = ""
    ratio: Series | None = None
    goal: Goal | None = None
    judged: str = "ratio"
    reason: str = ""
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        series = self.ratio if self.judged == "ratio" else self.ours
        if series is None:
            return NOT_MEASURED
        return self.goal.verdict(series) if self.goal else REPORTED


def alternate(
    ours: Callable[[], Reply], peer: Callable[[], Reply], runs: int
) -> tuple[list[Reply], list[Reply]]:
    """`runs` measurements of each side, taken in turns so that both meet the same machine."""
    pairs = [(ours(), peer()) for _ in range(runs)]
    return [mine for mine, _ in pairs], [theirs for _, theirs in pairs]


def rates(replies: list[Reply], count: str = "events") -> Series:
    """Items a second of each measurement."""
    return Series(tuple(reply[count] / reply["seconds"] for reply in replies))


def ratios(ours: Series, peer: Series) -> Series:
    """Ours over the peer, pair by pair."""
    return Series(tuple(a / b for a, b in zip(ours.values, peer.values, strict=True)))


def parity(ours: Reply, peer: Reply, exact: tuple[str, ...]) -> str:
    """ "equal", or each figure that differs as ours / peer."""
    different = [f"{key} {ours[key]} / {peer[key]}" for key in exact if ours[key] != peer[key]]
    return "; ".join(different) if different else "equal"


def constant(replies: list[Reply], key: str) -> Any:
    """The value all replies share, or a text that says that they do not."""
    values = {str(reply.get(key)): reply.get(key) for reply in replies}
    if len(values) == 1:
        return next(iter(values.values()))
    return "DIFFERS: " + ", ".join(values)


def until_decided(measured: Callable[[], Row]) -> Row:
    """Measure again, once, where the spread hides the answer; the second answer stands."""
    row = measured()
    if row.verdict == NOT_DECIDED:
        row = measured()
        row.facts["measured"] = "twice; the first time was not decided"
    return row
