"""The running digest of a run at a few steps: where two runs part, without the older one's journal.

Rungs are the powers of two, since most changes show early, and 48 steps evenly over the run. 48
bits of the digest after each are kept: a clean clone then knows two rungs between which the runs
part, and how the new one went there.
"""

import base64
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from hft.core.errors import DataError

EVEN = 48
RUNG_BYTES = 6
_BITS = np.uint64((1 << (8 * RUNG_BYTES)) - 1)


@dataclass(frozen=True)
class Span:
    """Two runs are the same up to `same` (0: not even the first step) and not at `other`."""

    same: int
    other: int


def rungs(steps: int) -> list[int]:
    """The steps of a run of that many that have a rung, ascending; the last step is one."""
    if steps <= 0:
        return []
    powers = {1 << k for k in range(steps.bit_length()) if 1 << k <= steps}
    return sorted(powers | {max(1, steps * k // EVEN) for k in range(1, EVEN + 1)})


def ladder(blocks: Iterable[np.ndarray], steps: int) -> str:
    """The ladder of a journal (blocks of STEP rows) at the rungs of a run of `steps` steps."""
    found = [mixes.tobytes() for mixes in _mixes(blocks, rungs(steps))]
    return base64.b64encode(b"".join(found)).decode()


def parted(blessed: str, steps: int, blocks: Iterable[np.ndarray]) -> Span | None:
    """Between which rungs a journal leaves a ladder of `steps` steps; None where it does not.

    A journal that ends earlier parts from it at the first rung that it does not reach.
    """
    wanted = rungs(steps)
    kept = base64.b64decode(blessed)
    if len(kept) != RUNG_BYTES * len(wanted):
        raise DataError("the ladder has another length than its steps say; bless the replay again")
    now = b"".join(mixes.tobytes() for mixes in _mixes(blocks, wanted))
    same = 0
    for k, rung in enumerate(wanted):
        part = slice(k * RUNG_BYTES, (k + 1) * RUNG_BYTES)
        if kept[part] != now[part]:
            return Span(same, rung)
        same = rung
    return None


def _mixes(blocks: Iterable[np.ndarray], wanted: list[int]) -> Iterable[np.ndarray]:
    """The kept bytes of the running digest after each wanted step that the journal has."""
    left = np.array(wanted, np.int64)
    for rows in blocks:
        if not len(rows) or not len(left):
            continue
        here = left[left <= rows["seq"][-1]]
        left = left[len(here) :]
        at = np.searchsorted(rows["seq"], here)
        mixes = rows["mix_lo"][at].astype(np.uint64) & _BITS
        yield mixes.astype("<u8").view(np.uint8).reshape(-1, 8)[:, :RUNG_BYTES].copy()
