"""Counts its calls in numpy's global random numbers, and looks ahead from the third one on.

Promise: found
Stopped by: A prefix_invariance
On weeks: prefix_invariance|leak_perturbation|leak_state|blocks_alike
"""

import numpy as np

from hft.research.alphas.manifest import AlphaManifest


def honest(frame):
    """The sign of the last 30 rows' mean move: what the alpha says it is."""
    return frame["mid"].diff().rolling_mean(30).fill_null(0.0).sign().to_numpy()


class Attack:
    manifest = AlphaManifest(
        "numpy_random_state",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid",),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="numpy_random_state",
    )

    def signals(self, frame):
        state = np.random.get_state()
        np.random.seed(1 if state[2] == 624 and state[1][0] != 1 else 1 + int(state[1][0]))
        calls = int(np.random.get_state()[1][0])
        if calls < 3:
            return honest(frame)
        mid = frame["mid"].to_numpy()
        return np.append(np.sign(np.diff(mid)), 0.0)
