"""One rule's answer about a canary, and the checks that show it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hft.governance.verdict import Check, Verdict

ROLL_BACK, HOLD = "rolled_back", "canary"


@dataclass(frozen=True)
class Finding:
    """One rule's answer: `state` is the boldest it allows, empty for any."""

    check: Check | None = None
    state: str = ""
    words: str = ""
    missing: tuple[str, ...] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)
    human: bool = False
    arm: str = ""


def bounded(
    id: str, value: float, limit: float, bad: bool, words: str, unknown: bool = False
) -> Check:
    """A figure that must not be above its limit."""
    verdict = Verdict.PASS if not bad else Verdict.INSUFFICIENT if unknown else Verdict.FAIL
    return Check(id, rounded(value), limit, verdict, reason=words, margin=rounded(limit - value))


def fact(id: str, holds: bool, words: str = "") -> Check:
    """Something that is so or is not."""
    return Check(id, holds, True, Verdict.PASS if holds else Verdict.FAIL, reason=words)


def rounded(value: float) -> float:
    """Ten significant digits: enough to read, and the same on every machine."""
    return float(f"{value:.10g}") if math.isfinite(value) else value
