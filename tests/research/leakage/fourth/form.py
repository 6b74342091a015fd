"""How the fourth list writes an entry down, and what its worlds share."""

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl

from ..entry import Entry
from ..unseen.market import World

MATH = "import math"
KNOWN = ("mid", "session", "ts_ns")


def entry(
    kind: str, place: str, name: str, sentence: str, clock: Callable[..., World], rows: Any,
    code: Any, fields: tuple[str, ...], seed: int, **more: Any,
) -> Entry:  # fmt: skip
    """An entry whose author says of each column that it is known at its row."""
    more.setdefault("known_at", tuple(f"{one}: row" for one in fields if one not in KNOWN))
    more.setdefault("imports", MATH)
    return Entry(name, sentence, kind, place, clock, rows, code, fields, seed=seed, **more)


def fixed(w: World, tag: int, size: int) -> np.ndarray:
    """Draws that were published before the first row, so that no twist changes them."""
    return np.random.default_rng([w.seed, tag]).standard_normal(size)


def forward(values: np.ndarray, start: float = 0.0) -> np.ndarray:
    """The last value that was there, where none is."""
    return pl.Series(values).fill_nan(None).forward_fill().fill_null(start).to_numpy()


def by_day(w: World, values: np.ndarray, how: str) -> np.ndarray:
    """A statistic of each session so far, row by row: cum_max, cum_min, cum_sum, cum_count."""
    made = getattr(pl.col("value"), how)().over("day")
    frame = pl.DataFrame({"value": values, "day": w.day})
    return frame.select(made).to_series().to_numpy()


def counted(name: str, body: str, *fields: str) -> str:
    """Code that counts the rows of a session, `self.row`, and sets `self.signal` in its body."""
    inner = "\n".join(f"    {line}" for line in body.strip("\n").splitlines())
    given = ", ".join(f"{field}: float" for field in (*fields, "session"))
    return f"""
def __init__(self) -> None:
    self.reset()

def reset(self) -> None:
    self.of = math.nan
    self.row = 0
    self.{name} = {{}}
    self.signal = 0.0

def update(self, *, {given}) -> float:
    self.row = self.row + 1 if session == self.of else 1
    self.of = session
{inner}
    return self.signal

def get_signal(self) -> float:
    return self.signal
"""
