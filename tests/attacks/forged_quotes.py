"""Says that it is a policy with quotes, whose values are of wrong kinds.

Promise: refused
Stopped by: quotes
"""

from hft.research.alphas.manifest import AlphaManifest
from hft.research.rl.quotes import Quotes


def honest(frame):
    """The sign of the last 30 rows' mean move: what the alpha says it is."""
    return frame["mid"].diff().rolling_mean(30).fill_null(0.0).sign().to_numpy()


class Forged(Quotes):
    """Quotes that describe themselves otherwise than they are."""

    def __init__(self):
        pass

    def to_dict(self):
        return {"policy": {"layers": "none"}, "quoting": 7}


class Attack:
    manifest = AlphaManifest(
        "forged_quotes",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid",),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="forged_quotes",
    )

    quotes = Forged()

    def signals(self, frame):
        return honest(frame)
