"""Everything that cards and reports may show of a run: digest inputs and what follows from them.

No machine, no wall time, no folder: two runs with one digest have one view, hence one report.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from hft.reports.figures import Figures
from hft.reports.track import Market, Track


@dataclass(frozen=True)
class View:
    """One run, ready to be rendered; frames that the record level did not keep are None."""

    title: str
    currency: str
    digest: str
    figures: Figures
    labels: Mapping[str, str]  # what was run on what: symbols, span, strategy, parameters, seed
    mode: Mapping[str, str]  # how the venue was simulated: latency, queue, fills, fees
    notice: str = ""  # the refusal line, when due, and what looks wrong about the limits
    record: str = "full"
    partial: bool = False
    equity: pl.DataFrame | None = None
    fills: pl.DataFrame | None = None
    refusals: pl.DataFrame | None = None
    costs: pl.DataFrame | None = None
    markouts: pl.DataFrame | None = None
    daily: pl.DataFrame | None = None
    latencies: pl.DataFrame | None = None
    margins: pl.DataFrame | None = None  # refused decisions, sampled: ts, reason, margin, unit
    series: pl.DataFrame | None = None
    trips: pl.DataFrame | None = None
    controls: pl.DataFrame | None = None
    stopped: str = ""  # what ended a partial run
    parts: pl.DataFrame | None = None  # by strategy and symbol, where there are several
    ticks: Mapping[str, float] = field(default_factory=dict)
    markets: Mapping[str, Market] = field(default_factory=dict)  # the touch of the tapes, by symbol
    untaped: str = ""  # why a symbol has none
    own: Mapping[str, tuple[Track | None, Track | None]] = field(default_factory=dict)  # our quotes
    logs: pl.DataFrame | None = None
    round_trips: pl.DataFrame | None = None
    resume: str = ""  # the id of a partial run that can go on
