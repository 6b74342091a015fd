# mypy: ignore-errors
"""Two-sided quoting on hftbacktest, and its own converter; runs in that peer's environment.

The strategy is compiled by its numba, its engine is native code; loading, building and compiling
are outside the clock. Balance leaves fees out and a negative fee is a rebate, as the peer counts.
"""

import io
import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from hftbacktest import (
    BUY,
    BUY_EVENT,
    DEPTH_EVENT,
    EXCH_EVENT,
    GTX,
    LIMIT,
    LOCAL_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
    BacktestAsset,
    ROIVectorMarketDepthBacktest,
)
from hftbacktest.data.utils import binancefutures
from hftbacktest.order import IOC
from hftbacktest.types import event_dtype
from numba import njit

from benchmarks import work
from benchmarks.worker import serve, stopwatch, timed

NO_ASK_TICK = 1_000_000_000
THROUGH_TICKS = 2  # as in benchmarks.takers
_loaded: dict[str, np.ndarray] = {}


@njit
def quoting(sim, interval_ns, lot, limit):
    wakes, sent = 0, 0
    tick = sim.depth(0).tick_size
    while sim.elapse(interval_ns) == 0:
        sim.clear_inactive_orders(0)
        book = sim.depth(0)
        bid = book.best_bid_tick
        ask = book.best_ask_tick
        if bid <= 0 or ask > NO_ASK_TICK:
            continue
        wakes += 1
        position = round(sim.position(0) / lot)
        needs_bid = position <= limit
        needs_ask = position >= -limit
        resting = sim.orders(0).values()
        while resting.has_next():
            order = resting.get()
            if not order.cancellable:
                continue
            if order.side == BUY:
                if order.price_tick == bid and position <= limit:
                    needs_bid = False
                else:
                    sim.cancel(0, order.order_id, False)
            elif order.price_tick == ask and position >= -limit:
                needs_ask = False
            else:
                sim.cancel(0, order.order_id, False)
        if needs_bid:
            sent += 1
            sim.submit_buy_order(0, sent, bid * tick, lot, GTX, LIMIT, False)
        if needs_ask:
            sent += 1
            sim.submit_sell_order(0, sent, ask * tick, lot, GTX, LIMIT, False)
    return wakes, sent


@njit
def taking(sim, interval_ns, lot, limit):
    wakes, sent = 0, 0
    tick = sim.depth(0).tick_size
    while sim.elapse(interval_ns) == 0:
        sim.clear_inactive_orders(0)
        bid = sim.depth(0).best_bid_tick
        ask = sim.depth(0).best_ask_tick
        if bid <= 0 or ask > NO_ASK_TICK:
            continue
        buys = (wakes // 7) % 2 == 0
        position = round(sim.position(0) / lot)
        if position > limit:
            buys = False
        elif position < -limit:
            buys = True
        qty = (1 + (3 * wakes) % 5) * lot
        wakes += 1
        sent += 1
        if buys:
            sim.submit_buy_order(0, sent, (ask + THROUGH_TICKS) * tick, qty, IOC, LIMIT, False)
        else:
            sim.submit_sell_order(0, sent, (bid - THROUGH_TICKS) * tick, qty, IOC, LIMIT, False)
    return wakes, sent


@njit
def mixed(sim, interval_ns, lot, limit):
    wakes, sent = 0, 0
    tick = sim.depth(0).tick_size
    while sim.elapse(interval_ns) == 0:
        sim.clear_inactive_orders(0)
        bid = sim.depth(0).best_bid_tick
        ask = sim.depth(0).best_ask_tick
        if bid <= 0 or ask > NO_ASK_TICK:
            continue
        position = round(sim.position(0) / lot)
        needs_bid = position <= limit
        needs_ask = position >= -limit
        own_bid, own_ask = 0, NO_ASK_TICK
        resting = sim.orders(0).values()
        while resting.has_next():
            order = resting.get()
            if order.side == BUY:
                own_bid = max(own_bid, order.price_tick)
            else:
                own_ask = min(own_ask, order.price_tick)
            if not order.cancellable:
                continue
            if order.side == BUY:
                if order.price_tick == bid - 1 and position <= limit:
                    needs_bid = False
                else:
                    sim.cancel(0, order.order_id, False)
            elif order.price_tick == ask + 1 and position >= -limit:
                needs_ask = False
            else:
                sim.cancel(0, order.order_id, False)
        if wakes % 10 == 9:
            if position <= 0 and own_ask > ask:
                sent += 1
                sim.submit_buy_order(0, sent, ask * tick, 2 * lot, IOC, LIMIT, False)
            if position > 0 and own_bid < bid:
                sent += 1
                sim.submit_sell_order(0, sent, bid * tick, 2 * lot, IOC, LIMIT, False)
        if needs_bid:
            sent += 1
            sim.submit_buy_order(0, sent, (bid - 1) * tick, lot, GTX, LIMIT, False)
        if needs_ask:
            sent += 1
            sim.submit_sell_order(0, sent, (ask + 1) * tick, lot, GTX, LIMIT, False)
        wakes += 1
    return wakes, sent


STYLES = {"quoting": quoting, "taking": taking, "mixed": mixed}


def event_rows(events: work.Events) -> np.ndarray:
    """The peer's own rows for the events of `benchmarks.work`."""
    of_kind = np.zeros(4, np.uint64)
    of_kind[work.BID_LEVEL] = DEPTH_EVENT | BUY_EVENT
    of_kind[work.ASK_LEVEL] = DEPTH_EVENT | SELL_EVENT
    of_kind[work.BUYER_TRADE] = TRADE_EVENT | BUY_EVENT
    of_kind[work.SELLER_TRADE] = TRADE_EVENT | SELL_EVENT
    rows = np.zeros(len(events.kind), event_dtype)
    rows["ev"] = (of_kind | np.uint64(EXCH_EVENT | LOCAL_EVENT))[events.kind]
    rows["exch_ts"] = events.exch_ts
    rows["local_ts"] = events.exch_ts + work.FEED_LATENCY_NS
    rows["px"] = events.px * work.TICK
    rows["qty"] = events.qty
    return rows


def _rows(path: str, native: bool) -> np.ndarray:
    if path not in _loaded:
        _loaded.clear()
        _loaded[path] = np.load(path)["data"] if native else event_rows(work.load(path))
    return _loaded[path]


def _engine(rows: np.ndarray, lot: float) -> ROIVectorMarketDepthBacktest:
    prices = rows["px"]
    asset = (
        BacktestAsset()
        .data(rows)
        .linear_asset(1.0)
        .constant_order_latency(work.ENTRY_LATENCY_NS, work.RESPONSE_LATENCY_NS)
        .risk_adverse_queue_model()
        .no_partial_fill_exchange()
        .trading_value_fee_model(work.MAKER_FEE, work.TAKER_FEE)
        .tick_size(work.TICK)
        .lot_size(lot)
        .roi_lb(float(prices[prices > 0].min()))
        .roi_ub(float(prices.max()))
    )
    return ROIVectorMarketDepthBacktest([asset])


def quote(
    path: str,
    native: bool,
    lot: float,
    interval_ns: int,
    at_least_s: float = 1.0,
    style: str = "quoting",
) -> dict[str, object]:
    """One measurement of a style of trading; the first call of a process also compiles."""
    rows = _rows(path, native)

    def once() -> tuple[float, tuple]:
        sim = _engine(rows, lot)
        seconds, (wakes, sent) = stopwatch(
            lambda: STYLES[style](sim, interval_ns, lot, work.POSITION_LIMIT_LOTS)
        )
        values = sim.state_values(0)
        end = (wakes, sent, int(values.num_trades), values.position, values.balance, values.fee)
        sim.close()
        return seconds, end

    seconds, runs, (wakes, sent, fills, position, balance, fee) = timed(once, at_least_s)
    return {
        "seconds": seconds,
        "runs": runs,
        "events": len(rows),
        "wakes": wakes,
        "orders": sent,
        "fills": fills,
        "position_lots": round(position / lot),
        "balance": balance,
        "fee": fee,
    }


def convert(source: str, out: str | None = None, at_least_s: float = 1.0) -> dict[str, object]:
    """The peer's Binance futures converter; writes its npz where `out` is given."""

    def once() -> tuple[float, int]:
        return stopwatch(lambda: len(binancefutures.convert(source, out)))

    seconds, runs, rows = timed(once, at_least_s)
    return {"seconds": seconds, "runs": runs, "rows": rows, "bytes": os.path.getsize(source)}


def _open_plain(path: str, _mode: str) -> io.BufferedReader:
    return Path(path).open("rb")


def convert_decompressed(source: str, at_least_s: float = 1.0) -> dict[str, object]:
    """The same converter on a file that is decompressed already; nothing is written."""
    gzip_module = binancefutures.gzip
    binancefutures.gzip = SimpleNamespace(open=_open_plain)
    try:
        return convert(source, None, at_least_s)
    finally:
        binancefutures.gzip = gzip_module


def loop(source: str, out: str, copies: int) -> dict[str, object]:
    """Write `copies` of a converted recording in a row, each later than the one before."""
    looped = work.loop_recording(np.load(source)["data"], copies)
    np.savez(out, data=looped)
    return {"rows": len(looped)}


if __name__ == "__main__":
    serve(
        {
            "quote": quote,
            "convert": convert,
            "convert_decompressed": convert_decompressed,
            "loop": loop,
        }
    )
