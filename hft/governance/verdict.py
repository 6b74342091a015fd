"""What a gate answers: checks with values, thresholds and margins, and one typed verdict.

PASS, FAIL or INSUFFICIENT, never a bare bool: an input that nobody gave, a NaN or a history too
short is INSUFFICIENT, is not passed, and says what is missing. Nothing here computes a figure.
"""

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from hft.storage.chain import canonical


class Verdict(StrEnum):
    """The answer of a check or a gate; only PASS passes."""

    PASS = "PASS"
    FAIL = "FAIL"
    INSUFFICIENT = "INSUFFICIENT"


Value = float | int | str | bool | None


@dataclass(frozen=True)
class Check:
    """One line of a gate.

    `margin` is how far the value is on the good side of its threshold, in the value's unit;
    `missing` are sentences that say what would make an INSUFFICIENT check decidable. A check that
    is not `blocking` is advice; one that is not `applicable` says why in `reason`.
    """

    id: str
    value: Value
    threshold: Value
    verdict: Verdict
    applicable: bool = True
    blocking: bool = True
    reason: str = ""
    margin: float | None = None
    missing: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; a figure that is not a number is null."""
        return {
            "id": self.id,
            "value": _finite(self.value),
            "threshold": _finite(self.threshold),
            "verdict": self.verdict.value,
            "applicable": self.applicable,
            "blocking": self.blocking,
            "reason": self.reason,
            "margin": _finite(self.margin),
            "missing": list(self.missing),
        }


@dataclass(frozen=True)
class GateResult:
    """One gate's checks and what follows from them; an `advisory` one is no part of a verdict."""

    gate: str
    checks: tuple[Check, ...]
    context: Mapping[str, Any] = field(default_factory=dict)
    advisory: bool = False

    @property
    def deciding(self) -> tuple[Check, ...]:
        """The checks that decide: applicable and blocking."""
        return tuple(check for check in self.checks if check.applicable and check.blocking)

    @property
    def verdict(self) -> Verdict:
        """FAIL if any deciding check fails, else INSUFFICIENT if any is, else PASS."""
        found = {check.verdict for check in self.deciding}
        for verdict in (Verdict.FAIL, Verdict.INSUFFICIENT):
            if verdict in found:
                return verdict
        return Verdict.PASS if found else Verdict.INSUFFICIENT

    @property
    def passed(self) -> bool:
        """Only PASS passes."""
        return self.verdict is Verdict.PASS

    @property
    def reason(self) -> str:
        """What decided, in words: the checks of the gate's verdict that did not pass."""
        if not self.deciding:
            return "no check was applicable"
        if self.passed:
            return f"all {len(self.deciding)} checks pass"
        guilty = [check for check in self.deciding if check.verdict is self.verdict]
        return "; ".join(check.reason or check.id for check in guilty)

    @property
    def missing(self) -> tuple[str, ...]:
        """The shopping list: what would make undecided checks decidable, each once."""
        return tuple(dict.fromkeys(text for check in self.deciding for text in check.missing))

    @property
    def margin(self) -> float | None:
        """The smallest margin relative to its threshold among deciding checks."""
        shares = [
            check.margin / abs(check.threshold)
            for check in self.deciding
            if check.margin is not None
            and isinstance(check.threshold, float | int)
            and check.threshold
        ]
        return min(shares, default=None)

    @property
    def evidence_digest(self) -> str:
        """SHA-256 of what was decided on; the same inputs give the same digest."""
        return hashlib.sha256(canonical(self._decided())).hexdigest()

    def _decided(self) -> dict[str, Any]:
        return {
            "gate": self.gate,
            "verdict": self.verdict.value,
            "checks": [check.to_dict() for check in self.checks],
            "context": dict(self.context),
            **({"advisory": True} if self.advisory else {}),
        }

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, with the reason, the margin and the shopping list."""
        return self._decided() | {
            "reason": self.reason,
            "margin": _finite(self.margin),
            "missing": list(self.missing),
            "evidence_digest": self.evidence_digest,
        }


def at_least(id: str, value: float | None, threshold: float, **more: Any) -> Check:
    """A check that passes when the value reaches its threshold; no value is INSUFFICIENT.

    `reason` is said when it fails; `undefined` and `missing` when there is no value.
    """
    return _compared(id, value, threshold, 1.0, more)


def at_most(id: str, value: float | None, threshold: float, **more: Any) -> Check:
    """A check that passes while the value does not exceed its threshold."""
    return _compared(id, value, threshold, -1.0, more)


def holds(id: str, value: bool | None, reason: str = "", **more: Any) -> Check:
    """A check of a fact; None is INSUFFICIENT. `reason` is said when it does not hold."""
    verdict = {None: Verdict.INSUFFICIENT, True: Verdict.PASS, False: Verdict.FAIL}[value]
    return Check(id, value, True, verdict, reason="" if value else reason, **more)


def not_applicable(id: str, reason: str, value: Value = None) -> Check:
    """A check that does not decide here, with the reason."""
    return Check(id, value, None, Verdict.INSUFFICIENT, applicable=False, reason=reason)


def insufficient(id: str, reason: str, missing: Iterable[str], value: Value = None) -> Check:
    """A check that cannot be decided, and what is missing for it."""
    return Check(id, value, None, Verdict.INSUFFICIENT, reason=reason, missing=tuple(missing))


def _compared(
    id: str, value: float | None, threshold: float, sign: float, more: dict[str, Any]
) -> Check:
    undefined, missing = more.pop("undefined", ""), more.pop("missing", ())
    reason = more.pop("reason", "")
    if value is None or not math.isfinite(value):
        words = undefined or f"{id} is undefined here"
        found = Verdict.INSUFFICIENT
        return Check(id, None, threshold, found, reason=words, missing=tuple(missing), **more)
    margin = sign * (value - threshold) + 0.0  # no minus zero
    if margin >= 0:
        return Check(id, value, threshold, Verdict.PASS, margin=margin, **more)
    side = "below" if sign > 0 else "above"
    words = reason or f"{id} {value:.4g} is {side} {threshold:.4g}"
    return Check(id, value, threshold, Verdict.FAIL, reason=words, margin=margin, **more)


def _finite(value: Value) -> Value:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
