"""Carries one answer a session and finds it by the date.

Promise: found
Stopped by: leak_jitter
"""

import numpy as np

from hft.research.alphas.manifest import AlphaManifest

ANSWERS = "@ANSWERS@"
DAYS = "@DAYS@"


class Attack:
    manifest = AlphaManifest(
        "answers_by_date",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid", "session"),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="answers_by_date",
    )

    def signals(self, frame):
        sides = dict(zip(DAYS, ANSWERS, strict=True))
        found = [sides.get(day, "") for day in frame["session"].to_list()]
        return np.array([{"1": 1.0, "0": -1.0}.get(side, 0.0) for side in found])
