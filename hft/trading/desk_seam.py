"""The kernels of a desk at the Python seam: addresses in, a number out, compiled once and cached.

The arena's type is taken from a tiny example, since it depends on record types only.
"""

from decimal import Decimal
from typing import Any

import numpy as np
from numba import types

from hft.core.arena import opener
from hft.core.instruments import Instrument
from hft.core.jit import JIT_DISABLED, kernel, table_view
from hft.core.numbers import resolve as resolve_instrument
from hft.gateway.limits import Limits
from hft.gateway.orders import find
from hft.gateway.resolve import resolve
from hft.gateway.state import new_state as new_gateway
from hft.gateway.tables import enter
from hft.trading.apply import apply_all
from hft.trading.checks import check
from hft.trading.desk_state import DeskState, new_state
from hft.trading.inputs import INPUT


def example() -> DeskState:
    """The smallest desk there is; every table has its real record type."""
    instrument = Instrument("X", Decimal(1), Decimal(1), max_price=Decimal(1000))
    table = np.array([resolve_instrument(instrument, 2, 1000, 1)])
    limits = resolve(Limits.off(), [instrument], [{"first_mid": 100}])
    gateway = new_gateway(table, limits, 1, 1, order_capacity=16, dedup_window=16)
    lanes = np.zeros(2, np.uint64)
    return new_state(table, gateway, 1, 1, room=16, configuration=0, lanes=lanes)


_open = opener(example())
_rows_at = table_view(INPUT)
_ids_at = table_view(np.dtype(np.int64))
_SIGNATURE = types.int64(types.int64, types.int64, types.int64)


@kernel(_SIGNATURE, beside=True)
def _apply_at(desk, rows, count):  # type: ignore[no-untyped-def]
    return apply_all(_open(desk), _rows_at(rows, count), count)


@kernel(_SIGNATURE, beside=True)
def _check_at(desk, rows, count):  # type: ignore[no-untyped-def]
    return check(_open(desk), _rows_at(rows, count), count)


@kernel
def _find_all(desk: Any, ids: np.ndarray, count: int) -> int:
    """Each id becomes the slot of its working order, or -1. Mutates: ids."""
    for at in range(count):
        ids[at] = find(enter(desk.trading.gw), ids[at])
    return count


@kernel(_SIGNATURE, beside=True)
def _find_at(desk, ids, count):  # type: ignore[no-untyped-def]
    return _find_all(_open(desk), _ids_at(ids, count), count)


def apply_rows(handle: Any, rows: np.ndarray) -> int:
    """`apply_all` of an arena's handle and contiguous INPUT rows."""
    if JIT_DISABLED:
        return int(apply_all(handle, rows, len(rows)))
    return int(_apply_at(handle, rows.ctypes.data, len(rows)))


def check_rows(handle: Any, rows: np.ndarray) -> int:
    """`check` of an arena's handle and contiguous INPUT rows."""
    if JIT_DISABLED:
        return int(check(handle, rows, len(rows)))
    return int(_check_at(handle, rows.ctypes.data, len(rows)))


def slots_of(handle: Any, order_ids: np.ndarray) -> np.ndarray:
    """Where the working orders of these ids lie, int64; -1 for an id that has none."""
    slots = np.array(order_ids, np.int64)
    if JIT_DISABLED:
        _find_all(handle, slots, len(slots))
    else:
        _find_at(handle, slots.ctypes.data, len(slots))
    return slots
