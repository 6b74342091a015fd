"""Our own resting quotes, best bid and best ask, from what arrived at the venue and what ended it.

By the venue's clock: an order rests from its arrival to its last fill or the arrival of its cancel.
"""

import heapq

import numpy as np
import polars as pl

from hft.reports.track import GAP, Track, track

AT_ONCE = ("IOC", "FOK")


def resting(decisions: pl.LazyFrame, events: pl.LazyFrame, orders: pl.DataFrame) -> pl.DataFrame:
    """A row for each price at which an order rested: symbol, side, price_tick, start, end (ns).

    `end` is null for what still rested when the run ended.
    """
    asked = decisions.filter(
        (pl.col("reason_code") == 0)
        & (pl.col("intent") == "NEW")
        & (pl.col("order_type") == "LIMIT")
        & ~pl.col("tif").is_in(AT_ONCE)
    ).select(order_id="intent_id")
    event, ns = pl.col("event"), pl.col("ts").to_physical()
    heard = (
        events.join(asked, on="order_id", how="semi")
        .sort("order_id", "seq")
        .with_columns(
            amend=pl.when(event == "ARRIVED_AMEND").then(ns).forward_fill().over("order_id")
        )
    )
    ends = heard.group_by("order_id").agg(
        fill=ns.filter(event == "VENUE_FILL").max(),
        cancel=ns.filter(event == "ARRIVED_CANCEL").last(),
    )
    whole = orders.lazy().select("order_id", "status", ended=pl.col("ended").to_physical())
    status = pl.col("status")
    ends = ends.join(whole, on="order_id", how="left").select(
        "order_id",
        over=pl.when(status == "FILLED")
        .then("fill")
        .when(status == "CANCELLED")
        .then(pl.coalesce("cancel", "ended"))
        .when(status.is_in(("EXPIRED", "FAILED", "UNKNOWN")))
        .then("ended"),
    )
    placed = heard.filter(
        event.is_in(("ARRIVED_NEW", "AMENDED")) & pl.col("price_tick").is_not_null()
    ).select(
        "order_id",
        "symbol",
        "side",
        "price_tick",
        start=pl.when(event == "AMENDED").then(pl.coalesce("amend", ns)).otherwise(ns),
    )
    following = pl.col("start").shift(-1).over("order_id")
    return (
        placed.join(ends, on="order_id", how="left", maintain_order="left")
        .with_columns(end=pl.min_horizontal(following, "over"))
        .select("symbol", "side", "price_tick", "start", "end")
        .collect()
    )


def quoted(rested: pl.DataFrame, side: str, tick: float, end_ns: int) -> Track | None:
    """Our best price of one side and instrument over time; None where there never was one."""
    rows = rested.filter(pl.col("side") == side).with_columns(
        pl.col("end").fill_null(end_ns).clip(upper_bound=end_ns)
    )
    rows = rows.filter(pl.col("end") > pl.col("start")).sort("start", maintain_order=True)
    if rows.height == 0:
        return None
    start, end, price = (rows[name].to_numpy() for name in ("start", "end", "price_tick"))
    at, whole = _best(start, end, price, -1 if side == "BUY" else 1)
    last = np.append(at[1:] != at[:-1], True)  # what stands when a moment is over
    return track(at[last], whole[last], tick)


def _best(
    start: np.ndarray, end: np.ndarray, price: np.ndarray, sign: int
) -> tuple[np.ndarray, np.ndarray]:
    """Times, and the best price from each on, GAP for none; `start` is in order."""
    if (end[:-1] <= start[1:]).all():
        return np.stack([start, end], 1).ravel(), np.stack(
            [price, np.full(len(price), GAP)], 1
        ).ravel()
    out: list[tuple[int, int]] = []
    live: list[tuple[int, int]] = []  # (price, best first; when it ends)
    begun = 0
    starts, ends, prices = start.tolist(), end.tolist(), price.tolist()
    for now in sorted({*starts, *ends}):
        while begun < len(starts) and starts[begun] <= now:
            heapq.heappush(live, (sign * prices[begun], ends[begun]))
            begun += 1
        while live and live[0][1] <= now:
            heapq.heappop(live)
        out.append((now, sign * live[0][0] if live else GAP))
    at, whole = zip(*out, strict=True)
    return np.array(at, np.int64), np.array(whole, np.int64)
