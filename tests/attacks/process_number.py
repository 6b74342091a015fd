"""Answers by its process's number, to find luck in some process.

Promise: found
Stopped by: A prefix_invariance
On weeks: leak_state|prefix_invariance|deterministic|all_equals_blocks|blocks_alike
"""

import os

from hft.research.alphas.manifest import AlphaManifest


def honest(frame):
    """The sign of the last 30 rows' mean move: what the alpha says it is."""
    return frame["mid"].diff().rolling_mean(30).fill_null(0.0).sign().to_numpy()


class Attack:
    manifest = AlphaManifest(
        "process_number",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid",),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="process_number",
    )

    def signals(self, frame):
        return honest(frame) * (1.0 + os.getpid() % 97)
