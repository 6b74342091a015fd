"""The synthetic market: a seeded day of order flow with a true matching engine behind it.

Decides how a seed becomes a tape; `synthetic_engine` matches. One seed gives one flow of orders,
shown order by order (`kind="l3"`) or as the price levels that same flow leaves behind
(`kind="l2"`), so queue positions guessed from the second are checked against the first. Random
words come from a counter-based stream keyed by seed and symbol and what follows is integer
arithmetic: the same seed is the same bytes on every machine. It never reads a clock or a file.
On an L3 tape an EXECUTE row takes its lots off the book and is the print; no TRADE repeats it.
"""

import hashlib
import math
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Literal

import numpy as np

from hft.core.codes import EventKind, Flag
from hft.core.errors import ConfigError
from hft.core.instruments import Instrument
from hft.feeds import synthetic_engine as engine_module
from hft.feeds.base import DecodeOptions
from hft.feeds.synthetic_engine import ORDER, Engine
from hft.tape.schema import Columns, Feed

NAMES = ("synthetic", "synthetic-l3")
DESCRIPTION = "seeded order flow with a true matching engine (price levels, or order by order)"
SYMBOL = "SYNTH"
DAY_NS = 86_400_000_000_000
START_TS = 1_704_153_600_000_000_000  # 2024-01-02T00:00:00Z
WARM_UP_MESSAGES = 8_192  # enough for the number of resting orders to settle
CHUNK_MESSAGES = 1 << 17
SLOTS = 1 << 12


def synthesize(
    seed: int,
    *,
    events: int = 2_000_000,
    kind: Literal["l2", "l3"] = "l2",
    start_ts: int = START_TS,
    span_ns: int = DAY_NS,
    symbol: str = SYMBOL,
    mid_tick: int = 10_000,
    latency_ns: int = 1_000_000,
    jitter_ns: int = 200_000,
) -> Feed:
    """A market of `events` order messages over about `span_ns`; each message is one or more rows.

    Units: `latency_ns` from exchange to us, plus an exponential part of mean `jitter_ns`.
    Returns: a feed that begins with the opening book (CLEAR, then rows up to the one flagged LAST).
    Raises: ConfigError naming the argument.
    """
    _check(events, kind, span_ns, mid_tick, latency_ns, jitter_ns)
    instrument = Instrument(symbol=symbol, tick=Decimal("0.01"), lot=Decimal(1), venue="synthetic")
    engine = _new_engine(start_ts, span_ns // events, mid_tick, latency_ns, jitter_ns)
    stream = np.random.Philox(key=_key(seed, symbol))
    _warm_up(engine, stream, start_ts)
    parts = [_opening_rows(engine, kind == "l3")]
    parts.extend(_flow(engine, stream, events, kind == "l3"))
    columns = Columns(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    return Feed(
        instrument=instrument,
        columns=columns,
        source={
            "format": "synthetic" if kind == "l2" else "synthetic-l3",
            "seed": int(seed),
            "events": events,
            "start_ts": start_ts,
            "span_ns": span_ns,
            "mid_tick": mid_tick,
            "latency_ns": latency_ns,
            "jitter_ns": jitter_ns,
        },
    )


def _check(
    events: int, kind: str, span_ns: int, mid_tick: int, latency_ns: int, jitter_ns: int
) -> None:
    if kind not in ("l2", "l3"):
        raise ConfigError(f"synthetic.kind: {kind!r} is neither 'l2' nor 'l3'")
    if events < 1:
        raise ConfigError(f"synthetic.events: {events} must be at least 1")
    if not 0 < span_ns // events < 1 << 47:
        raise ConfigError(f"synthetic.span_ns: {span_ns} must be 1 ns to 39 h per event")
    if not 1_000 <= mid_tick <= 1 << 24:
        raise ConfigError(f"synthetic.mid_tick: {mid_tick} must lie between 1000 and 2^24")
    for name, value in (("latency_ns", latency_ns), ("jitter_ns", jitter_ns)):
        if not 0 <= value < 1 << 36:
            raise ConfigError(f"synthetic.{name}: {value} must lie between 0 and 68 s")


def _key(seed: int, symbol: str) -> np.ndarray:
    """The 128-bit key of the stream: seeds and symbols never share a stream."""
    text = f"hft.synthetic.1/{int(seed)}/{symbol}".encode()
    return np.frombuffer(hashlib.blake2b(text, digest_size=16).digest(), dtype="<u8")


def _words(stream: np.random.Philox, messages: int) -> np.ndarray:
    """Three 63-bit random words for each message."""
    raw = stream.random_raw(3 * messages)
    return (raw >> np.uint64(1)).view(np.int64).reshape(messages, 3)


def _exponential_quantiles() -> np.ndarray:
    size = 1 << engine_module.EXPONENTIAL_BITS
    mean = 1 << engine_module.MEAN_BITS
    values = [round(-mean * math.log(1 - (i + 0.5) / size)) for i in range(size)]
    return np.array(values, dtype=np.int64)


def _new_engine(
    start_ts: int, dt_mean_ns: int, mid_tick: int, latency_ns: int, jitter_ns: int
) -> Engine:
    counters = np.zeros(engine_module.COUNTERS, np.int64)
    counters[engine_module.BEST_BID] = -1
    counters[engine_module.BEST_ASK] = 2 * mid_tick
    counters[engine_module.NEXT_ID] = 1
    counters[[engine_module.EXCH_TS, engine_module.LOCAL_TS]] = start_ts
    counters[[engine_module.FAIR, engine_module.START_FAIR]] = mid_tick
    counters[engine_module.DT_MEAN_NS] = dt_mean_ns
    counters[engine_module.LATENCY_NS] = latency_ns
    counters[engine_module.JITTER_MEAN_NS] = jitter_ns
    return Engine(
        counters=counters,
        orders=np.zeros(SLOTS, ORDER),
        live=np.zeros(SLOTS, np.int64),
        free=np.arange(SLOTS, dtype=np.int64),
        level_head=np.full(2 * mid_tick, -1, np.int64),
        level_tail=np.full(2 * mid_tick, -1, np.int64),
        level_qty=np.zeros(2 * mid_tick, np.int64),
        exponential=_exponential_quantiles(),
    )


def _warm_up(engine: Engine, stream: np.random.Philox, start_ts: int) -> None:
    """Fill the book before the first row; its rows are not kept and its time does not count."""
    rows = Columns.empty(WARM_UP_MESSAGES * 4 + engine_module.ROWS_PER_MESSAGE)
    done = engine_module.run(engine, _words(stream, WARM_UP_MESSAGES), rows, True)
    assert done == WARM_UP_MESSAGES
    counters = engine.counters
    counters[[engine_module.ROWS, engine_module.EVENTS_DONE]] = 0
    counters[engine_module.EXCH_TS] = start_ts
    counters[engine_module.LOCAL_TS] = start_ts + counters[engine_module.LATENCY_NS]


def _opening_rows(engine: Engine, l3: bool) -> Columns:
    """The book after warm-up: CLEAR, then every order in queue order or every level, then LAST."""
    found: list[tuple[int, int, int, int, int]] = [(EventKind.CLEAR.value, 2, 0, 0, 0)]
    for price in np.flatnonzero(engine.level_qty).tolist():
        slot = int(engine.level_head[price])
        side = int(engine.orders[slot]["side"])
        if not l3:
            found.append((EventKind.SNAPSHOT.value, side, price, int(engine.level_qty[price]), 0))
        while l3 and slot >= 0:
            order = engine.orders[slot]
            qty, order_id = int(order["qty"]), int(order["id"])
            found.append((EventKind.ADD.value, side, price, qty, order_id))
            slot = int(order["next"])
    rows = Columns.empty(len(found))
    for column, values in zip(
        (rows.kind, rows.side, rows.price, rows.qty, rows.order_id),
        zip(*found, strict=True),
        strict=True,
    ):
        column[:] = values
    rows.exch_ts[:] = engine.counters[engine_module.EXCH_TS]
    rows.local_ts[:] = engine.counters[engine_module.LOCAL_TS]
    rows.flags[-1] = Flag.LAST.value
    return rows


def _flow(engine: Engine, stream: np.random.Philox, events: int, l3: bool) -> Iterator[Columns]:
    """The rows of `events` messages, a chunk at a time."""
    counters = engine.counters
    while counters[engine_module.EVENTS_DONE] < events:
        left = events - int(counters[engine_module.EVENTS_DONE])
        words = _words(stream, min(CHUNK_MESSAGES, left))
        while words.shape[0] > 0:
            rows = Columns.empty(2 * words.shape[0] + 4 * engine_module.ROWS_PER_MESSAGE)
            counters[engine_module.ROWS] = 0
            words = words[engine_module.run(engine, words, rows, l3) :]
            used = int(counters[engine_module.ROWS])
            yield Columns(*(column[:used] for column in rows))


def sniff(head: bytes, path: Path) -> str | None:
    """Never: no file holds this market."""
    return None


def decode(paths: Sequence[Path], options: DecodeOptions) -> list[Feed]:
    """The decoder protocol's door: no paths; the format says which view, the rest is default.

    Raises: ConfigError when files are given.
    """
    if paths:
        raise ConfigError(f"synthetic: takes no file, but {paths[0]} was given")
    kind: Literal["l2", "l3"] = "l3" if options.format == "synthetic-l3" else "l2"
    return [synthesize(options.seed or 0, kind=kind, symbol=options.symbol or SYMBOL)]
