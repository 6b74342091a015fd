"""What is odd about rows, in words that a person reads before the first figure.

What loading dropped, sorted or counted once, and what it left in: rows of one time, and prices of
which no return can be made. Nothing is decided here.
"""

from collections.abc import Callable

import numpy as np
import polars as pl

from hft.reports.figures import counted
from hft.research.data.dataset import ResearchData
from hft.research.data.gaps import gaps

GAPS_SHOWN = 3
# What loading counts, and what it did with it.
_LOADED: dict[str, Callable[[str], str]] = {
    "no_price": lambda rows: f"{rows} without a price: dropped",
    "repeated": lambda rows: f"{rows} repeated as a whole: counted once",
    "disordered": lambda rows: f"{rows} earlier than the row before: sorted by time",
    "infinite": lambda rows: f"{rows} infinite: a missing value",
}


def faults(data: ResearchData) -> tuple[str, ...]:
    """A sentence for each kind of oddness of the rows; empty where there is none."""
    loaded = (
        said(counted(data.counts[name], "value" if name == "infinite" else "row"))
        for name, said in _LOADED.items()
        if data.counts.get(name)
    )
    return (*loaded, *filter(None, (one_time(data), priceless(data))))


def missing(data: ResearchData) -> tuple[str, ...]:
    """Sessions that are missing between two that are there, the first few gaps."""
    found = [gap.sentence for gap in gaps(data.sessions, data.explained, data.calendar)]
    more = len(found) - GAPS_SHOWN
    rest = (f"{counted(more, 'more gap')}: `hft data report`",) if more > 0 else ()
    return (*found[:GAPS_SHOWN], *rest)


def one_time(data: ResearchData) -> str:
    """That rows share a time with an earlier one of their name; "" where none does."""
    again = repeats(data)
    count = int(again.sum())
    if not count:
        return ""
    first = _moment(data.ts_ns[int(again.arg_max() or 0)])
    return f"{counted(count, 'row')} at the time of an earlier row: kept, the first at {first}"


def repeats(data: ResearchData) -> pl.Series:
    """Of each row: does it have the time of an earlier row of its name?"""
    keys = ["symbol", "ts"] if data.panel else ["ts"]
    return ~data.frame.select(pl.struct(keys).is_first_distinct()).to_series()


def priceless(data: ResearchData) -> str:
    """That prices lie at or below 0, of which no return can be made; "" where none does."""
    low = np.flatnonzero(data.price <= 0.0)
    if not len(low):
        return ""
    row = int(low[0])
    return (
        f"{counted(len(low), 'price')} at or below 0: kept, the first, {data.price[row]:g}, at "
        f"{_moment(data.ts_ns[row])}; mend the column, or give the price another"
    )


def _moment(ts_ns: int) -> str:
    return f"{np.datetime64(int(ts_ns), 'ns').astype('datetime64[s]')}Z"
