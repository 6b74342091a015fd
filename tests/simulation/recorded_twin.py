"""`make fuzz-engine-recorded`: recorded markets in the engine and in its twin, until one differs.

Of each recording the first ten minutes (and ten from its open, where the first hold a snapshot
only), with each of four aggressive strategies and each queue model that the tape allows, every
limit off: steps, fills, sights and equity must be equal. Prints a row a tape and strategy; exit
code 1 when one differs, 2 when there are no recordings.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import hft
from hft.core.errors import ConfigError, DataError
from hft.gateway.limits import Limits
from hft.replay.build import Session
from hft.runs.durations import when
from hft.runs.job import Job
from hft.runs.prepare import prepare
from hft.runs.venues import Venue as UserVenue
from hft.strategies.base import Strategy
from hft.tape.dataset import Tapes
from hft.tape.reader import Tape
from hft.tape.sessions import sessions_of
from hft.venue.model import Latency
from tests.naive.engine.aggressors import AGGRESSORS, aggressive, aggressor
from tests.naive.engine.house import House
from tests.naive.engine.markets import QUEUES, Market, Row, Venue
from tests.twin_world import OWN, difference, engine_records, twin_records

ROOT = Path(__file__).resolve().parents[2]
MINUTE = 60_000_000_000
DAY = 86_400_000_000_000
MINUTES_10 = 10 * MINUTE
LEGS = {
    "entry": ("constant", 2_000_000, 0, ()),
    "amend": ("constant", 3_000_000, 0, ()),
    "cancel": ("constant", 1_000_000, 0, ()),
    "response": ("uniform", 500_000, 1_000_000, ()),
}

BINANCE, TARDIS = "binance_raw_btc_20240808", "tardis_csv_snippets"
CLOCK: Mapping[str, Any] = {"clock_fix": True}
BTC: Mapping[str, Any] = {"symbol": "BTCUSDT", "tick": "0.1", "lot": "0.001"}


@dataclass(frozen=True)
class Recording:
    """Files below the folder of recordings, what ingest is told, and where a second part begins."""

    name: str
    files: tuple[str, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    opens: str | None = None


RECORDINGS = (
    Recording("usdm", (f"{BINANCE}/usdm_btcusdt_20240808.gz",), CLOCK),
    Recording(
        "coinm",
        (f"{BINANCE}/cm_btcusd_perp_20240808.gz", f"{BINANCE}/cm_btcusd_perp_20240809.gz"),
        CLOCK,
    ),
    Recording(
        "spot",
        (f"{BINANCE}/spot_btcusdt_20240808.gz", f"{BINANCE}/spot_btcusdt_20240809.gz"),
        CLOCK,
    ),
    Recording("usdm 2023", ("hftbacktest_npz_btcusdt_20230404/btcusdt_20230404.dat.gz",), CLOCK),
    Recording("npz", ("hftbacktest_npz_btcusdt_20230404/btcusdt_20230404_mt.npz",), BTC),
    Recording(
        "es",
        ("databento_dbn_es/esh4-glbx-mdp3-20231225.mbo.dbn.zst",),
        opens="2023-12-25T23:00:00Z",
    ),
    Recording("es snapshot", ("databento_dbn_es/esh4-glbx-mdp3-20231224.mbo.dbn.zst",)),
    Recording(
        "es quotes",
        (
            "databento_dbn_es/futures_mbp-1_2024-07-01T23-58_2024-07-02T00-02.dbn.zst",
            "databento_dbn_es/futures_definition.dbn.zst",
        ),
    ),
    Recording(
        "aapl", ("lobster_aapl_20120621/AAPL_2012-06-21_34200000_37800000_message_50.csv.gz",)
    ),
    Recording("bac", ("lean_us_equity_tick_201310/bac",), opens="13:30:00Z"),
    Recording("aig", ("lean_us_equity_tick_201310/aig",), opens="13:30:00Z"),
    Recording(
        "eurusd",
        ("lean_fx_tick_201405/fxcm_eurusd",),
        {"tick": "0.00001", "lot": "1000", "waive": ("crossed_book",)},
    ),
    Recording(
        "deribit",
        (f"{TARDIS}/deribit_incremental_book_L2_BTC-PERPETUAL.csv",),
        {"tick": "0.5", "lot": "10"},
    ),
    Recording(
        "huobi",
        (f"{TARDIS}/huobi-dm-swap_quotes_BTC-USD.csv",),
        {"tick": "0.1", "lot": "1"},
    ),
    *(
        Recording(
            f"tardis {n}",
            (f"{TARDIS}/binance-futures_book_snapshot_{n}_BTCUSDT.csv",),
            {"tick": "0.01", "lot": "0.001"},
        )
        for n in (5, 25)
    ),
)


@dataclass(frozen=True)
class Part:
    """Some minutes of one tape."""

    recording: str
    day: str
    tape: Tape
    start_ns: int | None
    end_ns: int

    @property
    def by_order(self) -> bool:
        return bool(self.tape.summary.get("orders_max"))


def folder() -> Path:
    """The folder of recorded markets."""
    given = os.environ.get("HFT_TEST_DATA")
    return Path(given) if given else ROOT.parent / "shared" / "data"


def parts(recording: Recording, out: Path, span_ns: int = MINUTES_10) -> Iterator[Part]:
    """The first minutes of each tape of a recording, ingested into `out`, and those of its open."""
    files = [folder() / file for file in recording.files]
    for tape in hft.ingest(files, out, **recording.options):
        first = tape.span[0]
        yield Part(recording.name, tape.day, tape, None, first + span_ns)
        if recording.opens is not None:
            text = recording.opens if "T" in recording.opens else f"{tape.day}T{recording.opens}"
            opens = when(text, "opens")
            assert opens is not None
            yield Part(recording.name, f"{tape.day} open", tape, opens, opens + span_ns)


@cache
def rows_of(tape: Tape, end_ns: int) -> list[Row]:
    """The rows of a tape until a time by either clock."""
    found = []
    for columns in tape.batches():
        wanted = (columns.exch_ts <= end_ns) | (columns.local_ts <= end_ns)
        values = (column[wanted].tolist() for column in columns)
        found += [Row(*row) for row in zip(*values, strict=True)]
    return found


def _sessions(tape: Tape) -> list[tuple[int, int]] | None:
    """The sessions of a tape's calendar; None where it has none."""
    found = sessions_of(tape.instrument.calendar)
    if found is None:
        return None
    near = found.between(tape.span[0] - DAY, tape.span[1] + DAY)
    return list(zip(near.open_ns.tolist(), near.close_ns.tolist(), strict=True))


def _hours(tape: Tape) -> list[tuple[int, int]] | None:
    """The open hours of a tape's calendar; None where it has none, or the tape tells its phase."""
    return None if tape.summary["kinds"]["status"] > 0 else _sessions(tape)


def _days(tape: Tape) -> tuple[int, ...] | None:
    """When the sessions of a tape's calendar begin; None where it has none."""
    found = _sessions(tape)
    return None if found is None else tuple(begin for begin, _ in found)


def market_of(part: Part, strategy: str, queue: str) -> Market:
    """One run of a recording, in the words of the twin."""
    first, last = part.tape.span
    return Market(
        *(0, "recorded", [UserVenue().charge(part.tape.instrument)]),
        *([rows_of(part.tape, part.end_ns)], [aggressor(strategy)], Venue(queue, legs=LEGS)),
        start_ns=part.start_ns,
        end_ns=part.end_ns,
        hours=[_hours(part.tape)],
        house=House({}, slots=1 << 30, days=_days(part.tape)),
        equity_every_ns=max(1_000_000, (last - first) // 100_000),
    )


def compared(part: Part, strategy: str, queue: str) -> tuple[str | None, int, int]:
    """One run in both worlds. Returns: where they differ, how many steps and how many fills."""
    made = market_of(part, strategy, queue)

    def session_for(market: Market, strategies: list[Strategy]) -> Session:
        legs = {name: Latency(*leg) for name, leg in market.venue.legs.items()}
        venue = UserVenue(legs, OWN if queue == "own" else queue)
        named = {one.name: one for one in strategies}
        job = Job(
            *(Tapes([part.tape]), named, venue, Limits.off()),
            start_ns=part.start_ns,
            end_ns=part.end_ns,
        )
        return prepare(job, "full")[0]

    engine = engine_records(made, aggressive, session_for)
    twin = twin_records(made, aggressive)
    return difference(engine, twin), len(twin.steps), len(twin.fills)


def queues_of(part: Part) -> tuple[str, ...]:
    return tuple(queue for queue in QUEUES if queue != "fifo" or part.by_order)


def row_of_table(part: Part, strategy: str) -> tuple[str, str | None]:
    """One strategy on one part with every queue model: a line, and the first difference."""
    steps, cells, differs = 0, [], None
    began = time.monotonic()
    for queue in queues_of(part):
        found, count, fills = compared(part, strategy, queue)
        steps += count
        cells.append(f"{queue} {fills}" if found is None else f"{queue} DIFFERS")
        differs = differs or found
    name, spent = f"{part.recording} {part.day}", time.monotonic() - began
    return f"{name:26} {strategy:9} {steps:8} {spent:5.0f} s  {', '.join(cells)}", differs


def every_row(recording: Recording, span_ns: int) -> list[str]:
    """Print the lines of one recording as they are done. Returns: what differs."""
    differ = []
    with tempfile.TemporaryDirectory() as out:
        for part in parts(recording, Path(out) / "tapes", span_ns):
            rows = len(rows_of(part.tape, part.end_ns))
            print(f"{recording.name} {part.day}: {rows} rows", flush=True)
            for strategy in AGGRESSORS:
                try:
                    line, found = row_of_table(part, strategy)
                except (ConfigError, DataError) as reason:  # no replay has such a tape
                    print(f"{recording.name} {part.day}: not replayed: {reason}", flush=True)
                    break
                print(line, flush=True)
                differ += [f"{line}\n{found}"] if found is not None else []
        rows_of.cache_clear()
    return differ


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=10, help="of each tape and opening")
    parser.add_argument("names", nargs="*", help="recordings; all of them when none is given")
    args = parser.parse_args(argv)
    if not folder().is_dir():
        print(f"no recorded markets in {folder()}: set HFT_TEST_DATA to a folder that has them")
        return 2
    wanted = [one for one in RECORDINGS if not args.names or one.name in args.names]
    print(f"the first {args.minutes:g} minutes of each tape and opening")
    print(f"{'tape':26} {'strategy':9} {'steps':>8}         fills by queue model", flush=True)
    differ: list[str] = []
    with ProcessPoolExecutor(args.processes) as pool:
        spans = [round(args.minutes * MINUTE)] * len(wanted)
        for found in pool.map(every_row, wanted, spans):
            differ += found
    print("\n".join(differ) or "engine and twin are equal on every tape")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
