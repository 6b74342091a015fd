"""What a checkpointer keeps is enough, whatever it has read and whoever works beside it."""

import errno
from pathlib import Path

import numpy as np
import pytest

from hft.core.codes import ControlKind
from hft.core.errors import Busy, ConfigError, JournalError
from hft.services.checkpoint import Checkpoints
from hft.services.desk_file import PLAN, keep_limits, keep_plan
from hft.services.recovery import recover
from hft.storage.raw import read_raw, write_raw
from hft.trading.inputs import InputKind, rows_of
from tests.services.journal_world import ACCOUNT, Day, Folder, desk, limits, written


def recovered(folder: Folder) -> str:
    again = desk()
    recover(again, folder.history(), Checkpoints(folder.path / "checkpoints", ACCOUNT))
    return again.digest()


def begun(path: Path, **given: int) -> tuple[Folder, Day]:
    folder, day = Folder(path, **given), Day(1)
    path.mkdir(parents=True)
    keep_plan(day.desk, path, ACCOUNT)
    return folder, day


def test_the_record_that_the_oldest_checkpoint_ends_with_is_kept(tmp_path: Path) -> None:
    folder, day = begun(tmp_path / "journal", segment_bytes=1)  # each group is a segment
    log, maker = folder.begin(), folder.checkpointer()
    folder.write(log, np.concatenate([day.life(), day.rows(40)]))
    maker.make()
    folder.write(log, day.rows(40))
    newest = maker.make().path
    log.close()
    assert newest is not None
    assert recovered(folder) == day.desk.digest()
    newest.write_bytes(b"damaged")
    assert recovered(folder) == day.desk.digest()


def test_rows_of_a_stopped_leader_that_do_not_count_leave_no_checkpoint_behind(
    tmp_path: Path,
) -> None:
    folder, day = begun(tmp_path / "journal")
    log, maker = folder.begin(), folder.checkpointer()
    last = folder.write(log, np.concatenate([day.life(), day.rows(60)]))
    maker.make()
    at = folder.next
    late = Day(7, desk())
    for rows in folder.history().read():
        late.desk.apply(rows)
    late.now = day.now
    folder.write(log, late.rows(30))  # it goes on behind what the next one has read
    void = maker.make()
    log.close()
    assert void.inputs > at and void.path is not None
    folder.next = at
    day.now = max(day.now, late.now) + 1
    log = folder.begin(last)
    folder.write(log, day.life())
    assert maker.make().path is None  # the journal is shorter than what it knows
    folder.write(log, day.rows(60))
    log.close()
    made = maker.make()
    assert made.path is not None and made.inputs > void.inputs
    assert recovered(folder) == day.desk.digest()
    assert void.path not in maker.checkpoints.paths()
    kept = [path for _, path in maker.checkpoints.whole()]
    assert kept[0] == made.path and len(kept) == 2, "two that count"
    made.path.write_bytes(b"damaged")
    assert recovered(folder) == day.desk.digest()


def test_limits_that_come_while_it_runs_are_known_to_it(tmp_path: Path) -> None:
    folder, day = written(tmp_path / "journal", lives=1)
    maker, other = folder.checkpointer(), limits(order_size=3)
    keep_limits(other, folder.path)
    row = rows_of(InputKind.CONTROL, day.now, code=ControlKind.LIMITS, value=day.desk.allow(other))
    day.desk.apply(row)
    log = folder.open()
    folder.write(log, row)
    folder.write(log, day.rows(40))
    log.close()
    assert maker.make().inputs > 62


def test_fewer_than_two_are_not_kept_and_two_makers_do_not_work_at_once(tmp_path: Path) -> None:
    folder, _ = written(tmp_path / "journal", lives=1)
    with pytest.raises(ConfigError, match="keep: 1 checkpoints are too few"):
        folder.checkpointer(keep=1)
    maker = folder.checkpointer()
    held = maker.checkpoints.hold()
    with pytest.raises(Busy, match="makes checkpoints here"):
        folder.checkpointer().make()
    held.close()
    assert maker.make().path is not None


def test_a_plan_of_another_version_and_a_file_in_place_of_the_folder_are_one_sentence_each(
    tmp_path: Path,
) -> None:
    folder, _ = written(tmp_path / "journal", lives=1)
    _, facts, arrays = read_raw(folder.path / PLAN)
    write_raw(folder.path / PLAN, 2, facts, arrays)
    with pytest.raises(JournalError, match=r"plan.bin: is of version 2, this hft reads 1; go on"):
        folder.checkpointer()
    with pytest.raises(JournalError, match="is of version 2"):
        keep_plan(desk(), folder.path, ACCOUNT)
    (folder.path / "checkpoints").write_text("not a folder")
    with pytest.raises(JournalError, match="checkpoints: cannot be read: Not a directory"):
        recovered(folder)


def test_a_checkpoint_that_found_no_room_leaves_the_room_to_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = written(tmp_path / "journal", lives=1)
    maker, disk = folder.checkpointer(), folder.disk
    create = type(disk).create

    def full(self: object, path: Path) -> object:
        file = create(disk, path)

        class Full:
            def write(self, at: int, data: bytes) -> int:
                if at:
                    raise OSError(errno.ENOSPC, "No space left on device")
                return int(file.write(at, data))

            def close(self) -> None:
                file.close()

        return Full()

    monkeypatch.setattr(type(disk), "create", full)
    with pytest.raises(JournalError, match="cannot be written: No space left"):
        maker.make()
    assert list((folder.path / "checkpoints").iterdir()) == []


def test_a_checkpoint_of_rows_of_the_version_before_is_known_again(tmp_path: Path) -> None:
    """Its last record is brought to this version with the rest, or no journal would have it."""
    folder, day = written(tmp_path / "journal", lives=1)
    folder.checkpointer().make()
    [path] = folder.checkpointer().checkpoints.paths()
    _, facts, arrays = read_raw(path)
    old = np.array([arrays["journal.last"]["ts_ns"]]).view([("ts_ns", np.int64)])[0]
    write_raw(path, 0, facts, arrays | {"journal.last": old})
    [whole] = [rows for rows in folder.history().read() if rows["ts_ns"][-1] == old["ts_ns"][0]]

    def upgrade(saved):  # type: ignore[no-untyped-def]
        return dict(saved) | {"journal.last": whole[-1:]}

    again = desk()
    known = Checkpoints(folder.path / "checkpoints", ACCOUNT, upgrades={0: upgrade})
    assert recover(again, folder.history(), known).checkpoint > 0
    assert again.digest() == day.desk.digest()
