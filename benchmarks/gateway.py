"""Gateway cost an intent: batch mean in the kernel, and one intent from Python.

Mix of acceptance 5: 90 % approved, 5 % duplicate keys, 5 % refused at the last check (a restricted
symbol), four-level limits and sliding windows on. The venue ends every approved order at once, so
that the order table stays small: cancelled (the cheapest answer) or acknowledged and filled.
`python -m benchmarks.gateway` prints the figures.
"""

import statistics
import time
from decimal import Decimal
from typing import Any

import numpy as np

from hft.core.codes import OrderStatus
from hft.core.dtypes import INTENT, TOUCH
from hft.core.instruments import Instrument
from hft.core.jit import kernel
from hft.core.numbers import money_digits
from hft.core.numbers import resolve as instrument_row
from hft.gateway import dedup
from hft.gateway.events import on_ack, on_done, on_fill
from hft.gateway.gateway import AHEAD, Gateway
from hft.gateway.limits import Limits
from hft.gateway.pipeline import decide
from hft.gateway.resolve import ResolvedLimits, resolve
from hft.gateway.state import GatewayState, new_state
from hft.gateway.tables import decision, handle

ROUNDS = 7
STEP_NS = 5_000  # 12M intents a minute: under the limit however many batches run
CANCELLED = OrderStatus.CANCELLED.value


FILL, CANCEL = 2, 1


@kernel
def drive(gw: Any, intents: np.ndarray, touches: np.ndarray, outcome: np.ndarray, end: int) -> None:
    """Decide every row; an approved order is acknowledged and filled, or cancelled by the venue."""
    for i in range(len(intents)):
        if i + AHEAD < len(intents):
            dedup.warm(gw, intents[i + AHEAD]["key_lo"])
        intent = intents[i]
        touch = touches[intent["instrument_idx"]]
        now_ns = intent["timestamp_ns"]
        touch["ts_ns"] = now_ns
        reason = decide(gw, intent, touch, now_ns)
        d = decision(gw)[0]
        if d["replayed"] != 0:
            outcome[1] += 1
        elif reason != 0:
            outcome[2] += 1
        else:
            outcome[0] += 1
            if end == FILL:
                on_ack(gw, d["slot"], now_ns)
                on_fill(gw, d["slot"], d["price"], d["qty"], now_ns)
            elif end == CANCEL:
                on_done(gw, d["slot"], CANCELLED, now_ns)


def limits() -> Limits:
    """Every check on, at values this work does not touch."""
    return Limits.from_dict(
        {
            "capital": 1_000_000_000,
            "HFT_EXPOSURE_GLOBAL_MAX_NOTIONAL": 1_000_000_000,
            "strategies.bench.max_notional": 1_000_000_000,
            "strategies.bench.max_leaf_notional": 1_000_000_000,
            "strategies.bench.max_net_qty": 1_000,
            "max_position_size": 1_000,
            "max_daily_loss": 1_000_000,
            "risk_limits.orders_per_second": 2_000_000,
            "risk_limits.orders_per_minute": 20_000_000,
            "risk_limits.max_notional": 1_000_000,
            "risk.max_order_notional": 10_000_000,
            "risk.price_band_ticks": 1_000,
            "risk.reference_max_age_ms": 1000,
            "risk.repeated_execution_count": 1_000_000,
            "storm_guard.warm_threshold": -200_000,
            "storm_guard.storm_threshold": -500_000,
            "storm_guard.halt_threshold": -1_000_000,
            "symbols.CLOSED.restricted": True,
        },
        "bench",
    )


INSTRUMENTS = [
    Instrument("OPEN", Decimal("0.01"), Decimal(1)),
    Instrument("CLOSED", Decimal("0.01"), Decimal(1)),
]


def resolved() -> ResolvedLimits:
    """The limits above for two instruments, the second restricted."""
    stats = [{"first_mid": 10_000, "gap_ns_p999": 10**8}] * 2
    return resolve(limits(), INSTRUMENTS, stats, strategies=["bench"])


def world() -> tuple[np.ndarray, ResolvedLimits]:
    """The instruments as rows, and their limits."""
    found = resolved()
    digits = money_digits(INSTRUMENTS)
    rows = [
        instrument_row(instrument, digits, cap, index)
        for index, (instrument, cap) in enumerate(zip(INSTRUMENTS, found.max_price, strict=True))
    ]
    return np.array(rows), found


def make(window: int) -> GatewayState:
    """A gateway of one account and one strategy."""
    return new_state(*world(), 1, 1, dedup_window=window)


def touches() -> np.ndarray:
    table = np.zeros(2, TOUCH)
    table["bid_tick"], table["ask_tick"] = 9_999, 10_001
    table["valid"] = 1
    return table


def workload(n: int, window: int, start: int = 1) -> np.ndarray:
    """Intents of the mix; duplicates repeat a key decided up to half a window ago."""
    rng = np.random.default_rng(7 + start)
    out = np.zeros(n, INTENT)
    out["intent_id"] = start + np.arange(n)
    out["side"] = np.arange(n) % 2
    out["price"] = 10_000 - rng.integers(1, 20, n)
    out["qty"] = 1
    out["order_type"] = 1
    out["timestamp_ns"] = 10**18 + (start + np.arange(n)) * STEP_NS
    out["key_hi"] = rng.integers(1, 1 << 62, n)
    out["key_lo"] = rng.integers(1, 1 << 62, n)
    kind = rng.random(n)
    out["instrument_idx"][kind < 0.05] = 1
    again = np.flatnonzero((kind >= 0.05) & (kind < 0.10) & (np.arange(n) > 10))
    back = rng.integers(1, max(2, min(window // 2, n // 2)), len(again))
    source = np.maximum(again - back, 0)
    fields = [name for name in INTENT.names or () if name not in ("intent_id", "timestamp_ns")]
    for index, origin in zip(again, source, strict=True):
        for name in fields:
            out[name][index] = out[name][origin]
    return out


def measure(window: int, n: int, end: int) -> dict[str, Any]:
    """Nanoseconds an intent: median and spread of rounds over fresh keys, window full."""
    gw, book, outcome = make(window), touches(), np.zeros(3, np.int64)
    start = 1
    drive(handle(gw), workload(window, window, start), book, outcome, end)
    start += window
    times, cpu_times = [], []
    outcome[:] = 0
    for _ in range(ROUNDS):
        batch = workload(n, window, start)
        start += n
        begin, cpu_begin = time.perf_counter_ns(), time.thread_time_ns()
        drive(handle(gw), batch, book, outcome, end)
        times.append((time.perf_counter_ns() - begin) / n)
        cpu_times.append((time.thread_time_ns() - cpu_begin) / n)
    shares = [round(float(count) / n / ROUNDS, 4) for count in outcome]
    return {
        "live_keys": int(gw.head[0]["dedup_count"]),
        "ns_median": round(statistics.median(times), 1),
        "ns_min": round(min(times), 1),
        "ns_spread": round(max(times) - min(times), 1),
        "cpu_ns_median": round(statistics.median(cpu_times), 1),
        "approved_replayed_refused": shares,
    }


def measure_seam(calls: int = 20_000) -> dict[str, float]:
    """Nanoseconds of one intent from Python: the call alone, and with the row's fields written."""
    state = make(10_000)
    gateway = Gateway(state.instruments, resolved(), 1, 1)
    gateway.touches[:] = touches()
    row, now_ns = gateway.intents[0], 10**18
    gateway.touches["ts_ns"] = now_ns
    row["price"], row["qty"], row["order_type"], row["instrument_idx"] = 9_990, 1, 1, 1
    row["intent_id"] = 1
    alone, written = [], []
    for _ in range(ROUNDS):
        begin = time.perf_counter_ns()
        for _ in range(calls):
            gateway.decide_next(now_ns)
        alone.append((time.perf_counter_ns() - begin) / calls)
        begin = time.perf_counter_ns()
        for number in range(1, calls + 1):
            row["intent_id"] = number
            row["price"] = 9_990
            row["qty"] = 1
            row["side"] = 0
            gateway.decide_next(now_ns)
        written.append((time.perf_counter_ns() - begin) / calls)
    return {
        "call_ns_median": round(statistics.median(alone), 1),
        "with_four_fields_ns_median": round(statistics.median(written), 1),
    }


def run() -> dict[str, Any]:
    """All figures of acceptance 5."""
    return {
        "batch_10k": measure(10_000, 200_000, CANCEL),
        "batch_10k_ack_and_fill": measure(10_000, 200_000, FILL),
        "batch_2e20": measure(1 << 20, 400_000, CANCEL),
        "batch_2e20_ack_and_fill": measure(1 << 20, 400_000, FILL),
        "one_from_python": measure_seam(),
    }


if __name__ == "__main__":
    for name, figures in run().items():
        print(name, figures)
