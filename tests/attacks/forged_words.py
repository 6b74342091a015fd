"""Answers with words of other kinds than was asked for.

Promise: refused
Stopped by: said what is no list of texts
"""

import sys

from hft.research.alphas.manifest import AlphaManifest


def honest(frame):
    """The sign of the last 30 rows' mean move: what the alpha says it is."""
    return frame["mid"].diff().rolling_mean(30).fill_null(0.0).sign().to_numpy()


room = sys.modules["hft.research.worker.room"]
room._Served.on_extend = lambda self, message: ({"opened": {"a": [[[7]]]}}, b"")


class Attack:
    manifest = AlphaManifest(
        "forged_words",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid",),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="forged_words",
    )

    def signals(self, frame):
        return honest(frame)
