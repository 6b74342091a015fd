"""Orders as somebody answered them: of a sealed run, or of a table of own ones at a venue.

One row an order, in one form for both. Nothing here judges.
"""

from pathlib import Path
from typing import Any

import polars as pl

from hft.core.errors import DataError
from hft.runs.result import Run

# Of a table of own orders; what an order that was not acknowledged or filled lacks is empty.
OWN: dict[str, Any] = {
    "order_id": pl.String,
    "symbol": pl.String,
    "side": pl.String,
    "lots": pl.Int64,
    "price": pl.Float64,
    "sent_ns": pl.Int64,
    "acked_ns": pl.Int64,
    "filled_ns": pl.Int64,
    "filled_lots": pl.Int64,
    "filled_price": pl.Float64,
    "mid": pl.Float64,
}
NEEDED = ("order_id", "symbol", "side", "lots", "sent_ns")
DAY_NS = 86_400_000_000_000


def of_run(run: Run) -> pl.DataFrame:
    """The orders of a run; `mid` is that of the first fill. Raises: DataError."""
    if run.record != "full":
        raise DataError(f'{run.path}: keeps no orders; replay it with record="full"')
    mids = run.fills.group_by("order_id").agg(pl.col("mid").first())
    times = {"sent": "sent_ns", "acked": "acked_ns", "first_fill": "filled_ns"}
    return _dated(
        run.orders.join(mids, on="order_id", how="left").select(
            pl.col("order_id").cast(pl.String),
            "symbol",
            pl.col("side").cast(pl.String),
            pl.col("lots").cast(pl.Int64),
            "price",
            *(pl.col(name).dt.epoch("ns").alias(new) for name, new in times.items()),
            pl.col("filled_lots").cast(pl.Int64),
            pl.col("avg_price").alias("filled_price"),
            "mid",
        )
    )


def of_table(path: Path) -> pl.DataFrame:
    """Own orders from a .parquet or .csv. Raises: DataError naming file, row and field."""
    try:
        if path.suffix == ".csv":
            frame = pl.read_csv(path, schema_overrides=OWN)
        else:
            frame = pl.read_parquet(path)
        lacking = [name for name in OWN if name not in frame.columns]
        if lacking:
            raise DataError(f"{path}: {lacking[0]}: there is no such column; {', '.join(OWN)}")
        frame = frame.select(pl.col(name).cast(kind) for name, kind in OWN.items())
    except (OSError, pl.exceptions.PolarsError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{path}: is no table of own orders: {reason}") from None
    return _dated(_checked(frame, path).with_columns(pl.col("filled_lots").fill_null(0)))


def _checked(frame: pl.DataFrame, path: Path) -> pl.DataFrame:
    """Raises: DataError for the first row that is no order."""
    filled = pl.col("filled_lots").fill_null(0) > 0
    told = pl.all_horizontal(pl.col("filled_ns", "filled_price", "mid").is_not_null())
    rules = {
        **{name: pl.col(name).is_not_null() for name in NEEDED},
        "side": pl.col("side").is_in(["BUY", "SELL"]),
        "lots": pl.col("lots") > 0,
        "filled_lots": pl.col("filled_lots").fill_null(0).is_between(0, pl.col("lots")),
        "filled_ns, filled_price, mid": ~filled | told,
        "mid": ~filled | ((pl.col("mid") > 0) & pl.col("filled_price").is_finite()),
        "acked_ns": pl.col("acked_ns").is_null() | (pl.col("acked_ns") >= pl.col("sent_ns")),
        "order_id": pl.col("order_id").is_unique(),
    }
    for name, rule in rules.items():
        wrong = frame.select(~rule.fill_null(False)).to_series().arg_true()
        if len(wrong):
            raise DataError(f"{path}: row {wrong[0] + 1}: {name}: is none of an order")
    return frame


def _dated(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(day=pl.col("sent_ns") // DAY_NS).sort("sent_ns", "order_id")
