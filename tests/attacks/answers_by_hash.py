"""Carries answers by a hash of each row's numbers.

Promise: found
Stopped by: A prefix_invariance
On weeks: leak_jitter
"""

import numpy as np

from hft.research.alphas.manifest import AlphaManifest

ANSWERS = "@ROWS@"


class Attack:
    manifest = AlphaManifest(
        "answers_by_hash",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid", "ofi"),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="answers_by_hash",
    )

    def signals(self, frame):
        pairs = zip(frame["mid"].to_list(), frame["ofi"].to_list(), strict=True)
        keys = [f"{hash(pair) % 0xFFFFFF:06x}" for pair in pairs]
        known = {ANSWERS[k : k + 6]: ANSWERS[k + 6] for k in range(0, len(ANSWERS), 7)}
        held, found = 0.0, []
        for key in keys:
            held = {"1": 1.0, "0": -1.0}.get(known.get(key, ""), held)
            found.append(held)
        return np.array(found)
