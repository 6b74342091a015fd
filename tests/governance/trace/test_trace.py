"""What was live when, and why: answered at every boundary of a scripted life."""

from itertools import pairwise
from pathlib import Path

import pytest
from promotion_world import ALPHA, LIMITS, World
from validation_world import made_desk

from hft.api.desk import open_desk
from hft.api.validation import validate
from hft.core.errors import DataError
from hft.governance.canary.apply import apply, rollback_by_hand
from hft.governance.canary.decide import CanaryDecision
from hft.governance.promotion.signatures import effective
from hft.governance.trace.asof import asof
from hft.governance.trace.inventory import inventory
from hft.governance.trace.why import why
from hft.research.worker.roster import Roster

DAY_NS = 86_400_000_000_000


@pytest.fixture
def life(world: World) -> tuple[World, list[tuple[int, float, str]]]:
    """Approved, escalated, expired, renewed, rolled back: (time, weight, state) after each."""
    told = []
    world.promoted()
    told.append((world.now_ns, 0.01, "canary"))
    world.pass_days(20)
    up = CanaryDecision(ALPHA, "escalated", "as claimed", 0.01, 0.05, kind="runs")
    apply(world.office("cyd"), world.file(), up, person=world.person("cyd"), key=world.key("cyd"))
    told.append((world.now_ns, 0.05, "escalated"))
    promotion = world.file().promotion
    assert promotion is not None
    midnight = (promotion.expiry.toordinal() - 719_163 + 1) * DAY_NS
    told.append((midnight, 0.0, "expired"))
    world.now_ns = midnight + DAY_NS
    world.propose(validated=world.validate(seed=2), renews=promotion.sha256)
    assert world.approve().approved
    told.append((world.now_ns, 0.05, "escalated"))
    world.pass_days(3)
    file = world.file()
    assert file.promotion is not None
    out = rollback_by_hand(file.promotion, "venue")
    apply(world.office("ann"), file, out, person=world.person("ann"), key=world.key("ann"))
    told.append((world.now_ns, 0.0, "rolled_back"))
    return world, told


def test_asof_is_right_at_every_boundary(
    life: tuple[World, list[tuple[int, float, str]]],
) -> None:
    world, told = life
    found = world.office().changes()
    assert asof(found, told[0][0] - 1) == []
    for at, weight, state in told:
        now = asof(found, at)[0]
        assert (now.weight, now.state) == (weight, state)
    for (_, weight, state), (following, _, _) in pairwise(told):
        before = asof(found, following - 1)[0]
        assert (before.weight, before.state) == (weight, state)
    last = asof(found, told[1][0])[0]
    assert (last.owner, last.validator, last.signer) == ("ann", "bob", "cyd")
    assert last.limits == LIMITS and last.profile == "standard"


def test_asof_agrees_with_what_the_file_counts_as_now(
    life: tuple[World, list[tuple[int, float, str]]],
) -> None:
    world, _ = life
    counts = effective(world.file(), world.keys, world.now_ns, world.office().recorded())
    assert asof(world.office().changes(), world.now_ns)[0].weight == counts.weight == 0.0


def test_why_tells_the_chain_from_the_first_trial_to_the_rollback(
    life: tuple[World, list[tuple[int, float, str]]],
) -> None:
    world, _ = life
    office = world.office()
    trials = office.ledger.trials().to_dicts()  # type: ignore[attr-defined]
    links = why(ALPHA, office.audit.rows(), trials, {})
    kinds = [link.kind for link in links]
    assert kinds[0] == "trial" and kinds.count("approval") == 2
    assert links[-1].words.startswith("promotion escalated -> rolled_back: incident: venue")
    assert [link.ts_ns for link in links] == sorted(link.ts_ns for link in links)
    hashes = {row["row_hash"] for row in office.audit.rows()}
    assert all(link.hash in hashes for link in links[1:])
    assert why("another", office.audit.rows(), [], {}) == []


def test_why_says_why_a_validation_was_not_made(tmp_path: Path) -> None:
    root = made_desk(tmp_path / "desk")
    with pytest.raises(DataError, match="no such file"):
        validate("mine", str(root / "nowhere"), root=root)
    rows = open_desk(root).auditor.rows()
    (link,) = why("mine", rows, [], {})
    assert link.words.startswith("gate A FAIL under standard, not evaluated: ")
    assert "nowhere: no such file or folder" in link.words


def test_the_inventory_names_people_stage_and_what_is_open(
    life: tuple[World, list[tuple[int, float, str]]],
) -> None:
    world, _ = life
    office = world.office()
    counts = effective(world.file(), world.keys, world.now_ns, office.recorded())
    (model,) = inventory(Roster(), {ALPHA: (world.file(), counts)}, office.audit.rows())
    assert (model.owner, model.validator, model.stage) == ("ann", "bob", "rolled_back")
    assert model.verdicts["C"] == "PASS" and model.weight == 0.0
    assert any("cannot be loaded" in text for text in model.findings)
