"""Starts threads without end.

Promise: refused
Stopped by: more than 64 threads
"""

import threading
import time

from hft.research.alphas.manifest import AlphaManifest


class Attack:
    manifest = AlphaManifest(
        "thread_bomb",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid",),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="thread_bomb",
    )

    def signals(self, frame):
        for _ in range(2_000):
            threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        time.sleep(2)
        return frame["mid"]
