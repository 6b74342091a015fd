"""The signal once more, in fresh processes that differ in everything that must not matter.

Each has another hash seed and number of threads, and the same code and rows. A process that fails
gives no digest, and its last words are kept.
"""

import hashlib

import numpy as np

from hft.core.errors import HftError
from hft.research.alphas.remote import RemoteAlpha
from hft.research.data.dataset import ResearchData

THREADS = ("1", "2", "1")


def digests(alpha: RemoteAlpha, data: ResearchData, runs: int) -> tuple[list[str], str]:
    """The digests of the signal in fresh processes, and a failing one's words."""
    found, said = [], ""
    for run in range(runs):
        try:
            with alpha.again(environment(run)) as fresh:
                signal = fresh.evaluate(data)
        except HftError as error:
            said = str(error)
            continue
        found.append(digest(signal))
    return found, said


def environment(run: int) -> dict[str, str]:
    """What the process of a run is started with, and the others are not."""
    return {
        "PYTHONHASHSEED": str(run * 7919 + 1),
        "POLARS_MAX_THREADS": THREADS[run % len(THREADS)],
        "OMP_NUM_THREADS": THREADS[(run + 1) % len(THREADS)],
    }


def digest(signal: np.ndarray) -> str:
    """SHA-256 of a signal; every NaN is one."""
    values = np.where(np.isnan(signal), np.nan, signal)
    return hashlib.sha256(np.ascontiguousarray(values, "<f8").tobytes()).hexdigest()
