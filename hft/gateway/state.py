"""The gateway's whole state as one NamedTuple of arrays, and its snapshot.

Everything that decides lives here, so a snapshot is a copy of arrays. `new_state` sizes the tables,
`hft.gateway.invariants.check` proves them; nothing here decides.
"""

from typing import NamedTuple

import numpy as np

from hft.core.dtypes import DECISION, INSTRUMENT, ORDER
from hft.core.errors import ConfigError
from hft.gateway import control, rows, tables
from hft.gateway.resolve import ResolvedLimits

NS = 1_000_000_000
LINE = 64  # bytes of a cache line


class GatewayState(NamedTuple):
    head: np.ndarray  # HEAD[1]
    config: np.ndarray  # CONFIG[1]
    request: np.ndarray  # REQUEST[1]
    decision: np.ndarray  # DECISION[1]
    instruments: np.ndarray  # INSTRUMENT[instrument]
    limits: np.ndarray  # INSTRUMENT_LIMIT[instrument], in force
    limits_base: np.ndarray  # INSTRUMENT_LIMIT[instrument], as resolved
    strategies: np.ndarray  # STRATEGY[strategy]
    orders: np.ndarray  # ORDER[slot]
    holds: np.ndarray  # HOLD[slot]
    order_index: np.ndarray  # int64[hash of order id], slot + 1 or 0
    heads: np.ndarray  # int64[(account x instruments + instrument) x 2 + side], slot or -1
    leaves: np.ndarray  # LEAF[leaf_capacity + 1]; the last row stays zero: a leaf not there yet
    leaf_index: np.ndarray  # int64[hash], leaf + 1 or 0
    symbols: np.ndarray  # SYMBOL[instrument]
    dedup: np.ndarray  # DEDUP[window]
    dedup_index: np.ndarray  # int64[hash of key], tag and dedup row + 1, or 0
    rates: np.ndarray  # RATE[strategies, instruments, all]
    ring: np.ndarray  # int64, the rings of `rates`
    repeats: np.ndarray  # RATE[strategy x instruments + instrument]
    repeat_ring: np.ndarray  # int64
    storms: np.ndarray  # STORM[strategies, instruments, gateway]
    breakers: np.ndarray  # BREAKER[global, accounts, strategies, instruments]
    moves: np.ndarray  # MOVE[instrument]
    move_ts: np.ndarray  # int64[instrument x 64]
    move_mid2: np.ndarray  # int64[instrument x 64], bid + ask
    alerts: np.ndarray  # ALERT ring, what guards did and nobody has taken yet
    cancels: np.ndarray  # int64[CANCELS_MAX], slots of own orders to cancel or amend down
    cancel_qty: np.ndarray  # int64[CANCELS_MAX], their new total, 0 cancels
    counts: np.ndarray  # int64[1024], decisions by reason
    table: np.ndarray  # HANDLE[1], where the arrays above live; see `tables`


def power_of_two(least: int) -> int:
    """The smallest power of two not below `least`."""
    return 1 << max(0, int(least) - 1).bit_length()


def line_zeros(count: int, dtype: np.dtype) -> np.ndarray:
    """Zeros that begin on a cache line, lazily paged: a 64-byte row is then one line, not two."""
    size = count * dtype.itemsize
    raw = np.zeros(size + LINE, np.uint8)
    start = -raw.ctypes.data % LINE
    return raw[start : start + size].view(dtype)


def new_state(
    instruments: np.ndarray,
    limits: ResolvedLimits,
    n_accounts: int,
    n_strategies: int,
    *,
    order_capacity: int = 4096,
    dedup_window: int = 10_000,
    seed: int = 0,
) -> GatewayState:
    """Empty tables under `limits`; large ones are lazily paged zeros."""
    arrays = _arrays(instruments, limits, n_accounts, n_strategies, order_capacity, dedup_window)
    state = GatewayState(**arrays, table=tables.address_row(arrays))
    head = state.head[0]
    for name in ("dedup_row", "lru_recent", "lru_oldest", "gates"):
        head[name] = -1
    head["leader"] = 1
    head["venue_up"] = 1
    slots = len(state.orders)
    sizes = {
        "n_accounts": n_accounts,
        "n_strategies": n_strategies,
        "n_instruments": len(instruments),
        "order_max": slots,
        "dedup_capacity": dedup_window,
        "leaf_capacity": len(state.leaves) - 1,
        "leaf_mask": len(state.leaf_index) - 1,
        "seed": seed,
    }
    for name, size in sizes.items():
        state.config[0][name] = size
    return state


def _arrays(
    instruments: np.ndarray,
    limits: ResolvedLimits,
    n_accounts: int,
    n_strategies: int,
    order_capacity: int,
    dedup_window: int,
) -> dict[str, np.ndarray]:
    """The tables by name; an index has two places an entry at least, so that chains stay short."""
    n_instruments = len(instruments)
    slots = power_of_two(order_capacity)
    leaf_capacity = min(limits.leaves_max, n_accounts * n_strategies * n_instruments)
    leaf_slots = power_of_two(2 * leaf_capacity)
    strategies = _strategies(limits, n_strategies)
    rates, ring = _rates(limits, strategies)
    repeats, repeat_ring = _repeats(limits, n_strategies * n_instruments)
    return {
        "head": np.zeros(1, rows.HEAD),
        "config": limits.config.copy(),
        "request": np.zeros(1, rows.REQUEST),
        "decision": np.zeros(1, DECISION),
        "instruments": np.array(instruments, INSTRUMENT),
        "limits": limits.instruments.copy(),
        "limits_base": limits.instruments.copy(),
        "strategies": strategies,
        "orders": line_zeros(slots, ORDER),
        "holds": line_zeros(slots, rows.HOLD),
        "order_index": np.zeros(2 * slots, np.int64),
        "heads": np.full(n_accounts * n_instruments * 2, -1, np.int64),
        "leaves": np.zeros(leaf_capacity + 1, rows.LEAF),
        "leaf_index": np.zeros(leaf_slots, np.int64),
        "symbols": np.zeros(n_instruments, rows.SYMBOL),
        "dedup": line_zeros(dedup_window, rows.DEDUP),
        "dedup_index": line_zeros(power_of_two(2 * dedup_window), np.dtype(np.int64)),
        "rates": rates,
        "ring": ring,
        "repeats": repeats,
        "repeat_ring": repeat_ring,
        "storms": np.zeros(n_strategies + n_instruments + 1, rows.STORM),
        "breakers": np.zeros(1 + n_accounts + n_strategies + n_instruments, rows.BREAKER),
        "moves": np.zeros(n_instruments, rows.MOVE),
        "move_ts": np.zeros(n_instruments * rows.MOVE_SAMPLES, np.int64),
        "move_mid2": np.zeros(n_instruments * rows.MOVE_SAMPLES, np.int64),
        "alerts": np.zeros(4 * (2 + n_accounts + 2 * (n_strategies + n_instruments)), rows.ALERT),
        "cancels": np.zeros(rows.CANCELS_MAX, np.int64),
        "cancel_qty": np.zeros(rows.CANCELS_MAX, np.int64),
        "counts": np.zeros(1024, np.int64),
    }


def _strategies(limits: ResolvedLimits, n_strategies: int) -> np.ndarray:
    """One row a strategy: its own limits where the set names it, else the default row."""
    table = np.zeros(n_strategies, rows.STRATEGY)
    for index in range(n_strategies):
        table[index] = limits.strategy_row(index)
    table["full_order_notional_max"] = table["order_notional_max"]
    return table


def _rates(limits: ResolvedLimits, strategies: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rate rows of strategies, instruments and all together, over one pool of times."""
    pairs = [(int(row["rate_per_s"]), int(row["rate_per_min"])) for row in strategies]
    pairs += [(int(row["rate_per_s"]), int(row["rate_per_min"])) for row in limits.instruments]
    pairs.append((limits.rate_per_s, limits.rate_per_min))
    table = np.zeros(len(pairs), rows.RATE)
    start = 0
    for row, (per_s, per_min) in zip(table, pairs, strict=True):
        row["per_s"], row["per_min"] = per_s, per_min
        row["full_per_s"], row["full_per_min"] = per_s, per_min
        row["size"], row["start"] = max(per_s, per_min), start
        start += max(per_s, per_min)
    return table, np.zeros(max(start, 1), np.int64)


def _repeats(limits: ResolvedLimits, pairs: int) -> tuple[np.ndarray, np.ndarray]:
    size = int(limits.config[0]["repeated_count"])
    table = np.zeros(pairs, rows.RATE)
    table["size"] = size
    table["start"] = np.arange(pairs) * size
    return table, np.zeros(max(size * pairs, 1), np.int64)


_RINGS = {"ring": "rates", "repeat_ring": "repeats"}
_APART = (*_RINGS, "table")  # a snapshot copies rings in part and addresses never


def snapshot(state: GatewayState) -> dict[str, np.ndarray]:
    """A copy of the state; of a ring only the part that was ever written."""
    out = {name: array.copy() for name, array in state._asdict().items() if name not in _APART}
    out["dedup"] = state.dedup[: int(state.head[0]["dedup_count"])].copy()
    for ring, table in _RINGS.items():
        parts = [getattr(state, ring)[low:high] for low, high in _written(getattr(state, table))]
        out[ring] = np.concatenate(parts) if parts else np.zeros(0, np.int64)
    return out


def _written(table: np.ndarray) -> list[tuple[int, int]]:
    used = np.minimum(table["count"], table["size"])
    return [(int(s), int(s + n)) for s, n in zip(table["start"], used, strict=True)]


def restore(state: GatewayState, saved: dict[str, np.ndarray]) -> None:
    """Bring `state` back to a snapshot of a state of the same sizes. Mutates: state."""
    for name, array in state._asdict().items():
        if name in _APART:
            continue
        array[: len(saved[name])] = saved[name]
    for ring, table in _RINGS.items():
        start = 0
        for low, high in _written(getattr(state, table)):
            getattr(state, ring)[low:high] = saved[ring][start : start + high - low]
            start += high - low


_SIZES = (
    "n_accounts",
    "n_strategies",
    "n_instruments",
    "order_max",
    "dedup_capacity",
    "leaf_capacity",
    "leaf_mask",
    "seed",
    "repeated_count",
)
_STRATEGY_LIMITS = (
    "notional_max",
    "leaf_notional_max",
    "net_qty_max",
    "order_notional_max",
    "critical",
    "bound",
)


def apply_limits(state: GatewayState, limits: ResolvedLimits) -> None:
    """Put other limits in force between two intents; positions, holds and latches stay.

    Mutates: state. Raises: ConfigError when a window would need what this run does not keep.
    """
    pairs = _rates(limits, _strategies(limits, len(state.strategies)))[0]
    for row, new in zip(state.rates, pairs, strict=True):
        if new["size"] > row["size"]:
            raise ConfigError(
                f"limits {limits.hash}: a rate of {new['size']} is above the {row['size']} that "
                "this run keeps; rates may be lowered within a run, not raised"
            )
    if limits.config[0]["repeated_count"] != state.config[0]["repeated_count"]:
        raise ConfigError("risk.repeated_execution_count stays as it is within a run")
    if limits.config[0]["breaker_window_ns"] > state.config[0]["breaker_window_ns"]:
        raise ConfigError(
            "breaker.window_s may be shortened within a run, not lengthened: mids from before the "
            "window are not kept; name it in these limits as it is in force"
        )
    was_needed = state.config[0]["require_promotion"] != 0
    for name in rows.CONFIG.names or ():
        if name not in _SIZES:
            state.config[0][name] = limits.config[0][name]
    state.limits[:] = limits.instruments
    state.limits_base[:] = limits.instruments
    for index, row in enumerate(state.strategies):
        needed = was_needed and row["bound"] != 0
        for name in _STRATEGY_LIMITS:
            row[name] = limits.strategy_row(index)[name]
        row["full_order_notional_max"] = row["order_notional_max"]
        needs = state.config[0]["require_promotion"] != 0 and row["bound"] != 0
        if needs != needed:
            # Nobody has promoted it yet under these limits, or nobody has to.
            row["weight_ppm"] = limits.strategy_row(index)["weight_ppm"]
    state.head[0]["gates"] = -1
    for name in ("per_s", "per_min", "full_per_s", "full_per_min"):
        state.rates[name] = pairs[name]
    state.moves["turn_ns"] = 0
    control.scale_limits(tables.handle(state))
