"""Cheats only where the stack says that blocks are counted, and is honest in the leak tests.

Promise: found
Stopped by: B blocks_alike
On weeks: all_equals_blocks|blocks_alike|deterministic
"""

import sys

import numpy as np

from hft.research.alphas.manifest import AlphaManifest


def honest(frame):
    """The sign of the last 30 rows' mean move: what the alpha says it is."""
    return frame["mid"].diff().rolling_mean(30).fill_null(0.0).sign().to_numpy()


class Attack:
    manifest = AlphaManifest(
        "only_when_counted",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid",),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="only_when_counted",
    )

    def signals(self, frame):
        above, names = sys._getframe(), set()
        while above is not None:
            names.add(above.f_code.co_name)
            above = above.f_back
        if "on_extend" not in names:
            return honest(frame)
        mid = frame["mid"].to_numpy()
        return np.append(np.sign(np.diff(mid)), 0.0)
