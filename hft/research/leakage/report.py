"""What the leakage tests found: the smallest example that shows a leak, in words and as data."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

KINDS = ("prefix", "perturbation", "state", "reads", "tried", "label", "inputs", "jitter", "batch")


@dataclass(frozen=True)
class Violation:
    """One proof of looking ahead.

    `row` is the first row (from 0) whose signal depends on later ones, `column` the input that
    carries it; `seen` is the signal with the rows up to `prefix_rows` only, `known` with more.
    `reach` is how many rows ahead it looked.
    """

    kind: str
    sentence: str
    row: int = -1
    ts_ns: int = 0
    column: str = ""
    seen: float | None = None
    known: float | None = None
    cut: int = -1
    prefix_rows: int = -1
    reach: int = -1

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True)
class LeakReport:
    """Everything that was tried, and what it showed."""

    violations: tuple[Violation, ...] = ()
    cuts: tuple[int, ...] = ()
    perturbed: tuple[int, ...] = ()
    rows: int = 0
    notes: tuple[str, ...] = ()
    ties: int = 0  # cuts that differ by rounding at ties alone

    @property
    def clean(self) -> bool:
        """Was nothing found?"""
        return not self.violations

    @property
    def first(self) -> Violation | None:
        """The violation that is easiest to follow."""
        return self.violations[0] if self.violations else None

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, and the same each time where nothing is found: the cuts are drawn anew."""
        return {
            "clean": self.clean,
            "rows": self.rows,
            "cuts": len(self.cuts),
            "perturbed": len(self.perturbed),
            "violations": [one.to_dict() for one in self.violations],
            "ties": bool(self.ties),
        }


def moment(ts_ns: int) -> str:
    """A time in messages: ISO, UTC, without needless digits."""
    whole, rest = divmod(int(ts_ns), 1_000_000_000)
    text = datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}{f'.{rest:09d}'.rstrip('0') if rest else ''}Z"
