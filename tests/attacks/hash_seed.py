"""Answers by the hash seed, which the judge's repeats have another of.

Promise: found
Stopped by: deterministic
"""

import os

from hft.research.alphas.manifest import AlphaManifest


def honest(frame):
    """The sign of the last 30 rows' mean move: what the alpha says it is."""
    return frame["mid"].diff().rolling_mean(30).fill_null(0.0).sign().to_numpy()


class Attack:
    manifest = AlphaManifest(
        "hash_seed",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid",),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="hash_seed",
    )

    def signals(self, frame):
        turned = 1.0 if os.environ.get("PYTHONHASHSEED") == "0" else -1.0
        return honest(frame) * turned
