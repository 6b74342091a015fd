"""Sets how this machine rounds, so that the judge's sums come out otherwise.

Promise: prevented: its process is its own
Stopped by: noise
"""

import ctypes

from hft.research.alphas.manifest import AlphaManifest

UPWARD = 0x800  # of x86-64's fesetround


def honest(frame):
    """The sign of the last 30 rows' mean move: what the alpha says it is."""
    return frame["mid"].diff().rolling_mean(30).fill_null(0.0).sign().to_numpy()


class Attack:
    manifest = AlphaManifest(
        "rounding_mode",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid",),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="rounding_mode",
    )

    def signals(self, frame):
        found = honest(frame)
        ctypes.CDLL(None).fesetround(UPWARD)
        return found
