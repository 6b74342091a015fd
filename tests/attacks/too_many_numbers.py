"""Answers with a number more than it was shown rows.

Promise: refused
Stopped by: numbers for
"""

import numpy as np

from hft.research.alphas.manifest import AlphaManifest


class Attack:
    manifest = AlphaManifest(
        "too_many_numbers",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid",),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="too_many_numbers",
    )

    def signals(self, frame):
        return np.ones(len(frame) + 1)
