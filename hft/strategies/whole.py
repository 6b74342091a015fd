"""Lots and ticks are whole numbers: what a strategy gives as a float is refused, never cut."""

from hft.core.jit import kernel

MOST = 1 << 62  # beyond it a float is no int64


@kernel
def whole_lots(lots: float) -> int:
    """Lots as a whole number; whole ones cost nothing. Raises: ValueError, for 0.5 is no lot."""
    if not -MOST <= lots <= MOST or lots % 1 != 0:
        raise ValueError("lots are not a whole number (int(lots) makes one)")
    return int(lots)


@kernel
def whole_tick(tick: float) -> int:
    """A tick as a whole number. Raises: ValueError between two ticks."""
    if not -MOST <= tick <= MOST or tick % 1 != 0:
        raise ValueError("the tick is not a whole number (order.quote rounds by itself)")
    return int(tick)
