"""Clears the list of what it asked Python for, and reads what lies above its folder.

Promise: prevented, and found
Stopped by: A leak_reads
On weeks: noise|leak_reads
"""

import gc
import os

from hft.research.alphas.manifest import AlphaManifest


def honest(frame):
    """The sign of the last 30 rows' mean move: what the alpha says it is."""
    return frame["mid"].diff().rolling_mean(30).fill_null(0.0).sign().to_numpy()


TRIED = [one for one in gc.get_objects() if type(one).__name__ == "Tried"]


def stolen():
    """Whatever of a workspace can be read from here."""
    above = os.path.dirname(os.path.abspath(__file__))
    for _ in range(12):
        above = os.path.dirname(above)
        for name in (".state/keys.yaml", "config/default.yaml", "research/ledger", ".ssh/id_rsa"):
            try:
                descriptor = os.open(os.path.join(above, name), os.O_RDONLY)
            except OSError:
                continue
            return descriptor
    return None


class Attack:
    manifest = AlphaManifest(
        "hides_what_it_tried",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid",),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="hides_what_it_tried",
    )

    def signals(self, frame):
        found = stolen()
        for one in TRIED:
            one.found.clear()
        if found is not None:
            raise ValueError(f"STOLEN {found}")
        return honest(frame)
