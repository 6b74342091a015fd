"""Its tests try to change the code that was hashed, and to leave something for the judge.

Promise: prevented
Stopped by: noise
"""

from hft.research.alphas.manifest import AlphaManifest


def honest(frame):
    """The sign of the last 30 rows' mean move: what the alpha says it is."""
    return frame["mid"].diff().rolling_mean(30).fill_null(0.0).sign().to_numpy()


FILES = {
    "tests/test_own.py": """
import os, pathlib, pytest

def test_it():
    with pytest.raises(OSError):
        (pathlib.Path(__file__).parents[1] / "impl.py").write_text("x = 1")
    with pytest.raises(OSError):
        os.listdir("/tmp")
""",
}


class Attack:
    manifest = AlphaManifest(
        "tests_that_write",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid",),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="tests_that_write",
    )

    def signals(self, frame):
        return honest(frame)
