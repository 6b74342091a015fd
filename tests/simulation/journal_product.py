"""Log and group commit as parts under test, and the planted bugs: parts with one thing left out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hft.storage.commit import Commit
from hft.storage.groups import Group
from hft.storage.log import LogWriter
from tests.simulation.disk import Life, ModelFile


@dataclass(frozen=True)
class Product:
    """The parts under test."""

    disk: type[Life] = Life
    log: type[LogWriter] = LogWriter
    commit: type[Commit] = Commit


class _NoSync(ModelFile):
    def sync(self) -> None:
        """Says that it did."""


class _Again(ModelFile):
    def sync(self) -> None:
        try:
            super().sync()
        except OSError:
            super().sync()


def _with_file(made_of: type[ModelFile]) -> type[Life]:
    class Planted(Life):
        def create(self, path: Path) -> ModelFile:
            return made_of(self, super().create(path).inode)

        def open(self, path: Path) -> ModelFile:
            return made_of(self, super().open(path).inode)

    return Planted


class _NoFolderSync(Life):
    def sync_folder(self, folder: Path) -> None:
        """Says that it did."""


class _Hasty(Commit):
    """Tells before the disk has it, and writes a turn later."""

    def _write_groups(self, group: Group | None) -> None:
        if group is not None:
            self._groups.durable = group.last
            self._loop.call_soon(self._wake)
            self._loop.call_soon(super()._write_groups, group)


class _TrustsItsTail(LogWriter):
    """Syncs the tail it found without writing it again."""

    def _write_tail(self, last: Any, file: Any) -> None:
        """Says that it did."""


class _ActsOnItsTail(_TrustsItsTail):
    """Continues with what it reads."""

    def _continue(self, last: Any) -> None:
        self.fsync = "never"
        super()._continue(last)
        self.fsync = "always"


BUGS: dict[str, Product] = {
    "sync skipped": Product(disk=_with_file(_NoSync)),
    "failed sync tried again": Product(disk=_with_file(_Again)),
    "folder not synced": Product(disk=_NoFolderSync),
    "acknowledged before the sync": Product(commit=_Hasty),
    "tail acted on before it is durable": Product(log=_ActsOnItsTail),
    "tail synced and not written again": Product(log=_TrustsItsTail),
}
