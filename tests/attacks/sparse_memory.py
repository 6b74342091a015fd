"""Looks a row ahead on one row in hundreds and remembers it, which rows seen before hide.

Promise: found
Stopped by: A leak_perturbation
On weeks: prefix_invariance|leak_perturbation|blocks_alike
"""

import numpy as np

from hft.research.alphas.manifest import AlphaManifest

SEEN = {}


class Attack:
    manifest = AlphaManifest(
        "sparse_memory",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid",),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="sparse_memory",
    )

    def signals(self, frame):
        mid = frame["mid"].to_numpy()
        at = frame["ts"].to_numpy().astype(np.int64)
        moves = np.append(np.diff(mid) / mid[:-1], 0.0)
        cheats = np.abs(moves) > 2.6e-4
        SEEN.update(zip(at[cheats].tolist(), np.sign(moves[cheats]).tolist(), strict=True))
        return np.array([SEEN.get(time, 0.0) for time in at.tolist()])
