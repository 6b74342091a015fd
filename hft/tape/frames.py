"""Tapes as polars frames: events, trades, quotes, bars and the book at a moment.

Times are receive times (`ts`), what a strategy could have seen; `exch_ts` stands beside. Prices
come as `price` (float, to look at) and `price_tick` (truth), quantities as `lots`. The mapped file
is not copied until a frame is collected.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl

from hft.core.codes import EventKind, Flag, Side
from hft.core.instruments import Instrument
from hft.tape.reader import Tape
from hft.tape.schema import Columns
from hft.tape.summary import frozen, is_l1, survey, touch_window
from hft.tape.touch import QUOTES, make_touch, walk_all

TIME = pl.Datetime("ns", "UTC")
KINDS = {kind.value: kind.name.lower() for kind in EventKind}
SIDES = {Side.BUY.value: "buy", Side.SELL.value: "sell", 2: None}
RATE_KINDS = [EventKind.FUNDING.value, EventKind.SIGNAL.value]


def raw_frame(tape: Tape) -> pl.LazyFrame:
    """The tape's own columns."""
    frame = pl.from_arrow(tape.table(), rechunk=False)
    assert isinstance(frame, pl.DataFrame)
    return frame.lazy()


def time_of(column: str, name: str) -> pl.Expr:
    """A column of ns as a time of day and date, UTC."""
    return pl.from_epoch(column, time_unit="ns").dt.replace_time_zone("UTC").alias(name)


def price_of(tick_column: str, name: str, instrument: Instrument) -> pl.Expr:
    """Ticks as a float price: the double nearest to the decimal, for prices below 2^53 units."""
    numerator, denominator = instrument.tick.as_integer_ratio()
    return (pl.col(tick_column).cast(pl.Float64) * numerator / denominator).alias(name)


def _view(tape: Tape) -> pl.LazyFrame:
    """Rows a strategy sees."""
    return raw_frame(tape).filter((pl.col("flags") & Flag.VENUE_ONLY.value) == 0)


def events(tape: Tape, symbol: str) -> pl.LazyFrame:
    """Every row of the tape, venue-only copies included (see `flags`)."""
    rate = pl.col("kind").is_in(RATE_KINDS)
    return raw_frame(tape).select(
        time_of("local_ts", "ts"),
        time_of("exch_ts", "exch_ts"),
        pl.lit(symbol).alias("symbol"),
        pl.col("kind").replace_strict(KINDS, return_dtype=pl.String).alias("kind"),
        pl.col("side").replace_strict(SIDES, return_dtype=pl.String).alias("side"),
        pl.when(rate)
        .then(pl.col("price") / 1e9)
        .otherwise(price_of("price", "price", tape.instrument))
        .alias("price"),
        pl.col("price").alias("price_tick"),
        pl.col("qty").alias("lots"),
        "order_id",
        "flags",
    )


def trades(tape: Tape, symbol: str) -> pl.LazyFrame:
    """Prints: TRADE rows, and EXECUTE rows on tapes that carry no TRADE rows."""
    kinds = tape.summary["kinds"]
    kind = EventKind.TRADE if kinds["trade"] or not kinds["execute"] else EventKind.EXECUTE
    # An EXECUTE carries the resting order's side; the aggressor is on the other one.
    side = pl.col("side")
    aggressor = side if kind == EventKind.TRADE else pl.when(side < 2).then(1 - side).otherwise(2)
    return (
        _view(tape)
        .filter(pl.col("kind") == kind.value)
        .select(
            time_of("local_ts", "ts"),
            time_of("exch_ts", "exch_ts"),
            pl.lit(symbol).alias("symbol"),
            aggressor.replace_strict(SIDES, return_dtype=pl.String).alias("side"),
            price_of("price", "price", tape.instrument),
            pl.col("price").alias("price_tick"),
            pl.col("qty").alias("lots"),
            "flags",
        )
    )


def quotes(run: Sequence[Tape], symbol: str) -> pl.LazyFrame:
    """The touch each time it changes, over consecutive tapes of one instrument."""
    columns = joined(run)
    instrument = run[0].instrument
    found = survey(columns)
    window = touch_window(found)
    names = ("bid_tick", "bid_lots", "ask_tick", "ask_lots")
    if window is None:
        table, times = np.zeros((0, 5), np.int64), np.zeros(0, np.int64)
    else:
        rows = len(columns.kind)
        touch = walk_all(make_touch(*window, l1=is_l1(found.kinds), quote_rows=rows), columns)
        table = touch.quotes[: int(touch.arena[QUOTES])]
        times = columns.local_ts[table[:, 0]]
    data = {"ts": times} | {name: table[:, index + 1].copy() for index, name in enumerate(names)}
    return (
        pl.DataFrame(data)
        .lazy()
        .select(
            time_of("ts", "ts"),
            pl.lit(symbol).alias("symbol"),
            price_of("bid_tick", "bid", instrument),
            "bid_tick",
            "bid_lots",
            price_of("ask_tick", "ask", instrument),
            "ask_tick",
            "ask_lots",
        )
    )


def bars(frame: pl.LazyFrame, every: str) -> pl.LazyFrame:
    """Time bars of trades; a bar without a trade is left out."""
    signed = pl.when(pl.col("side") == "buy").then(1).when(pl.col("side") == "sell").then(-1)
    return (
        frame.sort("symbol", "ts", maintain_order=True)
        .group_by_dynamic("ts", every=every, group_by="symbol")
        .agg(
            pl.col("price").first().alias("open"),
            pl.col("price").max().alias("high"),
            pl.col("price").min().alias("low"),
            pl.col("price").last().alias("close"),
            pl.col("price_tick").last().alias("close_tick"),
            pl.col("lots").sum().alias("lots"),
            (pl.col("lots") * signed.otherwise(0)).sum().alias("signed_lots"),
            pl.len().alias("trades"),
        )
        .sort("ts", "symbol")
    )


def book(run: Sequence[Tape], at_ns: int, depth: int, symbol: str) -> pl.LazyFrame:
    """The best `depth` levels a side as seen at `at_ns`, over consecutive tapes."""
    columns = joined(run)
    seen = int(np.searchsorted(columns.local_ts, at_ns, side="right"))
    columns = Columns(*(column[:seen] for column in columns))
    seen_rows = (columns.flags & Flag.VENUE_ONLY.value) == 0
    levels = {side: _levels(columns, seen_rows, side) for side in (Side.BUY, Side.SELL)}
    parts = []
    for side, (price, lots) in levels.items():
        order = np.argsort(-price if side == Side.BUY else price, kind="stable")[:depth]
        parts.append(
            pl.DataFrame(
                {
                    "side": [side.name.lower()] * len(order),
                    "level": np.arange(len(order)),
                    "price_tick": price[order],
                    "lots": lots[order],
                },
                schema={
                    "side": pl.String,
                    "level": pl.Int64,
                    "price_tick": pl.Int64,
                    "lots": pl.Int64,
                },
            )
        )
    frame = pl.concat(parts).lazy()
    instrument = run[0].instrument
    return frame.select(
        pl.lit(symbol).alias("symbol"),
        "side",
        "level",
        price_of("price_tick", "price", instrument),
        "price_tick",
        "lots",
    )


def _levels(columns: Columns, seen: np.ndarray, side: Side) -> tuple[np.ndarray, np.ndarray]:
    """Price and lots of every level of one side after the last row."""
    clears = (
        seen & (columns.kind == EventKind.CLEAR) & ((columns.side == side) | (columns.side > 1))
    )
    cleared = np.flatnonzero(clears)
    start = int(cleared[-1]) + 1 if len(cleared) else 0
    live = Columns(*(column[start:] for column in columns))
    mine = seen[start:] & (live.side == side)
    by_price = mine & np.isin(live.kind, (EventKind.LEVEL, EventKind.SNAPSHOT))
    orders = mine & np.isin(live.kind, (EventKind.ADD, EventKind.MODIFY))
    if orders.any():
        return _order_levels(live, seen[start:], side)
    if not by_price.any():
        rows = np.flatnonzero(mine & (live.kind == EventKind.BBO))[-1:]
    else:
        rows = np.flatnonzero(by_price)
        _, last = np.unique(live.price[rows][::-1], return_index=True)
        rows = rows[len(rows) - 1 - last]
    rows = rows[live.qty[rows] > 0]
    return live.price[rows], live.qty[rows]


def _order_levels(live: Columns, seen: np.ndarray, side: Side) -> tuple[np.ndarray, np.ndarray]:
    """The levels that the live orders of one side make."""
    taken = (live.kind == EventKind.CANCEL) | (
        (live.kind == EventKind.EXECUTE) & ((live.flags & Flag.NO_BOOK.value) == 0)
    )
    placed = (live.kind == EventKind.ADD) | (live.kind == EventKind.MODIFY)
    rows = seen & (taken | placed)
    frame = pl.DataFrame(
        {
            "id": live.order_id[rows],
            "placed": placed[rows],
            "side": live.side[rows],
            "price": live.price[rows],
            "qty": live.qty[rows],
        }
    )
    at = pl.col("placed").cast(pl.Int64).cum_sum().over("id")
    left = (
        frame.with_columns(at.alias("version"))
        .filter(pl.col("version") == pl.col("version").max().over("id"))
        .filter(pl.col("version") > 0)
        .group_by("id")
        .agg(
            pl.col("side").filter("placed").last(),
            pl.col("price").filter("placed").last(),
            (pl.col("qty").filter("placed").sum() - pl.col("qty").filter(~pl.col("placed")).sum()),
        )
        .filter(pl.col("qty") > 0)
        .group_by("side", "price")
        .agg(pl.col("qty").sum())
    )
    one = left.filter(pl.col("side") == int(side))
    return one["price"].to_numpy(), one["qty"].to_numpy()


def joined(run: Sequence[Tape]) -> Columns:
    """The rows of consecutive tapes as one."""
    if len(run) == 1:
        return run[0].columns()
    parts = [tape.columns() for tape in run]
    return frozen(Columns(*(np.concatenate(column) for column in zip(*parts, strict=True))))
