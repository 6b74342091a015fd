"""Digits to whole steps, exactly: decimal text in a byte buffer read onto a grid of ticks or lots.

A step is `units` x 10^-decimals. Readers stop at the first byte that belongs to no number, so
text must end with a byte that does not (a line feed). Nothing is rounded silently: callers learn
what the digits beyond the grid held.
"""

from decimal import Decimal
from typing import Any

import numpy as np

from hft.core.jit import kernel

DIGITS_MAX = 18  # what int64 holds without a check per digit


def step_units(step: Decimal, decimals_min: int = 0) -> tuple[int, int]:
    """(decimals, units of 10^-decimals) of one step, with at least `decimals_min` decimals."""
    _sign, digits, exponent = step.normalize().as_tuple()
    decimals = max(-int(exponent), decimals_min, 0)
    return decimals, int("".join(map(str, digits))) * 10 ** (int(exponent) + decimals)


@kernel(inline=True)
def read_decimal(text: np.ndarray, at: int, decimals: int) -> Any:
    """Read digits as value x 10^decimals.

    Returns: (value, position after, what digits beyond `decimals` held: 0 nothing, 1 less than a
    half, 2 a half or more); position -1 when this is no decimal number or could pass 18 digits.
    """
    value = np.int64(0)
    lost = 0
    start = at
    digit = np.int64(text[at]) - 48
    while 0 <= digit <= 9 and at - start < DIGITS_MAX:
        value = value * 10 + digit
        at += 1
        digit = np.int64(text[at]) - 48
    whole = at - start
    kept = 0
    if whole == 0 or whole + decimals > DIGITS_MAX or 0 <= digit <= 9:
        return value, -1, 0
    if digit == -2:
        at += 1
        digit = np.int64(text[at]) - 48
        if not 0 <= digit <= 9:
            return value, -1, 0
        dropped = at + decimals
        while 0 <= digit <= 9:
            if kept < decimals:
                value = value * 10 + digit
                kept += 1
            elif at == dropped and digit >= 5:
                lost = 2
            elif digit != 0 and lost == 0:
                lost = 1
            at += 1
            digit = np.int64(text[at]) - 48
    while kept < decimals:
        value *= 10
        kept += 1
    return value, at, lost


@kernel(inline=True)
def nearest_step(value: int, lost: int, units: int) -> Any:
    """Whole steps of `units` nearest to value, halves up. Returns: (steps, was it between two)."""
    if units == 1:
        return (value + 1 if lost == 2 else value), lost != 0
    steps = value // units
    rest = value - steps * units
    if 2 * rest + (1 if lost == 2 else 0) >= units:
        steps += 1
    return steps, rest != 0 or lost != 0
