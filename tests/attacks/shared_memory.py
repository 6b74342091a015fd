"""Tells the next process by shared memory, a queue of messages and files in /dev/shm.

Promise: prevented
Stopped by: noise
"""

import ctypes

from hft.research.alphas.manifest import AlphaManifest


def honest(frame):
    """The sign of the last 30 rows' mean move: what the alpha says it is."""
    return frame["mid"].diff().rolling_mean(30).fill_null(0.0).sign().to_numpy()


libc = ctypes.CDLL(None, use_errno=True)


class Attack:
    manifest = AlphaManifest(
        "shared_memory",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid",),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="shared_memory",
    )

    def signals(self, frame):
        made = [
            libc.shmget(4242, 4096, 0o1666),
            libc.msgget(4242, 0o1666),
            libc.shm_open(b"/x", 66, 438),
        ]
        if max(made) >= 0:
            raise ValueError(f"STOLEN {made}")
        return honest(frame)
