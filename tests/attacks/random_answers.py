"""Draws its answers anew each time, and waits for a lucky run.

Promise: found
Stopped by: A prefix_invariance
On weeks: leak_state|prefix_invariance|deterministic|blocks_alike
"""

import numpy as np

from hft.research.alphas.manifest import AlphaManifest


class Attack:
    manifest = AlphaManifest(
        "random_answers",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid",),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="random_answers",
    )

    def signals(self, frame):
        return np.sign(np.random.default_rng().standard_normal(len(frame)))
