"""Is one side of the market sure after a column's rare rows: its changes, a value, its holes?

A flag that is set before its news is public, a factor that changes before its gap, a hole where a
name was halted later: some dozens of rows of thousands, which no figure over all rows shows. So
the moves after those rows are taken with the side that the column says, of all names together.
What condemns is how much they have in common: a mean of several usual moves, larger than their own
scatter, beyond what the price's past says, and surer than luck by Student.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from scipy.special import ndtri, stdtr

from hft.research.data.dataset import ResearchData
from hft.research.leakage.foresight import Foresight, is_price
from hft.research.leakage.likeness import correlation, fisher, ranks, relative, unexplained
from hft.research.leakage.past import LEAST, Past

ROWS_LEAST, RARE, VALUES_MOST = 12, 0.2, 20
USUAL_MOVES, SCATTERS, Z_EVENTS = 1.5, 1.0, 6.0
ALIKE, FOLLOWS = 0.75, 0.5
SIGMAS = 1.4826  # of a normal law, in median distances

Event = tuple[str, np.ndarray]  # how it is called; the side of each row, 0 where it is none


def events(data: ResearchData, name: str, steps: Sequence[int]) -> Foresight | None:
    """The strongest proof among the events of all names; None without one."""
    rare = list(rare_rows(data, name))
    if not rare:
        return None
    tables = [_moves(data, rows, steps) for _, rows in data.groups()]
    best = None
    for word, side in rare:
        for k, step in enumerate(steps):
            said, came = _after(data, side, [table[k] for table in tables], step)
            size = _sure(np.sign(said) * came)
            alike = abs(correlation(ranks(said), ranks(came), ROWS_LEAST))
            sure = fisher(alike, len(said)) >= Z_EVENTS and alike >= ALIKE
            if size is None and not sure:
                continue
            row = int(np.flatnonzero(side)[0])
            how = f"mean move in usual moves after the {len(said)} rows {word}"
            one = Foresight(how, step, size or 0.0, row, USUAL_MOVES)
            if size is None:
                how = f"rank correlation with the move after the {len(said)} rows {word}"
                one = Foresight(how, step, alike, row, ALIKE)
            if best is None or one.size > best.size:
                best = one
    return best


def _moves(data: ResearchData, rows: np.ndarray, steps: Sequence[int]) -> np.ndarray:
    """Of one name: later moves beyond its price's past, in usual ones; a line a step."""
    price = data.price[rows]
    past, found = Past(price), np.full((len(steps), len(rows)), np.nan)
    for k, step in enumerate(steps):
        if len(rows) <= 4 * step:
            continue
        later = relative(price[step:], price[:-step])
        later = np.append(later, np.full(step, np.nan))
        left = unexplained(later, past.known, LEAST)
        usual = SIGMAS * float(np.nanmedian(np.abs(left))) if np.isfinite(left).any() else 0.0
        usual = max(usual, float(np.nanstd(left)) / 3 if np.isfinite(left).any() else 0.0)
        if usual > 0.0:
            found[k] = left / usual
    return found


def _after(
    data: ResearchData, side: np.ndarray, moves: Sequence[np.ndarray], step: int
) -> tuple[np.ndarray, np.ndarray]:
    """Sides and moves of rows so far apart that no move is counted twice."""
    said, came = [], []
    for (_, rows), later in zip(data.groups(), moves, strict=True):
        fine = np.flatnonzero((side[rows] != 0) & np.isfinite(later))
        kept, last = [], -step
        for row in fine.tolist():
            if row - last >= step:
                kept.append(row)
                last = row
        said.append(side[rows][kept])
        came.append(later[kept])
    return np.concatenate(said), np.concatenate(came)


def _sure(moves: np.ndarray) -> float | None:
    """The mean move, where it is large, larger than its scatter, and no luck."""
    count = len(moves)
    if count < ROWS_LEAST:
        return None
    mean, scatter = abs(float(moves.mean())), float(moves.std(ddof=1))
    if mean < USUAL_MOVES or mean < SCATTERS * scatter:
        return None
    luck = stdtr(count - 1, -mean / max(scatter, 1e-12) * np.sqrt(count))
    return mean if -ndtri(max(luck, 1e-300)) >= Z_EVENTS else None


def rare_rows(data: ResearchData, name: str) -> Iterator[Event]:
    """Rare rows: of each value, of each change with its sign, of holes and of their beginning."""
    values = data.field(name).astype(float)
    there = np.isfinite(values)
    base, changed = values.copy(), np.zeros(len(values))
    begins = np.zeros(len(values), bool)
    for _, rows in data.groups():
        mine = values[rows]
        if _follows(mine, data.price[rows]):
            base[rows] = relative(mine, data.price[rows])
        filled = base[rows][np.isfinite(base[rows])]
        moved = np.zeros(len(rows))
        moved[np.isfinite(base[rows])] = np.diff(filled, prepend=filled[:1])
        changed[rows] = moved
        gone = ~there[rows]
        begins[rows] = gone & np.append(False, ~gone[:-1])
    if (~there).any():
        yield from _rare("where it is missing", ~there * 1.0)
        yield from _rare("where it begins to be missing", begins * 1.0)
        yield from _rare("where it is there", there * 1.0)
    scale = float(np.max(np.abs(changed), initial=0.0))
    turns = np.where(np.abs(changed) > 1e-9 * scale, changed, 0.0)
    yield from _rare("at which it changes", turns)
    if there.any():
        new = np.where(turns != 0, base - float(np.nanmedian(base)), 0.0)
        yield from _rare("at which it comes to another value", new)
    if (turns != 0).mean() > RARE:
        size = np.abs(turns)
        yield from _rare("at which it changes most", np.where(ranks(size) > 0.995, turns, 0.0))
        apart = size > 8 * float(np.median(size))
        yield from _rare("at which it changes by much more than usual", turns * apart)
    different, counts = np.unique(values[there], return_counts=True)
    if len(different) and counts.max() > (1.0 - RARE) * len(values):
        usual = different[np.argmax(counts)]
        off = np.where(there, values - usual, 0.0)
        yield from _rare(f"where it is not {usual:g}", off)
    if len(different) <= VALUES_MOST:
        for value in different:
            yield from _rare(f"where it is {value:g}", (values == value) * 1.0)


def _follows(values: np.ndarray, price: np.ndarray) -> bool:
    """Is a column a price of the same thing, be it one that jumps apart from it now and then?"""
    with np.errstate(invalid="ignore", divide="ignore"):
        steps = [np.diff(one) / one[:-1] for one in (values, price)]
    return is_price(values, price) or correlation(ranks(steps[0]), ranks(steps[1])) > FOLLOWS


def _rare(word: str, side: np.ndarray) -> Iterator[Event]:
    count = int((side != 0).sum())
    if ROWS_LEAST <= count <= RARE * len(side):
        yield word, side
