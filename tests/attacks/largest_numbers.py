"""Answers with the largest numbers that there are, so that sums overflow.

Promise: refused
Stopped by: beyond 1e.100
"""

from hft.research.alphas.manifest import AlphaManifest


def honest(frame):
    """The sign of the last 30 rows' mean move: what the alpha says it is."""
    return frame["mid"].diff().rolling_mean(30).fill_null(0.0).sign().to_numpy()


class Attack:
    manifest = AlphaManifest(
        "largest_numbers",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid",),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="largest_numbers",
    )

    def signals(self, frame):
        return honest(frame) * 1e308
