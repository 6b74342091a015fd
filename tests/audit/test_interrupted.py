"""Cut off between two writes: the next command completes it, nothing is lost, nothing twice."""

import json
import os
import threading
from pathlib import Path

import pytest

from hft.api import anchoring, keys
from hft.api.audit import verify
from hft.api.desk import open_desk
from hft.api.promotion import office_of
from hft.audit import keychange
from hft.audit.journal import Journal
from hft.core.errors import JournalError
from hft.governance import interruptions
from tests.audit import test_trust
from tests.audit.test_remote import bare

desk, store = test_trust.desk, test_trust.store
HOLD = {"scope": "x", "kind": "policy", "old_state": "", "new_state": "", "cause": "y"}


def cut_off(monkeypatch: pytest.MonkeyPatch, store: Path) -> None:
    """Killed when keys and changes are written, and the audit row is not."""
    keys.add("dan", store / "dan.pub", roles=["validator"], key=store / "bob")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(keychange, "state_of", lambda keys: killed())
        patch.setattr(keychange, "unfit", lambda *given: "")
        patch.setattr(keychange, "waiting", lambda path, trust: pending(path))
        keys.sign(key=store / "cyd")


def pending(path: Path) -> keychange.KeyChange:
    return keychange.KeyChange.of(json.loads(keychange.pending_file(path).read_bytes()))


def changes(desk: Path) -> list[str]:
    rows = [row["row"] for row in open_desk(desk).auditor.rows()]
    return [row["new_state"] for row in rows if row.get("kind") == "keys" and row["new_state"]]


@pytest.mark.parametrize("how", ["by the next change", "by the next decision", "by restore"])
def test_a_change_of_the_keys_without_its_row_gets_it_once(
    desk: Path, store: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Without it the change would be dated now, for ever, until its signers' keys are over."""
    cut_off(monkeypatch, store)
    assert changes(desk) == []
    match how:
        case "by the next change":
            keys.revoke("ann", key=store / "bob")
            assert (desk / "config" / "keys.pending.json").exists(), "the newer one waits"
        case "by the next decision":
            office_of(open_desk(desk)).recover()
        case _:
            keys.restore()
    assert changes(desk) == ["change 1"] and verify(desk).ok
    office_of(open_desk(desk)).recover()
    keys.restore()
    assert changes(desk) == ["change 1"]


def test_a_restore_where_no_journal_is_loses_no_row_that_is_written_meanwhile(
    desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HFT_ANCHOR_REMOTE", str(bare(tmp_path / "anchors")))
    journal = open_desk(desk).auditor.journal
    open_desk(desk).auditor.record("control_log", HOLD, now_ns=1)
    anchoring.anchor(desk)
    journal.path.unlink()
    asked = anchoring.Remote.kept

    def slow(remote: anchoring.Remote) -> dict[str, anchoring.Kept]:
        found = asked(remote)
        writer.start()
        writer.join(0.5)
        return found

    def write() -> None:
        Journal(journal.folder).append("control_log", HOLD | {"scope": "meanwhile"}, now_ns=2)

    writer = threading.Thread(target=write)
    monkeypatch.setattr(anchoring.Remote, "kept", slow)
    anchoring.restore(desk)
    writer.join(30)
    assert [row["row"]["scope"] for row in journal.rows()] == ["x", "meanwhile"]
    assert journal.chain.verify().damage is None


def test_a_note_that_gets_no_name_leaves_neither_file_nor_descriptor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(folder: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(interruptions, "sync_folder", refused)
    before = sorted(os.listdir("/proc/self/fd"))
    with (
        pytest.raises(JournalError, match="No space left"),
        interruptions.begun(tmp_path, {"details": {"error": "x"}}),
    ):
        raise AssertionError("it was begun")
    assert len(os.listdir("/proc/self/fd")) == len(before)
    assert list((tmp_path / interruptions.FOLDER).iterdir()) == []
