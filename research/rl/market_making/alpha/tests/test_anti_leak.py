"""The lean of a row depends on that row and earlier ones only."""

import numpy as np

from ..impl import FIELDS, RlQuotesAlpha


def test_no_row_knows_a_later_one():
    rows = 100.0 + np.random.Generator(np.random.Philox(1)).standard_normal((60, len(FIELDS)))
    ticks = [dict(zip(FIELDS, row.tolist(), strict=True)) for row in rows]
    alpha = RlQuotesAlpha()
    whole = [alpha.update(**tick) for tick in ticks]
    for cut in (1, 7, 30, 59):
        alpha.reset()
        assert [alpha.update(**tick) for tick in ticks[:cut]] == whole[:cut]
