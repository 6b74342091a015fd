"""A record of the journal about nothing: as tests begin one and `new_step` has to leave it."""

import numpy as np

from hft.core.dtypes import STEP

NONE = ("strategy_idx", "instrument_idx", "side", "intent_type", "order_type", "tif", "liquidity")


def blank_step() -> np.ndarray:
    """A STEP about nothing: -1 where 0 would name somebody or something."""
    step = np.zeros(1, STEP)
    for name in NONE:
        step[name] = -1
    return step[0]
