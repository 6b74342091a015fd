"""Asks for more memory than there is.

Promise: refused
Stopped by: MemoryError
"""

import numpy as np

from hft.research.alphas.manifest import AlphaManifest


class Attack:
    manifest = AlphaManifest(
        "memory_bomb",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid",),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="memory_bomb",
    )

    def signals(self, frame):
        held = [np.empty(1 << 27) for _ in range(640)]
        return frame["mid"] * len(held)
