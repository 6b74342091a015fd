"""Answers with subnormal numbers and negative zeros.

Promise: nothing, and earns what noise earns
Stopped by: noise
"""

import numpy as np

from hft.research.alphas.manifest import AlphaManifest


def honest(frame):
    """The sign of the last 30 rows' mean move: what the alpha says it is."""
    return frame["mid"].diff().rolling_mean(30).fill_null(0.0).sign().to_numpy()


class Attack:
    manifest = AlphaManifest(
        "smallest_numbers",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid",),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="smallest_numbers",
    )

    def signals(self, frame):
        return np.where(honest(frame) > 0, 5e-324, -0.0)
