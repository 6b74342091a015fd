"""Is a fault in one row of a thousand found, harmless, or another market that could have been?

`python -m benchmarks.mutations` (`make mutations`) changes a small recording by every kind of
`mutation_kinds` and with every seed, and replays it with four strategies. A case is found when
ingest *refuses* it or *counts* more findings than in the good recording; *harmless* when fills,
orders and equity equal those of the good one; else it is *another market*, and its kind has to say
why. It prints a line a kind with the P&L that the others moved (`--page FILE` writes them as a
page too), and ends with 1 where one is unexplained.
"""

import argparse
import gzip
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.mutation_kinds import CELLS, KINDS, mutated
from benchmarks.mutation_page import (
    BROKEN,
    COUNTED,
    HARMLESS,
    OTHER,
    REFUSED,
    UNEXPLAINED,
    Tally,
    lines,
    page,
)
from hft.core.codes import EventKind, StepKind, Tif
from hft.core.errors import ConfigError, DataError, HftError
from hft.core.instruments import Instrument
from hft.feeds.base import DecodeOptions
from hft.feeds.findings import LIMITS
from hft.feeds.frame import decode_frame
from hft.feeds.synthetic import synthesize
from hft.gateway.limits import Limits
from hft.replay.run import drive
from hft.runs.ingest import read_feeds, write_feeds
from hft.runs.job import Job
from hft.runs.prepare import prepare
from hft.runs.venues import Venue
from hft.strategies.base import Strategy, strategy
from hft.tape.schema import Columns, Feed

SECOND = 1_000_000_000
IOC = Tif.IOC.value
ONES = (Decimal(1), Decimal(1))
TICK, LOT = Decimal("0.01"), Decimal("0.00001")  # of Binance's BTCUSDT


@strategy(every="200ms")
def quoting(view, order, p, s):  # type: ignore[no-untyped-def]
    """One lot at each touch."""
    if view.book_valid:
        order.quote(0, view.bid_tick, 1)
        order.quote(1, view.ask_tick, 1)


@strategy(every="500ms", state={"n": 0})
def taking(view, order, p, s):  # type: ignore[no-untyped-def]
    """A crossing IOC order a wake-up, three buys and three sells in turn."""
    if not view.book_valid:
        return
    n = s["n"]
    s["n"] = n + 1
    if (n // 3) % 2 == 0:
        order.new(0, view.ask_tick + 2, 1 + n % 4, IOC)
    else:
        order.new(1, view.bid_tick - 2, 1 + n % 4, IOC)


@strategy(every="300ms", state={"last": 0})
def following(view, order, p, s):  # type: ignore[no-untyped-def]
    """A target position of three lots in the direction of the last move of the mid."""
    if not view.book_valid:
        return
    mid2 = view.bid_tick + view.ask_tick
    if mid2 > s["last"]:
        order.target(3)
    elif mid2 < s["last"]:
        order.target(-3)
    s["last"] = mid2


@strategy(every="400ms", state={"n": 0})
def layering(view, order, p, s):  # type: ignore[no-untyped-def]
    """Orders behind the touch that are left to rest; all are cancelled at every eighth wake-up."""
    if not view.book_valid:
        return
    n = s["n"]
    s["n"] = n + 1
    if n % 8 == 7:
        order.cancel_all()
    elif n % 2 == 0:
        order.new(0, view.bid_tick - n % 3, 1 + n % 3)
    else:
        order.new(1, view.ask_tick + n % 3, 1 + n % 3)


STRATEGIES: dict[str, Strategy] = {one.name: one for one in (quoting, taking, following, layering)}


@dataclass
class Kept:
    """A sink that keeps what a run did: orders at the venue, answers, fills and equity."""

    parts: list[tuple[np.ndarray, ...]] = field(default_factory=list)

    def take(
        self, steps: np.ndarray, fills: np.ndarray, equity: np.ndarray, series: np.ndarray
    ) -> None:
        self.parts.append((steps.copy(), fills.copy(), equity.copy()))

    def behaviour(self) -> tuple[bytes, bytes, bytes]:
        """Orders and answers, fills and equity as bytes, without counters of tape rows."""
        steps, fills, equity = (np.concatenate(part) for part in zip(*self.parts, strict=True))
        said = np.isin(steps["kind"], (StepKind.ARRIVAL, StepKind.FILL, StepKind.RESPONSE))
        names = ["ts_ns", "kind", "order_id", "code", "side", "price", "qty"]
        orders = np.stack([steps[said][name].astype(np.int64) for name in names])
        return orders.tobytes(), fills.tobytes(), equity.tobytes()


@dataclass(frozen=True)
class Replayed:
    """What one strategy did on one recording; `net` is in units of money."""

    behaviour: tuple[bytes, bytes, bytes]
    net: float
    fills: int


@dataclass(frozen=True)
class Market:
    """A good recording; `levels` are the rows of an own frame, for faults of cells."""

    name: str
    feed: Feed
    about: str
    queue: str = "risk_averse"
    levels: pl.DataFrame | None = None


def replayed(feed: Feed, queue: str, folder: Path) -> tuple[dict[str, int], dict[str, Replayed]]:
    """Findings of ingest and what each strategy did. Raises: HftError for a refused feed."""
    copy = Columns(*(column.copy() for column in feed.columns))
    again = Feed(feed.instrument, copy, list(feed.findings), dict(feed.source))
    tapes = write_feeds([again], folder, DecodeOptions(format="frame"))
    found = {one.name: one.count for tape in tapes for one in tape.findings}
    did = {}
    for name, one in STRATEGIES.items():
        venue = Venue("3ms", queue=queue, fees={"maker_bps": "0", "taker_bps": "1"}, fills="capped")
        session, _, digits = prepare(Job(tapes, {name: one}, venue, Limits.off()), "full")
        kept = Kept()
        drive(session, kept)
        rows = session.engine.trading.positions
        net = int((rows["realized_money"] + rows["marked_money"] - rows["fees_money"]).sum())
        did[name] = Replayed(kept.behaviour(), net / 10**digits, int(rows["fills"].sum()))
    return found, did


def binance(shared: Path, folder: Path, lines: int) -> Market:
    """The first messages of a recorded spot day."""
    source = shared / "binance_raw_btc_20240808" / "spot_btcusdt_20240808.gz"
    path = folder / source.name
    with gzip.open(source) as given, gzip.open(path, "wb", 1) as kept:
        for _, line in zip(range(lines), given, strict=False):
            kept.write(line)
    feeds, _ = read_feeds(
        path, DecodeOptions(format="binance-spot", tick=TICK, lot=LOT, clock_fix=True)
    )
    feed = feeds[0]
    # The recorder's clock is behind by a second; repaired once, or every mutation would hide in it.
    late = feed.columns.local_ts + max(0, int((feed.columns.exch_ts - feed.columns.local_ts).max()))
    repaired = Feed(feed.instrument, feed.columns._replace(local_ts=late))
    return Market("binance", repaired, "recorded, BTCUSDT spot 2024-08-08")


def lobster(shared: Path, rows: int) -> Market:
    """The first messages of a recorded hour, order by order."""
    source = (
        shared / "lobster_aapl_20120621" / ("AAPL_2012-06-21_34200000_37800000_message_50.csv.gz")
    )
    feed = read_feeds(source, DecodeOptions(symbol="AAPL", tick=TICK, lot=Decimal(1)))[0][0]
    head = Columns(*(column[:rows].copy() for column in feed.columns))
    about = "recorded order by order, AAPL 2012-06-21"
    return Market("lobster", Feed(feed.instrument, head), about, "fifo")


def own_frame(feed: Feed) -> pl.DataFrame:
    """The rows of a feed as a frame of the user's own columns."""
    columns, instrument = feed.columns, feed.instrument
    sides = np.array(["buy", "sell", None])
    return pl.DataFrame(
        {
            "ts": columns.exch_ts,
            "local_ts": columns.local_ts,
            "kind": [EventKind(int(kind)).name.lower() for kind in columns.kind],
            "side": sides[columns.side].tolist(),
            "price": (columns.price * float(instrument.tick)).round(2),
            "qty": columns.qty * float(instrument.lot),
        }
    )


def framed(frame: pl.DataFrame, instrument: Instrument) -> Feed:
    """A frame decoded by the user's own door."""
    options = DecodeOptions(
        symbol=instrument.symbol, tick=Decimal(str(instrument.tick)), lot=Decimal(1)
    )
    return decode_frame(frame, options)[0]


def markets(events: int, shared: Path | None, folder: Path) -> Iterator[Market]:
    """Synthetic levels, orders and a frame; with recordings the first rows of two of them."""
    span = events * SECOND // 20
    yield Market("l2", synthesize(1, events=events, span_ns=span), "synthetic levels")
    orders = synthesize(2, events=events, span_ns=span, kind="l3")
    yield Market("l3", orders, "synthetic orders", "fifo")
    levels = own_frame(synthesize(3, events=events, span_ns=span))
    book = Instrument(symbol="FRAME", tick=Decimal("0.01"), lot=Decimal(1))
    yield Market("frame", framed(levels, book), "a data frame, faults of cells", levels=levels)
    if shared is not None:
        yield binance(shared, folder, 4 * events)
        yield lobster(shared, 2 * events)


def described(market: Market, good: tuple[dict[str, int], dict[str, Replayed]]) -> str:
    """A line about a good recording."""
    rows, seconds = len(market.feed.columns.kind), int(np.ptp(market.feed.columns.local_ts)) / 1e9
    fills = sum(one.fills for one in good[1].values())
    net = ", ".join(f"{name} {one.net:+.4g}" for name, one in good[1].items())
    counted = ", ".join(f"{name} {count}" for name, count in good[0].items()) or "none"
    return (
        f"{market.name} ({market.about}): {rows} rows, {seconds:.0f} s, {fills} fills, "
        f"net {net}; findings: {counted}"
    )


def cases(market: Market, kinds: Sequence[str], seed: int) -> Iterator[tuple[str, Feed | str]]:
    """Each kind's mutated feed, or the sentence with which the decoder refused its frame."""
    for kind in kinds:
        if kind in KINDS and market.levels is None:
            columns = mutated(market.feed.columns, kind, seed)
            if columns is not None:
                yield kind, Feed(market.feed.instrument, columns, list(market.feed.findings))
        elif kind in CELLS and market.levels is not None:
            try:
                yield kind, framed(_with_cells(market.levels, kind, seed), market.feed.instrument)
            except HftError as error:
                yield kind, str(error)


def _with_cells(frame: pl.DataFrame, kind: str, seed: int) -> pl.DataFrame:
    column, value = CELLS[kind]
    rng = np.random.Generator(np.random.Philox(key=[seed, list(CELLS).index(kind)]))
    at = rng.choice(frame.height, max(1, frame.height // 1000), replace=False)
    cells = frame[column].to_list()
    for k in at:
        cells[k] = value
    return frame.with_columns(pl.Series(column, cells, frame[column].dtype))


def judge(
    kind: str,
    given: Feed | str,
    market: Market,
    good: tuple[dict[str, int], dict[str, Replayed]],
    tally: Tally,
    folder: Path,
) -> None:
    """One mutated recording with every strategy. Mutates: tally."""
    cases = len(STRATEGIES)
    if isinstance(given, str):
        tally.counts[REFUSED] += cases
        tally.by["the decoder"] += 1
        return
    try:
        found, did = replayed(given, market.queue, folder)
    except (DataError, ConfigError) as error:  # any other error is one of the replay itself
        tally.counts[REFUSED] += cases
        tally.by[_reason(str(error))] += 1
        return
    except Exception as error:
        tally.counts[BROKEN] += cases
        tally.first = tally.first or f"{market.name}: {type(error).__name__}: {error}"
        return
    more = [name for name, count in found.items() if count > good[0].get(name, 0)]
    if more:
        tally.by[f"`{more[0]}`"] += 1
    other = OTHER if kind in KINDS and KINDS[kind].other else UNEXPLAINED
    for name, run in did.items():
        known = good[1][name]
        same = run.behaviour == known.behaviour
        outcome = COUNTED if more else HARMLESS if same else other
        tally.counts[outcome] += 1
        if outcome in (OTHER, UNEXPLAINED):
            tally.effects.append(abs(run.net - known.net))
            if outcome == UNEXPLAINED:
                tally.first = tally.first or f"{market.name}, {name}: {run.net - known.net:+.4f}"


def measure(
    events: int,
    seeds: Sequence[int],
    shared: Path | None,
    kinds: Sequence[str] = (),
    only: Sequence[str] = (),
    goods: list[str] | None = None,
) -> dict[str, Tally]:
    """Every kind x seed x market x strategy; `kinds` and `only` (markets) leave others out.

    Mutates: goods, a line about each good recording.
    """
    tallies: dict[str, Tally] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for market in markets(events, shared, folder):
            if only and market.name not in only:
                continue
            good = replayed(market.feed, market.queue, folder / "tape")
            about = described(market, good)
            print(about, flush=True)
            if goods is not None:
                goods.append(about)
            for seed in seeds:
                for kind, given in cases(market, kinds or [*KINDS, *CELLS], seed):
                    judge(
                        kind,
                        given,
                        market,
                        good,
                        tallies.setdefault(kind, Tally()),
                        folder / "tape",
                    )
    return tallies


def _reason(sentence: str) -> str:
    """The finding that a refusal names, or what it says of a row."""
    said = [part.split(";")[0] for part in sentence.split(": ")[1:]] or [sentence]
    return f"`{said[0]}`" if said[0] in LIMITS else said[0]


SYNTHETIC_ONLY = "markets made here only: neither --data nor HFT_TEST_DATA names recorded ones"


def main() -> int:
    """Print the table. Returns: 1 where a case is unexplained or broke the replay."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--events", type=int, default=2_000)
    parser.add_argument("--data", type=Path, default=os.environ.get("HFT_TEST_DATA"))
    parser.add_argument("--markets", nargs="*", default=())
    parser.add_argument("--page", type=Path)
    given = parser.parse_args()
    began = time.perf_counter()
    shared = given.data if given.data is not None and given.data.is_dir() else None
    goods: list[str] = []
    tallies = measure(given.events, range(given.seeds), shared, only=given.markets, goods=goods)
    for line in lines(tallies):
        print(line)
    if given.page:
        given.page.write_text(page(tallies, given.seeds, goods), encoding="utf-8")
    print(f"{time.perf_counter() - began:.0f} s" + ("" if shared else f"; {SYNTHETIC_ONLY}"))
    return int(any(t.counts[UNEXPLAINED] + t.counts[BROKEN] for t in tallies.values()))


if __name__ == "__main__":
    sys.exit(main())
