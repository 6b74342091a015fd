"""Trades that carry an id: a trade that is there twice, as where pages overlap, is one trade.

A repeated id counts as the same trade where time, price and quantity are the same too; an id that
comes back with others (numbered anew each day) is another trade.
"""

from collections.abc import Mapping

import numpy as np
import polars as pl

from hft.tape.schema import Finding

MONEY = ("price", "qty")
NAME = "repeated_trade"


class TradeIds:
    """The trades of every symbol so far, over all files or frames of one ingest."""

    def __init__(self) -> None:
        self.seen: dict[str, pl.DataFrame] = {}

    def repeated(self, symbol: str, frame: pl.DataFrame, fields: Mapping[str, str]) -> np.ndarray:
        """Which rows of `frame` are trades that were there before. Mutates: self."""
        rows = _keys(frame, fields)
        before = self.seen.get(symbol)
        both = rows if before is None else pl.concat([before, rows])
        known = both["trade_id"].is_not_null()
        if both.filter(known)["trade_id"].n_unique() == known.sum():
            again = np.zeros(both.height, bool)
        else:
            first = both.select(pl.struct(pl.all()).is_first_distinct()).to_series()
            again = (known & ~first).to_numpy()
        self.seen[symbol] = both.filter(pl.Series(~again))
        return again[both.height - rows.height :]


def _keys(frame: pl.DataFrame, fields: Mapping[str, str]) -> pl.DataFrame:
    """The cells that tell trades apart; files may hold one column in two types."""
    number = frame[fields["trade_id"]].dtype.is_float()
    ids = pl.col(fields["trade_id"]).cast(pl.String, strict=False).alias("trade_id")
    return frame.select(
        ids.str.strip_suffix(".0") if number else ids,
        pl.col(fields["ts"]).cast(pl.String, strict=False).alias("ts"),
        *(pl.col(fields[name]).cast(pl.Float64, strict=False).alias(name) for name in MONEY),
    )


def finding_of(again: np.ndarray, frame: pl.DataFrame, column: str, rows: np.ndarray) -> Finding:
    """What ingest says of the trades it left out."""
    first = int(np.argmax(again))
    note = f"{column} {frame[column][first]} was there before; left out"
    return Finding(NAME, int(again.sum()), int(rows[first]), note)


def all_told(frame: pl.DataFrame, column: str) -> bool:
    """Whether each trade has its id: then none of them is another's repetition."""
    return frame[column].null_count() == 0
