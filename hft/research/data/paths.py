"""How the price moved through each session, in ranks: one market is known again in a copy of it.

Prices that were shifted or multiplied, dates that were moved, rows that were left out: what stays
is the order of the moves. A session's path is the rank of its moves from quarter of an hour to
quarter of an hour; two paths are one session where they agree nearly whole. Where rows are too few
for that, or were sampled, the moves from session to session are laid beside each other at every
distance: those of the mean price of a session's rows, which one row in twenty has nearly, too. A
mirror of the prices has the same moves the other way round. Other instruments of one market, which
only mostly move together, are not taken for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

QUARTER_NS = 900_000_000_000
A_DAY = 96  # quarters
ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
UNKNOWN = "."
SHARED = 16  # moves that two paths have to share before they can be one
SESSIONS = 15  # sessions that two series of closes have to share
ALIKE = 0.98  # correlation of ranks; of two index funds it is about 0.7, of a day 0.92
# Of means from session to session: of one row in 20 it is 0.98 to 0.999, of two index funds 0.91.
ALIKE_MEANS = 0.97
ROW, ALIKE_IN_A_ROW = 5, 0.93  # sessions in a row, and how they agree on average
FAR = 2500  # sessions; longer series are only compared day by day
LARGEST = 9999  # a session's move as a whole number, of the largest there is


@dataclass(frozen=True)
class Paths:
    """`moves`: for each session (YYYYMMDD) a character a quarter of the UTC day; `closes`: the move
    of its last price from the session before, a share of the largest in 1/9999; `means`: that of
    the mean of its rows. What was kept before there were means has closes alone.
    """

    moves: Mapping[int, str]
    closes: Mapping[int, int]
    means: Mapping[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, day: np.ndarray, ts_ns: np.ndarray, price: np.ndarray) -> "Paths":
        """Of rows of one name in time order."""
        rows = pl.DataFrame({"day": day, "at": ts_ns // QUARTER_NS % A_DAY, "price": price})
        last = rows.group_by("day", "at", maintain_order=True).agg(pl.col("price").last())
        moves, closes = {}, {}
        means = rows.group_by("day", maintain_order=True).agg(pl.col("price").mean())
        for key, part in last.group_by("day", maintain_order=True):
            level = part["price"].to_numpy()
            moves[_day(key)] = _written(part["at"].to_numpy()[1:], np.diff(level))
            closes[_day(key)] = float(level[-1])
        return cls(moves, _scaled(closes), _scaled(dict(means.iter_rows())))

    @classmethod
    def read(cls, given: Any) -> "Paths | None":
        """What `to_dict` wrote; None for anything else."""
        try:
            moves = {int(day): str(text) for day, text in given["moves"].items()}
            closes = {int(day): int(move) for day, move in given["closes"].items()}
            means = {int(day): int(move) for day, move in given.get("means", {}).items()}
            return cls(moves, closes, means)
        except (KeyError, TypeError, ValueError, AttributeError):
            return None

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "moves": {str(day): text for day, text in self.moves.items()},
            "closes": {str(day): move for day, move in self.closes.items()},
            "means": {str(day): move for day, move in self.means.items()},
        }

    def twins(self, other: "Paths") -> dict[int, int]:
        """Sessions here that are sessions there, whatever their dates: day here to day there."""
        if self.means and other.means:
            found = _by_session(self.means, other.means, ALIKE_MEANS)
        else:
            found = _by_session(self.closes, other.closes, ALIKE)
        return found | _by_moves(self.moves, other.moves)


def _scaled(level: Mapping[int, float]) -> dict[int, int]:
    """The move from each session to the next, a share of the largest."""
    change = np.diff(np.array([*level.values()], np.float64), prepend=np.nan)
    largest = float(np.nanmax(np.abs(change), initial=0.0)) or 1.0
    scaled = np.nan_to_num(np.rint(change / largest * LARGEST)).astype(int).tolist()
    return {int(day): move for day, move in zip(level, scaled, strict=True)}


def _written(at: np.ndarray, moves: np.ndarray) -> str:
    """The ranks of a session's moves, each at its quarter."""
    text = [UNKNOWN] * A_DAY
    if len(moves) >= SHARED:
        rank = _ranks(moves) / max(len(moves) - 1, 1)
        for quarter, value in zip(at.tolist(), rank.tolist(), strict=True):
            text[int(quarter)] = ALPHABET[round(value * (len(ALPHABET) - 1))]
    return "".join(text).rstrip(UNKNOWN)


def _by_moves(mine: Mapping[int, str], theirs: Mapping[int, str]) -> dict[int, int]:
    """Sessions whose moves agree at the same quarters of the day."""
    here, there = _table(mine), _table(theirs)
    if not len(here[0]) or not len(there[0]):
        return {}
    known_a, known_b = np.isfinite(here[1]), np.isfinite(there[1])
    a, b = np.nan_to_num(here[1]), np.nan_to_num(there[1])
    ones_a, ones_b = known_a.astype(float), known_b.astype(float)
    count = ones_a @ ones_b.T
    size = np.maximum(count, 1.0)
    sum_a, sum_b = a @ ones_b.T, ones_a @ b.T
    cross = a @ b.T - sum_a * sum_b / size
    spread_a = (a * a) @ ones_b.T - sum_a**2 / size
    spread_b = ones_a @ (b * b).T - sum_b**2 / size
    scale = np.sqrt(np.maximum(spread_a * spread_b, 1e-12))
    alike = np.where((count >= SHARED) & (spread_a > 1.0) & (spread_b > 1.0), cross / scale, 0.0)
    found = _alike(here[0], there[0], alike)
    return found | _alike(here[0], there[0], -alike)


def _alike(mine: list[int], theirs: list[int], alike: np.ndarray) -> dict[int, int]:
    """Sessions that agree, alone or in a row."""
    best = alike.argmax(axis=1)
    rows = np.flatnonzero(alike[np.arange(len(best)), best] >= ALIKE)
    found = _in_a_row(mine, theirs, alike)
    return found | {mine[k]: theirs[int(best[k])] for k in rows.tolist()}


def _in_a_row(mine: list[int], theirs: list[int], alike: np.ndarray) -> dict[int, int]:
    """Sessions that follow each other on both sides and agree on average: sampled rows."""
    found: dict[int, int] = {}
    rows, columns = alike.shape
    for lag in range(ROW - rows, columns - ROW + 1):
        line = np.diagonal(alike, lag)
        means = np.convolve(line, np.ones(ROW) / ROW, "valid")
        for at in np.flatnonzero(means >= ALIKE_IN_A_ROW).tolist():
            for k in range(at, at + ROW):
                row = k + max(-lag, 0)
                found[mine[row]] = theirs[row + lag]
    return found


def _table(moves: Mapping[int, str]) -> tuple[list[int], np.ndarray]:
    days = [day for day, text in moves.items() if len(text) - text.count(UNKNOWN) >= SHARED]
    values = np.full((len(days), A_DAY), np.nan)
    for row, day in enumerate(days):
        for at, letter in enumerate(moves[day]):
            if letter != UNKNOWN:
                values[row, at] = ALPHABET.index(letter)
    return days, values


def _by_session(mine: Mapping[int, int], theirs: Mapping[int, int], least: float) -> dict[int, int]:
    """Sessions of two series that agree at one distance: the closest where several do."""
    days_a, days_b = list(mine), list(theirs)
    a, b = np.array([*mine.values()], float), np.array([*theirs.values()], float)
    if max(len(a), len(b)) > FAR:
        return {}
    best, found = least, {}
    for lag in range(SESSIONS - len(b), len(a) - SESSIONS + 1):
        low, high = max(lag, 0), min(len(a), lag + len(b))
        here, there = a[low + 1 : high], b[low - lag + 1 : high - lag]
        if len(here) < SESSIONS or not np.ptp(here) or not np.ptp(there):
            continue
        # Ranks stand a price scale that is bent, sizes a sample by chance.
        by_rank = np.corrcoef(_ranks(here), _ranks(there))[0, 1]
        alike = max(abs(float(by_rank)), abs(float(np.corrcoef(here, there)[0, 1])))
        if alike >= best:
            best = alike
            found = dict(zip(days_a[low:high], days_b[low - lag : high - lag], strict=True))
    return found


def _ranks(values: np.ndarray) -> np.ndarray:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray(((last - counts + last - 1) / 2.0)[place])


def _day(key: Any) -> int:
    return int(key[0] if isinstance(key, tuple) else key)
