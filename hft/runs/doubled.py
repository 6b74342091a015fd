"""Tapes that a folder holds twice: a source ingested again, under another symbol than before.

Both would be found by `hft data show`, globs and replays. The rows decide, not the names: the same
times, kinds and sides, and the same prices and quantities in real units, whatever their grids.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hft.storage.atomic import write_atomic
from hft.tape.dataset import MANIFEST, manifest_text
from hft.tape.reader import SUFFIX, Tape

SAME = ("exch_ts", "local_ts", "kind", "side", "order_id", "flags")
NEAR = 1e-9  # of a price or quantity in real units


def older_doubles(out: Path, fresh: Sequence[Tape]) -> list[Tape]:
    """The other tapes of the folder that have the rows of one of the `fresh`."""
    names = {tape.path.name for tape in fresh}
    others = (path for path in sorted(out.glob(f"[!.]*{SUFFIX}")) if path.name not in names)
    return [older for older in map(Tape, others) if any(_same(older, tape) for tape in fresh)]


def remove(out: Path, tapes: Sequence[Tape]) -> None:
    """Take tapes out of a folder: first of its manifest, so that it is whole at every moment."""
    names = [tape.path.name for tape in tapes]
    if names:
        write_atomic(out / MANIFEST, manifest_text(out, {}, without=names))
    for name in names:
        (out / name).unlink(missing_ok=True)


def notes(out: Path, doubles: Sequence[Tape], removed: bool) -> tuple[str, ...]:
    """A sentence for each: what is twice, and how it goes."""
    if removed:
        return tuple(
            f"{out / tape.path.name} ({tape.symbol}) had the same rows and is removed"
            for tape in doubles
        )
    return tuple(
        f"{out / tape.path.name} ({tape.symbol}) has the same rows and stays beside; the same "
        "ingest with --replace (replace=True) removes it"
        for tape in doubles
    )


def _same(one: Tape, other: Tape) -> bool:
    if (one.rows, one.span) != (other.rows, other.span):
        return False
    if one.sha256 == other.sha256 and _grid(one) == _grid(other):
        return True
    left, right = one.columns(), other.columns()
    if any(not np.array_equal(getattr(left, name), getattr(right, name)) for name in SAME):
        return False
    ours, theirs = _grid(one), _grid(other)
    prices = np.allclose(left.price * ours[0], right.price * theirs[0], NEAR, 0.0)
    return prices and np.allclose(left.qty * ours[1], right.qty * theirs[1], NEAR, 0.0)


def _grid(tape: Tape) -> tuple[float, float]:
    return float(tape.instrument.tick), float(tape.instrument.lot)
