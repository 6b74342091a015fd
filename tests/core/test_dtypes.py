"""Rows that cross a boundary: all int64 without holes, so their bytes are the same anywhere."""

import numpy as np
import pytest

from hft.core import dtypes

pytestmark = pytest.mark.nojit

ROWS = {name: value for name, value in vars(dtypes).items() if isinstance(value, np.dtype)}

# Contract 2.1 to 2.3, as far as the kernel carries it.
CONTRACT = {
    "INTENT": "intent_id intent_type side price qty tif timestamp_ns source_ts_ns ttl_ns "
    "order_type expire_ts_ns parent_id stop_price display_qty key_hi key_lo",
    "DECISION": "reason cmd_id policy_mode decided_ns replayed",
    "FILL": "fill_id order_id cmd_id side price qty liquidity exch_ts_ns local_ts_ns",
}


def test_a_step_holds_signed_integers_without_holes() -> None:
    """Its codes are narrow: a journal is mostly steps."""
    row = ROWS["STEP"]
    sizes = [row[field].itemsize for field in row.names]
    assert all(row[field].kind == "i" for field in row.names)
    assert [row.fields[field][1] for field in row.names] == [
        sum(sizes[:k]) for k in range(len(sizes))
    ]
    assert sum(sizes) == row.itemsize


@pytest.mark.parametrize("name", sorted(set(ROWS) - {"STEP"}))
def test_every_field_is_an_int64_and_there_are_no_holes(name: str) -> None:
    row = ROWS[name]
    assert row.names is not None
    assert all(row[field] == np.int64 for field in row.names)
    assert [row.fields[field][1] for field in row.names] == list(range(0, row.itemsize, 8))


@pytest.mark.parametrize("name", sorted(CONTRACT))
def test_a_row_has_the_fields_of_the_contract(name: str) -> None:
    assert set(CONTRACT[name].split()) <= set(ROWS[name].names)
