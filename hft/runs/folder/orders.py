"""The life of each order, from what the gateway decided and what the venue answered."""

import polars as pl

OPENING = ("NEW", "FORCE_FLAT")
ENDS = {"CANCELLED": "CANCELLED", "EXPIRED": "EXPIRED", "REJECTED": "FAILED", "UNKNOWN": "UNKNOWN"}


def orders_frame(decisions: pl.LazyFrame, events: pl.LazyFrame) -> pl.LazyFrame:
    """One row per approved order: when it was sent, arrived, was acknowledged, filled and ended.

    `lots` and `price` are those of the last acknowledged amend, `lots` with what had been filled
    before it; times are null for what never was.
    """
    sent = decisions.filter((pl.col("reason_code") == 0) & pl.col("intent").is_in(OPENING)).select(
        "strategy", "symbol", "side", "price", "price_tick", "lots", order_id="intent_id", sent="ts"
    )
    lived = sent.join(_events(events), on="order_id", how="left").with_columns(
        pl.col("filled_lots", "amends", "cancels").fill_null(0), pl.col("fees").fill_null(0.0)
    )
    total = pl.coalesce("amended_lots", "lots", "sent_lots")
    filled = (pl.col("filled_lots") >= total) & (total > 0)
    status = (
        pl.when(filled)
        .then(pl.lit("FILLED"))
        .when(pl.col("end").is_not_null())
        .then(pl.col("end").replace_strict(ENDS, default=None, return_dtype=pl.String))
        .when(pl.col("filled_lots") > 0)
        .then(pl.lit("PARTIALLY_FILLED"))
        .when(pl.col("acked").is_not_null())
        .then(pl.lit("SUBMITTED"))
        .otherwise(pl.lit("PENDING_SUBMIT"))
    )
    return lived.select(
        "order_id",
        "strategy",
        "symbol",
        pl.coalesce("side", "sent_side").alias("side"),
        pl.coalesce("amended_price", "price").alias("price"),
        pl.coalesce("amended_tick", "price_tick").alias("price_tick"),
        total.alias("lots"),
        "filled_lots",
        "avg_price",
        "fees",
        status.alias("status"),
        "amends",
        "cancels",
        "sent",
        "arrived",
        "acked",
        "first_fill",
        pl.when(filled).then("last_fill").otherwise("end_ts").alias("ended"),
    ).sort("order_id")


def _events(events: pl.LazyFrame) -> pl.LazyFrame:
    event, ts, lots = pl.col("event"), pl.col("ts"), pl.col("lots")
    is_fill = (event == "FILL") & (lots > 0)
    is_end = event.is_in(list(ENDS))
    amended = (event == "AMENDED") & (lots > 0)
    filled_lots = lots.filter(is_fill).sum()
    is_arrival = event.is_in([f"ARRIVED_{name}" for name in OPENING])
    # The venue answers an amend with what is open; its answers never overtake each other.
    filled_before = pl.when(is_fill).then(lots).otherwise(0).cum_sum()
    paid = (pl.col("price") * lots).filter(is_fill).sum()
    return events.group_by("order_id").agg(
        arrived=ts.filter(is_arrival).min(),
        sent_side=pl.col("side").filter(is_arrival).first(),
        sent_lots=lots.filter(is_arrival).first(),
        acked=ts.filter(event == "ACK").min(),
        filled_lots=filled_lots,
        avg_price=pl.when(filled_lots > 0).then(paid / filled_lots),
        first_fill=ts.filter(is_fill).min(),
        last_fill=ts.filter(is_fill).max(),
        fees=pl.col("fee").sum(),
        amends=amended.sum(),
        cancels=(event == "ARRIVED_CANCEL").sum(),
        amended_lots=(filled_before + lots).filter(amended).last(),
        amended_price=pl.col("price").filter(amended).last(),
        amended_tick=pl.col("price_tick").filter(amended).last(),
        end=event.filter(is_end).last(),
        end_ts=ts.filter(is_end).last(),
    )
