"""How long orders took on their legs, from the orders frame."""

import polars as pl

LEGS = {
    "to the venue": ("arrived", "sent"),
    "to the acknowledgement": ("acked", "sent"),
    "to the first fill": ("first_fill", "sent"),
    "to the end": ("ended", "sent"),
}
QUANTILES = {"p50": 0.5, "p99": 0.99, "max": 1.0}


def latencies(orders: pl.DataFrame) -> pl.DataFrame:
    """One row per leg with quantiles in ms over the orders that reached it."""
    rows = []
    for name, (later, earlier) in LEGS.items():
        waited = (orders[later] - orders[earlier]).drop_nulls().dt.total_nanoseconds() / 1e6
        row: dict[str, object] = {"leg": name, "orders": len(waited)}
        for label, q in QUANTILES.items():
            row[label] = waited.quantile(q, "lower") if len(waited) else None
        rows.append(row)
    return pl.DataFrame(rows, schema=SCHEMA)


SCHEMA = {"leg": pl.String, "orders": pl.Int64} | dict.fromkeys(QUANTILES, pl.Float64)
