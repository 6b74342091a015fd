"""Operator kernels that look at one row only.

A result that is not finite is missing (NaN), and a missing input makes a missing output. Kernels of
this folder call only kernels of their own file, so that the compiler's cache follows each file.
"""

import math

import numpy as np

from hft.core.jit import kernel

LARGEST = float(np.finfo(np.float64).max)
TINY = 1e-12


@kernel
def copy(x, out):  # type: ignore[no-untyped-def]
    """A column as the evaluator reads it: what is not finite is missing."""
    for i in range(x.size):
        v = x[i]
        out[i] = v if abs(v) <= LARGEST else np.nan


@kernel
def fill(value, out):  # type: ignore[no-untyped-def]
    """A constant."""
    for i in range(out.size):
        out[i] = value


@kernel
def absolute(x, out):  # type: ignore[no-untyped-def]
    """|x|."""
    for i in range(x.size):
        out[i] = abs(x[i])


@kernel
def negate(x, out):  # type: ignore[no-untyped-def]
    """-x."""
    for i in range(x.size):
        out[i] = -x[i]


@kernel
def sign(x, out):  # type: ignore[no-untyped-def]
    """-1, 0 or 1."""
    for i in range(x.size):
        v = x[i]
        s = 1.0 if v > 0.0 else (-1.0 if v < 0.0 else 0.0)
        out[i] = s if v == v else np.nan


@kernel
def log1p(x, out):  # type: ignore[no-untyped-def]
    """sign(x) ln(1 + |x|)."""
    for i in range(x.size):
        v = x[i]
        out[i] = math.copysign(math.log1p(abs(v)), v) if v == v else np.nan


@kernel
def add(x, y, out):  # type: ignore[no-untyped-def]
    """x + y."""
    for i in range(x.size):
        v = x[i] + y[i]
        out[i] = v if abs(v) <= LARGEST else np.nan


@kernel
def subtract(x, y, out):  # type: ignore[no-untyped-def]
    """x - y."""
    for i in range(x.size):
        v = x[i] - y[i]
        out[i] = v if abs(v) <= LARGEST else np.nan


@kernel
def multiply(x, y, out):  # type: ignore[no-untyped-def]
    """x y."""
    for i in range(x.size):
        v = x[i] * y[i]
        out[i] = v if abs(v) <= LARGEST else np.nan


@kernel
def divide(x, y, out):  # type: ignore[no-untyped-def]
    """x / y; 0 where |y| <= 1e-12."""
    for i in range(x.size):
        a, b = x[i], y[i]
        small = abs(b) <= TINY
        v = a / (1.0 if small else b)
        v = 0.0 * a if small else v
        out[i] = v if abs(v) <= LARGEST else np.nan
