"""Old rows may go, with a trace; nothing else is ever lost."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from hft.audit import retire as module
from hft.audit.auditor import Auditor
from hft.audit.journal import Written
from hft.audit.retire import Retirement, retire
from hft.audit.verify import verify
from hft.audit.walk import walk
from hft.core.errors import ConfigError, GovernanceError, Unavailable
from hft.storage.database import Source
from tests.audit.some_rows import START, count, write


def run(audit: Auditor, before_ns: int, source: Source | None) -> Retirement:
    def record(table: str, row: Mapping[str, Any]) -> Written:
        return audit.record(table, row, now_ns=START + 1000)

    return retire(audit.journal, source, before_ns, "seven years are over", record)


def test_rows_before_a_time_go_from_journal_and_database(auditor: Auditor) -> None:
    write(auditor, 16)
    done = run(auditor, START + 10, auditor.source)
    assert (done.first_seq, done.last_seq, done.count, done.row_seq) == (2, 11, 10, 18)
    rows = auditor.rows()
    assert [row["seq"] for row in rows] == [12, 13, 14, 15, 16, 17, 18]
    assert json.loads(rows[-1]["row"]["evidence"])["count"] == 10
    assert count(auditor.source, auditor.journal.id) == 7
    found = verify(auditor.journal, auditor.source)
    assert found.ok and found.compared
    write(auditor, 3, 16)
    auditor.deliver()
    assert verify(auditor.journal, auditor.source).ok
    assert auditor.head().seq == 21


def test_a_second_retirement_carries_the_first(auditor: Auditor) -> None:
    write(auditor, 16)
    first = run(auditor, START + 4, auditor.source)
    second = run(auditor, START + 9, auditor.source)
    assert first.sha256 != second.sha256 and second.count == 5
    found = walk(auditor.journal.raw_lines(), "j")
    assert not found.findings and found.retired is not None and found.retired.count == 9
    assert run(auditor, START + 9, auditor.source).count == 0
    assert run(auditor, START + 1001, auditor.source).count == 9, "the records of retiring, too"
    assert verify(auditor.journal, auditor.source).ok


def test_rows_taken_away_without_a_record_are_missing(auditor: Auditor) -> None:
    write(auditor, 16)
    run(auditor, START + 4, auditor.source)
    lines = auditor.journal.raw_lines()
    auditor.journal.path.write_bytes(b"".join([lines[0], *lines[2:]]))
    assert [one.code for one in walk(auditor.journal.raw_lines(), "j").findings] == [
        "JOURNAL_ROWS_MISSING"
    ]


def test_a_crash_after_the_record_is_finished_by_the_next_call(
    auditor: Auditor, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(auditor, 16)

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    for step in ("_shorten", "_remove"):
        with monkeypatch.context() as patched:
            patched.setattr(module, step, crash)
            with pytest.raises(KeyboardInterrupt):
                run(auditor, START + 4, auditor.source)
        found = verify(auditor.journal, auditor.source)
        assert found.ok and "retire` again" in found.notes[0]
    run(auditor, START + 4, auditor.source)
    found = verify(auditor.journal, auditor.source)
    assert found.ok and not found.notes
    assert auditor.rows()[0]["seq"] == 6


def test_nothing_goes_while_the_database_is_away_or_the_journal_damaged(tmp_path: Path) -> None:
    audit = Auditor(tmp_path, Source("http://127.0.0.1:9", connect_s=1.0))
    write(audit, 8)
    before = audit.journal.path.read_bytes()
    with pytest.raises(Unavailable):
        run(audit, START + 4, audit.source)
    assert audit.journal.path.read_bytes() == before
    audit.journal.path.write_bytes(before.replace(b"known gap", b"known lap"))
    with pytest.raises(GovernanceError, match="nothing is retired from a damaged journal"):
        run(audit, START + 4, None)
    audit.journal.path.write_bytes(before)
    with pytest.raises(ConfigError, match="--reason: is empty"):
        retire(
            audit.journal, None, START, " ", lambda table, row: audit.record(table, row, now_ns=1)
        )
    assert run(audit, START + 4, None).count == 4
    assert not walk(audit.journal.raw_lines(), "j").findings
