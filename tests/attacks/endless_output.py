"""Prints without end, to both of its streams.

Promise: prevented
Stopped by: noise
"""

import sys

from hft.research.alphas.manifest import AlphaManifest


def honest(frame):
    """The sign of the last 30 rows' mean move: what the alpha says it is."""
    return frame["mid"].diff().rolling_mean(30).fill_null(0.0).sign().to_numpy()


class Attack:
    manifest = AlphaManifest(
        "endless_output",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid",),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="endless_output",
    )

    def signals(self, frame):
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.write("x" * (1 << 20) + "\n")
                stream.flush()
            except OSError:
                continue
        return honest(frame)
