"""Frames as aligned text for a console or a pipe: no colour, no box, nothing cut off silently."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import polars as pl

from hft.reports.figures import number

MISSING = ""


def frame_text(
    frame: pl.DataFrame, columns: Sequence[str] = (), titles: Mapping[str, str] | None = None
) -> str:
    """A table of the named columns (all when none are named); numbers stand right."""
    shown = frame.select(columns) if columns else frame
    heads = [(titles or {}).get(name, name) for name in shown.columns]
    cells = [[_cell(value) for value in row] for row in shown.iter_rows()]
    widths = [max(len(row[k]) for row in [heads, *cells]) for k in range(len(heads))]
    right = [dtype.is_numeric() for dtype in shown.dtypes]
    lines = ["  ".join(_pad(row, widths, right)).rstrip() for row in [heads, *cells]]
    return "\n".join(lines)


def frame_json(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """Rows for JSON: times as ISO-8601 text with nanoseconds and zone."""
    times = [name for name, dtype in frame.schema.items() if isinstance(dtype, pl.Datetime)]
    iso = [pl.col(name).dt.strftime("%Y-%m-%dT%H:%M:%S%.9fZ") for name in times]
    return frame.with_columns(iso).to_dicts()


def _pad(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> list[str]:
    return [
        cell.rjust(width) if is_right else cell.ljust(width)
        for cell, width, is_right in zip(row, widths, right, strict=True)
    ]


def _cell(value: Any) -> str:
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, int | float):
        return number(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="milliseconds").replace("+00:00", "")
    return str(value)
