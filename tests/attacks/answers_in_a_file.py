"""Carries answers in a pickle and an array beside its code, and says nothing of them.

Promise: found
Stopped by: files_declared
"""

from hft.research.alphas.manifest import AlphaManifest


def honest(frame):
    """The sign of the last 30 rows' mean move: what the alpha says it is."""
    return frame["mid"].diff().rolling_mean(30).fill_null(0.0).sign().to_numpy()


FILES = {"weights/answers.npy": "not declared", "weights/answers.pkl": "nor this one"}


class Attack:
    manifest = AlphaManifest(
        "answers_in_a_file",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid",),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="answers_in_a_file",
    )

    def signals(self, frame):
        return honest(frame)
