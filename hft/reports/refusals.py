"""Refusals by reason with their margins, and the line that a run with many of them begins with."""

import polars as pl

from hft.core.codes import Reason
from hft.core.reasons import meaning

NOTICE_SHARE = 0.05


def refusals(decisions: pl.LazyFrame) -> pl.DataFrame:
    """One row per reason, commonest first: count, share of all intents, median margin, key."""
    found = (
        decisions.group_by("reason", "reason_code", "unit")
        .agg(
            count=pl.len(),
            margin=pl.col("margin").median(),
            first_ts=pl.col("ts").min(),
            last_ts=pl.col("ts").max(),
        )
        .collect()
    )
    total = int(found["count"].sum()) if found.height else 0
    refused = found.filter(pl.col("reason_code") != Reason.OK.value)
    meanings = [meaning(code) for code in refused["reason_code"]]
    return (
        refused.with_columns(
            share=pl.col("count") / max(total, 1),
            meaning=pl.Series([one.text for one in meanings], dtype=pl.String),
            key=pl.Series([one.key for one in meanings], dtype=pl.String),
        )
        .sort(["count", "reason_code"], descending=[True, False])
        .select("reason", "count", "share", "margin", "unit", "key", "meaning", "first_ts", "last_ts")
    )


def notice(refused: int, decisions: int, table: pl.DataFrame | None) -> str:
    """The first line of card and summary (contract 3.13); empty at 5 % and less."""
    if decisions == 0 or refused <= NOTICE_SHARE * decisions:
        return ""
    line = f"{refused / decisions:.1%} of the intents were refused ({refused:,} of {decisions:,})"
    if table is None or table.height == 0:
        return f"{line}; record=\"full\" shows the reasons"
    top = table.row(0, named=True)
    line += f", mostly {top['reason']} ({top['count']:,})"
    if top["margin"] is not None:
        line += f", median margin {top['margin']:,.6g} {top['unit']}".rstrip()
    change = f"change {top['key']} or fit limits" if top["key"] else "fit limits"
    return f"{line}; {change} with hft.Limits.fit"
