"""What an input must be: finite float64, one or two axes, long enough.

Every statistic calls these first, so that a NaN stops at the door with a sentence and never turns
into a number further on. Owns the seeded generator, one Philox stream per key, and the nodes of
the integrals.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

# A sd this far below the mean (or below any number) is the rounding of a constant.
FLAT = 1e-12


def series(values: ArrayLike, minimum: int = 1, name: str = "returns") -> np.ndarray:
    """One axis of finite float64, at least `minimum` long.

    Raises: ValueError naming what is wrong and where.
    """
    array = np.ascontiguousarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise ValueError(f"{name}: expected one axis, got {array.ndim}; pass one series")
    if array.size < minimum:
        raise ValueError(f"{name}: {array.size} values, at least {minimum} are needed")
    return _finite(array, name)


def panel(
    values: ArrayLike, rows: int = 2, columns: int = 1, name: str = "the matrix"
) -> np.ndarray:
    """Time down, series across: two axes of finite float64.

    Raises: ValueError naming what is wrong and where.
    """
    array = np.ascontiguousarray(values, dtype=np.float64)
    if array.ndim != 2:
        raise ValueError(f"{name}: expected time x series, got {array.ndim} axes")
    if array.shape[0] < rows or array.shape[1] < columns:
        raise ValueError(
            f"{name}: {array.shape[0]} x {array.shape[1]}, at least {rows} x {columns} is needed"
        )
    return _finite(array, name)


def paired(
    left: ArrayLike, right: ArrayLike, minimum: int, names: tuple[str, str]
) -> tuple[np.ndarray, np.ndarray]:
    """Two series of one length.

    Raises: ValueError when either is unusable or the lengths differ.
    """
    a, b = series(left, minimum, names[0]), series(right, minimum, names[1])
    if a.size != b.size:
        raise ValueError(f"{names[0]} has {a.size} values and {names[1]} {b.size}; align them")
    return a, b


def is_flat(mean: float, sd: float) -> bool:
    """True when a standard deviation is nothing but the rounding of a constant."""
    return not sd > max(FLAT * abs(mean), 1e-300)


def generator(seed: int, *key: int) -> np.random.Generator:
    """The random stream of one seed and purpose; two keys never share a draw."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence((seed, *key))))


@lru_cache(maxsize=8)
def legendre(nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre nodes and weights on [-1, 1]."""
    at, weight = np.polynomial.legendre.leggauss(nodes)
    at.setflags(write=False)
    weight.setflags(write=False)
    return at, weight


def _finite(array: np.ndarray, name: str) -> np.ndarray:
    if not np.isfinite(array).all():
        where = np.argwhere(~np.isfinite(array))[0].tolist()
        raise ValueError(f"{name}: the value at {where} is not a number; drop or fill it first")
    return array
