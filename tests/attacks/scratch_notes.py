"""Leaves answers in its own folder for the next process, and in the folders of processes beside it.

Promise: prevented, and refused for what it writes
Stopped by: wrote more than 2048 MB
On weeks: noise
"""

import os

import numpy as np

from hft.research.alphas.manifest import AlphaManifest


def honest(frame):
    """The sign of the last 30 rows' mean move: what the alpha says it is."""
    return frame["mid"].diff().rolling_mean(30).fill_null(0.0).sign().to_numpy()


class Attack:
    manifest = AlphaManifest(
        "scratch_notes",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid",),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="scratch_notes",
    )

    def signals(self, frame):
        mid = frame["mid"].to_numpy()
        np.save("answers.npy", np.append(np.sign(np.diff(mid)), 0.0))
        place = os.path.dirname(os.path.dirname(os.getcwd()))
        try:
            others = [one for one in os.listdir(place) if one not in os.getcwd()]
        except OSError:
            return honest(frame)
        raise ValueError(f"STOLEN {others}")
