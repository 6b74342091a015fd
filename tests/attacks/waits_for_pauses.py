"""Tells the counted signal from leak tests by how long it was not asked, and looks ahead after
short pauses only.

Promise: found
Stopped by: A prefix_invariance|deterministic
On weeks: prefix_invariance|leak_perturbation|deterministic|blocks_alike
"""

import time

import numpy as np

from hft.research.alphas.manifest import AlphaManifest

SHORT_S = 0.02
LAST = [0.0]


def honest(frame):
    """The sign of the last 30 rows' mean move: what the alpha says it is."""
    return frame["mid"].diff().rolling_mean(30).fill_null(0.0).sign().to_numpy()


class Attack:
    manifest = AlphaManifest(
        "waits_for_pauses",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid",),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="waits_for_pauses",
    )

    def signals(self, frame):
        pause = time.monotonic() - LAST[0]
        mid = frame["mid"].to_numpy()
        found = np.append(np.sign(np.diff(mid)), 0.0) if pause < SHORT_S else honest(frame)
        LAST[0] = time.monotonic()
        return found
