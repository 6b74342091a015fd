"""The lean is bounded, repeats, and forgets on reset."""

import math

from ..impl import RlQuotesAlpha

ROW = {"mid_tick": 100.5, "micro_tick": 100.7, "spread_ticks": 1.0, "imbalance": 0.4}


def test_the_same_rows_give_the_same_lean():
    alpha = RlQuotesAlpha()
    rows = [ROW | {"traded_lots": float(k)} for k in range(20)]
    first = [alpha.update(**row) for row in rows]
    alpha.reset()
    assert first == [alpha.update(**row) for row in rows]
    assert all(-1.0 <= value <= 1.0 for value in first)


def test_a_missing_book_leans_to_no_side():
    alpha = RlQuotesAlpha()
    assert alpha.update(**(ROW | {"mid_tick": math.nan, "traded_lots": 0.0})) == 0.0
    assert alpha.bad_values == 1
