"""The signal that counts once more, where it earned: a look at later rows of a block is found.

The blocks of the counted signal hold rows that lie ahead of others in them. Who looks at those on
few rows is seldom cut just there, and agrees with all rows at once by chance. So a second process
that has seen nothing is shown rows that end behind those that earned most. Which ones is known when
the first process is gone.
"""

from collections.abc import Iterable, Sequence
from secrets import randbits

import numpy as np

from hft.core.errors import ValidationError
from hft.research.alphas.remote import RemoteAlpha
from hft.research.alphas.signals import (
    STREAM_APART,
    Difference,
    counted,
    difference,
    evaluate,
    first_least,
)
from hft.research.backtest import Rules
from hft.research.data.dataset import ResearchData

ENDS_STREAM, ENDS_BATCH = 512, 256  # a batch alpha is handed all rows so far at each of them
CONFIRMED = Difference(0.0, None)  # of a signal that `confirmed` gave
LEVELS = (Rules().threshold,)  # unless somebody says where positions are taken


def recounted(
    alpha: RemoteAlpha, data: ResearchData, signal: np.ndarray, level: float
) -> np.ndarray:
    """The signal of another process, whose blocks end behind rows that earned by `signal`.

    Call it before any other process of the alpha is shown rows that lie later.
    """
    found = np.full(len(data), np.nan)
    with alpha.again() as fresh:
        ends = drawn_ends(data, signal, level, ENDS_STREAM if fresh.stream else ENDS_BATCH)
        if not fresh.stream:
            ends = [end for end in ends if end >= first_least(data)]
        at, begin = 0, True
        for end in [*ends, len(data)]:
            if end > at:
                part = data.with_frame(data.frame.slice(at, end - at))
                found[at:end] = fresh.extend(part, begin=begin)
                at, begin = end, False
    return found


def drawn_ends(data: ResearchData, signal: np.ndarray, level: float, most: int) -> list[int]:
    """Numbers of rows to cut after: mostly decisions that earned, the more the likelier."""
    worth, decides = np.zeros((2, len(data))), np.zeros(len(data), bool)
    for _, rows in data.groups():
        worth[:, rows], decides[rows] = _worth(signal[rows], data.price[rows], level)
    random = np.random.Generator(np.random.PCG64(randbits(128)))
    kinds = (*np.maximum(worth, 0.0), decides.astype(float))
    drawn = [_drawn(weight, most // len(kinds), random) for weight in kinds]
    return sorted({int(row) + 1 for row in np.concatenate(drawn)})


def _worth(signal: np.ndarray, price: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """What each decision earned until the next row, and where it turned the position until the
    next turn; and which rows decide."""
    want = sides(signal, level)
    decides = want != 0
    last = np.maximum.accumulate(np.where(decides, np.arange(len(want)), 0))
    held = want[last]
    with np.errstate(invalid="ignore", divide="ignore"):
        moves = np.append(np.diff(price) / price[:-1], 0.0)
    earned = np.nan_to_num(held * moves, posinf=0.0, neginf=0.0)
    turns = np.flatnonzero(np.diff(held, prepend=0.0))
    stretch = np.zeros(len(want))
    if len(turns):
        stretch[turns] = np.add.reduceat(earned, turns)
    return np.stack([np.where(decides, earned, 0.0), stretch]), decides


def sides(signal: np.ndarray, level: float) -> np.ndarray:
    """What each row's signal asks for: 1 long, -1 short, 0 as before."""
    with np.errstate(invalid="ignore"):
        return np.where(signal > level, 1.0, np.where(signal < -level, -1.0, 0.0))


def _drawn(weight: np.ndarray, most: int, random: np.random.Generator) -> np.ndarray:
    """Different rows, each as likely as its weight."""
    rows = np.flatnonzero(weight > 0)
    if not len(rows):
        return rows
    keys = -np.log(random.random(len(rows))) / weight[rows]
    return rows[np.argsort(keys, kind="stable")[:most]]


def apart(first: np.ndarray, second: np.ndarray, levels: Iterable[float]) -> Difference:
    """How far two signals are apart; wholly where one takes a side at a level that the other does
    not, however near they are."""
    found = difference(first, second)
    rows = [np.flatnonzero(sides(first, one) != sides(second, one)) for one in levels]
    other = [int(one[0]) for one in rows if len(one)]
    return Difference(np.inf, min(other)) if other else found


def confirmed(
    alpha: RemoteAlpha, data: ResearchData, levels: Sequence[float] = LEVELS
) -> np.ndarray:
    """The signal that counts. Raises: ValidationError where other blocks, or all rows at once, give
    another one."""
    signal = counted(alpha, data)
    again = recounted(alpha, data, signal, levels[0])
    for other, how in ((again, "in other blocks"), (evaluate(alpha, data), "all rows at once")):
        found = apart(other, signal, levels)
        if found.largest > STREAM_APART:
            row = 0 if found.row is None else found.row
            raise ValidationError(
                f"alpha {alpha.alpha_id!r}: shown {how} it answers otherwise than block by "
                f"block, first at row {row + 1}"
            )
    return signal
