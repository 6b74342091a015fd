"""Its tests report success whatever they find: a conftest rewrites the outcome.

Promise: not promised: tests may say nothing; the figures are not theirs
Stopped by: noise
"""

from hft.research.alphas.manifest import AlphaManifest


def honest(frame):
    """The sign of the last 30 rows' mean move: what the alpha says it is."""
    return frame["mid"].diff().rolling_mean(30).fill_null(0.0).sign().to_numpy()


FILES = {
    "tests/conftest.py": "def pytest_sessionfinish(session):\n    session.exitstatus = 0\n",
    "tests/test_own.py": "def test_it():\n    assert False\n",
    "sitecustomize.py": "raise SystemExit(0)\n",
}


class Attack:
    manifest = AlphaManifest(
        "forged_tests",
        "the last moves go on",
        "sign of a mean",
        data_fields=("mid",),
        horizon_ns=60_000_000_000,
        owner="mallory",
        family="forged_tests",
    )

    def signals(self, frame):
        return honest(frame)
