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

from hft.core.errors import HftError
from hft.services.checkpoint import FOLDER, KEEP, Checkpoints
from hft.services.desk_file import load_desk
from hft.services.history import History
from hft.services.recovery import follow, recover
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
        self.checkpoints = Checkpoints(folder / FOLDER, account, disk=disk)
        self.history = History(folder, account, disk=disk)
        self._keep, self._archive, self._disk = keep, archive, disk
        self._desk = load_desk(folder, account, disk)
        recover(self._desk, self.history, self.checkpoints, settled=True)

    def make(self) -> Made:
        """Read on, write a checkpoint when there is more than the newest has, retire what is old.

        Raises: JournalError, ConfigError in one sentence.
        """
        follow(self._desk, self.history, settled=True)
        inputs, path = self._desk.inputs, None
        if inputs > self.checkpoints.newest() and self.history.last is not None:
            path = self.checkpoints.write(self._desk, self.history.mark())
        needed = self.checkpoints.prune(self._keep)
        retired = retire(self.history, needed, archive=self._archive, disk=self._disk)
        return Made(inputs, path, tuple(retired))


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
        one = Checkpointer(
            given.folder, given.account, keep=max(1, given.keep), archive=given.archive
        )
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
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
