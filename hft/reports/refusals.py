"""Refusals by reason with their margins, and the line that a run with many of them begins with."""

from collections.abc import Mapping

import polars as pl

from hft.core.codes import Reason
from hft.core.reasons import meaning
from hft.reports.figures import amount

NOTICE_SHARE = 0.05
# Reasons that a person's command gives, where no guard stands behind them.
COMMANDED = ("KILL_SWITCH", "POLICY_HALT", "POLICY_DEGRADE", "FASTGATE_KILL_SWITCH")

# What no limit lets pass: the order itself says nothing that a market could take.
SENSELESS = {
    Reason.BAD_NUMBER.name: "its price or lots were no number (nan, inf) or beyond any market",
    Reason.FASTGATE_BAD_PRICE_NEG.name: "its price was below zero",
    Reason.FASTGATE_BAD_QTY_NEG.name: "its lots were 0 or less",
    Reason.PRICE_ZERO_OR_NEG.name: "its price was zero or below",
}


def refusals(decisions: pl.LazyFrame, lost: int = 0) -> pl.DataFrame:
    """One row per reason, commonest first: count, share of all intents, median margin, key.

    `lost` intents found the buffer of their wake-up full, so that no decision is on record.
    """
    found = (
        decisions.group_by("reason", "reason_code", "unit")
        .agg(
            count=pl.len().cast(pl.Int64),
            margin=pl.col("margin").median(),
            first_ts=pl.col("ts").min(),
            last_ts=pl.col("ts").max(),
        )
        .collect()
    )
    if lost:
        full = {"reason": Reason.INTENT_BUFFER_FULL.name, "count": lost, "unit": ""}
        full["reason_code"] = Reason.INTENT_BUFFER_FULL.value
        row = pl.DataFrame([full]).cast({name: found.schema[name] for name in full})
        found = pl.concat([found, row], how="diagonal")
    total = int(found["count"].sum()) if found.height else 0
    refused = found.filter(pl.col("reason_code") != Reason.OK.value)
    meanings = [meaning(code) for code in refused["reason_code"]]
    return (
        refused.with_columns(
            share=pl.Series([n / total for n in refused["count"]], dtype=pl.Float64),
            meaning=pl.Series([one.text for one in meanings], dtype=pl.String),
            key=pl.Series([one.key for one in meanings], dtype=pl.String),
        )
        .sort(["count", "reason_code"], descending=[True, False])
        .select(
            "reason", "count", "share", "margin", "unit", "key", "meaning", "first_ts", "last_ts"
        )
    )


def counted(reasons: Mapping[str, int]) -> pl.DataFrame:
    """The same table from the engine's counts by reason code: without margins and times."""
    total = sum(reasons.values())
    rows = []
    for text, count in reasons.items():
        code = int(text)
        if code != Reason.OK.value:
            means = meaning(code)
            name = Reason(code).name if code in set(Reason) else text
            rows.append((code, name, count, count / total, means.key, means.text))
    rows.sort(key=lambda row: (-row[2], row[0]))
    frame = pl.DataFrame(rows, schema=COUNTED_SCHEMA, orient="row")
    return frame.select(
        "reason",
        "count",
        "share",
        pl.lit(None, pl.Float64).alias("margin"),
        pl.lit("").alias("unit"),
        "key",
        "meaning",
        pl.lit(None, pl.Datetime("ns", "UTC")).alias("first_ts"),
        pl.lit(None, pl.Datetime("ns", "UTC")).alias("last_ts"),
    )


COUNTED_SCHEMA = {
    "code": pl.Int64,
    "reason": pl.String,
    "count": pl.Int64,
    "share": pl.Float64,
    "key": pl.String,
    "meaning": pl.String,
}


def is_due(refused: float, decisions: float) -> bool:
    """Were so many intents refused that the card begins with it (contract 3.13)?"""
    return decisions > 0 and refused > NOTICE_SHARE * decisions


def notice(refused: int, decisions: int, table: pl.DataFrame | None, advice: str = "") -> str:
    """The first line of card and summary; empty at 5 % and less.

    `advice` is what was tried; without it the line names the limit, and how to have changes tried.
    """
    if not is_due(refused, decisions):
        return ""
    line = f"{refused / decisions:.1%} of the intents were refused ({refused:,} of {decisions:,})"
    if table is None or table.height == 0:
        return line
    top = table.row(0, named=True)
    line += f", mostly {top['reason']} ({top['count']:,})"
    if top["margin"] is not None:
        line += f", median margin {amount(top['margin'], top['unit'])}"
    if top["reason"] == Reason.INTENT_BUFFER_FULL.name:
        return f"{line}: {top['meaning'][0].lower()}{top['meaning'][1:].rstrip('.')}"
    if top["reason"] in COMMANDED and not top["key"]:
        return f"{line}: somebody's command, not a limit; see run.controls and run.trips"
    if top["reason"] in SENSELESS:
        return f"{line}: {SENSELESS[top['reason']]}, and no limit lets that pass"
    if advice:
        return f"{line}; {advice}"
    limit = f"; the limit is {top['key']}" if top["key"] else ""
    return f"{line}{limit}; hft replay relimit shows what another would change"
