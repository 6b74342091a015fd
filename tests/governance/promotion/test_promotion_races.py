"""A rollback that comes while something else is decided stands: what was overtaken is not done."""

from dataclasses import replace
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from promotion_world import ALPHA, World

from hft.core.errors import Busy, JournalError
from hft.governance.canary.apply import apply, rollback_by_hand
from hft.governance.canary.decide import CanaryDecision
from hft.governance.promotion import commit
from hft.governance.promotion.promotions import File
from hft.governance.promotion.signatures import effective


def weight(world: World) -> float:
    found = effective(world.file(), world.keys, world.now_ns, world.office().recorded())
    return float(found.weight)


def rolled_back(world: World) -> None:
    file = world.file()
    assert file.promotion is not None
    decision = rollback_by_hand(file.promotion, "stop")
    apply(world.office("cyd"), file, decision, person=world.person("cyd"), key=world.key("cyd"))


def escalated(world: World, file: File) -> None:
    """Decided on the file as it was read before."""
    assert file.promotion is not None
    more: dict[str, Any] = {"old_weight": 0.01, "new_weight": 0.05}
    decision = CanaryDecision(ALPHA, "escalated", "it held", kind="runs", **more)
    apply(world.office("cyd"), file, decision, person=world.person("cyd"), key=world.key("cyd"))


def test_an_escalation_that_was_decided_before_a_rollback_gives_nothing(world: World) -> None:
    world.promoted()
    world.pass_days(1)
    file = world.file()
    rolled_back(world)
    with pytest.raises(Busy, match="was changed while this was decided"):
        escalated(world, file)
    assert weight(world) == 0.0
    assert not list(world.office().stage.glob("*.pending.json"))


def test_a_renewal_whose_remote_answers_after_a_rollback_renews_nothing(world: World) -> None:
    """The remote is asked again before the file is written, which can take half a minute."""
    world.promoted()
    world.pass_days(1)
    before = world.file().promotion
    assert before is not None
    world.propose(renews=before.sha256)
    world.pass_days(1 / 24)
    office = world.office

    def slow(user: str = "") -> Any:
        return replace(office(user), assert_anchored=lambda: rolled_back(plain))

    plain = replace(world)
    plain.key_store = world.key_store  # type: ignore[attr-defined]
    world.office = slow  # type: ignore[method-assign]
    with pytest.raises(Busy, match="was changed while it was checked"):
        world.approve()
    world.office = office  # type: ignore[method-assign]
    assert weight(world) == 0.0


def test_a_rollback_waits_for_the_writes_of_an_approval_and_comes_last(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the row that decides and the file: the older file would lie over the rollback's."""
    world.promoted()
    world.pass_days(1)
    file, begun, place = world.file(), Event(), commit._place
    rollback = Thread(target=rolled_back, args=(world,))

    def slow(path: Path, text: str) -> None:
        if not begun.is_set():
            begun.set()
            rollback.start()
            rollback.join(0.5)  # it waits
        place(path, text)

    monkeypatch.setattr(commit, "_place", slow)
    escalated(world, file)
    rollback.join(30)
    assert weight(world) == 0.0 and world.office().recover() == []
    causes = [row["cause"].split(":")[0] for row in world.rows("control_log")]
    assert causes == ["approve", "escalate", "rollback", "incident"]
    assert world.file().promotion.sha256 == world.office().recorded()[ALPHA]  # type: ignore[union-attr]


def test_a_rollback_waits_no_longer_than_a_while(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.promoted()
    world.pass_days(1)
    monkeypatch.setattr(commit, "URGENT_S", 0.05)
    with commit._placing(world.office().stage):
        rolled_back(world)
    assert weight(world) == 0.0


def test_a_stage_that_was_put_there_by_hand_gives_no_weight(world: World) -> None:
    """The old signed file as if a rollback had been cut off: the next command would record it."""
    world.promoted()
    world.pass_days(1)
    file, office = world.file(), world.office()
    assert file.promotion is not None
    row = commit.change_row(file.promotion, file.path, old_state="rolled_back", cause="renew")
    rolled_back(world)
    forged = commit.Change(ALPHA, file.path, file.promotion, (row,), world.now_ns + 1, "", True)
    commit._stage(office.stage, forged)
    before = len(office.audit.rows())
    assert "is dropped" in office.recover()[0]
    assert weight(world) == 0.0 and len(office.audit.rows()) == before


@pytest.mark.parametrize("lies", [True, False])
def test_a_rollback_takes_effect_on_a_full_disk_or_says_that_it_did_not(
    world: World, monkeypatch: pytest.MonkeyPatch, lies: bool
) -> None:
    """No room for a file beside the other: its own is enough. A read-only one stays as it is."""
    world.promoted()
    world.pass_days(1)
    file = world.file()

    def full(path: Path, *given: Any, **more: Any) -> None:
        raise OSError(28, "No space left on device", str(path))

    def refused(*given: Any) -> None:
        raise JournalError("read-only file system")

    with monkeypatch.context() as patch:
        patch.setattr(commit, "write_atomic", full)
        if lies:
            patch.setattr(commit, "_overwrite", refused)
            with pytest.raises(JournalError, match="did NOT take effect"):
                rolled_back(world)
            assert weight(world) == 0.01
            return
        decision = rollback_by_hand(file.promotion, "stop")  # type: ignore[arg-type]
        person, key = world.person("cyd"), world.key("cyd")
        done = apply(world.office("cyd"), file, decision, person=person, key=key)
    assert "took effect, but is not recorded yet" in done.notice
    assert weight(world) == 0.0
    rolled_back(world)  # with room again it is recorded
    assert world.file().promotion.sha256 == world.office().recorded()[ALPHA]  # type: ignore[union-attr]


def test_nothing_is_put_over_a_rollback_whose_rows_are_not_written_yet(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.promoted()
    world.pass_days(1)
    file = world.file()
    with monkeypatch.context() as patch:

        def full(*given: Any) -> None:
            raise JournalError("the disk is full")

        patch.setattr(commit, "_record", full)
        rolled_back(world)
    assert weight(world) == 0.0
    with pytest.raises(Busy, match="was changed while this was decided"):
        escalated(world, file)
    world.office().recover()
    assert (
        weight(world) == 0.0 and world.file().promotion.sha256 == world.office().recorded()[ALPHA]
    )  # type: ignore[union-attr]
