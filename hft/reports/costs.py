"""Where the money came from: spread captured at each fill, the moves of what was held, fees.

gross = spread + inventory exactly: `spread` compares each fill with the venue's mid at that moment,
`inventory` is the rest. Both are before fees.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Contract:
    """What one lot is worth: `unit` = lot x multiplier; inverse contracts pay in their base."""

    unit: float
    inverse: bool
    tick: float


def with_values(fills: pl.DataFrame, contracts: Mapping[str, Contract]) -> pl.DataFrame:
    """Adds `sign`, `unit`, `inverse`, `tick`, `value` (turnover) and `captured`, in currency."""
    terms = pl.DataFrame(
        {
            "symbol": list(contracts),
            "unit": [one.unit for one in contracts.values()],
            "inverse": [one.inverse for one in contracts.values()],
            "tick": [one.tick for one in contracts.values()],
        },
        schema={"symbol": pl.String, "unit": pl.Float64, "inverse": pl.Boolean, "tick": pl.Float64},
    )
    lots, price, mid, unit = (pl.col(name) for name in ("lots", "price", "mid", "unit"))
    sign = pl.when(pl.col("side") == "BUY").then(1.0).otherwise(-1.0)
    linear = sign * (mid - price) * lots * unit
    inverse = sign * (1.0 / price - 1.0 / mid) * lots * unit
    value = pl.when("inverse").then(lots * unit / price).otherwise(lots * unit * price)
    return fills.join(terms, on="symbol", how="left", maintain_order="left").with_columns(
        sign=sign, value=value, captured=pl.when("inverse").then(inverse).otherwise(linear)
    )


def costs(valued: pl.DataFrame) -> pl.DataFrame:
    """One row per symbol, side and liquidity: fills, lots, turnover, fees, spread captured."""
    return (
        valued.group_by("symbol", "side", "liquidity")
        .agg(
            fills=pl.len(),
            lots=pl.col("lots").sum(),
            turnover=pl.col("value").sum(),
            fees=pl.col("fee").sum(),
            spread=pl.col("captured").sum(),
        )
        .sort("symbol", "side", "liquidity")
    )
