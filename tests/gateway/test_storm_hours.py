"""Silence of a feed counts inside open hours only."""

import numpy as np
import pytest

from hft.core.codes import StatusCode, StormGuardState
from hft.core.dtypes import TOUCH
from hft.gateway import storm
from hft.gateway.rows import INSTRUMENT_LIMIT

pytestmark = pytest.mark.nojit

GAP = 10


def level(now_ns: int, **touch: int) -> int:
    limit = np.zeros(1, INSTRUMENT_LIMIT)
    limit["feed_gap_ns"] = GAP
    row = np.zeros(1, TOUCH)
    for name, value in touch.items():
        row[name] = value
    return storm.gap_level(limit[0], row[0], now_ns)


def test_silence_outside_the_hours_is_no_gap() -> None:
    assert level(100, ts_ns=50, phase=StatusCode.CLOSE) == StormGuardState.NORMAL


def test_silence_over_night_is_no_gap_at_the_open() -> None:
    # The last row came at 50, the hours began at 95: the feed has been silent for 9, then for 10.
    assert level(104, ts_ns=50, open_ns=95) == StormGuardState.NORMAL
    assert level(105, ts_ns=50, open_ns=95) == StormGuardState.STORM


def test_silence_within_the_hours_is_a_gap() -> None:
    assert level(109, ts_ns=99, open_ns=95) == StormGuardState.STORM
    assert level(108, ts_ns=99, open_ns=95) == StormGuardState.NORMAL
