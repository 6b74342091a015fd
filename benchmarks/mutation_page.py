"""What became of the faults that `mutations` planted: counts a kind, as text and as a page."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks.mutation_kinds import KINDS

REFUSED, COUNTED, HARMLESS = "refused", "counted", "harmless"
OTHER, UNEXPLAINED, BROKEN = "other", "unexplained", "broken"
OUTCOMES = (REFUSED, COUNTED, HARMLESS, OTHER, UNEXPLAINED, BROKEN)


@dataclass
class Tally:
    """The outcomes of one kind, what found them, and the largest P&L that another market moved."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(OUTCOMES, 0))
    by: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    effects: list[float] = field(default_factory=list)
    first: str = ""


def words(kind: str, tally: Tally) -> str:
    """What found a kind most often, why some of it is another market, what is not explained."""
    most = sorted(tally.by.items(), key=lambda pair: (-pair[1], pair[0]))[:3]
    by = ", ".join(f"{name} {count}" for name, count in most)
    why = KINDS[kind].other if kind in KINDS and tally.counts[OTHER] else ""
    return "; ".join(text for text in (by, why, tally.first) if text)


def totals(tallies: dict[str, Tally]) -> dict[str, int]:
    """The outcomes of all kinds."""
    return {one: sum(tally.counts[one] for tally in tallies.values()) for one in OUTCOMES}


def lines(tallies: dict[str, Tally]) -> Iterator[str]:
    """The table: a line a kind."""
    head = f"{'kind':<28}" + "".join(f"{one:>12}" for one in OUTCOMES)
    yield head + f"{'median P&L':>12}{'largest':>10}  found by; why another"
    for kind, tally in tallies.items():
        moved = np.array(tally.effects or [0.0])
        counts = "".join(f"{tally.counts[one]:>12}" for one in OUTCOMES)
        figures = f"{np.median(moved):>12.3g}{moved.max():>10.3g}"
        yield f"{kind:<28}{counts}{figures}  {words(kind, tally)}"
    yield f"{'all':<28}" + "".join(f"{count:>12}" for count in totals(tallies).values())


PAGE = """# Faults in recordings

<!-- Written by `make mutations ARGS='--page docs/mutations.md'`; edit benchmarks/mutations.py. -->

One row in a thousand of a good recording is changed, in {kinds} ways, with {seeds} seeds, and the
result is replayed with four strategies. Each case is found at ingest (*refused*, or *counted*: it
has more [findings](reference/findings.md) than the good recording), or *harmless* (orders, answers,
fills and equity are the same), or *another market*: rows that somebody could have recorded, so that
nothing can tell. P&L is what those moved, in the currency of the recording. *Found by* counts
recordings, of which each is four cases.

{markets}

| Kind | Refused | Counted | Harmless | Another | Median P&L | Largest | Found by; why another |
|---|---:|---:|---:|---:|---:|---:|---|
{rows}
| all | {refused} | {counted} | {harmless} | {other} | | | {left} |
"""


def page(tallies: dict[str, Tally], seeds: int, goods: Sequence[str]) -> str:
    """The table as a page of the docs."""
    total = totals(tallies)
    rows = []
    for kind, tally in tallies.items():
        cells = [str(tally.counts[one]) for one in (REFUSED, COUNTED, HARMLESS, OTHER)]
        moved = np.array(tally.effects)
        cells += [f"{np.median(moved):.3g}", f"{moved.max():.3g}"] if len(moved) else ["", ""]
        rows.append("| " + " | ".join([kind, *cells, words(kind, tally)]) + " |")
    return PAGE.format(
        kinds=len(tallies),
        seeds=seeds,
        markets="\n".join(f"- {one}" for one in goods),
        rows="\n".join(rows),
        left=f"{total[UNEXPLAINED]} unexplained, {total[BROKEN]} broke the replay",
        **total,
    )
