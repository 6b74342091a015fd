"""A decision is a durable row before anybody hears of it, or nothing was decided."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from hft.audit.auditor import Auditor
from hft.audit.journal import Journal, read
from hft.audit.walk import walk
from hft.core.errors import DataError, JournalError
from tests.audit.some_rows import START, some_row, write

NOWHERE = "http://127.0.0.1:9"


def auditor(folder: Path, key: bytes | None = None) -> Auditor:
    return Auditor(folder, NOWHERE, actor="ada", keys_hash="k", hmac_key=key)


def test_a_row_is_in_the_file_with_everything_that_was_said(tmp_path: Path) -> None:
    audit = auditor(tmp_path)
    heads = {"w": (3, "ff")}
    row = {"kind": "force", "alpha_id": "a", "reason": "ünï"}
    written = audit.record(
        "override_log", row, now_ns=START, event_ts=7, key_fp="SHA256:x", ledger_heads=heads
    )
    (found,) = read(tmp_path)
    assert found["row"] == {**row, "subject": "", "signature": ""}
    assert (found["ts"], found["event_ts"], found["actor"]) == (START, 7, "ada")
    assert (found["key_fp"], found["keys_hash"]) == ("SHA256:x", "k")
    assert json.loads(found["ledger_heads"]) == {"w": {"seq": 3, "hash": "ff"}}
    assert (found["seq"], found["row_hash"]) == (written.seq, written.row_hash)
    assert audit.head() == (written.seq, written.row_hash)


def test_the_same_inputs_give_the_same_evidence_digest(tmp_path: Path) -> None:
    audit = auditor(tmp_path)
    table, row = some_row(0)
    first = audit.record(table, row, now_ns=START)
    second = audit.record(table, {**row, "run_id": "other"}, now_ns=START + 1)
    third = audit.record(table, {**row, "verdict": "FAIL"}, now_ns=START + 2)
    assert first.evidence_digest == second.evidence_digest != third.evidence_digest
    assert read(tmp_path)[0]["row"]["evidence_digest"] == first.evidence_digest


def test_a_refused_row_leaves_no_trace(tmp_path: Path) -> None:
    audit = auditor(tmp_path)
    with pytest.raises(DataError):
        audit.record("override_log", {"kind": "shrug"}, now_ns=START)
    with pytest.raises(DataError):
        audit.record("override_log", {"kind": "force"}, now_ns="today")  # type: ignore[arg-type]
    assert not (tmp_path / "journal.jsonl").exists() and read(tmp_path) == []


def test_two_processes_share_one_journal(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from hft.audit.auditor import Auditor\n"
        "from tests.audit.some_rows import write\n"
        f"write(Auditor(Path(sys.argv[1]), '{NOWHERE}'), 60)"
    )
    both = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)]) for _ in range(2)]
    assert [process.wait(timeout=60) for process in both] == [0, 0]
    journal = Journal(tmp_path)
    found = walk(journal.raw_lines(), "journal", None)
    assert not found.findings and len(found.rows) == 120
    assert [row["seq"] for row in found.rows] == list(range(2, 122))


def test_an_hmac_journal_needs_its_key(tmp_path: Path) -> None:
    write(auditor(tmp_path, b"secret"), 3)
    assert not walk(Journal(tmp_path).raw_lines(), "j", b"secret").findings
    assert walk(Journal(tmp_path).raw_lines(), "j", b"guess").findings
    with pytest.raises(JournalError, match="made with a key; set AUDIT_HMAC_KEY"):
        write(auditor(tmp_path), 1)
    with pytest.raises(JournalError):
        write(auditor(tmp_path, b"guess"), 1)
    write(auditor(tmp_path, b"secret"), 1)
    assert len(read(tmp_path)) == 4


def test_a_plain_journal_does_not_become_a_keyed_one(tmp_path: Path) -> None:
    write(auditor(tmp_path), 1)
    with pytest.raises(JournalError, match="was begun without a key"):
        write(auditor(tmp_path, b"secret"), 1)


FULL = """
import resource, sys
from pathlib import Path
from hft.audit.auditor import Auditor
from hft.core.errors import JournalError
from tests.audit.some_rows import write
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
audit = Auditor(Path(sys.argv[1]), "http://127.0.0.1:9")
resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000))
claimed = 0
try:
    for n in range(1000):
        write(audit, 1, n)
        claimed += 1
except JournalError as error:
    print(claimed, "cannot write" in str(error) and "earlier rows are kept" in str(error))
"""


def test_a_full_disk_refuses_the_row_and_keeps_every_earlier_one(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True, check=True
    )
    claimed, said = done.stdout.split()
    assert said == "True" and int(claimed) > 3
    found = walk(Journal(tmp_path).raw_lines(), "journal")
    assert not found.findings and not found.notes
    assert len(found.rows) == int(claimed), "a row was claimed that is not there, or the reverse"
    write(auditor(tmp_path), 1)
    assert len(read(tmp_path)) == int(claimed) + 1
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 6000


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError) as raised:
        write(auditor(tmp_path / "file" / "audit"), 1)
    assert "\n" not in str(raised.value) and "file" in str(raised.value)


def test_a_record_after_a_torn_line_replaces_it(tmp_path: Path) -> None:
    audit = auditor(tmp_path)
    write(audit, 2)
    with open(audit.journal.path, "ab") as file:
        file.write(b'{"actor":"ad')
        os.fsync(file.fileno())
    torn = walk(audit.journal.raw_lines(), "journal")
    assert not torn.findings and "cut off by a crash" in torn.notes[0]
    write(audit, 1, 2)
    whole = walk(audit.journal.raw_lines(), "journal")
    assert not whole.findings and not whole.notes and len(whole.rows) == 3
