"""Seconds of a piece of code in a process of its own, with the matrix library on one thread.

Several threads that wait for each other on a busy machine would measure the machine.
"""

import os
import subprocess
import sys

HEAD = "import time\nimport numpy as np\n"
TAIL = "print(time.perf_counter() - start)\n"


def on_one_thread(code: str) -> float:
    """Seconds since `code` set `start`."""
    threads = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    done = subprocess.run(
        [sys.executable, "-c", HEAD + code + TAIL],
        env=os.environ | threads,
        check=True,
        capture_output=True,
        text=True,
    )
    return float(done.stdout)
