"""Arrays that a pass borrows from its caller: tables, which count no references.

numba counts a reference, atomically, for each array handed to a call that is not merged into its
caller; in a pass over bytes or records that costs more than the pass does. So a pass makes tables
of its arrays first and hands those on. The caller keeps the arrays alive until the pass is over.
"""

import numpy as np

from hft.core.jit import kernel, table_view
from hft.tape.schema import Columns

bytes_view = table_view(np.dtype(np.uint8))
int64_view = table_view(np.dtype(np.int64))
int16_view = table_view(np.dtype(np.int16))
int8_view = table_view(np.dtype(np.int8))


@kernel
def columns_view(rows: Columns) -> Columns:
    """The columns of a tape, borrowed."""
    count = rows.kind.size
    return Columns(
        int64_view(rows.exch_ts.ctypes.data, count),
        int64_view(rows.local_ts.ctypes.data, count),
        int8_view(rows.kind.ctypes.data, count),
        int8_view(rows.side.ctypes.data, count),
        int64_view(rows.price.ctypes.data, count),
        int64_view(rows.qty.ctypes.data, count),
        int64_view(rows.order_id.ctypes.data, count),
        int16_view(rows.flags.ctypes.data, count),
    )
