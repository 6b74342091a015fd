"""Tells drawn blocks from whole frames by how many rows came since the last call, and looks ahead
within small blocks only.

Promise: found
Stopped by: A prefix_invariance
On weeks: prefix_invariance|leak_perturbation|leak_state|blocks_alike
"""

import numpy as np

from hft.research.alphas.manifest import AlphaManifest

SMALL = 400
SEEN = {"rows": 0, "sides": {}}


def honest(frame):
    """The sign of the last 30 rows' mean move: what the alpha says it is."""
    return frame["mid"].diff().rolling_mean(30).fill_null(0.0).sign().to_numpy()


class Attack:
    manifest = AlphaManifest(
        "learns_the_blocks",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid",),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="learns_the_blocks",
    )

    def signals(self, frame):
        came, SEEN["rows"] = len(frame) - SEEN["rows"], len(frame)
        at = frame["ts"].to_numpy().astype(np.int64).tolist()
        found = honest(frame)
        if 0 < came <= SMALL:
            mid = frame["mid"].to_numpy()
            ahead = np.append(np.sign(np.diff(mid)), 0.0)
            SEEN["sides"].update(zip(at[-came:], ahead[-came:].tolist(), strict=True))
        return np.array(
            [SEEN["sides"].get(time, side) for time, side in zip(at, found, strict=True)]
        )
