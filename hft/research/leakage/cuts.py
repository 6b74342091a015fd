"""Where an alpha is cut: behind rows that earn most, where the signal moves most, and at random.

The draws come from the machine's own randomness: an author who could reckon the cuts would look
ahead between them. Short stretches of the data are cut dozens of times each, since somebody who
looks ahead on one row in a hundred is found only by a cut behind one of those.
"""

from collections.abc import Iterator
from secrets import randbits

import numpy as np

from hft.research.data.dataset import ResearchData

CUTS_LEAST = 12
TARGETED = 4  # of each: rows that earn most, rows where the signal moves most
AMONG = 64  # of which they are drawn
STRETCHES, CUTS_A_STRETCH = 8, 64
STRETCH_ROWS = (400, 1_600, 6_400)


def secret() -> int:
    """A seed that nobody can know before."""
    return randbits(62)


def earned(signal: np.ndarray, data: ResearchData) -> np.ndarray:
    """What each row's answer is worth by the next price: the signal's size counts to a limit."""
    found = np.zeros(len(data))
    for _, rows in data.groups():
        mine, price = signal[rows], data.price[rows]
        live = np.abs(mine[np.isfinite(mine)])
        scale = float(np.quantile(live, 0.9)) if len(live) else 0.0
        with np.errstate(invalid="ignore", divide="ignore"):
            move = np.diff(price) / price[:-1]
            held = np.clip(mine[:-1] / (scale or 1.0), -1.0, 1.0)
            found[rows[:-1]] = np.nan_to_num(held * move, posinf=0.0, neginf=0.0)
    return found


def choose_cuts(whole: np.ndarray, data: ResearchData, cuts: int, seed: int) -> tuple[int, ...]:
    """Numbers of rows to cut after: early, in the warm-up, late, the last row, where it pays, at
    random."""
    rows = len(whole)
    live = np.flatnonzero(np.isfinite(whole) & (whole != 0))
    warm = int(live[0]) if len(live) else 0
    wanted = [2, 5, 17, warm // 2, warm + 1, rows - 1, rows - 2, rows - 7]
    turns = np.flatnonzero(np.diff(data.session))
    wanted += [int(turn) + 1 for turn in turns[len(turns) // 2 : len(turns) // 2 + 1]]
    usable = list(dict.fromkeys(cut for cut in wanted if 0 < cut < rows))
    random = np.random.Generator(np.random.Philox(seed))
    for weight in (earned(whole, data), np.abs(np.diff(np.nan_to_num(whole), prepend=0.0))):
        best = np.argsort(-weight, kind="stable")[:AMONG] + 1
        drawn = random.permutation(best[best < rows])[:TARGETED]
        usable += [int(cut) for cut in drawn if int(cut) not in usable]
    most = max(cuts, CUTS_LEAST) + 8
    while len(usable) < most and len(usable) < rows - 1:
        cut = int(random.integers(1, rows))
        if cut not in usable:
            usable.append(cut)
    return tuple(sorted(usable))


def stretches(
    whole: np.ndarray, data: ResearchData, rows: int, seed: int
) -> Iterator[tuple[ResearchData, np.random.Generator]]:
    """Parts of one name each, half of them around the rows that earn most, half anywhere."""
    random = np.random.Generator(np.random.Philox(key=[seed, 3]))
    best = np.argsort(-earned(whole, data), kind="stable")[:AMONG]
    for k in range(STRETCHES):
        if data.panel:
            one = data.of(data.symbols[int(random.integers(len(data.symbols)))])
            middle = int(random.integers(len(one)))
        else:
            one = data
            middle = int(random.choice(best) if k % 2 else random.integers(len(one)))
        begin = min(max(middle - 2 * rows // 3, 0), max(len(one) - rows, 0))
        yield one.with_frame(one.frame.slice(begin, rows)), random


def cuts_in(part: np.ndarray, data: ResearchData, random: np.random.Generator) -> list[int]:
    """Cuts of a stretch: behind what earns most in it for one half, at random for the other."""
    half = CUTS_A_STRETCH // 2
    best = np.argsort(-earned(part, data), kind="stable")[: 2 * half] + 1
    drawn = [*random.permutation(best)[:half], *random.integers(2, len(part), half)]
    return sorted({int(cut) for cut in drawn if 0 < cut < len(part)})
