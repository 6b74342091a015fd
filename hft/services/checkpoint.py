"""Checkpoints of a desk: its arrays in one file named by the last input, written aside and renamed.

A process of its own makes them by replaying the journal, so the gateway never pauses for one, and
each proves the journal as far as it goes. One that is damaged is passed over for the one before it;
one of another account or a newer version is refused.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hft.core.errors import ConfigError, JournalError
from hft.services.history import Mark
from hft.storage.disk import REAL, Disk, Held
from hft.storage.raw import facts_of, read_raw, write_raw
from hft.trading.desk import Desk
from hft.trading.frozen import VERSION, Upgrades, upgraded

FOLDER = "checkpoints"
SUFFIX = ".checkpoint"
KEEP = 2
DOING = "makes checkpoints here"
MARK = "journal.last"


class Saved(NamedTuple):
    """A checkpoint as read; `mark` is the record that it ends with."""

    path: Path
    inputs: int
    mark: Mark
    arrays: Mapping[str, np.ndarray]


class Checkpoints:
    """The checkpoints of one account in a folder of their own."""

    def __init__(
        self, folder: Path, account: str, *, disk: Disk = REAL, upgrades: Upgrades | None = None
    ) -> None:
        self.folder, self.account = folder, account
        self._disk, self._upgrades = disk, upgrades

    def hold(self) -> Held:
        """The folder, for one that writes: two would rename each other's halves into place.

        Raises: Busy naming the other, JournalError.
        """
        try:
            self._disk.make(self.folder)
            return self._disk.lock(self.folder, DOING)
        except OSError as error:
            said = error.strerror or str(error)
            raise JournalError(f"{self.folder}: cannot be written: {said}") from None

    def write(self, desk: Desk, mark: Mark) -> Path:
        """A durable checkpoint of a desk that ends with record `mark`. Raises: JournalError."""
        path = self.folder / f"{desk.inputs:020d}{SUFFIX}"
        facts = {"account": self.account, "inputs": desk.inputs, "fence": mark.fence}
        try:
            self._disk.make(self.folder)
            self._disk.sync_folder(self.folder.parent)  # segments go once it is there for good
            arrays = desk.snapshot() | {MARK: mark.row}
            write_raw(path, VERSION, facts, arrays, self._disk)
        except OSError as error:
            said = error.strerror or str(error)
            raise JournalError(f"{path}: cannot be written: {said}") from None
        return path

    def newest_first(self, passed_over: list[str]) -> Iterator[Saved]:
        """Those that are whole; of the others a sentence is added to `passed_over`.

        Raises: JournalError for another account's, ConfigError for a newer version's.
        """
        for path in self.paths():
            try:
                version, facts, arrays = read_raw(path, self._disk)
            except OSError as error:
                passed_over.append(f"{path}: cannot be read: {error.strerror or error}")
                continue
            except JournalError as error:
                passed_over.append(str(error))
                continue
            self._check_account(path, facts["account"])
            try:
                now = upgraded(version, arrays, self._upgrades)
            except ConfigError as error:
                raise ConfigError(f"{path}: {error}") from None
            yield Saved(path, facts["inputs"], Mark(facts["fence"], now[MARK]), now)

    def paths(self) -> list[Path]:
        """All of them, the newest first. Raises: JournalError."""
        try:
            names = [name for name in self._disk.names(self.folder) if name.endswith(SUFFIX)]
        except OSError as error:
            said = error.strerror or str(error)
            raise JournalError(f"{self.folder}: cannot be read: {said}") from None
        return [self.folder / name for name in sorted(names, reverse=True) if name[0] != "."]

    def whole(self) -> list[tuple[int, Path]]:
        """Those that can be read now, by their last input, the newest first."""
        found = []
        for path in self.paths():
            try:
                found.append((int(read_raw(path, self._disk).facts["inputs"]), path))
            except (JournalError, OSError):
                continue
        return found

    def prune(self, keep: int = KEEP) -> int:
        """Remove all but the newest `keep` whole ones; returns the input the oldest kept ends with.

        The journal is needed from that record on: a checkpoint is known again by it. 1 while there
        are fewer.
        """
        whole = self.whole()[:keep]
        if len(whole) < keep:
            return 1
        oldest, last = whole[-1]
        for path in self.paths():
            if path.name < last.name:
                self._disk.unlink(path)
        self._disk.sync_folder(self.folder)
        return max(1, oldest)

    def remove(self, path: Path) -> None:
        """One that is of no use any more. Raises: JournalError."""
        try:
            self._disk.unlink(path)
            self._disk.sync_folder(self.folder)
        except OSError as error:
            raise JournalError(f"{path}: {error.strerror or error}") from None

    def newest(self) -> int:
        """The last input of the newest one, by its header alone; 0 without one."""
        for path in self.paths():
            try:
                return int(facts_of(path, self._disk)[1]["inputs"])
            except (JournalError, OSError):
                continue
        return 0

    def _check_account(self, path: Path, account: str) -> None:
        if account != self.account:
            raise JournalError(f"{path}: a checkpoint of {account!r}, not of {self.account!r}")
