"""Makes folders in folders, deeper than the judge can walk.

Promise: refused
Stopped by: folders more than 64 deep
"""

import os

from hft.research.alphas.manifest import AlphaManifest


class Attack:
    manifest = AlphaManifest(
        "deep_folders",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid",),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="deep_folders",
    )

    def signals(self, frame):
        for _ in range(3_000):
            os.mkdir("d")
            os.chdir("d")
        return frame["mid"]
