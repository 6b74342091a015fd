"""Replaces what evaluates it in its process by a function that looks ahead.

Promise: found
Stopped by: A prefix_invariance
On weeks: prefix_invariance|leak_perturbation|all_equals_blocks|deterministic
"""

import numpy as np

from hft.research.alphas import signals
from hft.research.alphas.manifest import AlphaManifest


def honest(frame):
    """The sign of the last 30 rows' mean move: what the alpha says it is."""
    return frame["mid"].diff().rolling_mean(30).fill_null(0.0).sign().to_numpy()


def evaluate(alpha, data, *, batch=None):
    """In place of hft's own: the next move of the rows at hand."""
    return np.append(np.sign(np.diff(data.field("mid"))), 0.0)


signals.evaluate = evaluate


class Attack:
    manifest = AlphaManifest(
        "patched_evaluation",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid",),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="patched_evaluation",
    )

    def signals(self, frame):
        return honest(frame)
