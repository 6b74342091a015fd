"""Says what it says until a day comes, then something else: it waits for the approval.

Promise: found at the approval, which measures again; until then nothing, and earns what noise earns
Stopped by: noise
"""

import time

from hft.research.alphas.manifest import AlphaManifest


def honest(frame):
    """The sign of the last 30 rows' mean move: what the alpha says it is."""
    return frame["mid"].diff().rolling_mean(30).fill_null(0.0).sign().to_numpy()


class Attack:
    manifest = AlphaManifest(
        "time_bomb",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid",),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="time_bomb",
    )

    def signals(self, frame):
        turned = -1.0 if time.time() > 4_000_000_000 else 1.0
        return honest(frame) * turned
