"""The recorded days that the golden runs replay: where they lie, with what, under which limits.

A case is data. Its limits file is committed beside this one; the recordings are not.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import hft
from hft.strategies.base import Strategy
from hft.strategies.registry import shipped

LIMITS = Path(__file__).resolve().parent / "limits"
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
    """One golden run: datasets in view order, a shipped strategy, a venue."""

    name: str
    datasets: tuple[str, ...]
    strategy: str
    venue: str
    params: Mapping[str, Any] = field(default_factory=dict)
    every_ns: int = 0  # 0: the strategy's own clock
    fees: Mapping[str, str] | None = None
    symbols: tuple[str, ...] | None = None
    start: str | None = None
    end: str | None = None

    @property
    def limits_file(self) -> Path:
        return LIMITS / f"{self.name}.yaml"

    def declared(self) -> Strategy:
        """The shipped strategy with this case's parameters and clock."""
        made = shipped(self.strategy).with_params(self.params)
        return replace(made, every_ns=self.every_ns) if self.every_ns else made

    def venue_model(self) -> hft.Venue:
        preset = getattr(hft.Venue, self.venue)()
        return replace(preset, fees=self.fees) if self.fees else preset


CASES = (
    Case("usdm_making", ("usdm",), "market_making", "binance_usdm"),
    Case("coinm_making", ("coinm",), "market_making", "binance_coinm"),
    Case(
        "spot_making",
        ("spot",),
        "market_making",
        "binance_spot",
        {"lots": 100, "max_inventory": 1000},
    ),
    Case(
        "spot_momentum",
        ("spot",),
        "momentum",
        "binance_spot",
        {"base_lots": 100, "max_lots": 500},
        every_ns=100_000_000,
    ),
    # view[0] is spot, view[1] the perpetual: 100 lots of 0.00001 BTC against one of 0.001. Without
    # `end` the second half would run on a perpetual that is silent, and be refused as stale.
    Case(
        "spot_against_usdm",
        ("usdm", "spot"),
        "arbitrage",
        "binance_usdm",
        {"lots_0": 100, "lots_1": 1},
        symbols=("binance-spot:BTCUSDT", "binance-usdm:BTCUSDT"),
        end="2024-08-09T00:00:00Z",
    ),
    # The tape begins in the pre-open of 22:00 UTC with a crossed book; quoting begins at the open.
    Case(
        "es_two_sided",
        ("es",),
        "two_sided",
        "cme",
        {"limit": 5},
        fees={"per_lot": "1.38"},
        start="2023-12-25T23:00:00Z",
    ),
    Case(
        "aapl_making",
        ("aapl",),
        "market_making",
        "nasdaq",
        {"lots": 10, "max_inventory": 100},
        fees={"per_lot": "0.0035"},
    ),
    # The whole days, before and after hours too, where the quotes are silent for minutes and new
    # risk is refused until they come back; a slow clock keeps that from being most intents.
    Case(
        "bac_week",
        ("bac",),
        "two_sided",
        "nasdaq",
        {"limit": 500, "lots": 100},
        every_ns=1_000_000_000,
        fees={"per_lot": "0.0035"},
    ),
)
