"""Columns with everything that hurts, and one expression for each operator and window."""

import numpy as np

from hft.research.expressions.expression import Expression, parse
from hft.research.expressions.nodes import OPERATORS

WINDOWS = (1, 2, 3, 7, 20)


def columns(rows: int = 400, seed: int = 42) -> dict[str, np.ndarray]:
    """Smooth, tied, missing, constant, trending and wild columns."""
    rng = np.random.Generator(np.random.Philox(seed))
    noise = rng.normal(size=rows)
    gaps = rng.normal(size=rows)
    gaps[rng.random(rows) < 0.15] = np.nan
    gaps[: rows // 20] = np.nan
    ties = rng.integers(-2, 3, rows).astype(float)
    level = 400 + 0.01 * np.cumsum(rng.normal(size=rows))
    wild = noise.copy()
    wild[rows // 3], wild[rows // 2] = np.inf, -1e15
    return {
        "noise": noise,
        "gaps": gaps,
        "ties": ties,
        "flat": np.full(rows, 0.1),
        "level_mid": level,
        "wild": wild,
    }


def one_of_each() -> list[Expression]:
    """Every operator on every kind of column, with several windows."""
    found = []
    names = ["noise", "gaps", "ties", "flat", "level_mid", "wild"]
    for operator in OPERATORS.values():
        for place, name in enumerate(names):
            inputs = [name, names[(place + 1) % len(names)]][: operator.arity]
            for window in WINDOWS if operator.windowed else (0,):
                parts = [*inputs, str(window)] if window else inputs
                found.append(parse(f"{operator.name}({', '.join(parts)})"))
    nested = (
        "rank(ts_mean(gaps, 5))",
        "rank(rank(ties))",
        "gaps - rank(gaps)",
        "ts_corr(rank(noise), level_mid, 9)",
        "zscore(noise / ties)",
        "2 * ts_std(level_mid, 12)",
        "3",
        "-(noise + 1) / 2",
    )
    return [*found, *(parse(text) for text in nested)]
