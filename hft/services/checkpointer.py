"""The process that makes checkpoints: it replays the journal, beside the gateway that writes it.

`python -m hft.services.checkpointer FOLDER ACCOUNT` makes one and ends; `--every 60` stays and
makes one each minute. What no checkpoint needs any more is removed, or moved to `--archive`. It
needs no configuration: the folder says what its desk is made of.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hft.core.errors import ConfigError, HftError, JournalError
from hft.services.checkpoint import FOLDER, KEEP, Checkpoints
from hft.services.desk_file import learn_limits, load_desk
from hft.services.history import History
from hft.services.recovery import Superseded, follow, recover
from hft.services.retention import retire
from hft.storage.disk import REAL, Disk


class Made(NamedTuple):
    """What one round did: the input that the newest checkpoint ends with, and what was retired."""

    inputs: int
    path: Path | None  # None: nothing was new
    retired: tuple[Path, ...]


class Checkpointer:
    """Follows one journal and writes checkpoints of it; `keep` whole ones stay."""

    def __init__(
        self,
        folder: Path,
        account: str,
        *,
        keep: int = KEEP,
        archive: Path | None = None,
        disk: Disk = REAL,
    ) -> None:
        if keep < KEEP:
            raise ConfigError(
                f"keep: {keep} checkpoints are too few; the newest may be damaged, or of a leader "
                f"that was stopped: keep {KEEP} or more"
            )
        self.checkpoints = Checkpoints(folder / FOLDER, account, disk=disk)
        self.history = History(folder, account, disk=disk)
        self._keep, self._archive, self._disk = keep, archive, disk
        self._folder, self._account = folder, account
        self._last: np.ndarray | None = None  # the row that the desk ends with
        self._recover()

    def make(self) -> Made:
        """Read on, write a checkpoint when there is more than the newest has, retire what is old.

        Raises: Busy while another makes one; JournalError, ConfigError in one sentence.
        """
        held = self.checkpoints.hold()
        try:
            return self._make()
        finally:
            held.close()

    def _make(self) -> Made:
        learn_limits(self._desk, self._folder, self._disk)
        try:
            follow(self._desk, self.history, settled=True, last=self._last)
        except Superseded:  # a leader that was stopped wrote what does not count, and we read it
            self._recover()
        inputs, path = self._desk.inputs, None
        if self.history.last is not None:
            mark = self.history.mark()
            self._last = mark.row.copy()
            if inputs > self.checkpoints.newest():
                path = self.checkpoints.write(self._desk, mark)
        needed = self.checkpoints.prune(self._keep)
        retired = retire(self.history, needed, archive=self._archive, disk=self._disk)
        return Made(inputs, path, tuple(retired))

    def _recover(self) -> None:
        """A new desk at the end of what is settled. What leads nowhere any more is removed: it
        would be kept in place of one that counts."""
        self._desk = load_desk(self._folder, self._account, self._disk)
        found = recover(self._desk, self.history, self.checkpoints, settled=True)
        for path in found.void:
            self.checkpoints.remove(path)
        self._last = None
        if self.history.last is not None and self.history.last.last == self._desk.inputs:
            self._last = self.history.mark().row.copy()


def main(arguments: Sequence[str] | None = None) -> int:
    """The process. Returns: its exit code."""
    parser = argparse.ArgumentParser(prog="hft.services.checkpointer", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("account")
    parser.add_argument("--every", type=float, help="seconds between two checkpoints; else one")
    parser.add_argument("--keep", type=int, default=KEEP, help="whole checkpoints that stay")
    parser.add_argument("--archive", type=Path, help="where old segments go; else they are removed")
    given = parser.parse_args(arguments)
    try:
        one = Checkpointer(given.folder, given.account, keep=given.keep, archive=given.archive)
        while True:
            made = one.make()
            if made.path is not None:
                sys.stdout.write(f"{made.path}: up to input {made.inputs}\n")
                sys.stdout.flush()
            if given.every is None:
                return 0
            time.sleep(given.every)
    except HftError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    except OSError as error:  # of a disk that was fine a moment ago
        said = f"{error.filename or given.folder}: {error.strerror or error}"
        sys.stderr.write(f"{said}; look at the disk and begin again\n")
        return JournalError.exit_code
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
