"""One suite for the disk of the tests and the one of the machine: what both do is the same.

What only the model can do (a power cut) is below, with what it must lose and must keep.
"""

import errno
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

from hft.core.errors import Busy
from hft.storage.disk import Disk, RealDisk
from tests.simulation.disk import Crashed, Life, ModelDisk
from tests.simulation.inodes import SECTOR

pytestmark = pytest.mark.nojit


class Machine:
    """A disk, the folder to work in, and another process on it."""

    def __init__(self, root: Path, model: ModelDisk | None) -> None:
        self.folder = root / "new" / "folder"
        self.disk: Disk = RealDisk() if model is None else Life(model)
        self.other: Disk = RealDisk() if model is None else Life(model, "process 2")
        self.model = model

    def file(self, name: str, content: bytes = b"") -> Path:
        self.disk.make(self.folder)
        path = self.folder / name
        file = self.disk.create(path)
        if content:
            assert file.write(0, content) == len(content)
        file.sync()
        file.close()
        return path

    @contextmanager
    def room(self, size: int) -> Iterator[None]:
        """No file grows beyond so many bytes."""
        if self.model is not None:
            self.model.room = size
            yield
            return
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        assert signal.getsignal(signal.SIGXFSZ) is signal.SIG_IGN
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture(params=["model", "real"])
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Machine:
    if request.param == "real":
        return Machine(tmp_path, None)
    return Machine(Path("/"), ModelDisk(Random(0)))


def test_folders_are_made_with_those_above_and_those_that_were_absent_are_told(
    machine: Machine,
) -> None:
    assert machine.disk.make(machine.folder) == [machine.folder.parent, machine.folder]
    assert machine.disk.make(machine.folder) == []
    assert machine.disk.names(machine.folder) == []
    assert machine.disk.names(machine.folder / "absent") == []
    assert machine.disk.names(machine.folder.parent) == ["folder"]


def test_a_write_says_where_it_goes(machine: Machine) -> None:
    path = machine.file("a", b"0123456789")
    file = machine.disk.open(path)
    assert file.write(4, b"xy") == 2
    assert file.write(12, memoryview(b"end")) == 3
    assert machine.disk.read(path) == b"0123xy6789\0\0end"
    assert machine.disk.read(path, 6) == b"0123xy"
    assert machine.disk.size(path) == 15
    file.close()


def test_a_file_is_cut_and_grows_with_zeros(machine: Machine) -> None:
    file = machine.disk.open(path := machine.file("a", b"0123456789"))
    file.truncate(3)
    assert machine.disk.read(path) == b"012"
    file.truncate(5)
    assert machine.disk.read(path) == b"012\0\0"
    file.close()


def test_names_are_in_order_and_a_rename_takes_the_place_of_what_was_there(
    machine: Machine,
) -> None:
    machine.file("b", b"old")
    machine.disk.rename(machine.file("a", b"new"), machine.folder / "b")
    machine.file("0")
    machine.disk.sync_folder(machine.folder)
    assert machine.disk.names(machine.folder) == ["0", "b"]
    assert machine.disk.read(machine.folder / "b") == b"new"
    machine.disk.unlink(machine.folder / "b")
    assert machine.disk.names(machine.folder) == ["0"]


def test_a_file_without_a_name_is_still_written_by_who_has_it_open(machine: Machine) -> None:
    file = machine.disk.open(path := machine.file("a"))
    machine.disk.unlink(path)
    assert file.write(0, b"late") == 4
    file.sync()
    file.close()
    assert machine.disk.names(machine.folder) == []


@pytest.mark.parametrize("verb", ["read", "open", "size", "unlink"])
def test_what_is_absent_is_an_error(machine: Machine, verb: str) -> None:
    machine.disk.make(machine.folder)
    with pytest.raises(FileNotFoundError):
        getattr(machine.disk, verb)(machine.folder / "absent")
    with pytest.raises(FileNotFoundError):
        machine.disk.create(machine.folder / "absent" / "a")
    with pytest.raises(FileNotFoundError):
        machine.disk.sync_folder(machine.folder / "absent")


def test_free_room_is_told_of_a_folder_that_is_there_and_of_one_to_be(machine: Machine) -> None:
    assert machine.disk.free(machine.folder) > 0
    machine.disk.make(machine.folder)
    before = machine.disk.free(machine.folder)
    assert before > 0
    if machine.model is not None:
        with machine.room(10):
            assert machine.disk.free(machine.folder) == 10


def test_what_exists_is_not_created_again(machine: Machine) -> None:
    path = machine.file("a", b"first")
    with pytest.raises(FileExistsError):
        machine.disk.create(path)
    assert machine.disk.read(path) == b"first"


def test_a_folder_is_held_by_one_until_it_lets_go_and_no_file_is_left(machine: Machine) -> None:
    machine.disk.make(machine.folder)
    held = machine.disk.lock(machine.folder, "works here")
    with pytest.raises(Busy, match=r"folder: .*process .* works here; try again"):
        machine.other.lock(machine.folder, "works here")
    held.close()
    held.close()
    machine.other.lock(machine.folder, "works here").close()
    assert machine.disk.names(machine.folder) == []


def test_a_write_that_does_not_fit_is_taken_in_part_and_then_refused(machine: Machine) -> None:
    file = machine.disk.open(path := machine.file("a"))
    with machine.room(10):
        assert file.write(0, b"0123456") == 7
        assert file.write(7, b"789abcd") == 3
        with pytest.raises(OSError) as error:
            file.write(10, b"abcd")
        assert error.value.errno in (errno.ENOSPC, errno.EFBIG)
        assert file.write(2, b"in the") == 6
    assert machine.disk.read(path) == b"01in the89"
    file.close()


# What only the model can do.


def cut(random: int, build: "list[tuple[int, bytes]]", sync_at: int = -1) -> bytes | None:
    """What a power cut leaves of a file with a durable name that these writes went to."""
    model = ModelDisk(Random(random))
    machine = Machine(Path("/"), model)
    path = machine.file("a")
    for folder in (machine.folder, *machine.folder.parents):
        machine.disk.sync_folder(folder)
    file = machine.disk.open(path)
    for k, (at, data) in enumerate(build):
        if k == sync_at:
            file.sync()
        file.write(at, data)
    model.power_cut()
    return Life(model).read(path)


def test_a_power_cut_keeps_what_was_synced_and_any_part_of_the_rest() -> None:
    left = [cut(seed, [(0, b"synced"), (6, b"not yet")], sync_at=1) for seed in range(300)]
    assert all(one is not None and one[:6] == b"synced" for one in left)
    assert {len(one or b"") for one in left} == set(range(6, 14))


def test_a_torn_write_is_torn_by_sectors_too() -> None:
    old, new = b"o" * (4 * SECTOR), b"n" * (4 * SECTOR)
    left = {cut(seed, [(0, old), (0, new)], sync_at=1) for seed in range(300)}
    sectors = {"".join(chr(one[k * SECTOR]) for k in range(4)) for one in left if one is not None}
    assert {"nnoo", "onon", "oonn", "oooo", "nnnn"} <= sectors


def test_a_name_is_lost_without_a_sync_of_its_folder_and_kept_with_it() -> None:
    found = {"synced": 0, "not": 0}
    for seed in range(40):
        for kind in found:
            model = ModelDisk(Random(seed))
            machine = Machine(Path("/"), model)
            path = machine.file("a", b"content")
            for folder in machine.folder.parents:
                machine.disk.sync_folder(folder)
            if kind == "synced":
                machine.disk.sync_folder(machine.folder)
            model.power_cut()
            found[kind] += path.name in Life(model).names(machine.folder)
    assert found["synced"] == 40
    assert 5 < found["not"] < 35


def test_a_failed_sync_loses_pages_and_the_next_one_succeeds_without_them() -> None:
    lost = 0
    for seed in range(20):
        model = ModelDisk(Random(seed))
        machine = Machine(Path("/"), model)
        path = machine.file("a", b"old")
        for folder in (machine.folder, *machine.folder.parents):
            machine.disk.sync_folder(folder)
        file = machine.disk.open(path)
        file.write(0, b"new")
        model.fails["sync"] = errno.EIO
        with pytest.raises(OSError):
            file.sync()
        file.sync()
        assert machine.disk.read(path) == b"new"
        model.power_cut()
        lost += Life(model).read(path) == b"old"
    assert 3 < lost < 17


def test_a_file_is_claimed_once_and_only_while_it_is_there(machine: Machine) -> None:
    path = machine.file("a", b"content")
    held = machine.disk.claim(path)
    assert held is not None
    assert machine.other.claim(path) is None
    held.close()
    again = machine.other.claim(path)
    assert again is not None
    machine.other.unlink(path)
    again.close()
    assert machine.disk.claim(path) is None


def test_a_file_is_renamed_into_another_folder(machine: Machine) -> None:
    path = machine.file("a", b"content")
    there = machine.folder / "archive"
    machine.disk.make(there)
    machine.disk.rename(path, there / "a")
    assert machine.disk.read(there / "a") == b"content"
    assert "a" not in machine.disk.names(machine.folder)


def test_a_life_that_has_ended_changes_nothing_and_its_lock_is_free() -> None:
    model = ModelDisk(Random(0))
    machine = Machine(Path("/"), model)
    path = machine.file("a", b"content")
    held = machine.disk.lock(machine.folder, "works here")
    file = machine.disk.open(path)
    assert isinstance(machine.disk, Life)
    machine.disk.end()
    now = machine.other.lock(machine.folder, "works here")
    assert file.write(0, b"late") == 4
    file.truncate(0)
    file.sync()
    machine.disk.unlink(path)
    held.close()
    assert machine.other.read(path) == b"content"
    with pytest.raises(Busy):
        Life(model).lock(machine.folder, "works here")
    now.close()


def test_a_life_ends_before_the_step_that_was_asked_for() -> None:
    model = ModelDisk(Random(0))
    machine = Machine(Path("/"), model)
    file = machine.disk.open(path := machine.file("a"))
    assert isinstance(machine.disk, Life)
    machine.disk.crash_in(2)
    file.write(0, b"one")
    file.write(3, b"two")
    with pytest.raises(Crashed):
        file.write(6, b"three")
    assert machine.other.read(path) == b"onetwo"


def test_a_read_only_disk_refuses_every_change_and_can_be_read() -> None:
    model = ModelDisk(Random(0))
    machine = Machine(Path("/"), model)
    file = machine.disk.open(path := machine.file("a", b"content"))
    model.is_read_only = True
    for change in (
        lambda: file.write(0, b"x"),
        lambda: file.truncate(0),
        lambda: machine.disk.unlink(path),
        lambda: machine.disk.create(machine.folder / "b"),
        lambda: machine.disk.make(machine.folder / "b"),
        lambda: machine.disk.rename(path, machine.folder / "b"),
    ):
        with pytest.raises(OSError) as error:
            change()
        assert error.value.errno == errno.EROFS
    assert machine.disk.read(path) == b"content"
    assert machine.disk.names(machine.folder) == ["a"]
