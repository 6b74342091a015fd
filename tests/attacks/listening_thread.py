"""Leaves a thread in the idle process that hears by the machine what the counted one says.

Promise: prevented
Stopped by: noise
"""

import os
import threading
import time
from contextlib import suppress

from hft.research.alphas.manifest import AlphaManifest


def honest(frame):
    """The sign of the last 30 rows' mean move: what the alpha says it is."""
    return frame["mid"].diff().rolling_mean(30).fill_null(0.0).sign().to_numpy()


HEARD, ASKED = [], [time.monotonic()]


def listen():
    """How many threads the process beside this one has, a thousand times a second."""
    while True:
        with suppress(OSError):
            os.stat(f"/proc/{os.getpid() + 1}/task")
        HEARD.append(time.monotonic())
        time.sleep(0.001)


threading.Thread(target=listen, daemon=True).start()


class Attack:
    manifest = AlphaManifest(
        "listening_thread",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid",),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="listening_thread",
    )

    def signals(self, frame):
        now = time.monotonic()
        idle = [one for one in HEARD if ASKED[-1] + 1.0 < one < now - 0.5]
        if len(idle) > 100:
            raise ValueError(f"STOLEN: it heard {len(idle)} times what others said")
        answer = honest(frame)
        ASKED.append(time.monotonic())
        return answer
