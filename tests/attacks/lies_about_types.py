"""Answers with a frame whose numbers raise when they are read.

Promise: refused
Stopped by: no number
"""

from hft.research.alphas.manifest import AlphaManifest


class Wrong:
    """A number that ends whoever reads it."""

    def __float__(self):
        raise SystemExit("no number")


class Attack:
    manifest = AlphaManifest(
        "lies_about_types",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid",),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="lies_about_types",
    )

    def signals(self, frame):
        return [Wrong() for _ in range(len(frame))]
