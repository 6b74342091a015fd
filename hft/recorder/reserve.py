"""A file that only takes room, so that there is some when the disk is full."""

import os
from pathlib import Path

from hft.storage.disk import Disk, File

NAME = "reserve.block"
_PIECE = os.urandom(1 << 20)  # zeros take no room where a file system packs them


class Reserve:
    """Room for what may not be dropped, in the folder of the log."""

    def __init__(self, folder: Path, size: int, disk: Disk) -> None:
        self.path, self.size, self._disk = folder / NAME, size, disk
        self.is_held = False

    def make(self) -> bool:
        """Take the room; False where there is none, which leaves nothing behind."""
        if self.is_held or not self.size:
            return self.is_held
        try:
            if self._is_whole():
                self.is_held = True
                return True
            self.release()
            file = self._disk.create(self.path)
            try:
                self._fill(file)
            finally:
                file.close()
        except OSError:
            self.release()
            return False
        self.is_held = True
        return True

    def _is_whole(self) -> bool:
        there = NAME in self._disk.names(self.path.parent)
        return there and self._disk.size(self.path) == self.size

    def release(self) -> None:
        """Give the room back."""
        self.is_held = False
        try:
            if NAME in self._disk.names(self.path.parent):
                self._disk.unlink(self.path)
        except OSError:
            return

    def _fill(self, file: File) -> None:
        at = 0
        while at < self.size:
            piece = memoryview(_PIECE)[: self.size - at]
            at += file.write(at, piece)
        file.sync()
