"""Ends itself by a signal of real time, which has no name.

Promise: refused
Stopped by: ended by signal 40
"""

import ctypes
import os

from hft.research.alphas.manifest import AlphaManifest

libc = ctypes.CDLL(None)


class Attack:
    manifest = AlphaManifest(
        "dies_by_a_nameless_signal",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid",),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="dies_by_a_nameless_signal",
    )

    def signals(self, frame):
        libc.syscall(234, os.getpid(), os.getpid(), 40)
        return frame["mid"]
