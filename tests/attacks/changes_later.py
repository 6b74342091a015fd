"""Hands out an array and changes its numbers from a thread when it was read once.

Promise: prevented: an answer is copied when it is given
Stopped by: noise
On weeks: noise|deterministic|leak_state|prefix_invariance|blocks_alike
"""

import threading
import time

import numpy as np

from hft.research.alphas.manifest import AlphaManifest


def honest(frame):
    """The sign of the last 30 rows' mean move: what the alpha says it is."""
    return frame["mid"].diff().rolling_mean(30).fill_null(0.0).sign().to_numpy()


def change(numbers):
    """A look ahead that enters after the fact."""
    time.sleep(0.05)
    numbers[:] = np.roll(np.sign(np.append(np.diff(numbers), 0.0)), -1)


class Attack:
    manifest = AlphaManifest(
        "changes_later",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid",),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="changes_later",
    )

    def signals(self, frame):
        numbers = honest(frame).copy()
        threading.Thread(target=change, args=(numbers,), daemon=True).start()
        return numbers
