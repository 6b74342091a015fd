"""Inputs that are the answer: labels among an alpha's fields, by name and by their numbers.

A name alone condemns only where it says outright that it is a label; a column of any name is
condemned when it knows what the price, another column or the session's end will be. Every name of a
panel is looked at by itself, and all of them against each other at each time.
"""

import re
from collections.abc import Iterator, Sequence

import numpy as np

from hft.research.alphas.manifest import AlphaManifest
from hft.research.data.aliases import CLOCK_FIELDS, provides
from hft.research.data.dataset import ResearchData
from hft.research.leakage.anchors import by_session
from hft.research.leakage.balanced import balanced
from hft.research.leakage.clocks import moved_clock
from hft.research.leakage.delayed import delayed
from hft.research.leakage.distant import from_afar
from hft.research.leakage.echoes import CrossSection, echo, shifted
from hft.research.leakage.endings import by_its_end
from hft.research.leakage.events import events
from hft.research.leakage.exact import copied
from hft.research.leakage.foresight import Foresight, foresight, usual_pace
from hft.research.leakage.identities import adds_up, of_the_sample, own_means
from hft.research.leakage.joint import paired, together
from hft.research.leakage.likeness import ROWS_MIN, ahead, fisher, ranks
from hft.research.leakage.outcomes import ends, outcome
from hft.research.leakage.parts import in_parts
from hft.research.leakage.past import Past
from hft.research.leakage.report import Violation, moment

# Words that make a label, and those that may stand beside one; "fed_target" is a rate.
SAID = frozenset(("label", "labels", "target", "outcome", "y", "fwd", "forward", "future", "next"))
WEAK = frozenset(("forward", "future", "next"))  # of contracts, calendars and curves, too
CONTRACTS = frozenset(("forward", "future"))
MOVES = frozenset(
    [
        "ret",
        "return",
        "returns",
        "logret",
        "move",
        "mid",
        "close",
        "price",
        "px",
        "bar",
        "row",
        "dir",
        "direction",
        "sign",
        "updown",
    ]
)
PRICES = frozenset(("price", "px", "close", "mid"))
BESIDE = MOVES | frozenset(
    [
        "log",
        "rank",
        "n",
        "h",
        "bin",
        "class",
        "up",
        "down",
        "vol",
        "vola",
        "volatility",
        "barrier",
        "ahead",
    ]
)
SPAN = re.compile(r"^\d+(?:ns|us|ms|s|sec|m|min|h|d|bars?|rows?)?$")
ENDS_OF_LABELS = re.compile(r"^t_(?:end.*|start)$")
STEPS = (1, 2, 3, 5, 10, 20)
Z_NAMED = 4.0
RUN_MOST = 0.5  # a column that stands still in more rows than that is one of bars
ROWS_MOST, ROWS_MANY, SECTIONS = 10_000, 100_000, 4
CURE = (
    "No honest column can say that at its row: find out when its values were known and shift it to "
    "that time, mend how it is made, or leave it out"
)


def named_label(name: str) -> bool:
    """Does a column's name say that it is a label?"""
    words = [word for word in re.split(r"[^a-z0-9]+", name.lower()) if word]
    said = SAID.intersection(words)
    rest = [word for word in words if word not in SAID and not SPAN.match(word)]
    if ENDS_OF_LABELS.match(name.lower()):
        return True
    if said <= CONTRACTS and rest and PRICES.issuperset(rest):
        return False  # the price of a future, or of a forward
    if (
        not said
        or not BESIDE.issuperset(rest)
        or (said == {"target"} and PRICES.intersection(rest))
    ):
        return False  # an analyst's price target is none
    return bool(said - WEAK) or bool(MOVES.intersection(rest))


def label_violations(manifest: AlphaManifest, data: ResearchData) -> list[Violation]:
    """The data fields of an alpha that are labels."""
    found = []
    wanted = [name for name in manifest.data_fields if name not in CLOCK_FIELDS]
    there = [name for name in wanted if provides(name, data.columns)]
    named = [name for name in wanted if named_label(name)]
    named = [name for name in named if name not in there or foretells(data, name, manifest)]
    for name in named:
        said = f"field {name!r} is a label by its name: an alpha may not read the answer"
        found.append(Violation("label", said, column=name))
    rest = [name for name in wanted if name not in named]
    for name in rest:
        proof = knows_later(data, name, manifest.horizon_ns)
        if proof is not None:
            found.append(proof)
    rest = [name for name in rest if name in there]
    return found or _jointly(data, rest, manifest.horizon_ns)


def end_violations(manifest: AlphaManifest, data: ResearchData) -> list[Violation]:
    """The data fields that rank names by how they will end: give all names, a few say nothing."""
    found = []
    for name in manifest.data_fields:
        if name not in CLOCK_FIELDS and provides(name, data.columns):
            proof = by_its_end(data, name)
            if proof is not None:
                found.append(_violation(data, name, "all names", proof))
    return found


def foretells(data: ResearchData, name: str, manifest: AlphaManifest) -> bool:
    """Does a column that is called a label say anything of later moves? A word proves nothing."""
    for symbol in data.symbols:
        part = sections(data.of(symbol) if data.panel else data, ROWS_MOST)
        values, past = part.field(name), Past(part.price)
        for step in steps_of(data, manifest.horizon_ns):
            later = ahead(part.price, step)
            fine = int((np.isfinite(values) & np.isfinite(later)).sum())
            if fisher(past.beyond(ranks(values), later), fine / step) >= Z_NAMED:
                return True
    return False


def _jointly(data: ResearchData, names: Sequence[str], horizon_ns: int) -> list[Violation]:
    """What the fields of an alpha know together, of each name."""
    for name, made in paired(data, names):
        known = knows_later(made, name, horizon_ns)
        if known is not None:
            return [known]
    steps = steps_of(data, horizon_ns)
    for symbol in data.symbols:
        part = sections(data.of(symbol) if data.panel else data, ROWS_MOST)
        proof = together(part, names, steps)
        if proof is not None:
            return [_violation(part, names[-1], symbol, proof)]
    return []


def knows_later(data: ResearchData, name: str, horizon_ns: int = 0) -> Violation | None:
    """The proof that a field is made of later rows, in words; None where there is none."""
    steps = steps_of(data, horizon_ns)
    most = max(ROWS_MOST // len(data.symbols), 2_000)
    for symbol in data.symbols:
        whole = data.of(symbol) if data.panel else data
        part = sections(whole, most)
        for one, proof in _proofs(whole, part, name, steps):
            return _violation(one, name, symbol, proof)
    rare = events(data, name, steps) or delayed(data, name)
    if rare is not None:
        return _violation(data, name, "all names" if data.panel else "", rare)
    if data.panel:
        across = CrossSection(data, steps)
        ranked = across.foresight(data.field(name))
        if ranked is not None:
            return _violation(data, name, "all names at a time", ranked)
    return None


def _proofs(
    whole: ResearchData, part: ResearchData, name: str, steps: Sequence[int]
) -> Iterator[tuple[ResearchData, Foresight]]:
    """From the plain to the far-fetched, with rows; each waits until the one before is silent."""
    values = part.field(name)
    fine = values[np.isfinite(values)]
    if not len(fine) or np.ptp(fine) == 0.0:
        return  # a constant knows nothing
    if np.array_equal(values, part.price, equal_nan=True):
        return  # the price itself: what it says of its own moves is its past
    pace = usual_pace(values, part)
    proof = foresight(values, part.price, part.session, steps, pace)
    if proof is not None:
        yield part, proof
    for rows, more in masks(values, part):
        proof = foresight(
            np.where(rows, values, np.nan), part.price, part.session, more or steps, pace
        )
        if proof is not None:
            yield part, proof
    apart = in_parts(values, part, steps)
    if apart is not None:
        yield part, apart
    moved = shifted(values, part.price) or moved_clock(values, part)
    if moved is not None:
        yield part, moved
    brought = by_session(whole.field(name), whole, name)
    if brought is not None:
        yield whole, brought
    ended = outcome(whole.field(name), whole.price, whole, name)
    if ended is not None:
        yield whole, ended
    for rows, asked in ends(whole.session):
        mine, price = np.where(asked, whole.field(name)[rows], np.nan), whole.price[rows]
        one = foresight(mine, price, whole.session[rows], (1, 2, 4, 10))
        if one is not None:
            where = f"{one.how} (at the ends of sessions)"
            yield whole, Foresight(where, one.steps, one.size, int(rows[one.row]), one.limit)
    many = sections(whole, ROWS_MANY)
    for found in (
        adds_up(many.field(name), many),
        balanced(many.field(name), many),
        of_the_sample(many.field(name), many, name),
        own_means(many.field(name), many, steps),
        from_afar(many.field(name), many, name),
        copied(many.field(name), many, steps),
    ):
        if found is not None:
            yield many, found
    repeated = echo(values, part, name, steps)
    if repeated is not None:
        yield part, repeated


def masks(values: np.ndarray, data: ResearchData) -> Iterator[tuple[np.ndarray, tuple[int, ...]]]:
    """Rows looked at alone: where a bar of another length begins, each half of a session."""
    with np.errstate(invalid="ignore"):
        begins = np.append(True, np.diff(values) != 0) & np.isfinite(values)
    count = int(begins.sum())
    if ROWS_MIN < count < RUN_MOST * len(values):
        length = int(np.median(np.diff(np.flatnonzero(begins))))
        yield begins, tuple(sorted({max(length // 2, 1), max(length - 1, 1), length}))
    ends_at = np.flatnonzero(np.append(np.diff(data.session) != 0, True))
    if len(ends_at) < len(values) // 8:
        begin = np.append(0, ends_at[:-1] + 1)
        middle = np.repeat((begin + ends_at) // 2, ends_at - begin + 1)
        first = np.arange(len(values)) < middle
        yield first, ()
        yield ~first, ()


def steps_of(data: ResearchData, horizon_ns: int) -> tuple[int, ...]:
    """Rows ahead to look at: a few, and half, once and twice the alpha's own horizon."""
    wanted = set(STEPS)
    if horizon_ns > 0:
        reached = data.labels(horizon_ns).steps
        reached = reached[reached > 0]
        rows = int(np.median(reached)) if len(reached) else 1
        wanted |= {max(rows // 2, 1), rows, 2 * rows}
    longest = max(len(data) // len(data.symbols) // 4, 1)
    return tuple(sorted(step for step in wanted if step <= longest))


def sections(data: ResearchData, most: int) -> ResearchData:
    """All rows, or as many as `most` in a few unbroken parts spread over them."""
    if len(data) <= most:
        return data
    length = most // SECTIONS
    begins = np.linspace(0, len(data) - length, SECTIONS).astype(int)
    kept = np.unique(np.concatenate([begin + np.arange(length) for begin in begins]))
    return data.with_frame(data.frame[kept])


def _violation(data: ResearchData, name: str, symbol: str, proof: Foresight) -> Violation:
    """The field, the name, the row, the figure and what to do."""
    steps, row = proof.steps, proof.row
    ts = int(data.ts_ns[row])
    whose = f" of {symbol}" if symbol else ""
    ahead = f"{steps} row{'s'[: steps != 1]}"
    value = float(data.field(name)[row])
    said = (
        f"field {name!r}{whose} knows what comes up to {ahead} later: {proof.how} is "
        f"{proof.size:.4f}, where an honest field stays below {proof.limit:g}; at {moment(ts)} "
        f"it says {value:.6g}. {CURE}"
    )
    return Violation(
        "label", said, row, ts, column=name, known=proof.size, prefix_rows=row + 1, reach=steps
    )


__all__ = ["ROWS_MIN", "knows_later", "label_violations", "named_label", "steps_of"]
