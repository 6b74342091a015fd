"""Guessing the grid of prices or quantities, where that was asked for; always a finding."""

from decimal import Decimal

import numpy as np

from hft.core.errors import DataError
from hft.feeds.findings import Findings

DECIMALS_MAX = 10
NICE = (Decimal("5"), Decimal("2.5"), Decimal("2"), Decimal("1"))


def guess_step(values: np.ndarray) -> Decimal:
    """The coarsest of 1, 2, 2.5, 5 x 10^k on which every value lies; 1 when there is no value.

    Raises: DataError when no grid of up to ten decimals holds them.
    """
    numbers = values[np.isfinite(values) & (values != 0)]
    if not len(numbers):
        return Decimal(1)
    for decimals in range(DECIMALS_MAX + 1):
        scaled = np.rint(numbers * 10.0**decimals)
        if np.abs(scaled).max() < 2.0**53 and (scaled / 10.0**decimals == numbers).all():
            break
    else:
        raise DataError("no grid of ten decimals holds every value; give tick and lot")
    common = Decimal(int(np.gcd.reduce(np.abs(scaled).astype(np.int64)))).scaleb(-decimals)
    step = Decimal(1).scaleb(common.adjusted())
    while True:
        for nice in NICE:
            if common % (nice * step) == 0:
                return (nice * step).normalize()
        step = step.scaleb(-1)


def step_or_guess(
    given: Decimal | None, values: np.ndarray, findings: Findings, name: str, origin: str
) -> Decimal:
    """The given step, else a guess with the finding `guessed_tick` or `guessed_lot`."""
    if given is not None:
        return given
    try:
        step = guess_step(values)
    except DataError as error:
        raise DataError(f"{origin}: {name}: {error}") from None
    findings.add(f"guessed_{name}", 1, 1, f"{name} {step:f} fits all {len(values)} values")
    return Decimal(f"{step:f}")
