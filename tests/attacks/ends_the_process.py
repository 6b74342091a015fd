"""Ends the process at once, so that nothing is counted.

Promise: refused
Stopped by: ended with exit code 0
"""

import ctypes
import os

from hft.research.alphas.manifest import AlphaManifest


class Attack:
    manifest = AlphaManifest(
        "ends_the_process",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid",),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="ends_the_process",
    )

    def signals(self, frame):
        os.kill = None
        ctypes.CDLL(None)._exit(0)
        return frame["mid"]
