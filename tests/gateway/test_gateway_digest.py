"""The same day gives the same decisions and the same state compiled and with JIT off."""

import hashlib
import os
import random
import subprocess
import sys
from pathlib import Path

from gateway_world import Pair, play
from test_gateway_twin import TIGHT

HERE = Path(__file__).resolve().parent


def digest_of_a_day() -> str:
    """Every answer, then every table at the end."""
    pair = Pair(TIGHT)
    play(pair, random.Random(7), 300)
    digest = hashlib.sha256(repr(pair.trace).encode())
    for name, array in sorted(pair.kernel.snapshot().items()):
        digest.update(name.encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def test_compiled_and_plain_kernels_end_in_the_same_state() -> None:
    code = "import test_gateway_digest as day; print(day.digest_of_a_day())"
    paths = [str(HERE), str(HERE.parent), str(HERE.parents[1])]
    env = os.environ | {
        "NUMBA_DISABLE_JIT": "1",
        "PYTHONHASHSEED": "1",
        "PYTHONPATH": os.pathsep.join(paths),
    }
    plain = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
    )
    assert plain.stdout.strip() == digest_of_a_day()
