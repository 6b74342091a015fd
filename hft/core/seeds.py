"""Named random streams from one run seed: Philox 4x32-10, counter-based, no shared state.

A draw is a pure function of (seed, purpose, key, counter), so nothing depends on who drew before.
Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).
"""

import numpy as np

from hft.core.jit import kernel

_M0 = np.uint64(0xD2511F53)
_M1 = np.uint64(0xCD9E8D57)
_W0 = np.uint64(0x9E3779B9)
_W1 = np.uint64(0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)

PURPOSE_LATENCY = 1
PURPOSE_QUEUE = 2
PURPOSE_FAULT = 3
PURPOSE_MARKET = 4


@kernel
def philox(
    c0: np.uint64, c1: np.uint64, c2: np.uint64, c3: np.uint64, k0: np.uint64, k1: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """Ten rounds; counters and keys are 32-bit values held in uint64, so nothing overflows."""
    for _ in range(10):
        p0 = _M0 * c0
        p1 = _M1 * c2
        c0, c1, c2, c3 = (
            (p1 >> _32) ^ c1 ^ k0,
            p1 & _LOW,
            (p0 >> _32) ^ c3 ^ k1,
            p0 & _LOW,
        )
        k0 = (k0 + _W0) & _LOW
        k1 = (k1 + _W1) & _LOW
    return c0, c1, c2, c3


@kernel
def draw(seed: int, purpose: int, key: int, counter: int) -> int:
    """A uniform integer in [0, 2^52) of the stream (seed, purpose, key) at `counter`, all >= 0."""
    low, high, _, _ = philox(
        np.uint64(counter) & _LOW,
        np.uint64(counter) >> _32,
        np.uint64(key) & _LOW,
        np.uint64(purpose),
        np.uint64(seed) & _LOW,
        np.uint64(seed) >> _32,
    )
    return np.int64(((high & np.uint64(0xFFFFF)) << _32) | low)  # type: ignore[return-value]
