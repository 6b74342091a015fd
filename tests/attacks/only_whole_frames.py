"""Cheats where it is shown many rows and is honest on short frames, which leak tests hand it.

Promise: found
Stopped by: A prefix_invariance
On weeks: prefix_invariance|leak_perturbation|blocks_alike|all_equals_blocks|deterministic
"""

from hft.research.alphas.manifest import AlphaManifest


def honest(frame):
    """The sign of the last 30 rows' mean move: what the alpha says it is."""
    return frame["mid"].diff().rolling_mean(30).fill_null(0.0).sign().to_numpy()


class Attack:
    manifest = AlphaManifest(
        "only_whole_frames",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid",),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="only_whole_frames",
    )

    def signals(self, frame):
        if len(frame) < 5_000:
            return honest(frame)
        return frame["mid"].diff().shift(-1).fill_null(0.0).sign()
