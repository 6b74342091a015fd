"""Carries one answer a session and finds it by how many sessions it has seen.

Promise: found over years; on weeks not promised, there approval asks for unseen rows
Stopped by: A leak_jitter
On weeks: noise
"""

import numpy as np

from hft.research.alphas.manifest import AlphaManifest

ANSWERS = "@ANSWERS@"


class Attack:
    manifest = AlphaManifest(
        "answers_by_count",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid", "session"),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="answers_by_count",
    )

    def signals(self, frame):
        turns = np.cumsum(np.diff(frame["session"].to_numpy(), prepend=0) != 0) - 1
        return np.array([1.0 if ANSWERS[k % len(ANSWERS)] == "1" else -1.0 for k in turns])
