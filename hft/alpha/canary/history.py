"""The rungs and attempts of one alpha so far, as the audit journal has them.

It says since when the present rung is held, with what weight a past session traded, how many
attempts a year saw, and what must stop the canary at once. Read, never written.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date as Date
from typing import Any

from hft.alpha.trace.changes import Change

YEAR_NS = 365 * 86_400_000_000_000


@dataclass(frozen=True)
class History:
    """What came before this evaluation.

    `weights`: (first day of a weight, weight), ascending; a day counts for the weight that held
    when it began. `mismatches`: facts that roll back at once, such as code that moved or a kill.
    """

    weights: tuple[tuple[Date, float], ...] = ()
    attempts: int = 1
    mismatches: tuple[str, ...] = ()
    outside_regime: str = ""
    fleet_flagged: bool = False
    consents: tuple[tuple[str, str], ...] = ()  # (role, decision digest) already signed

    @property
    def rung_since(self) -> Date | None:
        """The day on which the present weight began."""
        return self.weights[-1][0] if self.weights else None

    @property
    def attempt_since(self) -> Date | None:
        """The day on which this attempt began."""
        return self.weights[0][0] if self.weights else None

    def on_rung(self, day: Date) -> bool:
        """Did the session trade with the present weight all day?"""
        return self.rung_since is None or day > self.rung_since

    def in_attempt(self, day: Date) -> bool:
        """Does the session belong to this attempt?"""
        return self.attempt_since is None or day > self.attempt_since

    def weight_on(self, day: Date) -> float:
        """The weight that held when the day began; 0 before the first."""
        held = [weight for since, weight in self.weights if since < day]
        return held[-1] if held else (1.0 if not self.weights else 0.0)


def history_of(
    changes: Sequence[Change], now_ns: int, *, fallback: Mapping[str, Any] | None = None
) -> History:
    """The history of one alpha from its recorded changes, oldest first.

    `fallback` (`since`, `weight`): what the file itself says, where the journal has nothing.
    """
    starts = [k for k, change in enumerate(changes) if change.cause == "approve"]
    if not starts:
        if not fallback:
            return History()
        return History(weights=((fallback["since"], float(fallback["weight"])),))
    year = [k for k in starts if changes[k].ts_ns > now_ns - YEAR_NS]
    weights: list[tuple[Date, float]] = []
    for change in changes[starts[-1] :]:
        if weights and weights[-1][1] == change.weight:
            continue  # a renewal keeps the rung
        weights.append((change.day, change.weight))
    return History(weights=tuple(weights), attempts=max(1, len(year)))
