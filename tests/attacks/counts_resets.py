"""Looks ahead from the second reset on, when it takes itself for one of the judge's repeats.

Promise: found
Stopped by: A prefix_invariance
On weeks: prefix_invariance|leak_state
"""

from hft.research.alphas.manifest import AlphaManifest


def honest(frame):
    """The sign of the last 30 rows' mean move: what the alpha says it is."""
    return frame["mid"].diff().rolling_mean(30).fill_null(0.0).sign().to_numpy()


CALLS = []


class Attack:
    manifest = AlphaManifest(
        "counts_resets",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid",),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="counts_resets",
    )

    def signals(self, frame):
        CALLS.append(len(frame))
        if len(CALLS) < 3:
            return honest(frame)
        return frame["mid"].diff().shift(-1).fill_null(0.0).sign()
