"""Overwrites a constant of the interpreter by ctypes, so that 0.3 is another number in its process.

Promise: prevented
Stopped by: noise
"""

import ctypes

from hft.research.alphas.manifest import AlphaManifest


def honest(frame):
    """The sign of the last 30 rows' mean move: what the alpha says it is."""
    return frame["mid"].diff().rolling_mean(30).fill_null(0.0).sign().to_numpy()


LEVEL = 0.3
ctypes.c_double.from_address(id(LEVEL) + 16).value = 0.0


class Attack:
    manifest = AlphaManifest(
        "patched_memory",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid",),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="patched_memory",
    )

    def signals(self, frame):
        return honest(frame) * 0.29
