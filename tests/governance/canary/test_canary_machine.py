"""Whatever happens to a canary: never above its rung, out stays out, and it always has an end."""

import tempfile
from datetime import date, timedelta
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from promotion_world import ALPHA, World, evidence, profile, sessions

from hft.core.errors import GovernanceError
from hft.governance.canary.apply import apply, rollback_by_hand
from hft.governance.canary.decide import decide
from hft.governance.canary.history import history_of, with_counted
from hft.governance.promotion.claim import Claim
from hft.governance.promotion.signatures import effective
from hft.governance.stages import LIVE, STAGES, Event, Stage

DAY_NS = 86_400_000_000_000
STORE = tempfile.TemporaryDirectory(prefix="canary-keys-")


def test_every_live_stage_has_an_exit_by_time_and_by_hand_and_every_stage_is_reached() -> None:
    for stage in LIVE:
        assert STAGES[stage][Event.EXPIRE] is Stage.EXPIRED
        assert STAGES[stage][Event.ROLLBACK] is Stage.ROLLED_BACK
    assert Event.APPROVE not in STAGES[Stage.ROLLED_BACK]
    assert STAGES[Stage.ROLLED_BACK][Event.VALIDATE] is Stage.VALIDATED
    reached, waiting = {Stage.SCAFFOLDED}, [Stage.SCAFFOLDED]
    while waiting:
        for following in STAGES[waiting.pop()].values():
            if following not in reached:
                reached.add(following)
                waiting.append(following)
    assert reached == set(Stage)


class Canaries(RuleBasedStateMachine):
    """One promotion under standard, traded, judged, rolled back, renewed, forgotten."""

    @initialize()
    def promoted(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="canary-")
        self.world = World.made(Path(self.folder.name), Path(STORE.name))
        self.world.promoted()
        self.out = False

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.folder.cleanup()

    @property
    def promotion(self):  # type: ignore[no-untyped-def]
        return self.world.file().promotion

    @property
    def today(self) -> date:
        return date(1970, 1, 1) + timedelta(days=self.world.now_ns // DAY_NS)

    @precondition(lambda self: not self.out)
    @rule(
        days=st.integers(1, 40),
        sharpe=st.sampled_from([-8.0, 0.0, 3.0, 6.0]),
        slippage=st.sampled_from([1.0, 1.0, 1.4, 4.0]),
        missing=st.sampled_from([False, False, True]),
        seed=st.integers(0, 50),
    )
    def trade_and_judge(
        self, days: int, sharpe: float, slippage: float, missing: bool, seed: int
    ) -> None:
        file, before = self.world.file(), self.promotion
        rows = sessions(
            self.today + timedelta(days=1),
            days,
            weight=before.weight,
            sharpe=sharpe,
            slippage=slippage,
            seed=seed,
            wrong="unknown" if missing else "",
        )
        self.world.traded += rows
        self.world.now_ns = (rows[-1].date - date(1970, 1, 1)).days * DAY_NS + DAY_NS // 2
        office = self.world.office("cyd")
        decision = decide(
            before,
            evidence(self.world.traded),
            profile("standard"),
            now_ns=self.world.now_ns,
            claim=Claim.of(self.world.bundle().data["claim"]),
            history=with_counted(
                history_of(office.changes(ALPHA), self.world.now_ns), office.audit.rows(), ALPHA
            ),
        )
        try:
            apply(office, file, decision, person=self.world.person("cyd"),
                  key=self.world.key("cyd"))  # fmt: skip
        except GovernanceError:
            assert decision.arm == "non_contradiction"  # waits for its owner
        assert not (missing and decision.new_weight > before.weight)
        if before.expired(self.world.now_ns):
            assert decision.new_weight <= before.weight
        step = before.next_step()
        assert self.promotion.weight in (0.0, before.weight, step)  # one rung at most
        self.out = decision.action == "rollback"

    @rule()
    def by_hand(self) -> None:
        decision = rollback_by_hand(self.promotion, "by hand")
        self.world.now_ns += 1
        apply(self.world.office("ann"), self.world.file(), decision,
              person=self.world.person("ann"), key=self.world.key("ann"))  # fmt: skip
        self.out = True

    @rule(days=st.integers(1, 200))
    def time_passes(self, days: int) -> None:
        self.world.now_ns += days * DAY_NS

    @invariant()
    def never_too_much(self) -> None:
        if not hasattr(self, "world"):
            return
        file, office = self.world.file(), self.world.office()
        counts = effective(file, self.world.keys, self.world.now_ns, office.recorded())
        assert counts.weight <= self.promotion.max_weight <= self.promotion.ladder[-1]
        assert counts.code in ("", "EXPIRED", "DISABLED")
        if self.out:
            assert counts.weight == 0.0 and not self.promotion.enabled
        if self.promotion.expired(self.world.now_ns):
            assert counts.weight == 0.0  # nothing hangs: time ends it


Canaries.TestCase.settings = settings(max_examples=8, stateful_step_count=6, deadline=None)
TestCanaries = Canaries.TestCase
