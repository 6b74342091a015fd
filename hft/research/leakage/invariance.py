"""Prefix invariance and perturbation: what was known at t may not depend on what comes later.

A signal is computed on the rows up to a cut, and on all rows, and must be the same up to the cut;
then the rows behind a cut are replaced by noise, by nothing, by a shock, and it must not move.
One agreeing cut proves nothing, so there are many: see `cuts`. No statistic decides here and none
may waive it. What rounding makes of a tie is told apart: see `ties`.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from hft.core.errors import ValidationError
from hft.research.data.aliases import CLOCK_FIELDS
from hft.research.data.dataset import ResearchData
from hft.research.leakage.cuts import (
    CUTS_LEAST,
    STRETCH_ROWS,
    STRETCHES,
    choose_cuts,
    cuts_in,
    stretches,
)
from hft.research.leakage.report import LeakReport, Violation, moment
from hft.research.leakage.ties import Ties

Evaluate = Callable[[ResearchData], np.ndarray]
RTOL = 1e-9
KINDS = ("noise", "nothing", "shock")
TAIL_ROWS = 2000
HOLE_EVERY, HOLE_CUTS = 23, 6


@dataclass(frozen=True)
class Settings:
    """How hard to look.

    For alphas that go row by row `tail` limits the rows behind a perturbed cut, and the kinds of
    perturbation take turns from cut to cut: rows behind a cut come after the answer.
    """

    cuts: int = CUTS_LEAST
    seed: int = 42
    tail: int | None = None


def check(
    evaluate: Evaluate,
    data: ResearchData,
    *,
    fields: Sequence[str] = (),
    settings: Settings | None = None,
    full: np.ndarray | None = None,
) -> LeakReport:
    """Try `evaluate` at many cuts. `fields` are the inputs that a violation may be blamed on.

    Raises: ValidationError when it cannot be evaluated at all.
    """
    how = settings or Settings()
    whole = evaluate(data) if full is None else full
    cuts = choose_cuts(whole, data, how.cuts, how.seed)
    test = _Test(evaluate, data, whole, tuple(fields), how, cuts)
    prefixes = [found for cut in cuts if (found := test.prefix(cut)) is not None]
    changed = _spread_over(cuts, max(how.cuts, CUTS_LEAST))
    moved = [other for cut in changed if (other := test.perturbation(cut)) is not None]
    violations = []
    if prefixes:
        violations.append(test.smallest(min(prefixes)))
    elif how.tail is None:
        violations += _in_stretches(evaluate, data, whole, tuple(fields), how)
        violations += _with_holes(evaluate, data, tuple(fields), how)
    if moved:
        row, cut, kind, value = min(moved)
        violations.append(test.moved(row, cut, kind, value))
    return LeakReport(tuple(violations), cuts, changed, len(data), tuple(test.notes), test.ties)


def _spread_over(cuts: tuple[int, ...], count: int) -> tuple[int, ...]:
    """So many of the cuts, from the first to the last."""
    at = np.unique(np.linspace(0, len(cuts) - 1, min(count, len(cuts))).round().astype(int))
    return tuple(cuts[int(k)] for k in at)


def _in_stretches(
    evaluate: Evaluate,
    data: ResearchData,
    whole: np.ndarray,
    fields: tuple[str, ...],
    how: Settings,
) -> list[Violation]:
    """Many cuts each of short parts of the data, which cost little: who looks ahead now and then?

    A part is as long as the alpha needs to say anything; one that never does is left to the others.
    """
    for rows in STRETCH_ROWS:
        silent = 0
        for part, random in stretches(whole, data, rows, how.seed):
            try:
                signal = evaluate(part)
            except ValidationError:
                signal = np.zeros(0)
            live = signal[len(signal) // 4 :]
            if not (np.isfinite(live) & (live != 0)).any():
                silent += 1
                continue
            chosen = cuts_in(signal, part, random)
            test = _Test(evaluate, part, signal, fields, how, tuple(chosen))
            found = [one for cut in chosen if (one := test.prefix(cut)) is not None]
            if found:
                return [_placed(test.smallest(min(found)), part, data)]
        if silent < STRETCHES // 2 or rows >= len(data):
            break
    return []


def _placed(found: Violation, part: ResearchData, data: ResearchData) -> Violation:
    """What a stretch showed, with the row of the whole data."""
    row = int(np.searchsorted(data.ts_ns, found.ts_ns))
    whose = f"shown {len(part)} rows from {moment(part.ts_ns[0])} on and no others: "
    return replace(found, sentence=f"{whose}{found.sentence}", row=row)


def _with_holes(
    evaluate: Evaluate, data: ResearchData, fields: tuple[str, ...], how: Settings
) -> list[Violation]:
    """The same once more with values missing here and there: who fills them from behind?

    NaN may spread without being looked at; so the later values must move the signal as well.
    """
    names = [name for name in fields if name not in CLOCK_FIELDS]
    holed, holes = with_holes(data, names, how.seed)
    if not len(holes):
        return []
    try:
        whole = evaluate(holed)
    except ValidationError:
        return []
    cuts = tuple(int(holes[k]) + 1 for k in np.linspace(0, len(holes) - 1, HOLE_CUTS).astype(int))
    test = _Test(evaluate, holed, whole, fields, how, cuts)
    for cut in dict.fromkeys(cuts):
        seen = test.run(holed.head(cut), f"the first {cut} rows")
        if seen is None:
            continue
        row = test.differs(np.where(np.isnan(whole[:cut]), np.nan, seen), whole[:cut])
        if row is not None and test.moves(row, cut):
            return [test.smallest((row, cut))]
    return []


def with_holes(
    data: ResearchData, names: Sequence[str], seed: int
) -> tuple[ResearchData, np.ndarray]:
    """The data with single values of the fields missing, and the rows where they are."""
    if not names or len(data) < 4 * HOLE_EVERY:
        return data, np.zeros(0, np.int64)
    random = np.random.Generator(np.random.Philox(key=[seed, 7]))
    holes = np.arange(HOLE_EVERY, len(data) - 2, HOLE_EVERY)
    holes = holes + random.integers(0, HOLE_EVERY // 2, len(holes))
    holes = holes[holes < len(data) - 2]
    columns = []
    for name in names:
        values = data.field(name).astype(np.float64, copy=True)
        values[holes] = np.nan
        columns.append(pl.Series(name, values))
    return data.with_frame(data.frame.with_columns(columns)), holes


class _Test:
    """One alpha on one dataset; remembers what could not be tried."""

    def __init__(
        self,
        evaluate: Evaluate,
        data: ResearchData,
        whole: np.ndarray,
        fields: tuple[str, ...],
        how: Settings,
        cuts: tuple[int, ...],
    ) -> None:
        self.evaluate, self.data, self.whole = evaluate, data, whole
        self.fields, self.how, self.cuts = fields, how, cuts
        self.notes: list[str] = []
        self.undecided, self.ties = Ties(evaluate, data, fields), 0
        finite = np.abs(whole[np.isfinite(whole)])
        self.exact = bool(len(finite)) and bool(np.all(finite == np.round(finite)))
        scale = float(np.quantile(finite, 0.9)) if len(finite) else 0.0
        self.atol = RTOL * (scale or float(np.max(finite, initial=0.0)))

    def differs(self, one: np.ndarray, other: np.ndarray) -> int | None:
        """The first row where two signals differ; NaN equals NaN."""
        same = (one == other) | (np.isnan(one) & np.isnan(other))
        if not self.exact:
            same |= np.isclose(one, other, rtol=RTOL, atol=self.atol)
        wrong = np.flatnonzero(~same)
        return int(wrong[0]) if len(wrong) else None

    def run(self, data: ResearchData, what: str) -> np.ndarray | None:
        """The signal of other rows; an alpha that raises there is noted, not blamed."""
        try:
            return self.evaluate(data)
        except ValidationError as error:
            self.notes.append(f"{what}: {error}")
            return None

    def prefix(self, cut: int) -> tuple[int, int] | None:
        """(first differing row, cut), or None when the cut agrees."""
        seen = self.run(self.data.head(cut), f"the first {cut} rows")
        if seen is None:
            return None
        row = self.differs(seen, self.whole[:cut])
        if row is None or self.tied(seen, self.whole[:cut]):
            return None
        return row, cut

    def tied(self, seen: np.ndarray, known: np.ndarray) -> bool:
        """Do they differ by rounding at ties alone? Counted, since somebody should know."""
        tied = self.undecided.only(seen, known)
        self.ties += tied
        return tied

    def perturbation(self, cut: int) -> tuple[int, int, str, float] | None:
        """(first moved row, cut, kind, value), or None when nothing moved up to the cut."""
        turn = self.cuts.index(cut) % len(KINDS)
        for kind in KINDS if self.how.tail is None else (KINDS[turn],):
            other = self.run(self.perturbed(cut, kind), f"{kind} behind row {cut}")
            if other is None:
                continue
            seen = other[:cut]
            if kind == "nothing":
                # NaN times 0 is NaN: that a value became NaN proves no look at it.
                seen = np.where(np.isnan(seen), self.whole[:cut], seen)
            row = self.differs(seen, self.whole[:cut])
            if row is not None and not self.tied(seen, self.whole[:cut]):
                return row, cut, kind, float(other[row])
        return None

    def moves(self, row: int, cut: int) -> bool:
        """Does a shock behind the cut reach a row before it?"""
        other = self.run(self.perturbed(cut, "shock"), f"shock behind row {cut}")
        return other is not None and not self._alike(float(other[row]), float(self.whole[row]))

    def perturbed(self, cut: int, kind: str, columns: Sequence[str] = ()) -> ResearchData:
        """The data with its numbers behind the cut replaced; only some columns when named."""
        rows = len(self.data) if self.how.tail is None else cut + self.how.tail
        named = columns or [name for name in self.fields if name not in CLOCK_FIELDS]
        return perturbed(self.data.head(rows), cut, kind, self.how.seed, named)

    def smallest(self, found: tuple[int, int]) -> Violation:
        """Shrink a prefix violation to the two prefixes that differ by one row."""
        row, cut = found
        memo: dict[int, float | None] = {len(self.data): float(self.whole[row])}
        low, high = row + 1, cut
        first, at_cut = self.value(row, low, memo), self.value(row, cut, memo)
        if first is None:  # it raises on so few rows
            first, low, high = at_cut, cut, len(self.data)
        elif self._alike(first, at_cut):
            high = len(self.data)
        answered = low
        while high - low > 1:
            middle = (low + high) // 2
            said = self.value(row, middle, memo)
            if said is not None and not self._alike(first, said):
                high = middle
                continue
            low = middle
            answered = low if said is not None else answered
        low = answered
        seen, known = (_float(self.value(row, rows, memo)) for rows in (low, high))
        ts = int(self.data.ts_ns[row])
        column = self.carrier(row)
        reach = high - 1 - row
        sentence = (
            f"the signal at row {row + 1} ({moment(ts)}) is {seen:.9g} with the first {low} rows "
            f"and {known:.9g} with the first {high}: it looks {reach} row{'s'[: reach != 1]} ahead"
            f"{f' at {column}' if column else ''}"
        )
        if high == low:
            sentence = f"the signal at row {row + 1} ({moment(ts)}) changes from run to run"
        return Violation(
            "prefix", sentence, row, ts, column, _number(seen), _number(known), cut, high, reach
        )

    def value(self, row: int, rows: int, memo: dict[int, float | None]) -> float | None:
        """The signal of one row as known with so many rows; None where the alpha raises on them."""
        if rows not in memo:
            found = self.run(self.data.head(rows), f"the first {rows} rows")
            memo[rows] = None if found is None else float(found[row])
        return memo[rows]

    def _alike(self, one: float | None, other: float | None) -> bool:
        return self.differs(np.array([_float(one)]), np.array([_float(other)])) is None

    def carrier(self, row: int) -> str:
        """The input whose later values move the signal of a row; "" for the number of rows."""
        for name in self.fields:
            if name in CLOCK_FIELDS:
                continue
            changed = perturbed(self.data, row + 1, "shock", self.how.seed, (name,))
            found = self.run(changed, f"{name} behind row {row + 1}")
            if found is not None and not self._alike(float(found[row]), float(self.whole[row])):
                return name
        return ""

    def moved(self, row: int, cut: int, kind: str, value: float) -> Violation:
        """A perturbation violation in words."""
        ts = int(self.data.ts_ns[row])
        column = self.carrier(row)
        known = float(self.whole[row])
        word = {"noise": "noise", "nothing": "missing values", "shock": "ten times their values"}
        where = f" in {column}" if column else ""
        sentence = (
            f"the signal at row {row + 1} ({moment(ts)}) moves from {known:.9g} to {value:.9g} "
            f"when the rows from {cut + 1} on become {word[kind]}{where}"
        )
        return Violation(
            "perturbation",
            sentence,
            *(row, ts, column, _number(known), _number(value), cut, cut, cut - row),
        )


def perturbed(
    data: ResearchData, cut: int, kind: str, seed: int, columns: Sequence[str] = ()
) -> ResearchData:
    """Rows from `cut` on with other numbers; times, sessions and names stay."""
    frame = data.frame
    if columns:
        given = [pl.Series(name, data.field(name)) for name in columns]
        frame = frame.with_columns(given)
    names = columns or [name for name, kind_ in frame.schema.items() if kind_ == pl.Float64]
    random = np.random.Generator(np.random.Philox(key=[seed, cut]))
    changed = [_replaced(frame[name], cut, kind, random) for name in sorted(names)]
    return data.with_frame(frame.with_columns(changed))


def _replaced(column: pl.Series, cut: int, kind: str, random: np.random.Generator) -> pl.Series:
    values = column.to_numpy().astype(np.float64, copy=True)
    later = values[cut:]
    if kind == "nothing":
        values[cut:] = np.nan
    elif kind == "shock":
        values[cut:] = later * 10.0 + 1.0
    else:
        known = values[np.isfinite(values)]
        middle, width = (float(known.mean()), float(known.std())) if len(known) else (0.0, 1.0)
        values[cut:] = middle + (width or 1.0) * random.standard_normal(len(later))
    return pl.Series(column.name, values)


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _float(value: float | None) -> float:
    return math.nan if value is None else value


def symbols_kept(data: ResearchData, most: int = 6) -> ResearchData:
    """A panel of at most so many names, spread over all: each name is tested alike."""
    if len(data.symbols) <= most:
        return data
    step = len(data.symbols) / most
    kept = [data.symbols[int(k * step)] for k in range(most)]
    return data.with_frame(data.frame.filter(pl.col("symbol").is_in(kept)))
