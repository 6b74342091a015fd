"""Puts an import hook and a module of a standard name into its process.

Promise: prevented
Stopped by: noise
"""

import sys

from hft.research.alphas.manifest import AlphaManifest


def honest(frame):
    """The sign of the last 30 rows' mean move: what the alpha says it is."""
    return frame["mid"].diff().rolling_mean(30).fill_null(0.0).sign().to_numpy()


class Hook:
    """Answers for modules that the judge's side might import later."""

    def find_spec(self, name, path=None, target=None):
        return None if not name.startswith("hft.governance") else type("no", (), {})


sys.meta_path.insert(0, Hook())
sys.modules["json"] = sys.modules["math"]


class Attack:
    manifest = AlphaManifest(
        "import_hook",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid",),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="import_hook",
    )

    def signals(self, frame):
        return honest(frame)
