"""Reads the rows of its block that it was not handed yet from the stack frame above it.

Promise: found
Stopped by: A prefix_invariance
On weeks: prefix_invariance|leak_perturbation|all_equals_blocks|deterministic
"""

import sys

from hft.research.alphas.manifest import AlphaManifest


class Attack:
    manifest = AlphaManifest(
        "frame_above",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid",),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="frame_above",
    )

    def reset(self):
        self.row = 0

    def get_signal(self):
        return 0.0

    def update(self, mid):
        above = sys._getframe(1)
        while above is not None and "columns" not in above.f_locals:
            above = above.f_back
        if above is None:
            return 0.0
        prices, row = above.f_locals["columns"][0], above.f_locals["row"]
        self.row = self.row + 1
        ahead = prices[min(self.row, len(prices) - 1)] if row >= 0 else mid
        return 1.0 if ahead > mid else -1.0
