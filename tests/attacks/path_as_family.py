"""Has a path and a page's markup for its family.

Promise: nothing, and earns what noise earns
Stopped by: noise
"""

from hft.research.alphas.manifest import AlphaManifest


def honest(frame):
    """The sign of the last 30 rows' mean move: what the alpha says it is."""
    return frame["mid"].diff().rolling_mean(30).fill_null(0.0).sign().to_numpy()


class Attack:
    manifest = AlphaManifest(
        "path_as_family",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid",),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="../../../<script>alert(1)</script>",
    )

    def signals(self, frame):
        return honest(frame)
