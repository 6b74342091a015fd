"""Finds the object that serves the judge by the garbage collector and answers in its place.

Promise: found
Stopped by: A prefix_invariance
On weeks: prefix_invariance|leak_perturbation|all_equals_blocks|deterministic
"""

import gc
import io

import numpy as np
import polars

from hft.research.alphas.manifest import AlphaManifest


def honest(frame):
    """The sign of the last 30 rows' mean move: what the alpha says it is."""
    return frame["mid"].diff().rolling_mean(30).fill_null(0.0).sign().to_numpy()


def forged(self, message):
    """All rows as they are in the message; the next move is the answer."""
    mid = polars.read_ipc_stream(io.BytesIO(message.body))["mid"].to_numpy()
    return {"opened": []}, np.append(np.sign(np.diff(mid)), 0.0).astype("<f8").tobytes()


for one in gc.get_objects():
    if type(one).__name__ == "_Served":
        type(one).on_evaluate = type(one).on_extend = forged


class Attack:
    manifest = AlphaManifest(
        "served_object",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid",),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="served_object",
    )

    def signals(self, frame):
        return honest(frame)
