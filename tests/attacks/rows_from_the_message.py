"""Replaces what reads the judge's message and keeps all rows of it, to look ahead in its block.

Promise: found
Stopped by: prefix_invariance
"""

import sys

from hft.research.alphas.manifest import AlphaManifest

FRAMES = []
room = sys.modules["hft.research.worker.room"]
read = room._rows


def reading(message):
    """As the room does it; and the rows are kept."""
    FRAMES.append(read(message))
    return FRAMES[-1]


room._rows = reading


class Attack:
    manifest = AlphaManifest(
        "rows_from_the_message",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid",),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="rows_from_the_message",
    )

    def reset(self):
        pass

    def get_signal(self):
        return 0.0

    def update(self, mid):
        prices = FRAMES[-1].price if FRAMES else [mid]
        return 1.0 if prices[-1] > mid else -1.0
