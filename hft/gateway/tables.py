"""The handle kernels pass around instead of thirty arrays: one row of addresses.

A NamedTuple of arrays is flattened into 200 arguments at every call; a row is one pointer.
Compiled, `tables.orders(gw)` is the array at the row's address; with JIT off the handle is the
state itself, so the same body runs plain. The state keeps the memory alive.
"""

from typing import Any

import numpy as np

from hft.core.dtypes import DECISION, INSTRUMENT, ORDER
from hft.core.jit import JIT_DISABLED, kernel, prefetch, table_in
from hft.gateway import rows

INT64 = np.dtype(np.int64)
DTYPES = {
    "head": rows.HEAD,
    "config": rows.CONFIG,
    "request": rows.REQUEST,
    "decision": DECISION,
    "instruments": INSTRUMENT,
    "limits": rows.INSTRUMENT_LIMIT,
    "limits_base": rows.INSTRUMENT_LIMIT,
    "strategies": rows.STRATEGY,
    "orders": ORDER,
    "holds": rows.HOLD,
    "order_index": INT64,
    "heads": INT64,
    "leaves": rows.LEAF,
    "leaf_index": INT64,
    "symbols": rows.SYMBOL,
    "dedup": rows.DEDUP,
    "dedup_index": INT64,
    "rates": rows.RATE,
    "ring": INT64,
    "repeats": rows.RATE,
    "repeat_ring": INT64,
    "storms": rows.STORM,
    "breakers": rows.BREAKER,
    "moves": rows.MOVE,
    "move_ts": INT64,
    "move_mid2": INT64,
    "alerts": rows.ALERT,
    "cancels": INT64,
    "cancel_qty": INT64,
    "counts": INT64,
}
HANDLE = np.dtype([(f"{name}{end}", np.int64) for name in DTYPES for end in ("", "_n")], align=True)


def address_row(arrays: dict[str, np.ndarray]) -> np.ndarray:
    """The HANDLE row of a state's arrays."""
    table = np.zeros(1, HANDLE)
    for name, array in arrays.items():
        if array.dtype != DTYPES[name] or not array.flags.c_contiguous:
            raise TypeError(f"gateway table {name} is {array.dtype}, not {DTYPES[name]}")
        table[0][name] = array.ctypes.data
        table[0][f"{name}_n"] = len(array)
    return table


def _accessor(name: str) -> Any:
    if JIT_DISABLED:
        return lambda gw: getattr(gw, name)
    return table_in(HANDLE, name, DTYPES[name])


head = _accessor("head")
config = _accessor("config")
request = _accessor("request")
decision = _accessor("decision")
instruments = _accessor("instruments")
limits = _accessor("limits")
limits_base = _accessor("limits_base")
strategies = _accessor("strategies")
orders = _accessor("orders")
holds = _accessor("holds")
order_index = _accessor("order_index")
heads = _accessor("heads")
leaves = _accessor("leaves")
leaf_index = _accessor("leaf_index")
symbols = _accessor("symbols")
dedup = _accessor("dedup")
dedup_index = _accessor("dedup_index")
rates = _accessor("rates")
ring = _accessor("ring")
repeats = _accessor("repeats")
repeat_ring = _accessor("repeat_ring")
storms = _accessor("storms")
breakers = _accessor("breakers")
moves = _accessor("moves")
move_ts = _accessor("move_ts")
move_mid2 = _accessor("move_mid2")
alerts = _accessor("alerts")
cancels = _accessor("cancels")
cancel_qty = _accessor("cancel_qty")
counts = _accessor("counts")

if JIT_DISABLED:

    def enter(state: Any) -> Any:
        """The handle of a state, inside a kernel: the state itself."""
        return state

    def warm_key(gw: Any, index: int) -> None:
        """Nothing: a hint has no meaning in plain Python."""
else:

    @kernel(inline=True)
    def warm_key(gw: Any, index: int) -> None:
        """Ask for the cache line of a place in the dedup index before it is needed."""
        prefetch(gw["dedup_index"] + 8 * index)

    @kernel(inline=True)
    def enter(state: Any) -> Any:
        """The handle of a state, inside a kernel: its row of addresses."""
        return state.table[0]


def handle(state: Any) -> Any:
    """The handle of a state for a call from Python: one argument."""
    return state if JIT_DISABLED else state.table[0]
