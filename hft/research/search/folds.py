"""Purged folds over sessions: a direction is chosen outside of each, its result counted inside.

An expression has no parameters left to fit but one, its direction. Each block of sessions is judged
with the direction that earned on all the others, without the sessions next to it, whose labels may
reach into it. So every session is out of sample once.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

FOLDS = 5
DAY_NS = 86_400_000_000_000


@dataclass(frozen=True)
class Fold:
    """Sessions [first, stop) that are judged, and those that choose."""

    first: int
    stop: int
    train: np.ndarray  # bool[session]


def purged(sessions: int, horizon_ns: int = 0, folds: int = FOLDS) -> tuple[Fold, ...]:
    """Folds over so many sessions; fewer sessions make fewer folds, one makes one without training.

    At least one session on either side is left out of training, more for a horizon of days.
    """
    count = max(1, min(folds, sessions // 2)) if sessions > 1 else 1
    gap = 1 + horizon_ns // DAY_NS if sessions > 2 * count else 0
    edges = [sessions * k // count for k in range(count + 1)]
    found = []
    for first, stop in pairwise(edges):
        train = np.ones(sessions, bool)
        train[max(0, first - gap) : stop + gap] = False
        found.append(Fold(first, stop, train))
    return tuple(found)


def directions(gross: np.ndarray, folds: tuple[Fold, ...]) -> np.ndarray:
    """The direction of each session, +1 or -1: what gained in training; +1 where nothing says."""
    found = np.ones(len(gross))
    for fold in folds:
        found[fold.first : fold.stop] = -1.0 if gross[fold.train].sum() < 0 else 1.0
    return found
