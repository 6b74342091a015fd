"""The typed findings of ingest: their names, what each means, how many of each a tape may have.

A decoder collects them in a `Findings`; `enforce` refuses a feed with a finding above its limit
that was not waived by name. A name that is not in the table has the limit 0.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from hft.core.errors import ConfigError, DataError
from hft.tape.schema import Finding


@dataclass(frozen=True)
class Limit:
    """How much of a finding is accepted: a share of the rows, or (both None) any number."""

    meaning: str
    share: float | None = None
    fix: str = ""

    def refuses(self, count: int, rows: int) -> bool:
        """Whether `count` findings among `rows` rows are too many."""
        return self.share is not None and count > self.share * rows


LIMITS: dict[str, Limit] = {
    "disorder": Limit("exchange time goes back; the row is split into a venue and a view row"),
    "receive_disorder": Limit(
        "receive time goes back; waived, the rows are sorted by it", 0.0, "sort the source by time"
    ),
    "negative_latency": Limit(
        "received before it happened", 0.0, "use --clock-fix (clock_fix=True) to shift the clock"
    ),
    "clock_repaired": Limit("receive times were shifted, as asked with --clock-fix"),
    "gap": Limit("the source says, or its sequence numbers say, that messages are missing", 0.0),
    "crossed_book": Limit("best bid at or above best ask in continuous trading", 0.01),
    "locked_book": Limit("best bid equal to best ask across exchanges"),
    "unknown_order_id": Limit("an order event whose order was never added", 0.01),
    "duplicate": Limit("an event that was there already; left out", 0.01),
    "late_snapshot": Limit("the snapshot came after updates, which were replayed on top of it"),
    "missing_snapshot": Limit("no opening snapshot: the book is built from updates alone"),
    "off_grid": Limit(
        "price or quantity between two steps; waived, it becomes the nearest step",
        0.0,
        "give the right tick and lot (--tick, --lot)",
    ),
    "off_lot": Limit(
        "a resting quantity that is no whole number of lots; it becomes the nearest, at least one",
        0.001,
        "give the right lot (--lot)",
    ),
    "bad_number": Limit("a price or quantity that is no finite number in range", 0.0),
    "bad_row": Limit("a row that cannot be read; left out", 0.0),
    "negative_qty": Limit("a quantity below zero", 0.0),
    "zero_qty": Limit("a trade or order of quantity zero; left out", 0.01),
    "guessed_tick": Limit(
        "nobody gave the tick; waived, the coarsest grid that holds every price is taken",
        0.0,
        "give it (--tick)",
    ),
    "guessed_lot": Limit(
        "nobody gave the lot; waived, the coarsest grid that holds every quantity is taken",
        0.0,
        "give it (--lot)",
    ),
    "assumed_clock": Limit("one clock only: receive time is taken as the exchange time or reverse"),
    "unknown_side": Limit("a trade without an aggressor's side"),
    "suspicious": Limit("the vendor flagged the row as suspicious; left out"),
    "skipped": Limit("rows of a kind that the tape does not carry; left out"),
}


class Findings:
    """A collector that merges findings of one name: counts add up, the first row is the lowest."""

    def __init__(self, found: Iterable[Finding] = ()) -> None:
        self._found: dict[str, Finding] = {}
        for finding in found:
            self.add(finding.name, finding.count, finding.first_row, finding.note)

    def add(self, name: str, count: int = 1, first_row: int = 1, note: str = "") -> None:
        """Count `count` more of `name`, the first at 1-based `first_row`; the first note stays."""
        if count <= 0:
            return
        known = self._found.get(name)
        if known is None:
            self._found[name] = Finding(name, int(count), int(first_row), note)
            return
        earlier = first_row < known.first_row
        self._found[name] = Finding(
            name,
            known.count + int(count),
            min(known.first_row, int(first_row)),
            note if earlier and note else known.note,
        )

    def mask(
        self, name: str, mask: np.ndarray, first_row: int | np.ndarray = 1, note: str = ""
    ) -> None:
        """Count the true items of `mask`; its item 0 is row `first_row`, or the rows are given."""
        count = int(np.count_nonzero(mask))
        if count:
            at = int(np.argmax(mask))
            row = first_row + at if isinstance(first_row, int) else int(first_row[at])
            self.add(name, count, row, note)

    def __getitem__(self, name: str) -> Finding:
        return self._found[name]

    def __contains__(self, name: str) -> bool:
        return name in self._found

    def sorted(self) -> list[Finding]:
        """All of them by name."""
        return [self._found[name] for name in sorted(self._found)]

    def _refused(self, rows: int) -> list[Finding]:
        return [
            finding
            for finding in self.sorted()
            if LIMITS.get(finding.name, Limit("", 0.0)).refuses(finding.count, rows)
        ]

    def waived(self, rows: int, waive: Iterable[str]) -> list[str]:
        """The waivers that were needed."""
        asked = set(waive)
        return [finding.name for finding in self._refused(rows) if finding.name in asked]

    def enforce(self, rows: int, waive: Iterable[str], origin: str) -> None:
        """Refuse when a finding is above its limit and not waived.

        Raises: DataError with name, count, first row and how to go on.
        """
        asked = set(waive)
        for finding in self._refused(rows):
            if finding.name in asked:
                continue
            limit = LIMITS.get(finding.name, Limit("not a known finding", 0.0))
            note = f" ({finding.note})" if finding.note else ""
            fix = f"{limit.fix}, or waive" if limit.fix else "waive"
            raise DataError(
                f"{origin}, row {finding.first_row}: {finding.name}: {finding.count} of {rows} rows"
                f"{note}, allowed {limit.share:.2%}; {fix} it with --waive {finding.name}"
            )


def check_waivers(waive: Iterable[str]) -> tuple[str, ...]:
    """The waivers as a tuple. Raises: ConfigError for one that cannot be waived, listing all."""
    names = tuple(waive)
    known = sorted(name for name, limit in LIMITS.items() if limit.share is not None)
    for name in names:
        if name in LIMITS and LIMITS[name].share is None:
            raise ConfigError(f"waive: {name} is informational and needs no waiver")
        if name not in LIMITS:
            raise ConfigError(f"waive: unknown finding {name!r}; known: {', '.join(known)}")
    return names
