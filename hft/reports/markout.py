"""What the market did after our fills: the mid some time later against the fill price.

A positive markout earned, a negative one was picked off. The mid at the fill is the venue's own;
later mids are the run's equity samples, so a horizon counts only those fills that have a sample
between one and two horizons after them (`measured`): nothing is filled in.
"""

import numpy as np
import polars as pl

HORIZONS_NS = {"0 s": 0, "100 ms": 100_000_000, "1 s": 1_000_000_000, "10 s": 10_000_000_000}
LIMITS = (
    "the mid at 0 s is the venue's at the fill; later mids are the first equity sample between one "
    "and two horizons after the fill, and fills without one are left out of that horizon"
)


def markouts(valued: pl.DataFrame, equity: pl.DataFrame) -> pl.DataFrame:
    """Per horizon, side and liquidity: ticks and bps a lot (weighted by lots) and currency in all.

    `valued` comes from `costs.with_values`.
    """
    marks = equity.select("symbol", "ts", "mid").drop_nulls().sort("ts")
    rows = [_at(valued, marks, name, ns) for name, ns in HORIZONS_NS.items()]
    return pl.concat(rows)


def _marked(valued: pl.DataFrame, marks: pl.DataFrame, horizon_ns: int) -> np.ndarray:
    """The mid that counts for each fill, NaN where there is none."""
    out = np.full(valued.height, np.nan)
    wanted = valued["exch_ts"].to_physical().to_numpy() + horizon_ns
    symbols = valued["symbol"].to_numpy()
    for symbol in valued["symbol"].unique():
        rows = marks.filter(pl.col("symbol") == symbol)
        if rows.height == 0:
            continue
        ts, mids = rows["ts"].to_physical().to_numpy(), rows["mid"].to_numpy()
        mine = np.flatnonzero(symbols == symbol)
        at = np.searchsorted(ts, wanted[mine], side="left")
        found = np.minimum(at, len(ts) - 1)
        near = (at < len(ts)) & (ts[found] <= wanted[mine] + horizon_ns)
        out[mine] = np.where(near, mids[found], np.nan)
    return out


def _at(valued: pl.DataFrame, marks: pl.DataFrame, name: str, horizon_ns: int) -> pl.DataFrame:
    mark_of: pl.Expr | pl.Series = pl.col("mid")
    if horizon_ns > 0:
        mark_of = pl.Series(_marked(valued, marks, horizon_ns)).fill_nan(None)
    marked = valued.with_columns(mark=mark_of)
    price, mark, sign = pl.col("price"), pl.col("mark"), pl.col("sign")
    linear = sign * (mark - price) * pl.col("lots") * pl.col("unit")
    inverse = sign * (1.0 / price - 1.0 / mark) * pl.col("lots") * pl.col("unit")
    lots = pl.col("lots").filter(mark.is_not_null()).sum()
    return (
        marked.group_by("side", "liquidity")
        .agg(
            fills=pl.len(),
            measured=mark.is_not_null().sum(),
            ticks=(sign * (mark - price) / pl.col("tick") * pl.col("lots")).sum() / lots,
            bps=(sign * (mark - price) / price * 1e4 * pl.col("lots")).sum() / lots,
            money=pl.when("inverse").then(inverse).otherwise(linear).sum(),
        )
        .with_columns(
            horizon=pl.lit(name),
            ticks=pl.when(pl.col("measured") > 0).then("ticks"),
            bps=pl.when(pl.col("measured") > 0).then("bps"),
            money=pl.when(pl.col("measured") > 0).then("money"),
        )
        .select("horizon", "side", "liquidity", "fills", "measured", "ticks", "bps", "money")
        .sort("side", "liquidity")
    )


def overall(table: pl.DataFrame, horizon: str) -> tuple[float | None, int]:
    """(mean ticks a fill over sides and liquidity weighted by measured fills, fills measured)."""
    rows = table.filter((pl.col("horizon") == horizon) & (pl.col("measured") > 0))
    measured = int(rows["measured"].sum()) if rows.height else 0
    if measured == 0:
        return None, 0
    mean = float((rows["ticks"] * rows["measured"]).sum()) / measured
    return float(f"{mean:.12g}"), measured  # not the order of a parallel sum
