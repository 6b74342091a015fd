"""Has the kernel signal the judge when its pipe is written to, and asks for its end.

Promise: prevented
Stopped by: noise
"""

import ctypes
import fcntl
import os

from hft.research.alphas.manifest import AlphaManifest


def honest(frame):
    """The sign of the last 30 rows' mean move: what the alpha says it is."""
    return frame["mid"].diff().rolling_mean(30).fill_null(0.0).sign().to_numpy()


class Attack:
    manifest = AlphaManifest(
        "kills_the_judge",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid",),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="kills_the_judge",
    )

    def signals(self, frame):
        for pipe in range(12):
            try:
                fcntl.fcntl(pipe, fcntl.F_SETOWN, os.getppid())
                fcntl.fcntl(pipe, 10, 9)
                fcntl.fcntl(pipe, fcntl.F_SETFL, fcntl.fcntl(pipe, fcntl.F_GETFL) | os.O_ASYNC)
            except OSError:
                continue
        for call in (62, 200, 234, 129, 297):
            ctypes.CDLL(None).syscall(call, os.getppid(), os.getppid(), 9)
        return honest(frame)
