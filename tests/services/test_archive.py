"""Old segments go to another disk without a moment in which one of them is nowhere whole."""

import errno
import shutil
from pathlib import Path

import numpy as np
import pytest
from journal_world import Folder, written

from hft.core.errors import JournalError
from hft.storage.disk import RealDisk


class Crashed(BaseException):
    """The process is gone."""


class TwoDisks(RealDisk):
    """Refuses to rename between the journal and the archive, and dies before a change of its own.

    `did` are the changes, by what and where.
    """

    def __init__(self, archive: Path, dies_at: int = 1 << 30) -> None:
        self.archive, self.dies_at, self.did = archive, dies_at, list[str]()

    def rename(self, old: Path, new: Path) -> None:
        if self._is_away(old) != self._is_away(new):
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        self._step("rename")
        super().rename(old, new)

    def unlink(self, path: Path) -> None:
        self._step("unlink there" if self._is_away(path) else "unlink here")
        super().unlink(path)

    def create(self, path: Path):
        self._step("create")
        return super().create(path)

    def sync_folder(self, folder: Path) -> None:
        self._step("sync there" if self._is_away(folder) else "sync here")
        super().sync_folder(folder)

    def _is_away(self, path: Path) -> bool:
        return path.is_relative_to(self.archive)

    def _step(self, what: str) -> None:
        if len(self.did) == self.dies_at:
            raise Crashed
        self.did.append(what)


def aged(path: Path) -> Folder:
    """A journal whose next checkpoint leaves segments that nobody needs."""
    folder, day = written(path, lives=2)
    folder.checkpointer().make()
    log = folder.open()
    folder.write(log, day.rows(80))
    log.close()
    return folder


def whole(folder: Folder, archive: Path) -> dict[str, bytes]:
    """Every segment under its name, from here or from there; both are alike where both are."""
    found: dict[str, bytes] = {}
    for place in (folder.path, archive):
        for path in place.rglob("*.wal"):
            name = str(path.relative_to(place))
            assert found.setdefault(name, path.read_bytes()) == path.read_bytes(), name
    return found


def test_a_crash_at_any_step_of_a_copy_to_another_disk_loses_no_segment(tmp_path: Path) -> None:
    steps = 0
    while True:
        place = tmp_path / str(steps)
        folder = aged(place / "journal")
        archive, before = place / "archive", whole(folder, place / "archive")
        folder.disk = TwoDisks(archive, steps)
        is_over = True
        try:
            folder.checkpointer(archive=archive).make()
        except Crashed:
            is_over = False
        assert whole(folder, archive) == before
        folder.disk = TwoDisks(archive)
        folder.checkpointer(archive=archive).make()
        assert whole(folder, archive) == before and not list(archive.rglob(".*.aside"))
        if is_over:
            break
        steps += 1
    assert steps > 10 and len(list(archive.rglob("*.wal"))) >= 2


def test_a_copy_has_its_name_on_the_other_disk_before_it_is_gone_here(tmp_path: Path) -> None:
    folder = aged(tmp_path / "journal")
    folder.disk = disk = TwoDisks(tmp_path / "archive")
    folder.checkpointer(archive=tmp_path / "archive").make()
    at = disk.did.index("unlink here")
    assert disk.did[at - 3 : at + 2] == [
        "create",
        "rename",
        "sync there",
        "unlink here",
        "sync here",
    ]


def test_a_disk_that_reads_other_than_was_written_keeps_the_segment_here(tmp_path: Path) -> None:
    class Forgetful(TwoDisks):
        def read(self, path: Path, count: int = -1) -> bytes:
            data = super().read(path, count)
            return data[:-1] if path.name.endswith(".aside") else data

    folder = aged(tmp_path / "journal")
    before = whole(folder, tmp_path / "archive")
    folder.disk = Forgetful(tmp_path / "archive")
    with pytest.raises(JournalError, match="reads other than what was written; look at that disk"):
        folder.checkpointer(archive=tmp_path / "archive").make()
    assert {name: data for name, data in whole(folder, Path("none")).items()} == before


def test_an_archive_on_another_disk_of_this_machine_has_what_was_retired(tmp_path: Path) -> None:
    other = Path("/dev/shm")
    if not other.is_dir() or other.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("this machine has no second disk in memory")
    archive = other / f"hft-{tmp_path.name}-{id(tmp_path)}"
    try:
        folder = aged(tmp_path / "journal")
        rows = np.concatenate(list(folder.history().read()))
        folder.checkpointer(archive=archive).make()
        for path in archive.rglob("*.wal"):
            (folder.path / path.parent.name / path.name).write_bytes(path.read_bytes())
        assert np.concatenate(list(folder.history().read())).tobytes() == rows.tobytes()
    finally:
        shutil.rmtree(archive, ignore_errors=True)
