"""What every decoder shares: its protocol, the collector of findings, exact grids and row order.

A decoder turns vendor bytes into `Feed`s whose rows stand in file (receive) order with the clocks
as recorded; `settle` then repairs a clock when asked, replaces order modifications, puts the rows
in tape order and checks the limits of `findings.py`. Nothing here reads a file or rounds a number
silently.

A decoder module has:

    NAMES: tuple[str, ...]                            # formats it reads: ("binance-spot", ...)
    DESCRIPTION: str                                  # one line for `hft data formats`
    def sniff(head: bytes, path: Path) -> str | None  # the format's name, or None: not mine
    def decode(paths: Sequence[Path], options: DecodeOptions) -> list[Feed]

`head` is the first decompressed 64 KiB (of the first member of an archive). `decode` returns one
Feed per tape: one instrument and, where files are daily, one day (`source["day"] = "YYYYMMDD"` when
the UTC date of the first row is not the day). `source["continues"] = True` says that the book
carries over from the previous Feed of that instrument in the list. Row numbers are 1-based.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import numpy as np

from hft.core.codes import Flag
from hft.core.errors import DataError
from hft.core.instruments import Instrument
from hft.feeds.deltas import whole_after
from hft.feeds.findings import LIMITS, Findings, Limit
from hft.feeds.modifies import replace_modifies
from hft.feeds.names import plain
from hft.feeds.order import clocks_of, order_rows, row_words
from hft.feeds.sanity import Sanity
from hft.feeds.times import spoken
from hft.tape.schema import Columns, Feed

HEAD_BYTES = 1 << 16
CLOCK_FIX_MIN_LATENCY_NS = 1_000_000  # what the smallest latency becomes under --clock-fix
EXACT_FLOAT = 1 << 53
DUST = 1e-6  # of a step: what arithmetic of floats leaves beside it
STEPS = ("tick", "lot")  # of an instrument's grid
NONE = Limit("", 0.0)  # of a finding that no table has

Progress = Callable[[int, int, int], None]  # (bytes done, bytes in all, rows so far)


@dataclass(frozen=True)
class DecodeOptions:
    """What the user said about a source; `format` is the chosen name out of the module's NAMES."""

    format: str = ""
    symbol: str | None = None
    tick: Decimal | None = None
    lot: Decimal | None = None
    instruments: Mapping[str, Instrument] = field(default_factory=dict)
    columns: Mapping[str, str | None] | None = None
    tz: str | None = None
    several: bool = False  # the symbol is one of several in its source
    merge: bool = False  # the files are one source: a named column is in one of them
    book_from_deltas: int = 0
    limits: Mapping[str, Limit] = field(default_factory=dict)  # of findings that a plug-in names
    clock_fix: bool = False
    waive: tuple[str, ...] = ()
    progress: Progress | None = None
    seed: int | None = None

    def instrument(self, symbol: str, default: Instrument | None = None) -> Instrument:
        """The instrument of `symbol`: `<format>:<symbol>` or `<symbol>` of the table, or `default`.

        --tick and --lot override what is found.
        Raises: DataError when it is in neither and tick or lot is not given.
        """
        table = self.instruments
        known = table.get(f"{self.format}:{symbol}", table.get(symbol, default))
        if known is None:
            if self.tick is None or self.lot is None:
                raise self.unknown(symbol, "the source")
            return Instrument(symbol=symbol, tick=self.tick, lot=self.lot, venue=self.format)
        changes = {"tick": self.tick, "lot": self.lot}
        given = {name: value for name, value in changes.items() if value is not None}
        return replace(known, **given) if given else known  # type: ignore[arg-type]

    def must_guess(self, symbol: str, origin: str, steps: tuple[str, ...] = STEPS) -> None:
        """The source's instrument is nowhere: go on only where guessing its grid was asked for.

        Raises: DataError naming source, instrument and the ways to go on.
        """
        missing = [name for name in steps if getattr(self, name) is None]
        if any(f"guessed_{name}" not in self.waive for name in missing):
            raise self.unknown(symbol, origin, steps)

    def unknown(self, symbol: str, origin: str, steps: tuple[str, ...] = STEPS) -> DataError:
        """The refusal of an instrument that nobody described."""
        missing = [name for name in steps if getattr(self, name) is None]
        options = ", ".join(f"--{name}" for name in missing)
        waivers = " ".join(f"--waive guessed_{name}" for name in missing)
        return DataError(
            f"{origin}: instrument {symbol!r} is unknown: {self._meant(symbol)}"
            f"add it to config/instruments.yaml or give its {' and '.join(missing)} ({options}); "
            f"{waivers} guesses from the data"
        )

    def _meant(self, symbol: str) -> str:
        """The instruments of the table that a venue may write like this."""
        wanted = plain(symbol)
        near = [name for name in self.instruments if wanted and plain(name) == wanted]
        say = "write so in the column of symbols" if self.several else "say so by --symbol"
        return f"if it is {' or '.join(near)}, {say}; otherwise " if near else ""

    def report(self, done: int, total: int, rows: int) -> None:
        """Tell the progress bar, if there is one."""
        if self.progress is not None:
            self.progress(done, total, rows)


class Decoder(Protocol):
    """The shape of a decoder module (a user's plug-in file has the same one)."""

    NAMES: tuple[str, ...]
    DESCRIPTION: str

    def sniff(self, head: bytes, path: Path) -> str | None: ...

    def decode(self, paths: Sequence[Path], options: DecodeOptions) -> list[Feed]: ...


def to_ticks(
    values: np.ndarray,
    step: Decimal,
    findings: Findings,
    what: str = "price",
    *,
    scale: int | None = None,
    first_row: int | np.ndarray = 1,
    dusty: bool = True,
) -> np.ndarray:
    """Exact int64 steps (ticks or lots) of real numbers; every value off the grid is a finding.

    Floats count as on the grid when they are the double (or float32) nearest to a multiple of
    `step`, and where `dusty` also within DUST of a step (100.02000000000001), with the finding
    `float_dust`; integers are real x `scale` (1 when none). Off-grid values become the nearest
    step, which matters only where `off_grid` is waived; NaN, infinities and numbers beyond 2^53
    steps are `bad_number` and become 0. `first_row` is the 1-based file row of item 0, or the file
    rows of all items.
    """
    ratio = Fraction(step)
    if np.issubdtype(values.dtype, np.integer):
        return _integer_ticks(values, ratio * (scale or 1), step, findings, what, first_row)
    if scale is not None:
        ratio *= scale
    with np.errstate(invalid="ignore", over="ignore"):
        steps = np.rint(values.astype(np.float64, copy=False) * (1.0 / float(ratio)))
        exact = steps * float(ratio.numerator)
        bad = ~(np.abs(exact) < EXACT_FLOAT)
        if bad.any():
            findings.mask("bad_number", bad, first_row, f"{what} is not a usable number")
            steps[bad] = 0.0
            exact[bad] = 0.0
        if ratio.denominator != 1:
            exact /= float(ratio.denominator)
        # Correctly rounded (both operands are exact), so equality means "the nearest double of it".
        off = exact.astype(values.dtype, copy=False) != values
        if bad.any():
            off &= ~bad
        if dusty and off.any():
            near = off & (np.abs(values - exact) <= DUST * float(ratio))
            findings.mask("float_dust", near, first_row, f"{what} beside the grid of {step}")
            off &= ~near
    _note_off_grid(off, values, step, findings, what, first_row)
    return steps.astype(np.int64)


def _integer_ticks(
    values: np.ndarray,
    ratio: Fraction,
    step: Decimal,
    findings: Findings,
    what: str,
    first_row: int | np.ndarray,
) -> np.ndarray:
    numbers = values.astype(np.int64, copy=False)
    if ratio == 1:
        return numbers
    if ratio.numerator > EXACT_FLOAT:
        findings.mask("bad_number", numbers != 0, first_row, f"{what} is less than a step")
        return np.zeros(len(numbers), np.int64)
    if ratio.denominator != 1:
        bound = (1 << 62) // ratio.denominator
        bad = (numbers > bound) | (numbers < -bound)
        if bad.any():
            findings.mask("bad_number", bad, first_row, f"{what} is too large")
            numbers = np.where(bad, 0, numbers)
        numbers = numbers * ratio.denominator
    steps = numbers // ratio.numerator
    rest = numbers - steps * ratio.numerator
    off = rest != 0
    if off.any():
        _note_off_grid(off, values, step, findings, what, first_row)
        steps += 2 * rest >= ratio.numerator
    return steps


def _note_off_grid(
    off: np.ndarray,
    values: np.ndarray,
    step: Decimal,
    findings: Findings,
    what: str,
    first_row: int | np.ndarray,
) -> None:
    if off.any():
        example = values[int(np.argmax(off))]
        findings.mask("off_grid", off, first_row, f"{what} {example} is not on the grid of {step}")


def latency_findings(columns: Columns, findings: Findings) -> None:
    """Note rows received before they happened."""
    clocks = clocks_of(columns)
    if clocks["early"]:
        first = int(clocks["first_early"])
        note = f"down to {spoken(clocks['lowest_ns'])}, first {row_words(columns, first)}"
        findings.add("negative_latency", int(clocks["early"]), first + 1, note, of="decoded")


def lowest_latency(columns: Columns) -> int:
    """The smallest receive time minus exchange time, ns; 0 without rows."""
    return int(clocks_of(columns)["lowest_ns"])


def repair_clock(
    columns: Columns,
    findings: Findings,
    min_latency_ns: int = CLOCK_FIX_MIN_LATENCY_NS,
    lowest_ns: int | None = None,
) -> Columns:
    """Shift every receive time by one constant, so that the smallest latency is `min_latency_ns`.

    The recorder's clock is taken to be off by a constant; the finding `clock_repaired` says by how
    much. `lowest_ns` is the smallest latency of all tapes that share the clock (default: of these
    rows). Nothing happens when it is not negative.
    """
    clocks = clocks_of(columns)
    lowest = int(clocks["lowest_ns"]) if lowest_ns is None else lowest_ns
    if lowest >= 0 or not len(columns.exch_ts):
        return columns
    shift_ns = min_latency_ns - lowest
    note = (
        f"receive times shifted by {spoken(shift_ns)}: smallest latency {spoken(lowest)} -> "
        f"{spoken(min_latency_ns)}"
    )
    first = int(clocks["first_early"]) + 1
    findings.add("clock_repaired", int(clocks["early"]), first, note, of="decoded")
    return columns._replace(local_ts=columns.local_ts + shift_ns)


def symbol_problem(symbol: str) -> str:
    """What is wrong with a symbol; empty when nothing is."""
    if not symbol.strip():
        return "the symbol is empty"
    if symbol.strip(" :") != symbol.strip():
        bare = symbol.strip(" :") or "BTCUSDT"
        return f"symbol {symbol!r} has nothing on one side of its colon; write {bare}"
    return ""


def settle(feed: Feed, options: DecodeOptions, lowest_latency_ns: int | None = None) -> Feed:
    """A decoder's feed made ready to be written: clock, order, limits; what ingest does to each.

    Raises: DataError naming the first finding above its limit that is not waived.
    """
    findings = Findings(feed.findings)
    columns = feed.columns
    rows = len(columns.exch_ts)
    if rows == 0:
        limits = LIMITS | dict(options.limits)
        wrong = [one for one in findings.sorted() if limits.get(one.name, NONE).share is not None]
        seen = "; ".join(f"{one.name} {one.count}, first row {one.first_row}" for one in wrong)
        why = f"none of its rows can be used ({seen})" if seen else "the source is empty"
        raise DataError(f"{origin_of(feed)}: no rows: {why}")
    if unseen(columns):
        raise DataError(
            f"{origin_of(feed)}: no row that a strategy sees: all are the venue's alone"
        )
    if options.clock_fix:
        columns = repair_clock(columns, findings, lowest_ns=lowest_latency_ns)
    columns = replace_modifies(columns, findings, origin_of(feed))
    latency_findings(columns, findings)
    columns = order_rows(columns, findings)
    if options.book_from_deltas:
        columns = whole_after(columns, options.book_from_deltas, findings)
    checks = checks_of(feed, columns)
    for finding in checks.part(0, len(columns.kind)):
        findings.at_least(finding)
    findings.enforce(rows, options.waive, origin_of(feed), options.limits)
    waived = findings.waived(rows, options.waive, options.limits)
    source = dict(feed.source, waived=waived) if waived else dict(feed.source)
    return Feed(feed.instrument, columns, findings.sorted(), source)


def checks_of(feed: Feed, columns: Columns) -> Sanity:
    """The sanity checks of a feed whose rows are `columns` by now."""
    continues = bool(feed.source.get("continues"))
    ids = bool(feed.source.get("trade_ids"))
    return Sanity(columns, origin_of(feed), continues, feed.instrument.calendar, ids)


def unseen(columns: Columns) -> bool:
    """Whether no strategy ever sees one of the rows."""
    if not columns.flags[0] & Flag.VENUE_ONLY:
        return False
    return bool(((columns.flags & Flag.VENUE_ONLY) != 0).all())


def origin_of(feed: Feed) -> str:
    return str(feed.source.get("file") or feed.source.get("format") or feed.instrument.symbol)
