"""Looks a row ahead in the twelfth digit, on the threshold, where it takes another side.

Promise: found
Stopped by: B blocks_alike
On weeks: prefix_invariance|blocks_alike|all_equals_blocks|deterministic
"""

import numpy as np

from hft.research.alphas.manifest import AlphaManifest


def honest(frame):
    """The sign of the last 30 rows' mean move: what the alpha says it is."""
    return frame["mid"].diff().rolling_mean(30).fill_null(0.0).sign().to_numpy()


class Attack:
    manifest = AlphaManifest(
        "tie_game",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid",),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="tie_game",
    )

    def signals(self, frame):
        mid = frame["mid"].to_numpy()
        ahead = np.append(np.sign(np.diff(mid)), 0.0)
        turn = honest(frame)
        return turn * (0.3 + 1e-12 * (ahead == turn))
