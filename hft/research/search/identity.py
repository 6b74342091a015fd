"""Which candidates are the same one: by canonical form, as functions, and by what they did.

Two expressions that agree on made-up columns of generic numbers are one function, whatever they are
called, up to unit, level and direction, which the search fits anyway; the second is not run. Two
that differ there but took the same positions on the real rows are one trial; the second is counted
as a repeat of the first.
"""

import hashlib
from collections.abc import Sequence

import numpy as np

from hft.research.expressions.evaluate import evaluate
from hft.research.expressions.expression import Expression, standardised

SEED = 58
LOOKED_AT = 64  # last rows that are compared
DECIMALS = 6
ROWS = {128: 512, 1024: 4096}  # longest window -> rows of the made-up columns


def functions(expressions: Sequence[Expression], fields: Sequence[str]) -> list[str | None]:
    """A key of each expression as a function; None where none can be told.

    Windows longer than 1024 rows, and values that never vary, have no key.
    """
    found: list[str | None] = [None] * len(expressions)
    lower = 0
    for longest, rows in ROWS.items():
        mine = [k for k, one in enumerate(expressions) if lower < one.window <= longest]
        lower = longest
        if not mine:
            continue
        values = evaluate([standardised(expressions[k]) for k in mine], _made_up(fields, rows))
        for k, row in zip(mine, values, strict=True):
            found[k] = _key(row[-LOOKED_AT:])
    return found


def _made_up(fields: Sequence[str], rows: int) -> dict[str, np.ndarray]:
    """Normal numbers with a few zeros, ties and gaps, another column for each field."""
    columns = {}
    for place, name in enumerate(sorted(fields)):
        rng = np.random.Generator(np.random.Philox(key=[SEED, place]))
        column = rng.normal(0.3, 1.0 + 0.1 * (place % 7), rows)
        column[rng.integers(0, rows, 5)] = 0.0
        column[rng.integers(0, rows, 3)] = np.nan
        column[-20] = column[-21]
        columns[name] = column
    return columns


def _key(values: np.ndarray) -> str | None:
    quantised = np.round(values, DECIMALS) + 0.0
    finite = quantised[np.isfinite(quantised)]
    if not finite.size or not finite.any() or finite.min() == finite.max():
        return None
    if finite[np.flatnonzero(finite)[0]] < 0:
        quantised = -quantised + 0.0
    return hashlib.sha256(np.where(np.isnan(quantised), np.inf, quantised).tobytes()).hexdigest()
