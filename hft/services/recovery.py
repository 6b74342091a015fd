"""Ready again after any end: the newest whole checkpoint, then the journal behind it.

What comes out is the desk of all rows from the first, bit for bit; a journal without the record
that the checkpoint ends with is not its journal, or has lost a segment.
"""

from typing import NamedTuple

from hft.core.errors import ConfigError, DataError, JournalError
from hft.services.checkpoint import Checkpoints, Saved
from hft.services.history import History
from hft.trading.desk import Desk


class Recovered(NamedTuple):
    """How a desk came back: the last input of its checkpoint (0: none), the rows behind it."""

    checkpoint: int
    replayed: int
    passed_over: tuple[str, ...]  # checkpoints that could not be read, in sentences


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
    for saved in checkpoints.newest_first(passed_over):
        why = _is_not_of(history, saved, below)
        if why:
            passed_over.append(why)
            continue
        try:
            desk.restore(saved.arrays)
        except ConfigError as error:
            raise ConfigError(f"{saved.path}: {error}") from None
        break
    checkpoint = desk.inputs
    replayed = follow(desk, history, below, settled=settled)
    return Recovered(checkpoint, replayed, tuple(passed_over))


def _is_not_of(history: History, saved: Saved, below: int | None) -> str:
    """Why the journal has not what a checkpoint ends with, if so: a later life went on without it.

    A leader that was stopped may have written it when nobody counted it any more. Raises:
    JournalError where no later life tells why.
    """
    rows = next(history.read(saved.inputs, below), None)
    if rows is not None and rows[:1].tobytes() == saved.mark.row.tobytes():
        return ""
    if any(life.fence > saved.mark.fence for life in history.lives(below)):
        return f"{saved.path}: a later life went on without record {saved.inputs}"
    what = "has no record" if rows is None else "has another record"
    raise JournalError(
        f"{history.folder}: {what} {saved.inputs}, with which {saved.path.name} ends; a segment is "
        "missing, or the checkpoint is of another journal"
    )


def follow(desk: Desk, history: History, below: int | None = None, *, settled: bool = False) -> int:
    """Apply what the journal has behind the desk's last input; returns how many rows."""
    began = desk.inputs
    at = max(1, began)  # the last one that it knows is read again: it must be there
    for rows in history.read(at, below, settled=settled):
        new = rows[max(0, began + 1 - at) :]
        at += len(rows)
        if not len(new):
            continue
        try:
            desk.replay(new)
            desk.check_names()
        except (DataError, ConfigError) as error:
            raise type(error)(f"{history.folder}: {error}") from None
    return desk.inputs - began
