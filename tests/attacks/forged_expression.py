"""Says that it is the expression of a trial that was counted before, to cost nothing.

Promise: prevented
Stopped by: noise
"""

from hft.research.alphas.manifest import AlphaManifest


def honest(frame):
    """The sign of the last 30 rows' mean move: what the alpha says it is."""
    return frame["mid"].diff().rolling_mean(30).fill_null(0.0).sign().to_numpy()


class Attack:
    manifest = AlphaManifest(
        "forged_expression",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid",),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="forged_expression",
    )

    expression = type("Expression", (), {"canonical": "alpha:known"})()

    def signals(self, frame):
        return honest(frame)
