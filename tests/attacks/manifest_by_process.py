"""Names other fields and another owner in each process, so that what was checked is not what runs.

Promise: refused
Stopped by: describes itself otherwise
"""

import os

from hft.research.alphas.manifest import AlphaManifest


def honest(frame):
    """The sign of the last 30 rows' mean move: what the alpha says it is."""
    return frame["mid"].diff().rolling_mean(30).fill_null(0.0).sign().to_numpy()


class Attack:
    manifest = AlphaManifest(
        "manifest_by_process",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid",),
        horizon_ns=60_000_000_000,
        owner=f"mallory-{os.getpid()}",
        family="manifest_by_process",
    )

    def signals(self, frame):
        return honest(frame)
