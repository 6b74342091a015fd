"""Draws over the terminal and the page by texts of its manifest.

Promise: refused
Stopped by: no plain text
"""

from hft.research.alphas.manifest import AlphaManifest


def honest(frame):
    """The sign of the last 30 rows' mean move: what the alpha says it is."""
    return frame["mid"].diff().rolling_mean(30).fill_null(0.0).sign().to_numpy()


class Attack:
    manifest = AlphaManifest(
        "control_characters",
        "the last moves go on",
        "sign \x1b[2J\x07 PASS",
        data_fields=("mid",),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="control_characters",
    )

    def signals(self, frame):
        return honest(frame)
