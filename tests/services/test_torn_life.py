"""A life whose first group never became whole is passed over, and damage is not taken for one."""

from pathlib import Path

import pytest

from hft.core.errors import JournalError
from hft.services.history import History
from hft.services.journal import Journal
from hft.storage import frame
from hft.storage.commit import GROUP_KIND
from hft.storage.groups import Group
from hft.storage.log import segment_paths
from hft.trading.inputs import InputKind, rows_of

pytestmark = pytest.mark.nojit


def begun(folder: Path, fence: int, groups: int) -> Path:
    """A life of so many groups of two rows; its first segment."""
    journal = Journal(folder, "account", shared=True)
    first = sum(len(rows) for rows in journal.read(fence)) + 1
    log = journal.begin(fence, 0)
    for k in range(groups):
        rows = rows_of(InputKind.TICK, 7, 2).tobytes()
        log.append(7, GROUP_KIND, Group(first + 2 * k, 2, 7, rows).payload())
    log.close()
    journal.close()
    return segment_paths(log.folder)[0]


def count(folder: Path) -> int:
    return sum(len(rows) for rows in History(folder, "account").read())


@pytest.mark.parametrize("kept", [30, 262, 500])
def test_a_life_whose_first_group_was_torn_is_passed_over(tmp_path: Path, kept: int) -> None:
    begun(tmp_path, 1, 3)
    torn = begun(tmp_path, 2, 1)
    data = torn.read_bytes()
    torn.write_bytes(data[: frame.HEADER_BYTES] + bytes(kept))
    assert count(tmp_path) == 6
    begun(tmp_path, 3, 2)
    assert count(tmp_path) == 10


def test_a_damaged_first_group_with_others_behind_it_is_said(tmp_path: Path) -> None:
    begun(tmp_path, 1, 1)
    segment = begun(tmp_path, 2, 3)
    data = bytearray(segment.read_bytes())
    data[frame.HEADER_BYTES + 40] ^= 1
    segment.write_bytes(data)
    with pytest.raises(JournalError, match="is damaged"):
        count(tmp_path)
