"""What a report shows of the market of a run: the touch of its tapes, and our own quotes in it.

A tape is found by the hash that the manifest has, where it was. Where it is not, the report says so
and has the samples that the run took; nothing else of it changes.
"""

from dataclasses import dataclass, field

import polars as pl

from hft.core.errors import DataError
from hft.reports.market import market
from hft.reports.quoting import quoted, resting
from hft.reports.track import Market, Track
from hft.runs.folder.reader import RunReader
from hft.runs.tapes import find_tapes
from hft.tape.reader import Tape


@dataclass(frozen=True)
class Shown:
    """By symbol; `untaped` names the tapes for whose want there is no market."""

    markets: dict[str, Market] = field(default_factory=dict)
    own: dict[str, tuple[Track | None, Track | None]] = field(default_factory=dict)
    untaped: str = ""


def shown_market(run: RunReader) -> Shown:
    """The touch and our quotes between the first and the last sample of a run."""
    if run.equity.height == 0:
        return Shown()
    ts = run.equity["ts"].to_physical()
    span = int(ts.min()), int(ts.max())  # type: ignore[arg-type]
    own = _own(run, span[1]) if run.record == "full" else {}
    tapes, missing = _tapes(run)
    if missing:
        return Shown(own=own, untaped=", ".join(missing))
    markets = {}
    for symbol, one in zip(run.names.symbols, run.names.instruments, strict=True):
        who = (one.venue, one.symbol)
        mine = [tape for tape in tapes if (tape.instrument.venue, tape.symbol) == who]
        found = market(sorted(mine, key=lambda tape: tape.span), span) if mine else None
        if found is not None:
            markets[symbol] = found
    return Shown(markets, own)


def _tapes(run: RunReader) -> tuple[list[Tape], list[str]]:
    """The tapes that are where they were, and the names of those that are not."""
    found: list[Tape] = []
    missing = []
    for k, entry in enumerate(run.manifest.get("tapes", ()), start=1):
        try:
            found += find_tapes([entry])
        except DataError:
            missing.append(str(entry.get("name") or f"tape {k}"))
    return found, missing


def _own(run: RunReader, end_ns: int) -> dict[str, tuple[Track | None, Track | None]]:
    decisions, events = run._frame("decisions"), run._frame("events")
    rested = resting(decisions, events, run.orders)
    found = {}
    for symbol, one in zip(run.names.symbols, run.names.instruments, strict=True):
        mine = rested.filter(pl.col("symbol") == symbol)
        tick = float(one.tick)
        found[symbol] = (quoted(mine, "BUY", tick, end_ns), quoted(mine, "SELL", tick, end_ns))
    return found
