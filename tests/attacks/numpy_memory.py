"""Keeps every row it was shown in numpy's own module, past resets, and answers a prefix as before.

Promise: found
Stopped by: A prefix_invariance
On weeks: prefix_invariance|leak_perturbation|leak_state|blocks_alike
"""

import numpy as np

from hft.research.alphas.manifest import AlphaManifest


class Attack:
    manifest = AlphaManifest(
        "numpy_memory",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid",),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="numpy_memory",
    )

    def signals(self, frame):
        seen = np.__dict__.setdefault("_kept", {})
        mid = frame["mid"].to_numpy()
        at = frame["ts"].to_numpy().astype(np.int64).tolist()
        ahead = np.append(np.sign(np.diff(mid)), 0.0)
        for time, side in zip(at, ahead.tolist(), strict=True):
            if side or time not in seen:
                seen[time] = side
        return np.array([seen[time] for time in at])
