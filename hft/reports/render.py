"""Frames as aligned text for a console or a pipe: no colour, no box, nothing cut off silently."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import polars as pl

from hft.reports.figures import number

MISSING = ""
TIME = {False: "%Y-%m-%d %H:%M:%S%.3f", True: "%Y-%m-%d %H:%M:%S%.9f"}


@dataclass(frozen=True)
class Column:
    """One column as text: its head, its cells, and whether they stand right."""

    head: str
    cells: Sequence[str]
    right: bool

    @property
    def width(self) -> int:
        """Characters of the widest cell or the head."""
        return max(map(len, (self.head, *self.cells)))

    @property
    def words(self) -> bool:
        """Whether it holds sentences, of which the beginning says something."""
        return not self.right and any(" " in cell for cell in self.cells)


def frame_text(
    frame: pl.DataFrame, columns: Sequence[str] = (), titles: Mapping[str, str] | None = None
) -> str:
    """A table of the named columns (all when none are named); numbers stand right."""
    return lines(as_text(frame.select(columns) if columns else frame, titles))


def as_text(
    frame: pl.DataFrame, titles: Mapping[str, str] | None = None, *, ns: bool = False
) -> dict[str, Column]:
    """The columns of a frame as text; times to the millisecond, or to the nanosecond."""
    times = [name for name, dtype in frame.schema.items() if isinstance(dtype, pl.Datetime)]
    shown = frame.with_columns(pl.col(name).dt.strftime(TIME[ns]) for name in times)
    return {
        name: Column(
            (titles or {}).get(name, name),
            [_cell(value, name) for value in shown[name]],
            frame.schema[name].is_numeric(),
        )
        for name in frame.columns
    }


def lines(columns: Mapping[str, Column]) -> str:
    """Columns beside each other."""
    padded = []
    for column in columns.values():
        width, cells = column.width, (column.head, *column.cells)
        padded.append([c.rjust(width) if column.right else c.ljust(width) for c in cells])
    return "\n".join("  ".join(row).rstrip() for row in zip(*padded, strict=True))


def cut(column: Column, width: int) -> Column:
    """The column with an ellipsis where a text is longer than `width`."""
    cells = [c if len(c) <= width else f"{c[: width - 1]}…" for c in column.cells]
    return replace(column, cells=cells)


def frame_json(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """Rows for JSON: times as ISO-8601 text with nanoseconds and zone."""
    times = [name for name, dtype in frame.schema.items() if isinstance(dtype, pl.Datetime)]
    iso = [pl.col(name).dt.strftime("%Y-%m-%dT%H:%M:%S%.9fZ") for name in times]
    return frame.with_columns(iso).to_dicts()


def _cell(value: Any, name: str = "") -> str:
    if value is not None and (name == "seq" or name.endswith("_id")):
        return str(value)  # a name, though of digits
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, int | float):
        return number(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="milliseconds").replace("+00:00", "")
    return str(value)
