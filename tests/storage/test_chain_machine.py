"""A chain under any order of appends, crashes at any byte, other writers and tampering."""

import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hft.storage.chain import Chain


class ChainMachine(RuleBasedStateMachine):
    """Whatever happens, acknowledged rows stay in order and a change never goes unseen."""

    @initialize(key=st.sampled_from([None, b"key"]))
    def start(self, key: bytes | None) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.path = self.folder / "a.jsonl"
        self.key = key
        self.chain = Chain(self.path, key=key)
        self.rows: list[int] = []
        self.torn = 0
        self.next = 0

    def fresh(self, count: int) -> list[int]:
        self.next += count
        return list(range(self.next - count, self.next))

    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    @rule(count=st.integers(1, 6), length=st.sampled_from([0, 40, 5000]))
    def append(self, count: int, length: int) -> None:
        values = self.fresh(count)
        done = self.chain.append([{"x": value, "pad": "p" * length} for value in values])
        assert done.first_seq == len(self.rows) + 1 and len(done.hashes) == count
        assert done.torn_bytes == self.torn
        self.rows += values
        self.torn = 0

    @rule()
    def reopen(self) -> None:
        self.chain = Chain(self.path, key=self.key)

    @rule(count=st.integers(1, 4), share=st.floats(0, 1))
    def crash_while_appending(self, count: int, share: float) -> None:
        values = self.fresh(count)
        before = self.size() - self.torn
        Chain(self.path, key=self.key).append([{"x": value} for value in values])
        cut = before + int(share * (self.size() - before))
        os.truncate(self.path, cut)
        whole = self.path.read_bytes()[before:].count(b"\n")
        self.rows += values[:whole]  # never acknowledged, but whole
        self.torn = cut - (self.path.read_bytes().rfind(b"\n") + 1)

    @rule(share=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255))
    def tamper(self, share: float, byte: int) -> None:
        if not self.rows:
            return
        good = self.path.read_bytes()
        at = int(share * (len(good) - self.torn))
        if good[at] == byte:
            return
        head = self.chain.head()
        self.path.write_bytes(good[:at] + bytes([byte]) + good[at + 1 :])
        checked = Chain(self.path, key=self.key).verify()
        if checked.damage is None:  # the newline of the last row: a shorter chain
            assert checked.head.seq == head.seq - 1
        else:
            assert checked.damage.line == good[:at].count(b"\n") + 1
        self.path.write_bytes(good)

    @invariant()
    def nothing_is_lost(self) -> None:
        if not hasattr(self, "chain"):
            return
        checked = self.chain.verify()
        assert checked.damage is None and checked.torn_bytes == self.torn
        assert [row["x"] for row in self.chain.read()] == self.rows
        assert self.chain.head() == checked.head and checked.rows == len(self.rows)

    def teardown(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


TestChain = ChainMachine.TestCase
TestChain.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
