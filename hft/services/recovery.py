"""Ready again after any end: the newest whole checkpoint, then the journal behind it.

What comes out is the desk of all rows from the first, bit for bit; a journal without the record
that the checkpoint ends with is not its journal, or has lost a segment.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hft.core.errors import ConfigError, DataError, JournalError
from hft.services.checkpoint import Checkpoints, Saved
from hft.services.history import History
from hft.trading.desk import Desk


class Superseded(JournalError):
    """What was applied counts no more: a later life began before it. Begin with a new desk."""


class Recovered(NamedTuple):
    """How a desk came back: the last input of its checkpoint (0: none), the rows behind it."""

    checkpoint: int
    replayed: int
    passed_over: tuple[str, ...]  # checkpoints that could not be read or do not count, in sentences
    void: tuple[Path, ...]  # those of them that no journal leads to any more


def recover(
    desk: Desk,
    history: History,
    checkpoints: Checkpoints,
    below: int | None = None,
    *,
    settled: bool = False,
) -> Recovered:
    """Bring a new desk to the end of its journal (see `History.read`). Mutates: desk.

    Raises: JournalError, ConfigError in one sentence; nothing on disk is touched.
    """
    passed_over: list[str] = []
    void: list[Path] = []
    last: np.ndarray | None = None
    behind: Iterator[np.ndarray] | None = None
    for saved in checkpoints.newest_first(passed_over):
        known = history.read(saved.inputs, below)
        first = next(known, None)
        why = _is_not_of(history, saved, first, below)
        if why or first is None:
            passed_over.append(why)
            void.append(saved.path)
            continue
        try:
            desk.restore(saved.arrays)
        except ConfigError as error:
            raise ConfigError(f"{saved.path}: {error}") from None
        last, behind = saved.mark.row, itertools.chain([first[1:]], known)
        break
    checkpoint = desk.inputs
    if behind is None or settled:
        replayed = follow(desk, history, below, settled=settled, last=last)
    else:
        replayed = _replay(desk, history, behind)
    return Recovered(checkpoint, replayed, tuple(passed_over), tuple(void))


def _is_not_of(history: History, saved: Saved, rows: np.ndarray | None, below: int | None) -> str:
    """Why the journal has not what a checkpoint ends with, if so: a later life went on without it.

    A leader that was stopped may have written it when nobody counted it any more. Raises:
    JournalError where no later life tells why.
    """
    if rows is not None and rows[:1].tobytes() == saved.mark.row.tobytes():
        return ""
    if any(life.fence > saved.mark.fence for life in history.lives(below)):
        return f"{saved.path}: a later life went on without record {saved.inputs}"
    what = "has no record" if rows is None else "has another record"
    raise JournalError(
        f"{history.folder}: {what} {saved.inputs}, with which {saved.path.name} ends; a segment is "
        "missing, or the checkpoint is of another journal"
    )


def follow(
    desk: Desk,
    history: History,
    below: int | None = None,
    *,
    settled: bool = False,
    last: np.ndarray | None = None,
) -> int:
    """Apply what the journal has behind the desk's last input; returns how many rows.

    `last` is that input as it was applied. Raises: Superseded where the journal has another one
    now, also as JournalError and ConfigError in one sentence.
    """
    began = desk.inputs
    groups = history.read(max(1, began), below, settled=settled)
    if began:  # the last one that it knows is read again: it must be there
        again = next(groups, None)
        if again is None:
            return 0
        if last is not None and again[:1].tobytes() != last.tobytes():
            raise Superseded(f"{history.folder}: a later life went on without record {began}")
        groups = itertools.chain([again[1:]], groups)
    return _replay(desk, history, groups)


def _replay(desk: Desk, history: History, groups: Iterator[np.ndarray]) -> int:
    began = desk.inputs
    for rows in groups:
        try:
            desk.replay(rows)
        except (DataError, ConfigError) as error:
            raise type(error)(f"{history.folder}: {error}") from None
    desk.check_names()
    return desk.inputs - began
