"""Is the advice that a refused run gives any good? `make advice-check`.

Runs of all kinds of limits on synthetic and recorded markets that are refused much: the change that
the card advises is applied, the run is repeated, and what is still refused is counted. Good advice
takes away at least half of what it announced; it is bad when more is refused than before. Ends with
1 when one is bad, or good ones are fewer than `SHARE` of all.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import hft
from hft.runs.folder.layout import ADVICE
from hft.runs.ingest import synthetic
from hft.tape.dataset import Tapes
from tests.simulation.recorded_twin import RECORDINGS, folder

SHARE = 0.9
HALF = 0.5
HOUR_S, MINUTES_10_S = 3_600, 600


@hft.strategy(every="100ms", params=dict(lots=1, away=0))
def quoting(view, order, p, s):  # type: ignore[no-untyped-def]
    """Rests on both sides, `away` ticks behind the best price."""
    if view.book_valid:
        order.quote(hft.BUY, view.bid_tick - p["away"], p["lots"])
        order.quote(hft.SELL, view.ask_tick + p["away"], p["lots"])


@hft.strategy(every="500ms", params=dict(lots=1, turn=40), state=dict(k=0))
def swinging(view, order, p, s):  # type: ignore[no-untyped-def]
    """Buys for a while, then sells as long: positions grow and go."""
    if view.book_valid:
        s["k"] += 1
        if (s["k"] // p["turn"]) % 2 == 0:
            order.new(hft.BUY, view.ask_tick, p["lots"], hft.IOC)
        else:
            order.new(hft.SELL, view.bid_tick, p["lots"], hft.IOC)


@hft.strategy(every="200ms", params=dict(lots=1, reach=30), state=dict(k=0))
def reaching(view, order, p, s):  # type: ignore[no-untyped-def]
    """Rests far from the market, a little farther each time, and takes it back."""
    if view.book_valid:
        s["k"] += 1
        order.cancel_all()
        order.new(hft.BUY, view.bid_tick - s["k"] % p["reach"], p["lots"])


@hft.strategy(every="1s", params=dict(away=12))
class Stacking:
    """Python, which is not run again to find advice."""

    def __init__(self, away: int) -> None:
        self.away = away

    def on_wake(self, view: Any, order: Any) -> None:
        if view.book_valid:
            order.quote(hft.BUY, view.bid_tick - self.away, 1)


@dataclass(frozen=True)
class Case:
    """A run that is refused: on which market, by what, under which limits."""

    name: str
    market: str
    strategy: Any
    limits: Mapping[str, Any]
    base: str = "research"
    params: Mapping[str, Any] = field(default_factory=dict)


CASES = (
    Case("position", "synthetic", swinging, {"max_position_size": 3}),
    Case(
        "position of one symbol",
        "synthetic",
        swinging,
        {"symbols.SYNTH.max_long": 4, "symbols.SYNTH.max_short": 4},
    ),
    Case("order size", "synthetic", swinging, {"symbols.*.max_order_size": 2}, params={"lots": 3}),
    Case(
        "band",
        "synthetic",
        reaching,
        {"risk.price_band_ticks": 6, "risk.price_band_bps": 0, "risk.price_band_spreads": 0},
    ),
    Case("orders a second", "synthetic", quoting, {"risk_limits.orders_per_second": 1}),
    Case("orders a minute", "synthetic", quoting, {"risk_limits.orders_per_minute": 2}),
    Case(
        "both rates",
        "synthetic",
        swinging,
        {"risk_limits.orders_per_second": 1, "risk_limits.orders_per_minute": 30},
    ),
    Case(
        "order notional",
        "synthetic",
        swinging,
        {"risk.max_order_notional": 150},
        params={"lots": 2},
    ),
    Case("notional", "synthetic", swinging, {"risk_limits.max_notional": 500}),
    Case("all exposure", "synthetic", swinging, {"HFT_EXPOSURE_GLOBAL_MAX_NOTIONAL": 500}),
    Case("strategy exposure", "synthetic", swinging, {"strategies.swinging.max_notional": 400}),
    Case("leaf exposure", "synthetic", swinging, {"strategies.swinging.max_leaf_notional": 400}),
    Case("net lots", "synthetic", swinging, {"strategies.swinging.max_net_qty": 3}),
    Case("price cap", "synthetic", quoting, {"risk.max_price_cap": 100}),
    Case(
        "sanity of lots", "synthetic", swinging, {"risk.fast_gate.max_qty": 2}, params={"lots": 3}
    ),
    Case("repeated fills", "synthetic", swinging, {"risk.repeated_execution_count": 1}),
    Case("position, size", "usdm", swinging, {"max_position_size": 2}, params={"lots": 2}),
    Case(
        "band",
        "usdm",
        quoting,
        {"risk.price_band_ticks": 2, "risk.price_band_bps": 0, "risk.price_band_spreads": 0},
        params={"away": 20},
    ),
    Case(
        "feed gap",
        "es",
        quoting,
        {"storm_guard.feed_gap_s": 1, "HFT_STORMGUARD_STORM_COOLDOWN_S": 5},
    ),
    Case("position", "aapl", swinging, {"max_position_size": 3}),
    Case("notional", "aapl", swinging, {"risk_limits.max_notional": 2000}),
    Case("rate", "bac", quoting, {"risk_limits.orders_per_second": 1}),
    Case("stale reference", "bac", quoting, {"risk.reference_max_age_ms": 20}),
    Case("order size", "spot", quoting, {"symbols.*.max_order_size": 1}, params={"lots": 4}),
    Case("position", "spot", quoting, {"max_position_size": 1}),
    Case(
        "Python, band",
        "synthetic",
        Stacking,
        {"risk.price_band_ticks": 2, "risk.price_band_bps": 0, "risk.price_band_spreads": 0},
    ),
)


@dataclass(frozen=True)
class Outcome:
    """What was announced and what came of it."""

    case: Case
    reason: str
    before: int
    announced: int | None
    after: int | None
    text: str

    @property
    def verdict(self) -> str:
        if self.announced is None or self.after is None:
            return "no advice"
        if self.after > self.before:
            return "WORSE"
        return "good" if self.before - self.after >= HALF * self.announced > 0 else "too little"

    def line(self) -> str:
        figures = (self.before, self.announced, self.after)
        cells = [f"{'-' if figure is None else figure:>9}" for figure in figures]
        name = f"{self.case.market} {self.case.name}"
        return f"{name:34} {self.reason:26} {' '.join(cells)}  {self.verdict}\n    {self.text}"


class Markets:
    """The tapes of the cases, made or ingested once; ten minutes of a recording are run."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self._made: dict[str, Tapes] = {}

    def __call__(self, name: str) -> Tapes:
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def _make(self, name: str) -> Tapes:
        if name == "synthetic":
            return synthetic(events=60_000, seed=3, out=self.out / name)
        (recording,) = [one for one in RECORDINGS if one.name == name]
        files = [folder() / file for file in recording.files]
        return hft.ingest(files, self.out / name, **recording.options)


def outcome(case: Case, tapes: Tapes, out: Path) -> Outcome:
    """One case: run, take the advice, run again."""
    limits = hft.Limits.load(case.base).replace(**case.limits)
    given: dict[str, Any] = {"params": dict(case.params) or None, "out": out, "fresh": True}
    given |= {"venue": hft.Venue(latency="1ms")}
    given["start"], given["end"] = _span(case.market, tapes)
    run = hft.replay(tapes, case.strategy, limits=limits, **given)
    before = int(run.metrics.get_value("refused") or 0)
    table = run.view().refusals
    reason = str(table["reason"][0]) if table is not None and table.height else ""
    path = run.path / ADVICE
    found = json.loads(path.read_text()) if path.is_file() else {}
    text, changes = str(found.get("text", "")), found.get("changes")
    if not changes:
        return Outcome(case, reason, before, None, None, text)
    again = hft.replay(tapes, case.strategy, limits=limits.replace(**changes), **given)
    after = int(again.metrics.get_value("refused") or 0)
    return Outcome(case, reason, before, before - int(found["left"]), after, text)


def _span(market: str, tapes: Tapes) -> tuple[str | None, str]:
    """An hour of a made market, ten minutes of a recording: from its open where that is named."""
    first = tapes.span[0]
    if market == "synthetic":
        return None, datetime.fromtimestamp(first / 1e9 + HOUR_S, UTC).isoformat()
    (recording,) = [one for one in RECORDINGS if one.name == market]
    start = None
    if recording.opens is not None:
        day = datetime.fromtimestamp(first / 1e9, UTC).date().isoformat()
        start = recording.opens if "T" in recording.opens else f"{day}T{recording.opens}"
        first = int(datetime.fromisoformat(start).timestamp() * 1e9)
    return start, datetime.fromtimestamp(first / 1e9 + MINUTES_10_S, UTC).isoformat()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.advice_check", description=__doc__)
    parser.add_argument("-k", default="", help="cases whose market and name have these words")
    chosen = parser.parse_args(arguments)
    cases = [case for case in CASES if chosen.k in f"{case.market} {case.name}"]
    if not folder().is_dir():
        cases = [case for case in cases if case.market == "synthetic"]
        print("no recorded markets (HFT_TEST_DATA names their folder): synthetic ones alone")
    heads = ("refused", "announced", "after")
    print(f"{'run':34} {'mostly':26} {' '.join(f'{head:>9}' for head in heads)}  verdict")
    with tempfile.TemporaryDirectory() as name:
        markets = Markets(Path(name))
        found = []
        for k, case in enumerate(cases):
            found.append(outcome(case, markets(case.market), Path(name) / f"runs-{k}"))
            print(found[-1].line(), flush=True)
    return judged(found)


def judged(found: Sequence[Outcome]) -> int:
    """The last line, and the exit code."""
    good = sum(one.verdict == "good" for one in found)
    worse = sum(one.verdict == "WORSE" for one in found)
    print(f"good {good} of {len(found)}, worse {worse}")
    return 0 if worse == 0 and good >= SHARE * len(found) else 1


if __name__ == "__main__":
    sys.exit(main())
