"""Says rows in the words of an error: a look that counts as a trial and is 500 characters.

Promise: found: it is counted as a trial
Stopped by: raised ValueError
"""

from hft.research.alphas.manifest import AlphaManifest


class Attack:
    manifest = AlphaManifest(
        "smuggles_rows",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid",),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="smuggles_rows",
    )

    def signals(self, frame):
        raise ValueError("STOLEN " + ",".join(map(str, frame["mid"].to_list())))
