"""Make an Engine: sizes every table, fills the address book, sets the strategies' first wake-ups.

The arrays that the engine reaches by address (tape columns, parameters, state) are kept alive by
the `Session` that owns them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hft.core.arena import Arena
from hft.core.digest import key_of
from hft.core.dtypes import INTENT, STEP
from hft.core.numbers import resolve
from hft.gateway.resolve import ResolvedLimits
from hft.gateway.rows import CANCELS_MAX
from hft.gateway.state import GatewayState
from hft.gateway.state import new_state as new_gateway
from hft.market.book import NO_ASK, NO_BID, new_books
from hft.replay import hours
from hft.replay import state as st
from hft.replay.rows import first_rows
from hft.replay.tick import start_lanes
from hft.strategies.base import Strategy
from hft.strategies.context import (
    CONTEXT,
    INTENTS_MAX,
    LOG,
    LOGS_MAX,
    SIGNAL,
    SIGNALS_MAX,
)
from hft.trading.state import new_state as new_trading
from hft.venue.model import VenueModel
from hft.venue.state import FOREVER
from hft.venue.state import new_state as new_venue

RECORDS = {"digest": 0, "summary": 1, "full": 2}
SLOTS = 4096
NO_SESSIONS = np.zeros(0, st.SESSION)


@dataclass(frozen=True)
class Source:
    """One instrument's rows as the engine needs them; `batches` are Columns of the tape."""

    instrument: Any
    row: np.ndarray  # INSTRUMENT
    batches: Sequence[Any]
    price_low: int
    price_high: int
    live_orders: int = 0  # most L3 orders alive at once; 0: the tape has none
    sessions: np.ndarray = field(
        default_factory=NO_SESSIONS.copy
    )  # SESSION rows; none where no calendar is known
    statuses: bool = False  # the tape has status rows


@dataclass
class Session:
    """An engine with everything it points into; what a snapshot restores into."""

    engine: st.Engine
    arena: Arena
    sources: list[Source]
    strategies: list[Strategy]
    limits: Sequence[ResolvedLimits] = ()  # that LIMITS control inputs name by position
    keep: list[Any] = field(default_factory=list)


def new_session(
    sources: list[Source],
    strategies: list[Strategy],
    gateway: GatewayState,
    venue: VenueModel,
    *,
    seed: int = 0,
    record: str = "full",
    controls: np.ndarray | None = None,
    limit_changes: Sequence[ResolvedLimits] = (),
    faults: np.ndarray | None = None,
    start_ns: int | None = None,
    end_ns: int | None = None,
    equity_every_ns: int = 1_000_000_000,
    ttl_ns: int = 0,
) -> Session:
    """An engine at its first row. Units: see the fields of CLOCK."""
    instruments, n = len(sources), len(strategies)
    listened = max(strategy.instruments for strategy in strategies)
    keep: list[Any] = []
    engine = st.Engine(
        clock=np.zeros(1, st.CLOCK),
        lanes=start_lanes(seed),
        mixes=np.zeros(instruments, np.uint64),
        checkpoints=np.zeros(2 * st.CHECKPOINTS_MAX, np.uint64),
        feeds=np.zeros(instruments, st.FEED),
        batches=_batches(sources, keep),
        sessions=hours.table([source.sessions for source in sources]),
        glances=np.zeros(instruments * st.GLANCES_MAX, st.GLANCE),
        tick_sizes=np.array([float(source.instrument.tick) for source in sources]),
        books=new_books(
            [(source.price_low, source.price_high) for source in sources], venue.crossed
        ),
        trading=new_trading(
            np.array([source.row for source in sources]),
            gateway,
            n,
            fills_max=st.FILLS_MAX if record != "digest" else 0,
        ),
        venue=new_venue(
            instruments,
            len(gateway.orders),
            levels=sum(
                4 * -(-(source.price_high - source.price_low + 1) // 64) * 64 for source in sources
            ),
            l3_orders=max(source.live_orders for source in sources) if venue.follows else 0,
            samples=venue.table_size,
            seed=seed,
        ),
        strategies=np.zeros(n, st.STRATEGY),
        contexts=np.zeros(n, CONTEXT),
        context_at=np.zeros(n, np.int64),
        signals=np.zeros(instruments * SIGNALS_MAX, SIGNAL),
        traded=np.zeros(n * instruments, np.int64),
        intents=np.zeros(INTENTS_MAX, INTENT),
        logs=np.zeros(n * LOGS_MAX, LOG),
        params=np.zeros(0, np.uint8),
        tracked=np.zeros(n * 2 * st.TRACKED_MAX, np.int64),
        controls=_controls(controls),
        faults=np.zeros(1, st.FAULTS) if faults is None else faults.copy(),
        steps=np.zeros(_steps_max(len(gateway.orders), n) if record != "digest" else 1, STEP),
        equity=np.zeros(_equity_max(n, listened) if record != "digest" else 1, st.EQUITY),
        series=np.zeros(st.SERIES_MAX if record == "full" else 1, st.SERIES),
    )
    _feeds(engine, sources)
    hours.set_hours(engine, [source.sessions for source in sources])
    venue.install(engine.venue, seed, [source.live_orders > 0 for source in sources])
    params = _params(strategies)
    engine = engine._replace(params=params)
    _contexts(engine, strategies, keep)
    clock = engine.clock[0]
    engine.trading.head[0]["listened"] = listened
    clock["strategies"] = n
    clock["accounts"] = 1
    clock["record"] = RECORDS[record]
    clock["checkpoint_step"] = st.CHECKPOINT_STEPS
    clock["equity_every_ns"] = equity_every_ns
    clock["faulty"] = 0 if faults is None else 1
    clock["yield_rows"] = 1 << 20
    clock["end_ns"] = FOREVER if end_ns is None else end_ns
    first_rows(engine)
    first_ns = int(min(engine.feeds["venue_ns"].min(), engine.feeds["view_ns"].min()))
    clock["first_ns"] = clock["now_ns"] = first_ns
    clock["equity_next_ns"] = first_ns
    if start_ns is not None and start_ns > first_ns:
        clock["begin_ns"] = start_ns
    _timers(engine, strategies, first_ns, start_ns)
    for row in engine.trading.touch:
        row["bid_tick"], row["ask_tick"] = NO_BID, NO_ASK
    if ttl_ns:
        engine.contexts["ttl_ns"] = ttl_ns
    return Session(engine, Arena(engine), sources, strategies, limit_changes, keep)


def gateway_for(sources: list[Source], limits: Any, strategies: int, **sizes: Any) -> GatewayState:
    """A gateway over the instruments of these sources."""
    table = np.array([source.row for source in sources])
    return new_gateway(table, limits, 1, strategies, **{"order_capacity": SLOTS, **sizes})


def source_of(
    instrument: Any,
    batches: Sequence[Any],
    digits: int,
    *,
    max_price: int,
    price_low: int,
    price_high: int,
    live_orders: int = 0,
    sessions: np.ndarray = NO_SESSIONS,
    statuses: bool = False,
) -> Source:
    """Resolve one instrument of a tape. Units: prices in ticks."""
    key = key_of(f"{instrument.venue}:{instrument.symbol}")
    row = resolve(instrument, digits, max_price, key)
    return Source(instrument, row, batches, price_low, price_high, live_orders, sessions, statuses)


def _steps_max(slots: int, strategies: int) -> int:
    """Room for the steps between two looks at the ring, and for all that one item may add.

    A row of the tape may fill every order that rests; a wake-up may send 64 intents, each of which
    cancels the own orders that it crosses.
    """
    answers = 4 * slots
    a_wake = CANCELS_MAX + INTENTS_MAX * (1 + CANCELS_MAX)
    return st.STEPS_MAX + answers + strategies * a_wake


def _equity_max(strategies: int, listened: int) -> int:
    """Room for a sample after each wake-up between two looks at the ring, and for the end's."""
    samples = st.PAUSE_STEPS + strategies + 1
    return st.EQUITY_MAX + samples * strategies * listened


def _batches(sources: list[Source], keep: list[Any]) -> np.ndarray:
    total = sum(max(1, len(source.batches)) for source in sources)
    table = np.zeros(total, st.BATCH)
    at = 0
    for source in sources:
        for columns in source.batches:
            row = table[at]
            row["rows"] = len(columns.exch_ts)
            for name in columns._fields:
                array = getattr(columns, name)
                if not array.flags.c_contiguous:
                    array = np.ascontiguousarray(array)
                    keep.append(array)
                row[name] = array.ctypes.data
            keep.append(columns)
            at += 1
        at += 0 if source.batches else 1
    return table


def _feeds(engine: st.Engine, sources: list[Source]) -> None:
    at = 0
    for feed, source in zip(engine.feeds, sources, strict=True):
        feed["first_batch"] = at
        feed["batches"] = len(source.batches)
        feed["statuses"] = 1 if source.statuses else 0
        feed["l3"] = int(source.live_orders > 0)
        at += max(1, len(source.batches))


def _controls(controls: np.ndarray | None) -> np.ndarray:
    """Control inputs in time order, closed by a row that is never reached."""
    end = np.zeros(1, st.CONTROL)
    end["ts_ns"] = FOREVER
    if controls is None:
        return end
    ordered = controls[np.argsort(controls["ts_ns"], kind="stable")]
    return np.concatenate([ordered, end])


def _params(strategies: list[Strategy]) -> np.ndarray:
    """Every strategy's parameters, then its state, as raw bytes at 64-byte steps."""
    parts: list[bytes] = []
    for strategy in strategies:
        for row in (strategy.params_row(), strategy.state_row()):
            raw = row.tobytes()
            parts.append(raw + bytes(-len(raw) % 64))
    return np.frombuffer(b"".join(parts), np.uint8).copy()


def _contexts(engine: st.Engine, strategies: list[Strategy], keep: list[Any]) -> None:
    """Write the addresses that views, orders, parameters and state are reached by."""
    gw, instruments = engine.trading.gw, len(engine.trading.touch)
    at = engine.params.ctypes.data
    for s, strategy in enumerate(strategies):
        context = engine.contexts[s]
        context["strategy_idx"] = s
        context["instruments"] = strategy.instruments
        context["total_instruments"] = instruments
        addresses = {
            "touch_at": engine.trading.touch,
            "heads_at": engine.books.heads,
            "qty_at": engine.books.qty,
            "bits_at": engine.books.bits,
            "orders_at": gw.orders,
            "working_at": gw.heads,
            "positions_at": engine.trading.positions[s * instruments :],
            "intents_at": engine.intents,
            "logs_at": engine.logs[s * LOGS_MAX :],
            "traded_at": engine.traded[s * instruments :],
            "tick_sizes_at": engine.tick_sizes,
            "signals_at": engine.signals,
        }
        for name, array in addresses.items():
            context[name] = array.ctypes.data
        context["qty_len"] = len(engine.books.qty)
        context["bits_len"] = len(engine.books.bits)
        context["orders_len"] = len(gw.orders)
        context["working_len"] = len(gw.heads)
        context["next_id"] = engine.trading.head["next_id"].ctypes.data
        params, state = strategy.params_row(), strategy.state_row()
        context["params_at"] = at
        at += -(-params.nbytes // 64) * 64
        context["state_at"] = at
        at += -(-state.nbytes // 64) * 64
        _track(engine.tracked[2 * s * st.TRACKED_MAX :], strategy, state.dtype)
        engine.strategies[s]["tracked"] = len(strategy.track)
        engine.context_at[s] = engine.contexts.ctypes.data + s * CONTEXT.itemsize


def _track(row: np.ndarray, strategy: Strategy, dtype: np.dtype) -> None:
    fields: Any = dtype.fields
    for k, name in enumerate(strategy.track):
        kind, offset = fields[name][:2]
        row[k] = offset
        row[st.TRACKED_MAX + k] = 0 if kind == np.float64 else 1


def _timers(
    engine: st.Engine, strategies: list[Strategy], first_ns: int, start_ns: int | None
) -> None:
    """The first wake-up is one interval after the first row, or after `start_ns`."""
    begin = first_ns if start_ns is None else max(first_ns, start_ns)
    wanted = 0
    for row, strategy in zip(engine.strategies, strategies, strict=True):
        row["every_ns"] = strategy.every_ns
        row["next_ns"] = begin + strategy.every_ns if strategy.every_ns > 0 else FOREVER
        row["wakes_on"] = strategy.wakes_on
        wanted |= strategy.wakes_on
    engine.clock[0]["events_on"] = 1 if wanted >> 3 != 0 else 0
