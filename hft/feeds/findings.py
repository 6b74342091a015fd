"""The typed findings of ingest: their names, what each means, how many of each a tape may have.

A decoder collects them in a `Findings`; `enforce` refuses a feed with a finding above its limit
that was not waived by name. A name that is not in the table has the limit 0.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from hft.core.errors import ConfigError, DataError
from hft.tape.schema import Finding


@dataclass(frozen=True)
class Limit:
    """One finding: its meaning, how many are accepted, what to do, what it does to a replay.

    `share` is of the rows; None accepts any number, since the finding only informs. `counts` says
    what is counted: a row may have several values.
    """

    meaning: str
    share: float | None = None
    fix: str = ""
    effect: str = ""
    counts: str = "rows"

    def refuses(self, count: int, rows: int) -> bool:
        """Whether `count` findings among `rows` rows are too many."""
        return self.share is not None and count > self.share * rows


VALUES = "values"
RECORD_IT = "record or ask for the missing part"
LIMITS: dict[str, Limit] = {
    "disorder": Limit(
        "exchange time goes back; the row is split into a venue and a view row",
        effect="the venue applies the row at its exchange time, strategies see it as received",
    ),
    "receive_disorder": Limit(
        "receive time goes back; waived, the rows are sorted by it",
        0.0,
        "sort the source by time",
        "sorted rows may tell of the market in an order in which nobody saw it",
    ),
    "negative_latency": Limit(
        "received before it happened",
        0.0,
        "use --clock-fix (clock_fix=True) to shift the clock",
        "a strategy sees the market before the venue has it: it looks ahead",
    ),
    "slow_receive": Limit(
        "received more than a minute after it happened",
        effect="a strategy acts on a market of a minute ago; often two clocks of different zones",
        fix="compare the zones of the two clocks",
    ),
    "clock_repaired": Limit(
        "receive times were shifted, as asked with --clock-fix",
        effect="latencies are those of the repaired clock",
    ),
    "assumed_clock": Limit(
        "one clock only: receive time is taken as the exchange time or reverse",
        effect="the feed has no latency: strategies see each row the moment it happens",
        fix="--feed-latency of a replay adds one",
    ),
    "silence": Limit(
        "no row for more than five minutes",
        effect="nothing happens meanwhile; guards for a stale feed may refuse orders",
        fix="look whether the market was closed or the recorder was",
    ),
    "gap": Limit(
        "the source says, or its sequence numbers say, that messages are missing",
        0.0,
        RECORD_IT,
        "the book is cleared and nobody can trade until the next snapshot",
    ),
    "missing_snapshot": Limit(
        "no opening snapshot: the book is built from updates alone",
        effect="levels are unknown until an update touches them; the touch is too wide at first",
        fix="record a snapshot, or --book-from-deltas N (book_from_deltas=N)",
    ),
    "late_snapshot": Limit(
        "the snapshot came after updates, which were replayed on top of it",
        effect="the book is invalid until the snapshot came",
    ),
    "book_from_deltas": Limit(
        "the book was taken as whole after so many levels on each side, as asked",
        effect="levels that no update has touched are missing: a deep order meets too little",
    ),
    "book_invalid": Limit(
        "moments at which the book was cleared and not yet whole again",
        effect="orders are refused (BOOK_INVALID) and nothing is filled",
        fix="record a snapshot after each gap, or --book-from-deltas N",
    ),
    "book_never_valid": Limit(
        "there never is a bid below an ask in a whole book",
        effect="every order is refused: the run has no fills",
        fix="see the finding's note: a snapshot is missing, or one side of the quotes is",
    ),
    "one_sided": Limit(
        "moments at which one side of the book is empty",
        effect="orders are refused (BOOK_INVALID) until both sides are there",
        fix="check that an absent quote is not meant as the one before",
    ),
    "crossed_book": Limit(
        "moments at which the best bid is above the best ask in continuous trading",
        0.01,
        "check that bid and ask are not swapped, and that rows of one moment share its time",
        "the older side is hidden; what rests there is filled as if the market had gone through",
    ),
    "crossed_auction": Limit(
        "as crossed_book while the market is in an auction, halted or closed, by the tape's status "
        "rows or else by the instrument's calendar",
        effect="the older side is hidden; status rows stop the simulated venue, a calendar does "
        "not: orders are filled as in continuous trading",
        fix="do not trade while view.session_phase is not 0",
    ),
    "locked_book": Limit(
        "moments at which the best bid equals the best ask, as across exchanges",
        effect="the book is not valid for orders until it unlocks",
    ),
    "locked_long": Limit(
        "moments of continuous trading at which the book has been locked for a second or more",
        0.05,
        "check the tick and that both sides are updated",
        "strategies cannot trade meanwhile; one side is probably stale",
    ),
    "unknown_order_id": Limit(
        "an order event whose order was never added",
        0.01,
        "begin the recording at a snapshot of the orders",
        "the row takes lots of others at its price, or is left out",
    ),
    "duplicate": Limit(
        "an event that was there already, or an order id added twice",
        0.01,
        "remove the doubles",
        "vendors' doubles are left out; a second add puts lots into the book that are not there",
    ),
    "over_reduced": Limit(
        "a cancel or execution of more lots than the order has",
        0.01,
        "check the order's quantity, which an event tells as what goes, not as what stays",
        "lots of other orders at that price go, and queues move up too early",
    ),
    "order_mismatch": Limit(
        "a cancel or execution whose side or price is not that of its order",
        0.001,
        "write the resting order's side and price into the row",
        "the book loses lots at a price where the order never was",
    ),
    "repeated_row": Limit(
        "a print equal to the print before it, a cancel or execution equal to the row before it",
        effect="counted twice in volume and queues; two fills of one order may look like this",
        fix="remove the doubles if the source has them",
    ),
    "repeated_trade": Limit(
        "a trade whose id is there already, at the same time, price and quantity; left out",
        effect="none: it is one trade, as where the pages of a download overlap",
    ),
    "non_positive_price": Limit(
        "a price of zero or less",
        0.0,
        "write no quote as an empty cell or a quantity of zero",
        "a bid or ask that nobody made: orders at it would be filled",
    ),
    "far_price": Limit(
        "a print or a mid a tenth or more away from the mid before it",
        effect="resting orders between are filled, stops and guards act; often a slipped digit",
        fix="look at the row; correct the source if it is wrong",
    ),
    "outside_touch": Limit(
        "a print below the best bid or above the best ask as seen",
        effect="a print through a resting order fills it; many mean that two clocks do not fit",
        fix="compare the clocks of quotes and trades",
    ),
    "side_against_touch": Limit(
        "a buyer's print at the bid or below, or a seller's at the ask or above",
        effect="queues on the wrong side move up; if most are, the sides are those of the makers",
        fix="name the column buyer_maker, or swap the sides",
    ),
    "unknown_side": Limit(
        "a trade without an aggressor's side",
        effect="queues of both sides may be moved up by it",
        fix="give side or buyer_maker",
    ),
    "book_side": Limit(
        "a trade whose side is bid or ask: words of a book's levels, read as trades",
        0.0,
        "for levels of a book add a column is_snapshot (true: whole books, false: updates) or "
        "kind; for trades write buy and sell",
        "levels taken as trades make no book, and their quantities count as traded volume",
    ),
    "off_grid": Limit(
        "price or quantity between two steps; waived, it becomes the nearest step",
        0.0,
        "give the right tick and lot (--tick, --lot), or round the column to them before",
        "prices are not those of the source",
        VALUES,
    ),
    "float_dust": Limit(
        "a float within a millionth of a step of it, as arithmetic leaves it: it is the step",
        effect="none: 100.02000000000001 is 100.02 on a tick of 0.01",
    ),
    "off_lot": Limit(
        "a resting quantity that is no whole number of lots; it becomes the nearest, at least one",
        0.001,
        "give the right lot (--lot)",
        "quantities are off by less than a lot",
        VALUES,
    ),
    "huge_number": Limit(
        "a quantity above 9e12 lots or a price beyond 2^40 ticks",
        0.0,
        "give a larger lot or tick",
        "counting the queue ahead of an order would overflow",
    ),
    "bad_number": Limit(
        "a price or quantity that is no finite number in range, or a quantity without a price",
        0.0,
        "correct the cell",
        "waived, it counts as zero; a trade without a price is left out",
        VALUES,
    ),
    "bad_row": Limit(
        "a row that cannot be read; left out", 0.0, "correct the row", "it is missing"
    ),
    "missing_qty": Limit(
        "a price without a quantity; waived, the row says nothing of that side",
        0.0,
        "give the quantity, or leave the price out as well",
        "the quote or print is left out",
    ),
    "negative_qty": Limit(
        "a quantity below zero", 0.0, "correct the cell", "waived, it counts as zero", VALUES
    ),
    "zero_qty": Limit(
        "a trade or order event of quantity zero; own rows and vendors' are left out",
        0.01,
        "remove the rows",
        "nothing is filled by it",
    ),
    "guessed_tick": Limit(
        "nobody gave the tick; waived, the coarsest grid that holds every price is taken",
        0.0,
        "give it (--tick)",
        "a grid too coarse refuses prices that the venue takes",
    ),
    "guessed_lot": Limit(
        "nobody gave the lot; waived, the coarsest grid that holds every quantity is taken",
        0.0,
        "give it (--lot)",
        "a grid too coarse refuses quantities that the venue takes",
    ),
    "suspicious": Limit(
        "the vendor flagged the row as suspicious; left out", effect="the row is missing"
    ),
    "skipped": Limit(
        "rows of a kind that the tape does not carry; left out", effect="the rows are missing"
    ),
}


NO_LIMITS: Mapping[str, Limit] = MappingProxyType({})


class Findings:
    """A collector that merges findings of one name: counts add up, the first row is the lowest.

    `times` are the receive times of the items that masks are of; then each finding knows when its
    rows were received, and a source of many days files it under the right ones.
    """

    def __init__(self, found: Iterable[Finding] = (), times: np.ndarray | None = None) -> None:
        self._found: dict[str, Finding] = {finding.name: finding for finding in found}
        self.times = times

    def add(
        self,
        name: str,
        count: int = 1,
        first_row: int = 1,
        note: str = "",
        when: np.ndarray | None = None,
        of: str = "source",
    ) -> None:
        """Count `count` more of `name`, the first at 1-based `first_row`; the first note stays."""
        if count <= 0:
            return
        known = self._found.get(name)
        if known is None:
            self._found[name] = Finding(name, int(count), int(first_row), note, when, of)
            return
        earlier = first_row < known.first_row
        self._found[name] = Finding(
            name,
            known.count + int(count),
            min(known.first_row, int(first_row)),
            note if earlier and note else known.note,
            None if when is None or known.when is None else np.concatenate((known.when, when)),
            of if earlier else known.of,
        )

    def at_least(self, finding: Finding) -> None:
        """Take `finding` where it counts more than what is known of its name."""
        known = self._found.get(finding.name)
        if finding.count > (known.count if known is not None else 0):
            self._found[finding.name] = finding

    def mask(
        self, name: str, mask: np.ndarray, first_row: int | np.ndarray = 1, note: str = ""
    ) -> None:
        """Count the true items of `mask`; its item 0 is row `first_row`, or the rows are given."""
        count = int(np.count_nonzero(mask))
        if count:
            at = int(np.argmax(mask))
            row = first_row + at if isinstance(first_row, int) else int(first_row[at])
            timed = self.times is not None and len(self.times) == len(mask)
            when = self.times[mask] if timed and self.times is not None else None
            self.add(name, count, row, note, when)

    def __getitem__(self, name: str) -> Finding:
        return self._found[name]

    def __contains__(self, name: str) -> bool:
        return name in self._found

    def sorted(self) -> list[Finding]:
        """All of them by name."""
        return [self._found[name] for name in sorted(self._found)]

    def _refused(self, rows: int, more: Mapping[str, Limit]) -> list[tuple[Finding, Limit]]:
        """The findings above their limits; a name that no table has is not accepted at all."""
        table = LIMITS | dict(more)
        limits = [(one, table.get(one.name, Limit("", 0.0))) for one in self.sorted()]
        refused = [(one, limit) for one, limit in limits if limit.refuses(one.count, rows)]
        # What may not be at all comes first: it is often the cause of the others.
        return sorted(refused, key=lambda pair: pair[1].share or 0.0)

    def waived(
        self, rows: int, waive: Iterable[str], more: Mapping[str, Limit] = NO_LIMITS
    ) -> list[str]:
        """The waivers that were needed."""
        asked = set(waive)
        return [finding.name for finding, _ in self._refused(rows, more) if finding.name in asked]

    def enforce(
        self, rows: int, waive: Iterable[str], origin: str, more: Mapping[str, Limit] = NO_LIMITS
    ) -> None:
        """Refuse when a finding is above its limit (`more`: those of a plug-in) and not waived.

        Raises: DataError with name, count, first row and how to go on.
        """
        asked = set(waive)
        for finding, limit in self._refused(rows, more):
            if finding.name in asked:
                continue
            note = f" ({finding.note})" if finding.note else ""
            fix = f"{limit.fix}, or waive" if limit.fix else "waive"
            # A row of the tape is none of the file's: the note says its time and what is in it.
            own = finding.of == "source"
            place = f"{origin}, row {finding.first_row}" if own else origin
            first = "" if own else f", the first at {finding.of} row {finding.first_row}"
            raise DataError(
                f"{place}: {finding.name}: {_how_many(finding, limit, rows)}{first}"
                f"{note}, allowed {limit.share:.2%}; {fix} it with --waive {finding.name}"
            )


def _how_many(finding: Finding, limit: Limit, rows: int) -> str:
    """`rows` are those of the tape, from which others may have been left out."""
    if limit.counts == "rows" and finding.count <= rows:
        return f"{finding.count} of {rows} rows"
    counted = limit.counts if finding.count != 1 else limit.counts.removesuffix("s")
    return f"{finding.count} {counted}, the tape has {rows} rows"


def check_waivers(
    waive: Iterable[str], more: Mapping[str, Limit] = NO_LIMITS, found: Iterable[str] = ()
) -> tuple[str, ...]:
    """The waivers as a tuple; `more` and `found` are what a plug-in names.

    Raises: ConfigError for one that cannot be waived, listing all.
    """
    names = tuple(waive)
    table = dict.fromkeys(found, Limit("", 0.0)) | LIMITS | dict(more)
    known = sorted(name for name, limit in table.items() if limit.share is not None)
    for name in names:
        if name in table and table[name].share is None:
            raise ConfigError(f"waive: {name} is informational and needs no waiver")
        if name not in table:
            raise ConfigError(f"waive: unknown finding {name!r}; known: {', '.join(known)}")
    return names
