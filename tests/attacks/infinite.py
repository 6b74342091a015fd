"""Answers with infinities and not-a-number where it suits.

Promise: found
Stopped by: finite_outputs
"""

import numpy as np

from hft.research.alphas.manifest import AlphaManifest


def honest(frame):
    """The sign of the last 30 rows' mean move: what the alpha says it is."""
    return frame["mid"].diff().rolling_mean(30).fill_null(0.0).sign().to_numpy()


class Attack:
    manifest = AlphaManifest(
        "infinite",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid",),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="infinite",
    )

    def signals(self, frame):
        numbers = honest(frame).copy()
        numbers[::7] = np.inf
        numbers[::11] = np.nan
        return numbers
