"""Decisions carried out: what is written, what is only recorded, what happens when things fail."""

from dataclasses import replace
from datetime import date

import pytest
from promotion_world import ALPHA, StillSo, World, evidence, profile, sessions

from hft.core.errors import Busy, GovernanceError, JournalError
from hft.governance.canary.apply import apply, consents_for, rollback_by_hand
from hft.governance.canary.decide import CanaryDecision, decide
from hft.governance.canary.history import history_of, with_counted
from hft.governance.promotion.approve import Now, approve
from hft.governance.promotion.bundle import Bundle
from hft.governance.promotion.claim import Claim
from hft.governance.promotion.commit import exclusive
from hft.governance.promotion.promotions import File
from hft.governance.promotion.signatures import effective

DAY_NS = 86_400_000_000_000


def step(world: World, who: str | None = "cyd", **rows: object) -> tuple[CanaryDecision, object]:
    """Trade for some weeks with the present weight, decide on the evening, apply."""
    file = world.file()
    assert file.promotion is not None
    office = world.office("cyd")
    past = history_of(office.changes(ALPHA), world.now_ns)
    past = with_counted(past, office.audit.rows(), ALPHA)
    first = date.fromordinal(world.now_ns // DAY_NS + date(1970, 1, 1).toordinal() + 1)
    given = {"count": 20, "weight": file.promotion.weight, "seed": 3, "sharpe": 4.5, **rows}
    made = sessions(first, **given)  # type: ignore[arg-type]
    world.now_ns = (made[-1].date - date(1970, 1, 1)).days * DAY_NS + 20 * 3_600_000_000_000
    bundle = world.bundle()
    world.traded += made
    decision = decide(
        file.promotion,
        evidence(world.traded),
        profile("standard"),
        now_ns=world.now_ns,
        claim=Claim.of(bundle.data["claim"]),
        history=past,
    )
    person, key = (world.person(who), world.key(who)) if who else (None, None)
    done = apply(world.office(who or "cyd"), file, decision, person=person, key=key)
    return decision, done


def counts(world: World) -> float:
    office = world.office()
    return effective(world.file(), world.keys, world.now_ns, office.recorded()).weight


def test_an_escalation_writes_a_signed_file_and_its_rows(world: World) -> None:
    world.promoted()
    decision, _ = step(world)
    assert decision.action == "escalate" and counts(world) == 0.05
    promotion = world.file().promotion
    assert promotion is not None and promotion.data["canary"]["last_action"] == "escalate"
    row = world.rows("alpha_canary_log")[-1]
    assert (row["action"], row["old_weight"], row["new_weight"]) == ("escalate", 0.01, 0.05)
    assert row["checks"]["yaml_sha256"] == promotion.sha256
    assert world.rows("control_log")[-1]["evidence"]["weight"] == 0.05


def test_a_hold_writes_a_row_and_no_file(world: World) -> None:
    done = world.promoted()
    assert done.path is not None
    before = done.path.read_bytes()
    decision, _ = step(world, count=3)
    assert decision.action == "hold"
    assert done.path.read_bytes() == before
    assert world.rows("alpha_canary_log")[-1]["action"] == "hold"
    assert counts(world) == 0.01


def test_more_weight_needs_a_validator_or_operator(world: World) -> None:
    world.promoted()
    now_ns = world.now_ns
    with pytest.raises(GovernanceError, match="role"):
        step(world, "ann")
    world.now_ns = now_ns
    with pytest.raises(GovernanceError, match="signature"):
        step(world, None)
    assert counts(world) == 0.01


def test_the_ladder_is_climbed_rung_by_rung_never_above_its_top(world: World) -> None:
    world.promoted()
    weights = []
    for seed in (3, 1, 4):
        decision, _ = step(world, seed=seed)
        weights.append(counts(world))
        assert decision.action == "escalate", decision.reason
    assert weights == [0.05, 0.2, 0.5]
    decision, _ = step(world, seed=1, count=61)
    assert decision.action == "graduate" and counts(world) == 0.5
    promotion = world.file().promotion
    assert promotion is not None and "rollback" not in promotion.data
    assert promotion.state == "graduated"
    assert promotion.expiry.isoformat() > str(date.fromtimestamp(world.now_ns / 1e9))


def test_a_graduated_promotion_can_still_be_rolled_back(world: World) -> None:
    world.promoted()
    for seed in (3, 1, 4):
        step(world, seed=seed)
    step(world, seed=1, count=61)
    file = world.file()
    assert file.promotion is not None and file.promotion.state == "graduated"
    decision = rollback_by_hand(file.promotion, "the venue changes its fees")
    apply(world.office("ann"), file, decision, person=world.person("ann"), key=world.key("ann"))
    after = world.file().promotion
    assert counts(world) == 0.0 and after is not None and after.state == "rolled_back"
    assert "rollback" in after.data


def test_a_graduation_by_no_contradiction_needs_owner_and_validator(world: World) -> None:
    world.promoted()
    for seed in (3, 1, 4):
        step(world, seed=seed)
    decision, done = step(world, "bob", seed=2, count=61)
    assert decision.arm == "non_contradiction"
    assert done.waiting_for == ("owner",) and not done.written  # type: ignore[attr-defined]
    promotion = world.file().promotion
    assert promotion is not None and promotion.state == "escalated"
    office = world.office("dan")
    given = consents_for(office, decision.evidence_digest, ALPHA)
    assert given == {"validator": "bob"}
    final = apply(office, world.file(), decision, person=world.person("dan"),
                  key=world.key("dan"), consents=given)  # fmt: skip
    assert final.written and world.file().promotion.state == "graduated"  # type: ignore[union-attr]
    row = world.rows("alpha_canary_log")[-1]
    assert row["checks"]["arm"] == "non_contradiction"  # named as such in the audit


def test_a_rollback_by_hand_takes_any_registered_key_and_opens_an_incident(world: World) -> None:
    world.promoted()
    file = world.file()
    assert file.promotion is not None
    decision = rollback_by_hand(file.promotion, "venue outage")
    apply(world.office("ann"), file, decision, person=world.person("ann"), key=world.key("ann"))
    assert counts(world) == 0.0
    promotion = world.file().promotion
    assert promotion is not None and not promotion.enabled and promotion.state == "rolled_back"
    causes = [row["cause"] for row in world.rows("control_log")]
    assert causes[-2:] == ["rollback", "incident: venue outage"]


def test_a_rollback_does_not_wait_for_somebody_who_approves(world: World) -> None:
    world.promoted()
    file = world.file()
    assert file.promotion is not None
    decision = rollback_by_hand(file.promotion, "now")
    with exclusive(world.office().stage):
        apply(world.office(), file, decision, person=world.person("ann"), key=world.key("ann"))
    assert counts(world) == 0.0


def test_a_renewal_does_not_undo_a_rollback_that_came_while_it_was_checked(world: World) -> None:
    world.promoted()
    file = world.file()
    assert file.promotion is not None
    world.pass_days(30)
    world.propose(validated=world.validate(seed=2), renews=file.promotion.sha256)
    world.pass_days(1 / 24)

    class Meanwhile(StillSo):
        def of(self, bundle: Bundle) -> Now:
            assert file.promotion is not None
            out = rollback_by_hand(file.promotion, "now")
            apply(world.office(), file, out, person=world.person("ann"), key=world.key("ann"))
            return super().of(bundle)

    memo = world.root / "memo.md"
    memo.write_text("checked\n")
    with pytest.raises(Busy, match="changed while it was checked"):
        approve(
            world.office("bob"),
            ALPHA,
            validator=world.person("bob"),
            key=world.key("bob"),
            memo=memo,
            now=Meanwhile(world),
        )
    assert counts(world) == 0.0


def test_a_rollback_without_a_reason_is_refused(world: World) -> None:
    world.promoted()
    promotion = world.file().promotion
    assert promotion is not None
    with pytest.raises(GovernanceError, match="--reason"):
        rollback_by_hand(promotion, "  ")


def test_a_rollback_takes_effect_without_a_signature(world: World) -> None:
    world.promoted()
    file = world.file()
    assert file.promotion is not None
    decision = rollback_by_hand(file.promotion, "now")
    done = apply(world.office(), file, decision, person=None, key=None)
    assert "without a signature" in done.notice and counts(world) == 0.0
    assert world.rows("alpha_canary_log")[-1]["action"] == "rollback"


class FullDisk:
    """A journal whose disk is full, in front of the real one."""

    def __init__(self, journal: object) -> None:
        self.journal = journal

    def __getattr__(self, name: str) -> object:
        return getattr(self.journal, name)

    def record(self, *_: object, **__: object) -> None:
        raise JournalError("journal.jsonl: no space left on device")


def test_a_rollback_takes_effect_with_a_full_disk_and_is_recorded_later(world: World) -> None:
    world.promoted()
    world.pass_days(1)
    file = world.file()
    assert file.promotion is not None
    office = world.office("cyd")
    full = replace(office, audit=FullDisk(office.audit))
    done = apply(full, file, rollback_by_hand(file.promotion, "x"), person=world.person("cyd"),
                 key=world.key("cyd"))  # fmt: skip
    assert "not recorded yet" in done.notice
    assert counts(world) == 0.0 and not world.rows("alpha_canary_log")
    said = office.recover()
    assert "completed" in said[0]
    assert world.rows("alpha_canary_log")[-1]["action"] == "rollback"
    assert world.rows("control_log")[-1]["cause"] == "incident: x"
    assert office.recover() == []


def test_an_escalation_with_a_full_disk_changes_nothing(world: World) -> None:
    done = world.promoted()
    assert done.path is not None
    before = done.path.read_bytes()
    world.pass_days(1)
    file = world.file()
    assert file.promotion is not None
    decision = CanaryDecision(ALPHA, "escalated", "x", 0.01, 0.05, kind="runs")
    office = world.office("cyd")
    with pytest.raises(JournalError):
        apply(replace(office, audit=FullDisk(office.audit)), file, decision,
              person=world.person("cyd"), key=world.key("cyd"))  # fmt: skip
    assert done.path.read_bytes() == before and counts(world) == 0.01
    assert "dropped" in office.recover()[0]
    assert counts(world) == 0.01


def test_a_rolled_back_alpha_comes_back_only_through_a_new_validation(world: World) -> None:
    world.promoted()
    file: File = world.file()
    assert file.promotion is not None
    world.pass_days(2)
    decision = rollback_by_hand(file.promotion, "x")
    apply(world.office("cyd"), file, decision, person=world.person("cyd"), key=world.key("cyd"))
    world.pass_days(1)
    from hft.governance.promotion.verdicts import find

    old = find(world.office().validations, ALPHA)
    world.propose(validated=old)
    assert any("Gate C" in text for text in world.approve().objections)
    world.pass_days(1)
    world.propose(validated=world.validate(seed=2))
    done = world.approve()
    assert done.approved, done.objections
    assert counts(world) == 0.01


def test_a_fourth_attempt_within_a_year_is_refused(world: World) -> None:
    for attempt in range(4):
        world.propose(validated=world.validate(seed=10 + attempt))
        done = world.approve()
        if attempt == 3:
            assert any("within a year" in text for text in done.objections)
            break
        assert done.approved, done.objections
        file = world.file()
        assert file.promotion is not None
        world.pass_days(5)
        decision = rollback_by_hand(file.promotion, "x")
        apply(world.office("cyd"), file, decision, person=world.person("cyd"), key=world.key("cyd"))
        world.pass_days(1)
