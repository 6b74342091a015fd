"""What was traded outside the open hours of the instruments' calendars."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import polars as pl

from hft.core.instruments import Instrument
from hft.tape.sessions import Sessions, sessions_of


class Names(Protocol):
    """The instruments of a run, and their symbols in its tables."""

    @property
    def instruments(self) -> Sequence[Instrument]: ...
    @property
    def symbols(self) -> Sequence[str]: ...


def hours(names: Names) -> dict[str, Sessions]:
    """The sessions of each symbol whose calendar is known."""
    found = {}
    for symbol, instrument in zip(names.symbols, names.instruments, strict=True):
        sessions = sessions_of(instrument.calendar)
        if sessions is not None:
            found[symbol] = sessions
    return found


def calendars(names: Names) -> list[str]:
    """The calendars that are known, by name."""
    return sorted({sessions.name for sessions in hours(names).values()})


def closed(sessions: Sessions, ts_ns: np.ndarray) -> np.ndarray:
    """Which times are known to be outside open hours; beyond the table nothing is known."""
    reached = (ts_ns >= sessions.open_ns[0]) & (ts_ns < sessions.end_ns[-1])
    return reached & ~sessions.inside(ts_ns)


def outside(rows: pl.DataFrame, names: Names) -> int:
    """How many rows (symbol, ts) are outside the hours of their symbol."""
    count = 0
    for symbol, sessions in hours(names).items():
        ts = rows.filter(pl.col("symbol").cast(pl.String) == symbol)["ts"]
        count += int(closed(sessions, ts.to_physical().to_numpy()).sum())
    return count
