"""A calendar of data: what each day holds and what it lacks, before anybody trusts it.

Reads only. Of tapes: rows, the longest pause, crossed or locked quotes, the spread. Of bars: rows,
the longest pause, missing values, the mean spread where there is one.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from hft.core.json_text import page
from hft.reports.figures import counted
from hft.research.data import aliases
from hft.research.data.dataset import ResearchData
from hft.storage.atomic import write_atomic
from hft.tape.dataset import Tapes

HEAD = ("day", "symbol", "rows", "first", "last", "longest pause", "crossed", "missing", "spread")
SHOWN = 40


@dataclass(frozen=True)
class Day:
    """One day of one name. Units: `pause_s` seconds; `spread` in price units; None: not known."""

    day: str
    symbol: str
    rows: int
    first: str
    last: str
    pause_s: float
    crossed: int | None
    missing: int
    spread: float | None

    def cells(self) -> tuple[str, ...]:
        """As a row of the table."""
        return (
            *(self.day, self.symbol or "-", f"{self.rows:,}", self.first[11:19], self.last[11:19]),
            f"{self.pause_s:,.1f} s",
            "-" if self.crossed is None else f"{self.crossed:,}",
            f"{self.missing:,}",
            "-" if self.spread is None else f"{self.spread:.6g}",
        )


@dataclass(frozen=True)
class Calendar:
    """All days, and the days that are missing between them."""

    source: str
    days: tuple[Day, ...]
    gaps: tuple[str, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "source": self.source,
            "days": [{n: getattr(day, n) for n in day.__dataclass_fields__} for day in self.days],
            "gaps": list(self.gaps),
            "notes": list(self.notes),
        }

    def save(self, path: Path) -> None:
        """Write the JSON."""
        write_atomic(path, page(self.to_dict()))

    @property
    def head(self) -> tuple[str, ...]:
        """The names of what `cells` of a day has."""
        return HEAD

    @property
    def said(self) -> list[str]:
        """The lines below the table: totals, gaps, notes."""
        total = sum(day.rows for day in self.days)
        whole = f"{self.source}: {counted(len(self.days), 'day')}, {counted(total, 'row')}"
        return [whole, *(f"gap: {gap}" for gap in self.gaps), *self.notes]

    def text(self) -> str:
        """The table; of long calendars the beginning and the end."""
        rows = [day.cells() for day in self.days]
        half = SHOWN // 2
        cut = len(rows) > SHOWN
        shown = [HEAD, *(rows[:half] if cut else rows), *(rows[-half:] if cut else [])]
        widths = [max(len(row[k]) for row in shown) for k in range(len(HEAD))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in shown
        ]
        if cut:
            lines.insert(1 + half, f"... {len(rows) - SHOWN} more days; --json has all")
        return "\n".join([*lines, "", *self.said])


def of_data(data: ResearchData) -> Calendar:
    """The calendar of bars or own frames."""
    from hft.research.data.faults import faults
    from hft.research.data.gaps import gaps

    days = [day for symbol, rows in data.groups() for day in _days(data, symbol, rows)]
    found = [gap.sentence for gap in gaps(data.sessions, data.explained, data.calendar)]
    ordered = sorted(days, key=lambda day: (day.day, day.symbol))
    return Calendar(data.source, tuple(ordered), tuple(found), (*data.notes, *faults(data)))


def _days(data: ResearchData, symbol: str, rows: np.ndarray) -> list[Day]:
    session, ts = data.session[rows], data.ts_ns[rows]
    bad = np.zeros(len(rows), np.int64)
    for name in data.columns:
        if data.frame[name].dtype.is_numeric():
            bad += ~np.isfinite(data.frame[name].to_numpy()[rows])
    spread = data.field("spread")[rows] if aliases.provides("spread", data.columns) else None
    edges = np.flatnonzero(np.append(True, session[1:] != session[:-1]))
    out = []
    for low, high in zip(edges, np.append(edges[1:], len(rows)), strict=True):
        times = ts[low:high]
        mean = None if spread is None else float(np.nanmean(spread[low:high]))
        crossed = None if spread is None else int(np.sum(spread[low:high] < 0))
        name = str(session[low])
        out.append(
            Day(
                f"{name[:4]}-{name[4:6]}-{name[6:]}",
                *(symbol, int(high - low), _text(times[0]), _text(times[-1])),
                float(np.diff(times).max(initial=0)) / 1e9,
                *(crossed, int(bad[low:high].sum()), mean),
            )
        )
    return out


def of_tapes(tapes: Tapes) -> Calendar:
    """The calendar of tapes: quotes are looked at each time the touch changes."""
    days = []
    for tape in tapes:
        quotes = Tapes([tape]).quotes().collect()
        width = quotes["ask"] - quotes["bid"] if quotes.height else pl.Series([], dtype=pl.Float64)
        times = np.sort(tape.columns().local_ts)
        first, last = tape.span
        days.append(
            Day(
                tape.day,
                *(tapes.key(tape), tape.rows, _text(first), _text(last)),
                float(np.diff(times).max(initial=0)) / 1e9,
                *(_crossed(tape, width), 0, _median(width)),
            )
        )
    lines = [
        f"{row['symbol']} {row['day']}: {row['finding']} {row['count']:,}"
        for row in tapes.findings.iter_rows(named=True)
    ]
    ordered = sorted(days, key=lambda day: (day.day, day.symbol))
    return Calendar(", ".join(tapes.symbols), tuple(ordered), (), tuple(lines))


def _crossed(tape: Any, width: pl.Series) -> int:
    """Quotes that are crossed or locked, and what ingest found of them."""
    found = sum(one.count for one in tape.findings if "crossed" in one.name)
    return int((width <= 0).sum()) + int(found)


def _median(width: pl.Series) -> float | None:
    middle = width.median()
    return float(middle) if isinstance(middle, int | float) else None


def _text(ts_ns: Any) -> str:
    return str(np.datetime64(int(ts_ns), "ns"))
