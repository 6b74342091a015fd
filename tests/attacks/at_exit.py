"""Writes answers and a setting when its process ends, by atexit and by the end of an object.

Promise: prevented
Stopped by: noise
"""

import atexit
import os

from hft.research.alphas.manifest import AlphaManifest


def honest(frame):
    """The sign of the last 30 rows' mean move: what the alpha says it is."""
    return frame["mid"].diff().rolling_mean(30).fill_null(0.0).sign().to_numpy()


class Last:
    """Writes when it is forgotten."""

    def __del__(self):
        write()


def write():
    """Anything that a later Python would read."""
    for path in (
        os.path.expanduser("~/.pythonrc"),
        os.path.join(os.path.dirname(os.__file__), "x.pth"),
    ):
        try:
            with open(path, "w") as file:
                file.write("import os")
        except OSError:
            continue


LAST = Last()
atexit.register(write)


class Attack:
    manifest = AlphaManifest(
        "at_exit",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid",),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="at_exit",
    )

    def signals(self, frame):
        return honest(frame)
