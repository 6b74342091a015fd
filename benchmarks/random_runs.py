"""No sentinel, NaN or infinity in any frame, card or page of random runs.

`python -m benchmarks.random_runs` (`make random-runs`) replays 500 random markets (levels, orders,
quotes alone, one-sided stretches, empty sides, inverse contracts, two instruments) with random
strategies, venues, queues, limits, faults and control inputs,
and reads every numeric column of every frame, every figure of the card and the text of the page.
It prints what it found and ends with 1 where there is anything.
"""

import argparse
import itertools
import json
import math
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl

import hft
from hft.core.codes import EventKind
from hft.core.errors import HftError
from hft.feeds.base import DecodeOptions
from hft.feeds.synthetic import synthesize
from hft.runs.ingest import write_feeds
from hft.runs.result import Run
from hft.tape.dataset import Tapes
from hft.tape.schema import Columns, Feed

SECOND = 1_000_000_000
MOST = 2**55
FORMS = ("l2", "l3", "quotes", "one-sided", "emptied", "no trades", "short", "inverse", "two")
QUEUES = ("risk_averse", "prob_log", "prob_sqrt", "prob_power", "fifo")
FRAMES = (
    *("fills", "orders", "decisions", "events", "equity", "positions", "series", "trips"),
    *("controls", "logs", "refusals", "costs", "markouts", "daily"),
)
NO_NUMBER = re.compile(
    r"(?<![\w.])[-+]?(?:nan|inf|infinity)(?![\w])|9223372036854775\d{3}|4611686018427387\d{3}"
    r"|\b1152921504606846\d{3}\b|\de\+(?:1[7-9]|[2-9]\d)\b|\b\d{1,3}(?:,\d{3}){5,}\b"
)
WORDS = re.compile(r"<style.*?</style>|<script(?! type=.application/json).*?</script>", re.S)


@hft.strategy(every="300ms", params={"seed": 1, "idle": 0, "blind": 1}, state={"x": 0}, track=["x"])
def wandering(view, order, p, s):  # type: ignore[no-untyped-def]
    """Anything at all; `blind` acts on a book that is not valid too, `idle` does nothing."""
    if p["idle"] == 1 or (p["blind"] == 0 and not view.book_valid):
        return
    s["x"] = ((s["x"] + p["seed"]) * 1_103_515_245 + 12_345) % 2_147_483_648
    roll = (s["x"] >> 8) % 64
    side = roll & 1
    best = view.bid_tick if side == 0 else view.ask_tick
    if roll < 20:
        order.new(side, best - roll % 3 if side == 0 else best + roll % 3, 1 + roll % 5)
    elif roll < 30:
        order.new(side, view.ask_tick + 2 if side == 0 else view.bid_tick - 2, 1 + roll % 9, 1)
    elif roll < 50:
        order.quote(side, best, roll % 4)
    elif roll < 56:
        order.cancel_all()
    else:
        order.target(roll % 9 - 4)


def market(rng: np.random.Generator, seed: int, folder: Path) -> tuple[str, Tapes]:
    """A small random market of one of the forms."""
    form = FORMS[int(rng.integers(len(FORMS)))]
    events = 40 if form == "short" else int(rng.integers(150, 700))
    kind = "l3" if form == "l3" else "l2"
    feed = synthesize(
        seed,
        events=events,
        span_ns=events * SECOND // 8,
        kind=kind,  # type: ignore[arg-type]
        mid_tick=int(rng.choice([1_000, 10_000, 5_000_000])),
    )
    columns = feed.columns
    kept = np.ones(len(columns.kind), bool)
    middle = slice(len(kept) // 3, 2 * len(kept) // 3)
    side = int(rng.integers(2))
    if form in ("no trades", "quotes"):
        kept &= columns.kind != EventKind.TRADE
    if form == "quotes":
        return form, hft.ingest(_quotes(columns), folder, symbol="Q", tick="0.01", lot=1)
    if form == "one-sided":
        kept[middle] = columns.side[middle] != side
    columns = Columns(*(column[kept].copy() for column in columns))
    if form == "emptied":
        one = slice(len(columns.kind) // 2, len(columns.kind) // 2 + 1)
        columns.kind[one], columns.side[one] = EventKind.CLEAR.value, side if seed % 2 else 2
    options = DecodeOptions(format="synthetic", waive=("crossed_book", "locked_long"))
    instrument = feed.instrument
    if form == "inverse":
        instrument = replace(
            instrument, kind="inverse", multiplier=Decimal(100), currency="BTC", lot=Decimal(1)
        )
    feeds = [Feed(instrument, columns)]
    if form == "two":
        # The other one ends early: from then on its last book stands.
        other = synthesize(seed + 1, events=events // 2, span_ns=events * SECOND // 16)
        feeds.append(Feed(replace(instrument, symbol="OTHER"), other.columns))
    return form, write_feeds(feeds, folder, options)


def _quotes(columns: Columns) -> pl.DataFrame:
    """A quote at each time of the market; some have one side only."""
    times = np.unique(columns.local_ts)
    walk = 10_000 + np.cumsum((np.arange(len(times)) * 7919) % 3 - 1)
    bid, ask = walk / 100, (walk + 1 + np.arange(len(times)) % 3) / 100
    absent = np.arange(len(times)) % 11 == 3
    return pl.DataFrame(
        {
            "ts": times,
            "bid": pl.Series(bid.round(2)).set(pl.Series(absent), None),
            "ask": ask.round(2),
            "bid_qty": pl.Series(np.full(len(times), 5)).set(pl.Series(absent), None),
            "ask_qty": np.full(len(times), 4),
        }
    )


def one_run(seed: int, folder: Path, blind: bool) -> tuple[str, Run]:
    """A random market, strategies, venue and limits. Raises: HftError for a refused market."""
    rng = np.random.Generator(np.random.Philox(key=[seed, 500]))
    form, tapes = market(rng, seed, folder / "tape")
    venue = hft.Venue(
        str(rng.choice(["0ms", "3ms", "250ms"])),
        queue=str(rng.choice(QUEUES)),
        fees={"maker_bps": str(rng.choice(["-0.5", "0"])), "taker_bps": "2"},
        fills=str(rng.choice(["capped", "whole"])),
        taken=str(rng.choice(["stays", "restated"])),
    )
    count, idle = int(rng.integers(1, 4)), int(rng.random() < 0.1)
    chosen = {
        f"s{k}": replace(
            wandering.with_params({"seed": seed + k, "idle": idle, "blind": int(blind)})
        )
        for k in range(count)
    }
    limits = hft.Limits.off() if rng.random() < 0.5 else hft.Limits.load("research")
    if rng.random() < 0.3:
        limits = limits.replace(max_daily_loss=float(rng.choice([0.02, 0.2])))
    low, high = tapes.span
    moments = sorted(int(low + share * (high - low)) for share in rng.random(6))
    run = hft.replay(
        tapes,
        chosen,
        venue=venue,
        limits=limits,
        record="full",
        seed=seed,
        out=folder / "runs",
        start=moments[0] if rng.random() < 0.2 else None,
        controls=_said(rng, moments[1:]) if rng.random() < 0.3 else None,
        faults=_trouble(rng, moments[1:]) if rng.random() < 0.3 else None,
    )
    return form, run


def _said(rng: np.random.Generator, moments: list[int]) -> list[dict[str, object]]:
    """What a person says at random moments."""
    kill: dict[str, object] = {"kind": "kill", "scope": str(rng.choice(["global", "byte"]))}
    others: list[dict[str, object]] = [
        {"kind": "reset", "scope": kill["scope"]},
        {"kind": "mode", "value": str(rng.choice(["degrade", "halt", "normal"]))},
        {"kind": "latency", "value": "40ms"},
        {"kind": "lease", "value": "lost"},
    ]
    said = [kill, *others[: int(rng.integers(5))]]
    return [{"at": at, **one} for at, one in zip(moments, said, strict=False)]


def _trouble(rng: np.random.Generator, moments: list[int]) -> dict[str, object]:
    """A plan of faults."""
    chances = ("reject", "lost_ack", "late_ack", "duplicate_ack")
    plan: dict[str, object] = {name: float(rng.choice([0.0, 0.05, 0.3])) for name in chances}
    return plan | {"down_ns": tuple(moments[:2]), "gap_ns": tuple(moments[2:4])}


def complaints(run: Run) -> Iterator[str]:
    """Every column, figure and word that is no number of a market."""
    for name in FRAMES:
        frame = getattr(run, name)
        if isinstance(frame, pl.LazyFrame):
            frame = frame.collect()
        for column, dtype in frame.schema.items():
            values = frame[column].drop_nulls()
            if not dtype.is_numeric() or not len(values):
                continue
            if dtype.is_float() and not values.is_finite().all():
                yield f"{name}.{column}: {values.filter(~values.is_finite())[0]}"
            elif float(values.cast(pl.Float64).abs().max() or 0) > MOST:  # type: ignore[arg-type]
                yield f"{name}.{column}: {values.filter(values.cast(pl.Float64).abs() > MOST)[0]}"
    for name, figure in run.metrics.items():
        value = figure.value
        if isinstance(value, int | float) and (not math.isfinite(value) or abs(value) > MOST):
            yield f"figure {name}: {value}"
    shown = {"card": repr(run), "notebook card": run._repr_html_()}
    shown["json"] = json.dumps({"run": run.to_json(), "totals": run.totals}, default=str)
    shown["page"] = run.report().read_text(encoding="utf-8")
    for place, text in shown.items():
        for match in itertools.islice(NO_NUMBER.finditer(WORDS.sub("", text).lower()), 3):
            around = text and WORDS.sub("", text)[max(0, match.start() - 40) : match.end() + 20]
            yield f"{place}: {around!r}"


def scan(seeds: range, blind: bool = True) -> tuple[Counter[str], dict[str, str]]:
    """How many runs of each form were read (and refused), and what was found where first."""
    counts: Counter[str] = Counter()
    found: dict[str, str] = {}
    for seed in seeds:
        with tempfile.TemporaryDirectory() as name:
            try:
                form, run = one_run(seed, Path(name), blind)
            except HftError as error:
                counts["refused: " + " ".join(str(error).split()[-8:])] += 1
                continue
            counts[form] += 1
            counts["with fills"] += run.fills.height > 0
            counts["with trips"] += run.trips.height > 0
            priced = run.decisions.filter(intent="NEW", order_type="LIMIT")["price"]
            counts["with orders at an empty side"] += priced.null_count() > 0
            for sentence in complaints(run):
                found.setdefault(sentence.split(":")[0], f"seed {seed}, {form}: {sentence}")
    return counts, found


def main() -> int:
    """Print what was read and found. Returns: 1 where there is anything."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    began = time.perf_counter()
    counts, found = scan(range(given.seed, given.seed + given.runs))
    print(", ".join(f"{name} {count}" for name, count in sorted(counts.items())))
    for sentence in found.values():
        print(sentence)
    print(f"{given.runs} runs, {len(found)} finds, {time.perf_counter() - began:.0f} s")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
