"""Feeds of random rows for the tests of tapes."""

from decimal import Decimal

import numpy as np

from hft.core.codes import EventKind, Flag
from hft.core.instruments import Instrument
from hft.tape.schema import Columns, Feed, Finding

DAY = 1_704_153_600_000_000_000  # 2024-01-02T00:00:00Z
TEST = Instrument(symbol="TEST", tick=Decimal("0.25"), lot=Decimal(1), venue="own")


def level_feed(rows: int, seed: int = 0, start: int = DAY, day_rows: int | None = None) -> Feed:
    """Random L2 updates around a mid of 1000 ticks, with a trade every tenth row."""
    rng = np.random.default_rng(seed)
    columns = Columns.empty(rows)
    columns.exch_ts[:] = start + np.cumsum(rng.integers(0, 3, rows)) * 1_000
    columns.local_ts[:] = columns.exch_ts + 500
    side = rng.integers(0, 2, rows)
    columns.side[:] = side
    columns.price[:] = 1000 + np.where(side == 0, -1, 1) * rng.integers(1, 6, rows)
    columns.qty[:] = rng.integers(0, 5, rows)
    columns.kind[9::10] = EventKind.TRADE
    columns.qty[9::10] = np.maximum(columns.qty[9::10], 1)
    columns.flags[:] = Flag.LAST.value
    return Feed(TEST, columns, [Finding("disorder", 3, 7, "note")], {"format": "test"})


def order_feed(rows: int, seed: int = 0) -> Feed:
    """Random L3 life: orders are added, changed, cut and executed; some ids are unknown."""
    rng = np.random.default_rng(seed)
    columns = Columns.empty(rows)
    columns.exch_ts[:] = DAY + np.cumsum(rng.integers(0, 3, rows)) * 1_000
    columns.local_ts[:] = columns.exch_ts + 500
    kinds = [EventKind.ADD, EventKind.CANCEL, EventKind.MODIFY, EventKind.EXECUTE]
    columns.kind[:] = rng.choice(kinds, rows, p=[0.5, 0.2, 0.1, 0.2])
    columns.order_id[:] = rng.integers(1, max(rows // 2, 2), rows)
    columns.side[:] = columns.order_id % 2
    columns.price[:] = 1000 + np.where(columns.side == 0, -1, 1) * rng.integers(1, 6, rows)
    columns.qty[:] = rng.integers(1, 5, rows)
    return Feed(TEST, columns, [], {"format": "test"})
