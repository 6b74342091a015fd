"""What the market did after our fills: the mid some time later against the fill price.

A positive markout earned, a negative one was picked off. The mid at the fill is the venue's own;
later mids are the run's equity samples, so a horizon counts only those fills that have a sample
between one and two horizons after them (`measured`): nothing is filled in.
"""

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
    marks = (
        equity.select("symbol", mark_ts="ts", mark="mid")
        .drop_nulls()
        .unique(["symbol", "mark_ts"], maintain_order=True)
        .sort("mark_ts")
    )
    rows = [_at(valued, marks, name, ns) for name, ns in HORIZONS_NS.items()]
    return pl.concat(rows)


def _at(valued: pl.DataFrame, marks: pl.DataFrame, name: str, horizon_ns: int) -> pl.DataFrame:
    if horizon_ns == 0:
        marked = valued.with_columns(mark="mid")
    else:
        wait = pl.duration(nanoseconds=horizon_ns, time_unit="ns")
        marked = (
            valued.with_columns(mark_ts=pl.col("exch_ts") + wait)
            .sort("mark_ts")
            .join_asof(
                marks,
                on="mark_ts",
                by="symbol",
                strategy="forward",
                tolerance=f"{horizon_ns}ns",
                check_sortedness=False,
            )
        )
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
    return float((rows["ticks"] * rows["measured"]).sum()) / measured, measured
