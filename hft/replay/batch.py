"""One cell of a tape's memory-mapped columns, by the addresses in a BATCH row.

Nothing is kept between rows, since a span of the engine is often a single row; `columns_of` is for
a loop that calls nothing and therefore can keep the addresses.
"""

from typing import Any

import numpy as np

from hft.core.codes import Flag
from hft.core.dtypes import Row
from hft.core.jit import kernel, table_view

_i64 = table_view(np.dtype(np.int64))
_i16 = table_view(np.dtype(np.int16))
_i8 = table_view(np.dtype(np.int8))


@kernel(inline=True)
def exch_ns_at(batch: Row, row: int) -> int:
    return _i64(batch["exch_ts"], batch["rows"])[row]


@kernel(inline=True)
def local_ns_at(batch: Row, row: int) -> int:
    return _i64(batch["local_ts"], batch["rows"])[row]


@kernel(inline=True)
def kind_at(batch: Row, row: int) -> Any:
    return np.int64(_i8(batch["kind"], batch["rows"])[row])


@kernel(inline=True)
def side_at(batch: Row, row: int) -> Any:
    return np.int64(_i8(batch["side"], batch["rows"])[row])


@kernel(inline=True)
def price_at(batch: Row, row: int) -> int:
    return _i64(batch["price"], batch["rows"])[row]


@kernel(inline=True)
def qty_at(batch: Row, row: int) -> int:
    return _i64(batch["qty"], batch["rows"])[row]


@kernel(inline=True)
def order_id_at(batch: Row, row: int) -> int:
    return _i64(batch["order_id"], batch["rows"])[row]


@kernel(inline=True)
def flags_at(batch: Row, row: int) -> Any:
    return np.int64(_i16(batch["flags"], batch["rows"])[row])


@kernel(inline=True)
def columns_of(batch: Row) -> Any:
    """The columns of a batch: kind, side, price, qty, exch_ts, local_ts, flags."""
    rows = batch["rows"]
    return (
        _i8(batch["kind"], rows),
        _i8(batch["side"], rows),
        _i64(batch["price"], rows),
        _i64(batch["qty"], rows),
        _i64(batch["exch_ts"], rows),
        _i64(batch["local_ts"], rows),
        _i16(batch["flags"], rows),
    )


@kernel(inline=True)
def next_row(batch: Row, row: int, skipped: int) -> int:
    """The first row from `row` on that lacks flag `skipped`, the batch's length when none does."""
    while row < batch["rows"] and flags_at(batch, row) & skipped != 0:
        row += 1
    return row


VENUE_ONLY = Flag.VENUE_ONLY.value
VIEW_ONLY = Flag.VIEW_ONLY.value
ONE_SIDED = VENUE_ONLY | VIEW_ONLY
