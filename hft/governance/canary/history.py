"""The rungs and attempts of one alpha so far, as the audit journal has them.

It says since when the present rung is held, with what weight a past session traded, how many
attempts a year saw, and what must stop the canary at once. Read, never written.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date as Date
from typing import Any

from hft.core.errors import JournalError
from hft.governance.promotion.changes import Change

YEAR_NS = 365 * 86_400_000_000_000


@dataclass(frozen=True)
class History:
    """What came before this evaluation.

    `weights`: (first day of a weight, weight), ascending; a day counts for the weight that held
    when it began. `mismatches`: facts that roll back at once, such as code that moved or a kill.
    `began_ns`: when this attempt was approved. `counted`: each session an earlier step counted, and
    the digests of its runs. `at_hand`: days of sessions in the workspace that are not shown.
    `calendar`: whose sessions the market has, as the bundle froze it; None where nobody said.
    """

    weights: tuple[tuple[Date, float], ...] = ()
    attempts: int = 1
    mismatches: tuple[str, ...] = ()
    outside_regime: str = ""
    fleet_flagged: bool = False
    began_ns: int = 0
    counted: tuple[tuple[Date, tuple[str, ...]], ...] = ()
    at_hand: tuple[tuple[Date, str], ...] = ()
    calendar: str | None = None

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
    began = changes[starts[-1]].ts_ns
    return History(weights=tuple(weights), attempts=max(1, len(year)), began_ns=began)


def with_counted(past: History, rows: Iterable[Mapping[str, Any]], alpha_id: str) -> History:
    """The history with the sessions that this attempt's decisions counted, by audit rows.

    What was counted first for a day stands, whatever a later step was shown. Raises: JournalError.
    """
    found: dict[Date, tuple[str, ...]] = {}
    for row in rows:
        own = row["row"]
        if row["table"] != "alpha_canary_log" or own.get("alpha_id") != alpha_id:
            continue
        if row["ts"] < past.began_ns:
            continue
        for day, digests in _counted(row).items():
            if past.in_attempt(day):
                found.setdefault(day, digests)
    return replace(past, counted=tuple(sorted(found.items())))


def _counted(row: Mapping[str, Any]) -> dict[Date, tuple[str, ...]]:
    try:
        given = json.loads(row["row"].get("checks") or "{}").get("counted") or {}
        return {Date.fromisoformat(day): tuple(digests) for day, digests in given.items()}
    except (ValueError, AttributeError, TypeError):
        raise JournalError(
            f"audit row {row['seq']}: checks: says no sessions by day; run `hft audit verify`"
        ) from None
