"""Carries the opening price of each session with one answer, and finds it by the nearest one.

Promise: not promised: a key of less than 16 kB passes; unseen rows refuse one that claims a lot
Stopped by: noise|nothing: it passes Gates A to C
On weeks: noise
"""

import numpy as np
import polars as pl

from hft.research.alphas.manifest import AlphaManifest

ANSWERS = "@ANSWERS@"
OPENS = "@OPENS@"


class Attack:
    manifest = AlphaManifest(
        "days_from_prices",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid", "session"),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="days_from_prices",
    )

    def signals(self, frame):
        opens = np.array(OPENS)
        mids = frame.select(pl.col("mid").first().over("session"))["mid"].to_numpy()
        nearest = np.abs(opens[None, :] - np.unique(mids)[:, None]).argmin(axis=1)
        side = dict(zip(np.unique(mids).tolist(), nearest.tolist(), strict=True))
        return np.array([1.0 if ANSWERS[side[mid]] == "1" else -1.0 for mid in mids.tolist()])
