"""Has a path for its name, so that reports land elsewhere.

Promise: refused
Stopped by: there is no such alpha
On weeks: there is no such alpha|is in .path_as_name
"""

from hft.research.alphas.manifest import AlphaManifest


def honest(frame):
    """The sign of the last 30 rows' mean move: what the alpha says it is."""
    return frame["mid"].diff().rolling_mean(30).fill_null(0.0).sign().to_numpy()


class Attack:
    manifest = AlphaManifest(
        "../../../path_as_name",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid",),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="path_as_name",
    )

    def signals(self, frame):
        return honest(frame)
