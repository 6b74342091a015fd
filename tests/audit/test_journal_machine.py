"""Whatever happens in whatever order, the journal has every claim and the database each one once.

A hypothesis machine drives one journal against a server that fails at will, and a list that knows
what was claimed.
"""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hft.audit import delivery
from hft.audit.auditor import Auditor
from hft.audit.compare import stored_rows
from hft.audit.records import TABLES
from hft.audit.retire import retire
from hft.audit.verify import verify
from hft.storage.database import opened
from tests.audit.conftest import Server
from tests.audit.some_rows import START, some_row

FAULTS = ("down", "cut", "mute", "twice", "again", "refuse")


class Machine(RuleBasedStateMachine):
    """Claims are (seq, hash) as `record` returned them."""

    server: Server

    def __init__(self) -> None:
        super().__init__()
        self.server.fault()
        self.folder = Path(tempfile.mkdtemp())
        self.audit = Auditor(self.folder, self.server.source)
        self.claims: dict[int, str] = {}
        self.n = 0
        self.delivered = 0

    @rule(rows=st.integers(1, 5))
    def record(self, rows: int) -> None:
        for _ in range(rows):
            table, row = some_row(self.n)
            written = self.audit.record(table, row, now_ns=START + self.n)
            self.claims[written.seq] = written.row_hash
            self.n += 1

    @rule(fault=st.sampled_from(FAULTS), times=st.integers(1, 4))
    def break_server(self, fault: str, times: int) -> None:
        self.server.fault(**{fault: times})

    @rule()
    def mend_server(self) -> None:
        self.server.fault(replay=1)

    @rule()
    def deliver(self) -> None:
        found = self.audit.deliver()
        assert bool(found.waiting) == bool(found.notice)
        if not found.waiting and self.claims:
            self.delivered = max(self.claims)

    @rule()
    def forget_what_was_sent(self) -> None:
        (self.folder / delivery.STATE_NAME).unlink(missing_ok=True)

    @rule(size=st.integers(1, 20))
    def crash_while_writing(self, size: int) -> None:
        if self.claims:
            line = self.audit.journal.raw_lines()[-1]
            with open(self.audit.journal.path, "ab") as file:
                file.write(line[: min(size, len(line) - 2)])

    @precondition(lambda self: len(self.claims) > 6)
    @rule(share=st.floats(0.1, 0.5))
    def retire_some(self, share: float) -> None:
        self.server.fault()
        before = START + int(self.n * share)
        done = retire(self.audit.journal, self.audit.source, before, "old", self.note_retirement)
        if done.count:
            self.claims = {s: h for s, h in self.claims.items() if s > done.last_seq}
        self.delivered = max(self.claims)

    def note_retirement(self, table: str, row: Any) -> Any:
        written = self.audit.record(table, row, now_ns=START + self.n)
        self.claims[written.seq] = written.row_hash
        self.n += 1
        return written

    @invariant()
    def every_claim_is_in_the_journal_and_nothing_else(self) -> None:
        there = {row["seq"]: row["row_hash"] for row in self.audit.rows()}
        assert there == self.claims

    def teardown(self) -> None:
        self.server.fault(replay=1)
        self.audit.deliver()
        found = verify(self.audit.journal, self.audit.source)
        assert found.ok, found.findings
        if not self.claims:
            return  # and so no tables
        with opened(self.audit.source) as database:
            rows = [
                (row["seq"], row["row_hash"])
                for table in TABLES.values()
                for row in stored_rows(database, table, self.audit.journal.id)
            ]
        assert sorted(rows) == sorted(self.claims.items())
        shutil.rmtree(self.folder)


@pytest.mark.slow
def test_the_database_has_every_claim_once_after_any_history(server: Server) -> None:
    from hypothesis.stateful import run_state_machine_as_test

    Machine.server = server
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=8,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
