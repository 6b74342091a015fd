"""The world of a journal, its steps chosen by hypothesis, which shortens what it finds.

The same world is played by seeds with the others (`test_chaos`).
"""

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from hft.core.errors import JournalError
from tests.simulation.journal import JournalWorld
from tests.simulation.journal_product import BUGS, Product

pytestmark = pytest.mark.nojit

FOUND_WITHIN = 500  # examples


class JournalMachine(RuleBasedStateMachine):
    """One world."""

    def __init__(self, product: Product | None = None) -> None:
        super().__init__()
        self.product = product

    @initialize(seed=st.integers(0, 1 << 20))
    def begin(self, seed: int) -> None:
        self.world = JournalWorld(seed, self.product)

    @rule(count=st.integers(1, 30))
    def add(self, count: int) -> None:
        self.world.add(count)

    @rule(turns=st.sampled_from([1, 2, 4, 50]))
    def turn(self, turns: int) -> None:
        self.world.turn(turns)

    @rule()
    def kill(self) -> None:
        self.world.again()

    @rule()
    def cut_the_power(self) -> None:
        self.world.again(power_cut=True)

    @rule(steps=st.integers(0, 12))
    def crash_in(self, steps: int) -> None:
        self.world.life.crash_in(steps)

    @rule(steps=st.integers(0, 25))
    def crash_in_the_next_start(self, steps: int) -> None:
        self.world.crash_at_start = steps

    @rule(
        verb=st.sampled_from(["sync", "sync_folder", "write", "create", "truncate"]),
        crashes=st.booleans(),
    )
    def fail(self, verb: str, crashes: bool) -> None:
        self.world.disk.fails[verb] = 5
        self.world.life.crashes_after_fault = crashes

    @rule(count=st.integers(1, 30))
    def fail_the_sync_of_a_group(self, count: int) -> None:
        self.world.turn(50)
        self.world.disk.fails["sync"] = 5
        self.world.add(count)
        self.world.turn(50)

    @rule(room=st.integers(0, 400))
    def fill_the_disk(self, room: int) -> None:
        self.world.disk.room = room

    @rule()
    def write_in_parts(self) -> None:
        self.world.disk.has_short_writes = True

    @rule()
    def open_it_twice(self) -> None:
        self.world.second()

    @rule()
    def keep_less(self) -> None:
        self.world.keep_less()

    @rule()
    def close(self) -> None:
        self.world.close()

    @invariant()
    def no_more_is_acknowledged_than_was_added(self) -> None:
        world = self.world
        assert world.acknowledged <= len(world.recovered) + len(world.added)

    def teardown(self) -> None:
        self.world.settle()


JournalMachine.TestCase.settings = settings(
    settings.default, max_examples=60, stateful_step_count=40
)
TestJournalMachine = JournalMachine.TestCase

BRIEF = settings(
    derandomize=True,
    database=None,
    max_examples=FOUND_WITHIN,
    phases=(Phase.generate,),
    report_multiple_bugs=False,
    print_blob=False,
)


@pytest.mark.parametrize("name", [name for name in BUGS if not name.startswith("tail")])
def test_the_machine_finds_a_planted_fault_too(name: str) -> None:
    with pytest.raises((AssertionError, JournalError)):
        run_state_machine_as_test(lambda: JournalMachine(BUGS[name]), settings=BRIEF)
