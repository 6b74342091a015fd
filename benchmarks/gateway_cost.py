"""What one intent costs: in the kernel, in batches, and one call from Python."""

from typing import Any

from benchmarks.worker import stopwatch, timed

GATEWAY_INTENTS = 400_000
_open: dict[str, Any] = {}


def gateway_batch(live_keys: int, at_least_s: float = 1.0) -> dict[str, Any]:
    """Mean time of an intent in the kernel, in batches, with `live_keys` keys in the dedup window.

    The mix: 90 % approved, 5 % duplicates of an earlier key, 5 % refused at the last check; limits
    on four levels and sliding windows on. The window is full of live keys before the clock starts.
    Returns: ns, intents, approved, duplicate, refused (counts of the last batch).
    """
    import numpy as np

    from benchmarks import gateway

    name = f"gateway {live_keys}"
    if name not in _open:
        fresh = gateway.make(live_keys), gateway.touches(), np.zeros(3, np.int64)
        _drive(fresh, gateway.workload(live_keys, live_keys))
        _open[name] = fresh, 1 + live_keys
    filled, start = _open[name]

    def once() -> tuple[float, None]:
        nonlocal start
        batch = gateway.workload(GATEWAY_INTENTS, live_keys, start)
        start += GATEWAY_INTENTS
        filled[2][:] = 0
        return stopwatch(lambda: _drive(filled, batch))

    seconds, runs, _ = timed(once, at_least_s)
    _open[name] = filled, start
    counts = dict(zip(("approved", "duplicate", "refused"), filled[2].tolist(), strict=True))
    return {
        "ns": seconds * 1e9 / GATEWAY_INTENTS,
        "runs": runs,
        "intents": GATEWAY_INTENTS,
    } | counts


def _drive(filled: Any, batch: Any) -> None:
    """Decide a batch; approved orders are acknowledged and filled in the same loop."""
    from benchmarks import gateway
    from hft.gateway.tables import handle

    state, touches, outcome = filled
    gateway.drive(handle(state), batch, touches, outcome, True)


def gateway_single(at_least_s: float = 1.0) -> dict[str, Any]:
    """Mean time of one intent decided by one call from Python.

    Returns: ns, intents.
    """
    from benchmarks import gateway
    from hft.gateway.gateway import Gateway

    one = Gateway(*gateway.world())
    one.touches[:] = gateway.touches()
    start, count = 1, 20_000

    def once() -> tuple[float, None]:
        nonlocal start
        batch = gateway.workload(count, 10_000, start)
        # Every order goes to the restricted symbol: refused at the last check, so nothing stays
        # open and the call alone is on the clock.
        batch["instrument_idx"] = 1
        start += count
        return stopwatch(lambda: _each(one, batch))

    seconds, runs, _ = timed(once, at_least_s)
    return {"ns": seconds * 1e9 / count, "runs": runs, "intents": count}


def _each(gateway: Any, batch: Any) -> None:
    """One row written and one call from Python for each intent."""
    buffer, touches, decide = gateway.intents, gateway.touches, gateway.decide_next
    for row, now_ns in zip(batch, batch["timestamp_ns"].tolist(), strict=True):
        buffer[0] = row
        touches["ts_ns"] = now_ns
        decide(now_ns)
