"""What guards did and what was said from outside: a section of the page, a line of the card."""

from html import escape

import polars as pl

from hft.reports.charts import table
from hft.reports.figures import number
from hft.reports.view import View

ROWS_MAX = 50
_CALM = ("RESET", "NORMAL")


def acted(trips: pl.DataFrame) -> pl.DataFrame:
    """The rows in which a guard trips or escalates."""
    return trips.filter(~pl.col("event").is_in(_CALM))


def first_words(trips: pl.DataFrame) -> str:
    """The first trip in words: cause, whose, when, value against limit, and the limit's key."""
    rows = acted(trips)
    if rows.height == 0:
        return ""
    row = rows.row(0, named=True)
    who = " ".join(part for part in (row["strategy"], row["symbol"]) if part)
    margin = ""
    if row["measured"] is not None:
        measured, limit = number(row["measured"]), number(row["limit"])
        margin = f", {measured} against {limit} {row['unit']}".rstrip()
    key = f" ({row['key']})" if row["key"] else ""
    at = row["ts"].strftime("%Y-%m-%d %H:%M:%S")
    return " ".join(
        part for part in (row["event"], "by", row["cause"], who, f"at {at}") if part
    ) + (margin + key)


def guards_section(view: View) -> str:
    """Trips and control inputs, each in its order; empty when there was neither."""
    parts = []
    if view.trips is not None and view.trips.height:
        parts.append(_trips(view.trips))
    if view.controls is not None and view.controls.height:
        parts.append(_controls(view.controls))
    if not parts:
        return ""
    return f"<section><h2>Trips and control inputs</h2>{''.join(parts)}</section>"


def _trips(trips: pl.DataFrame) -> str:
    cells = []
    for row in trips.head(ROWS_MAX).iter_rows(named=True):
        margin = "–"
        if row["measured"] is not None:
            unit = row["unit"]
            margin = f"{number(row['measured'])} against {number(row['limit'])} {unit}".strip()
        who = " ".join(part for part in (row["strategy"], row["symbol"]) if part) or "all"
        event = f"{row['guard']} {row['event']}"
        cells.append((_when(row), event, row["cause"], who, row["key"] or "–", margin))
    head = ("time", "event", "cause", "about", "limit", "value")
    return f"<p>{_shown(trips.height, 'event')}</p>{table(head, cells, left=5)}"


def _controls(controls: pl.DataFrame) -> str:
    cells = [
        (_when(row), row["kind"], row["about"], row["value"])
        for row in controls.head(ROWS_MAX).iter_rows(named=True)
    ]
    head = ("time", "input", "about", "value")
    return f"<p>{_shown(controls.height, 'input')}</p>{table(head, cells, left=4)}"


def _when(row: dict[str, object]) -> str:
    return f"{row['ts']:%Y-%m-%d %H:%M:%S}"


def _shown(count: int, what: str) -> str:
    words = f"{count:,} {what}{'' if count == 1 else 's'}"
    more = f", the first {ROWS_MAX} are shown" if count > ROWS_MAX else ""
    return escape(f"{words}{more}; times are UTC.")
