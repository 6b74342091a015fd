"""The recorded days that the golden runs replay: where they lie and how they are ingested.

What is traded on them stands in `replays.yaml`; the recordings are not committed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hft.runs.regression.file import Spec, read

BINANCE = "binance_raw_btc_20240808"

# Dataset -> files below the folder of recorded markets, and what ingest is told.
SOURCES: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    # The USD-M recording has no file of the 9th: it ends at midnight.
    "usdm": ((f"{BINANCE}/usdm_btcusdt_20240808.gz",), {"clock_fix": True}),
    "coinm": (
        (f"{BINANCE}/cm_btcusd_perp_20240808.gz", f"{BINANCE}/cm_btcusd_perp_20240809.gz"),
        {"clock_fix": True},
    ),
    "spot": (
        (f"{BINANCE}/spot_btcusdt_20240808.gz", f"{BINANCE}/spot_btcusdt_20240809.gz"),
        {"clock_fix": True},
    ),
    "es": (("databento_dbn_es/esh4-glbx-mdp3-20231225.mbo.dbn.zst",), {}),
    "aapl": (
        ("lobster_aapl_20120621/AAPL_2012-06-21_34200000_37800000_message_50.csv.gz",),
        {},
    ),
    "bac": (("lean_us_equity_tick_201310/bac",), {}),
}


@dataclass(frozen=True)
class Case:
    """One golden run, as `replays.yaml` has it: datasets in view order, a strategy, a venue."""

    spec: Spec

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def datasets(self) -> tuple[str, ...]:
        """The recordings; none of a synthetic market."""
        given = self.spec.given["tapes"]
        return tuple(given) if isinstance(given, list) else ()

    @property
    def symbols(self) -> list[str] | None:
        return self.spec.given.get("symbols")

    @property
    def strategy(self) -> str:
        return str(self.spec.given["strategy"])

    @property
    def fees(self) -> Mapping[str, Any]:
        """What the case charges instead of the instrument's own."""
        venue = self.spec.given["venue"]
        return venue.get("fees", {}) if isinstance(venue, dict) else {}


FILE = Path(__file__).resolve().with_name("replays.yaml")
_ALL = tuple(Case(spec) for spec in read(FILE).specs)
CASES = tuple(case for case in _ALL if case.datasets)
SYNTHETIC = tuple(case for case in _ALL if not case.datasets)
