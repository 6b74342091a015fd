"""The planted market as tapes: quotes whose order flow is the planted one, to the lot.

Each bar moves the touch, then its depth takes what is left of the bar's flow, so that the order
flow of `hft.features` at the clock of the bars is what the next return leans on. What follows the
signal is filled at these quotes, through the gateway.
"""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from hft.core.instruments import Instrument
from hft.research.data.planted import CALENDAR, START, TICK, planted
from hft.runs.ingest import ingest
from hft.tape.dataset import Tapes

SYMBOL = "PLANTED"
DEPTH = 5000  # lots on each side after a move, more than any flow takes away
PER_UNIT = round(1 / TICK)
SETTLE_NS = 1_000_000  # between a move and the depth that follows it


def write_tapes(
    folder: Path, snr: float, *, days: int, seed: int = 0, start: date = START
) -> Tapes:
    """One tape for each session, in a dataset folder."""
    rows = quotes(planted(snr, days=days, seed=seed, start=start))
    names = {name: name for name in ("ts", "bid", "ask", "bid_qty", "ask_qty")}
    grid = Instrument(
        SYMBOL, Decimal(str(TICK)), Decimal(1), calendar=CALENDAR, notes=("synthetic",)
    )
    made: Tapes = ingest(rows, folder, columns=names, symbol=SYMBOL, instruments={SYMBOL: grid})
    return made


def quotes(bars: pl.DataFrame) -> pl.DataFrame:
    """Two quotes a bar: the move, just before the bar's end, and the rest of its flow at the end.

    The first bar of a session only sets the book.
    """
    bid = np.round(bars["bid_px"].to_numpy() / TICK).astype(np.int64)
    ask = np.round(bars["ask_px"].to_numpy() / TICK).astype(np.int64)
    flow = bars["ofi"].to_numpy().astype(np.int64)
    end = bars["ts"].dt.epoch("ns").to_numpy()
    first = np.flatnonzero(np.diff(bars["session"].to_numpy(), prepend=0))
    out: dict[str, list[Any]] = {name: [] for name in ("ts", "bid", "ask", "bid_qty", "ask_qty")}

    def say(ts: int, row: int, bids: int, asks: int) -> None:
        # Divided, since a product of 0.01 is not the nearest number to the price.
        values = (ts, bid[row] / PER_UNIT, ask[row] / PER_UNIT, bids, asks)
        for name, value in zip(out, values, strict=True):
            out[name].append(value)

    begins = set(first.tolist())
    bids = asks = DEPTH
    for row in range(len(bid)):
        if row in begins:
            bids = asks = DEPTH
            say(int(end[row]), row, bids, asks)
            continue
        moved = _flow(bid[row - 1], bids, ask[row - 1], asks, bid[row], DEPTH, ask[row], DEPTH)
        say(int(end[row]) - SETTLE_NS, row, DEPTH, DEPTH)
        left = int(flow[row]) - moved
        bids, asks = DEPTH + max(left, 0), DEPTH + max(-left, 0)
        say(int(end[row]), row, bids, asks)
    return pl.DataFrame(out)


def _flow(
    bid0: int, bids0: int, ask0: int, asks0: int, bid1: int, bids1: int, ask1: int, asks1: int
) -> int:
    """Order flow between two touches (Cont, Kukanov and Stoikov 2014)."""
    flow = (bids1 if bid1 >= bid0 else 0) - (bids0 if bid1 <= bid0 else 0)
    return flow - (asks1 if ask1 <= ask0 else 0) + (asks0 if ask1 >= ask0 else 0)
