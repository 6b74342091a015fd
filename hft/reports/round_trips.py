"""Round trips: lots that were bought and sold again, or sold and bought back, first in, first out.

Each closing fill is matched with the oldest open lots of its strategy and instrument. What a trip
earned is its price difference less its share of both fees.
"""

from collections import deque
from collections.abc import Iterator
from typing import Any

import polars as pl

KEYS = ("strategy", "symbol")
SCHEMA: dict[str, Any] = {
    "strategy": pl.String,
    "symbol": pl.String,
    "side": pl.String,
    "lots": pl.Int64,
    "opened": pl.Int64,
    "closed": pl.Int64,
    "entry": pl.Float64,
    "exit": pl.Float64,
    "gross": pl.Float64,
    "fees": pl.Float64,
}
FIGURES = {
    "trips": pl.len(),
    "lots": pl.col("lots").sum(),
    "won": (pl.col("net") > 0).mean(),
    "mean": pl.col("net").mean(),
    "median": pl.col("net").median(),
    "best": pl.col("net").max(),
    "worst": pl.col("net").min(),
    "net": pl.col("net").sum(),
    "held_ns": pl.col("held_ns").median(),
    "held_ns_max": pl.col("held_ns").max(),
}


def round_trips(valued: pl.DataFrame) -> pl.DataFrame:
    """A row a match, in the order of closing; times are the venue's in ns, money in currency.

    `valued` comes from `costs.with_values`.
    """
    found: list[tuple[Any, ...]] = []
    fills = valued.with_columns(at=pl.col("exch_ts").to_physical()).sort(
        "at", "fill_id", maintain_order=True
    )
    columns = ("at", "side", "price", "lots", "fee", "unit", "inverse")
    for key, rows in fills.group_by(list(KEYS), maintain_order=True):
        found += [(*key, *one) for one in _matched(rows.select(columns).iter_rows())]
    frame = pl.DataFrame(found, SCHEMA, orient="row")
    return frame.with_columns(
        held_ns=pl.col("closed") - pl.col("opened"), net=pl.col("gross") - pl.col("fees")
    ).sort("closed", maintain_order=True)


def _matched(fills: Iterator[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """The trips of one strategy and instrument."""
    live: deque[list[Any]] = deque()  # side, time, price, fee a lot, lots left
    for at, side, price, lots, fee, unit, inverse in fills:
        left, each = lots, fee / lots if lots else 0.0
        while left and live and live[0][0] != side:
            begun, opened, entry, paid, open_lots = live[0]
            closed = min(left, open_lots)
            sign = 1.0 if begun == "BUY" else -1.0
            move = 1.0 / entry - 1.0 / price if inverse else price - entry
            gross = sign * move * closed * unit
            yield begun, closed, opened, at, entry, price, gross, (paid + each) * closed
            left -= closed
            live[0][4] -= closed
            if live[0][4] == 0:
                live.popleft()
        if left:
            live.append([side, at, price, each, left])


def summary(trips: pl.DataFrame) -> pl.DataFrame:
    """Figures by strategy and instrument, and of all where there are several pairs."""
    by = trips.group_by(list(KEYS), maintain_order=True).agg(**FIGURES).sort(*KEYS)
    if by.height < 2:
        return by
    everything = trips.select(strategy=pl.lit("all"), symbol=pl.lit(""), **FIGURES).head(1)
    return pl.concat([by, everything], how="vertical_relaxed")
