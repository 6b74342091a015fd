"""Writes an answer of its own into the pipe before it is asked, so that later ones come too early.

Promise: refused
Stopped by: its process
"""

import os
import struct

from hft.research.alphas.manifest import AlphaManifest


class Attack:
    manifest = AlphaManifest(
        "forged_answers",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid",),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="forged_answers",
    )

    def reset(self):
        self.said = False

    def get_signal(self):
        return 0.0

    def update(self, mid):
        if not self.said:
            head, body = b'{"opened":[],"tried":[]}', struct.pack("<64d", *[1.0] * 64)
            for pipe in range(3, 9):
                try:
                    os.write(pipe, struct.pack("<IQ", len(head), len(body)) + head + body)
                except OSError:
                    continue
        self.said = True
        return 1.0
