"""How much a column knows of what comes: likeness of its values and the price's later moves.

An edge and a leak differ in size. Whoever reads the book or the past explains a small part of what
the price does next, less of it the farther ahead; a column made of the future explains nearly all
of it, at one distance and in one of its forms. So each form of a column (its level, its distance
from the price, its change, what its own past and the price's past leave of it) is held against
each later move by Pearson, by rank and by sign. What condemns is the size, and only where so many
independent moves agree that luck is out of the question (`Z_MIN`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hft.research.data.dataset import ResearchData
from hft.research.leakage.likeness import (
    ROWS_MIN,
    ahead,
    correlation,
    fisher,
    lagged,
    moved,
    ranks,
    relative,
    tamed,
    unexplained,
)
from hft.research.leakage.past import BETTER, Past

Z_MIN = 6.0
# Until the price has moved a few times an honest book or a bounce says much; later nobody does.
NEAR, FAR, FAR_MOVES = 0.75, 0.5, 10
# Minutes later no recorded market answers a book or a bounce by so much either.
LATER, LATER_NS = 0.55, 300_000_000_000
SELDOM = 0.2  # of the rows have a value
CERTAIN, CERTAIN_BLOCKS, COMMON = 0.97, 40, 0.7
GROUPS = (0.01, 0.05, 0.2)
DISTINCT_FEW = 10
PRICE_LIKE = 0.9
PARTIAL = 0.75  # of what is new in a column and in an outcome


@dataclass(frozen=True)
class Foresight:
    """The strongest sign that a column knows what comes: how found, how far ahead, how much."""

    how: str
    steps: int
    size: float
    row: int
    limit: float  # what an honest column stays below


@dataclass(frozen=True)
class Moves:
    """The price's moves over `steps` rows: NaN where they are not known or leave the session."""

    steps: int
    later: np.ndarray
    past: np.ndarray
    limit: float  # what an honest column stays below


def foresight(
    values: np.ndarray,
    price: np.ndarray,
    session: np.ndarray,
    steps: Sequence[int],
    pace_ns: float = 0.0,
) -> Foresight | None:
    """The strongest proof that a column is made of later prices; None without one.

    `pace_ns` is the usual time from row to row.
    """
    found = []
    past = Past(price)
    shapes = [(name, form, ranks(form)) for name, form in _forms(values, price)]
    priced = is_price(values, price)
    base = relative(values, price) if priced else values
    for moves in _moves(price, session, steps, pace_ns):
        left = _past(base, price, moves)
        later = ranks(moves.later)
        over = _over(values, moves)
        for name, form, ranked in (
            *shapes,
            ("part that no past explains", left, ranks(left)),
            *((f"change over {moves.steps} rows", one, ranks(one)) for one in over),
        ):
            # A price that comes back whole says 0.707 of what follows, however far ahead.
            back = priced and name == "level"
            known = replace(moves, limit=NEAR) if back else moves
            one = _strongest(name, form, ranked, known, later, past)
            if one is not None:
                found.append(one)
    return max(found, key=lambda one: (one.size, -one.steps), default=None)


def _forms(values: np.ndarray, price: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    yield "level", values
    yield "change", np.diff(values, prepend=np.nan)
    if is_price(values, price):
        apart = relative(values, price)
        yield "distance from the price", apart
        yield "change of the distance", np.diff(apart, prepend=np.nan)


def _over(values: np.ndarray, moves: Moves) -> Iterator[np.ndarray]:
    """A level that runs ahead tells by its change over as many rows: another clock's price."""
    if moves.steps > 1:
        changed = np.full(len(values), np.nan)
        changed[moves.steps :] = values[moves.steps :] - values[: -moves.steps]
        yield changed


def is_price(values: np.ndarray, price: np.ndarray) -> bool:
    """Is a column a price of the same thing, so that its distance from the price says more?"""
    fine = np.isfinite(values) & np.isfinite(price) & (price != 0)
    if fine.sum() < ROWS_MIN:
        return False
    ratio = float(np.median(values[fine] / price[fine]))
    return 0.5 < ratio < 2.0 and correlation(values, price) > PRICE_LIKE


def _moves(
    price: np.ndarray, session: np.ndarray, steps: Sequence[int], pace_ns: float
) -> Iterator[Moves]:
    """Each distance twice where sessions matter: over their ends, and inside of them."""
    often = float(np.mean(np.diff(price) != 0)) if len(price) > 1 else 0.0
    for step in steps:
        limit = limit_of(step, often, pace_ns)
        if len(price) < ROWS_MIN + step:
            continue
        later, past = ahead(price, step), moved(price, step)
        yield Moves(step, later, past, limit)
        inside = np.zeros(len(price), bool)
        inside[:-step] = session[step:] == session[:-step]
        if not inside[:-step].all() and inside.sum() >= ROWS_MIN:
            yield Moves(step, np.where(inside, later, np.nan), past, limit)


def limit_of(steps: int, often: float = 1.0, pace_ns: float = 0.0) -> float:
    """The likeness that condemns, so many rows ahead of a price that moves in a share of rows."""
    if steps * often >= FAR_MOVES:
        return FAR
    return LATER if steps * pace_ns >= LATER_NS else NEAR


def pace_of(data: ResearchData) -> float:
    """The usual time from row to row, in ns; rows of one stamp count as one."""
    pauses = np.diff(np.unique(data.ts_ns))
    return float(np.median(pauses)) if len(pauses) else 0.0


def usual_pace(values: np.ndarray, data: ResearchData) -> float:
    """The time from row to row; 0, so that minutes count for nothing, of a column that is rare.

    No recorded column says 0.55 of the moves of minutes at all rows; some dozens of filings or
    auctions may, honestly.
    """
    return pace_of(data) if np.isfinite(values).mean() >= SELDOM else 0.0


def _past(base: np.ndarray, price: np.ndarray, moves: Moves) -> np.ndarray:
    """What is left of a column once its own last value and the price's past moves are known."""
    step = moved(price, 1)
    return unexplained(base, [lagged(base), step, moves.past, np.abs(step)])


def _strongest(
    name: str,
    form: np.ndarray,
    ranked: np.ndarray,
    moves: Moves,
    later: np.ndarray,
    past: Past,
) -> Foresight | None:
    fine = np.isfinite(ranked) & np.isfinite(later)
    count = int(fine.sum())
    if count < ROWS_MIN:
        return None
    mine, move = form[fine], moves.later[fine]
    if not _moving(mine) or not _moving(move):
        return None
    row = int(np.flatnonzero(fine)[int(np.argmax(np.abs(move)))])
    ways = {
        "correlation": abs(correlation(tamed(mine), tamed(move))),
        "rank correlation": abs(correlation(ranked[fine], later[fine])),
    }
    way = max(ways, key=lambda key: ways[key])
    size = ways[way]
    apart = len(np.unique(np.flatnonzero(fine) // moves.steps))  # moves that do not overlap
    if size >= moves.limit and fisher(size, apart) >= Z_MIN:
        pair = (form, moves.later) if way == "correlation" else (ranked, later)
        if past.beyond(*pair) >= moves.limit:
            return Foresight(f"{way} of its {name}", moves.steps, size, row, moves.limit)
    sure = _certain(mine, ranked[fine], move, np.flatnonzero(fine), moves, past)
    if sure is not None:
        return Foresight(f"certainty of direction by its {name}", moves.steps, sure, row, CERTAIN)
    return None


def _certain(
    mine: np.ndarray,
    ranked: np.ndarray,
    move: np.ndarray,
    rows: np.ndarray,
    moves: Moves,
    past: Past,
) -> float | None:
    """How surely one group of its values says up or down, where that is no matter of course."""
    ways = [way for way in (move > 0, move < 0) if float(way.mean()) <= COMMON]
    best = None
    for group in _groups(mine, ranked):
        count = int(group.sum())
        if count < CERTAIN_BLOCKS:
            continue
        share = max((float(way[group].mean()) for way in ways), default=0.0)
        if share < CERTAIN or len(np.unique(rows[group] // moves.steps)) < CERTAIN_BLOCKS:
            continue
        if (
            share
            < past.right(moves.later, np.isin(np.arange(len(moves.later)), rows[group])) + BETTER
        ):
            continue  # the price itself says so
        best = max(best or 0.0, share)
    return best


def _groups(mine: np.ndarray, ranked: np.ndarray) -> Iterator[np.ndarray]:
    """The rows of each value where there are few, else the rows of the highest and lowest."""
    few = np.unique(mine[:: max(len(mine) // 1000, 1)])
    if len(few) <= DISTINCT_FEW:
        yield from (mine == value for value in few)
        return
    for share in GROUPS:
        yield ranked >= 1 - share
        yield ranked <= share


def _moving(values: np.ndarray) -> bool:
    return bool(np.ptp(values) > 0)
