"""A gateway that was stopped between its look at the journal and its first record."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hft.core.errors import JournalError
from hft.services import journal as journals
from hft.services.checkpoint import Checkpoints
from hft.services.journal import Journal
from hft.services.recovery import recover
from hft.storage.log import LogWriter
from hft.trading.inputs import INPUT
from tests.services.journal_world import ACCOUNT, Day, Folder, desk


def test_a_life_that_begins_after_a_later_one_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, day = Folder(tmp_path / "journal"), Day(1)
    log = folder.begin()
    folder.write(log, np.concatenate([day.life(), day.rows(60)]))
    stopped = Journal(folder.path, ACCOUNT, shared=True)
    list(stopped.read(2))
    folder.write(log, day.rows(14))  # the leader that it takes for dead goes on
    log.close()
    after = Journal(folder.path, ACCOUNT, shared=True)
    list(after.read(3))

    def late(*given: Any, **more: Any) -> LogWriter:
        """Meanwhile the third one reads more, begins, and works."""
        assert after.history.last is not None
        folder.fence = 2
        third = folder.begin(np.frombuffer(after.history.last.rows, INPUT))
        folder.write(third, np.concatenate([day.life(), day.rows(20)]))
        third.close()
        return LogWriter(*given, **more)

    monkeypatch.setattr(journals, "LogWriter", late)
    with pytest.raises(JournalError, match="a life under fence 3 has begun already"):
        stopped.begin(2, 0)
    again = desk()
    recover(again, folder.history(), Checkpoints(folder.path / "checkpoints", ACCOUNT))
    assert again.digest() == day.desk.digest()
    with pytest.raises(JournalError, match="a life under fence 3 has begun already"):
        stopped.begin(2, 0)
