"""Only a validator's signature dates the code; a comment is no other code."""

import hashlib
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from promotion_desk import PlantedDesk, at
from promotion_world import UNSEEN, World, profile

import hft
from hft.audit.keys import dump, entry
from hft.audit.sign import generate
from hft.audit.signed_rows import check_rows, sign_row
from hft.core.errors import DataError, GovernanceError
from hft.governance.ledger.ledger import Ledger
from hft.governance.promotion import freeze
from hft.governance.promotion.office import Office
from hft.governance.promotion.unseen import begin_ns, fell_short
from hft.governance.trace.why import why
from hft.research.alphas.loader import code_hash, idea_hash
from hft.research.trial import Trial
from hft.storage.strict_yaml import load_yaml

CODE, IDEA = "c" * 64, "d" * 64
DAY_NS = 86_400_000_000_000


def frozen(world: World, name: str, day: float = 0.0, signed: bool = True) -> None:
    """A row of a freeze as a person records it, dated by a number of days."""
    values = freeze.row("queue_imbalance", CODE, IDEA)
    ts = world.now_ns + int(day * DAY_NS)
    if signed:
        values = sign_row(freeze.TABLE, values, ts, world.key(name))
    key = world.person(name).key.fingerprint
    world.office(name).audit.record(freeze.TABLE, values, now_ns=ts, key_fp=key)


def begin(world: World, code: str = CODE, owner: str = "ann") -> float | None:
    rows = world.office().audit.rows()
    found = freeze.frozen_ns(rows, world.keys, code, owner, world.now_ns)
    return None if found is None else (found - world.now_ns) / DAY_NS


def test_the_earliest_freeze_by_a_validator_counts(world: World) -> None:
    assert begin(world) is None
    frozen(world, "bob", 1.0)
    frozen(world, "dan", -1.0)
    assert begin(world) == -1.0
    assert begin(world, owner="dan") == 1.0, "dan owns it"
    assert begin(world, code="e" * 64) is None, "other code"
    assert check_rows(world.office().audit.rows(), world.keys) == []


def test_why_says_that_the_code_was_frozen_and_not_that_something_was_refused(world: World) -> None:
    frozen(world, "bob")
    (link,) = why("queue_imbalance", world.office().audit.rows(), [], {})
    assert (link.kind, link.words) == ("freeze", f"code frozen as {CODE[:12]}")


def test_a_freeze_of_a_rehearsal_dates_nothing_outside_of_one(world: World) -> None:
    frozen(world, "bob", -300.0)
    rows = [{**row, "actor": "bob (rehearsal)"} for row in world.office().audit.rows()]
    given = (rows, world.keys, CODE, "ann", world.now_ns)
    assert freeze.frozen_ns(*given) is None
    assert freeze.frozen_ns(*given, rehearsal=True) is not None


def test_a_proposal_of_a_rehearsal_is_approved_in_a_rehearsal_only(world: World) -> None:
    office = world.office

    def rehearsed(user: str = "") -> Office:
        found = office(user)
        found.audit.actor += " (rehearsal)"  # type: ignore[attr-defined]
        return found

    world.office = rehearsed  # type: ignore[method-assign]
    world.propose()
    world.pass_days(1 / 24)
    world.office = office  # type: ignore[method-assign]
    done = world.approve()
    assert not done.approved and "it was proposed in a rehearsal" in done.objections[0]
    world.office = lambda user="": replace(rehearsed(user), rehearsal=True)  # type: ignore[method-assign]
    assert world.approve().approved


@pytest.mark.parametrize("who", ["the author", "nobody", "a validator of another row", "later"])
def test_a_date_that_no_validator_signed_is_no_date(world: World, who: str) -> None:
    match who:
        case "the author":
            frozen(world, "ann", -300.0)
        case "nobody":
            frozen(world, "bob", -300.0, signed=False)
        case "a validator of another row":
            values = freeze.row("queue_imbalance", CODE, IDEA)
            old = sign_row(
                freeze.TABLE, values | {"alpha_id": "other"}, world.now_ns, world.key("bob")
            )
            key = world.person("bob").key.fingerprint
            moved = values | {"signature": old["signature"]}
            world.office().audit.record(
                freeze.TABLE, moved, now_ns=world.now_ns - 300 * DAY_NS, key_fp=key
            )
        case "later":
            frozen(world, "bob", -300.0)
            rows = [
                row | ({"revoked": "2026-11-01T00:00Z"} if row["name"] == "bob" else {})
                for row in load_yaml(world.workspace.keys.read_text(), "keys")
            ]
            world.workspace.keys.write_text(dump(rows))
            world.keys = type(world.keys).read(world.workspace.keys)
            assert world.keys.of("bob")[0].revoked_ns is not None
    assert begin(world) is None


def test_comments_and_tests_make_no_other_code_and_anything_said_does(tmp_path: Path) -> None:
    def both(text: str, test: str = "") -> tuple[str, str]:
        (tmp_path / "tests").mkdir(exist_ok=True)
        (tmp_path / "impl.py").write_text(text)
        (tmp_path / "tests" / "test_it.py").write_text(test)
        return code_hash(tmp_path), idea_hash(tmp_path)

    code, idea = both("def f(x):\n    return x > 1\n")
    for text, test in (
        ("# look\ndef f(x):\n    'says'\n    return (x\n            > 1)\n", ""),
        ("'doc'\ndef f(x):\n    return x > 1\n", "assert True\n"),
    ):
        other, same = both(text, test)
        assert other != code and same == idea
    assert both("def f(x):\n    return x > 2\n")[1] != idea
    both("def f(:\n")  # what Python cannot read is compared as it lies there


def told_short(world: World, trial: str, short: bool = True) -> None:
    """A look of `queue_imbalance` that fell short, as a refused approval records it."""
    row = freeze.row("queue_imbalance", CODE, IDEA) | {"stage": "approve"}
    look = UNSEEN.to_dict() | {"code": CODE, "idea": IDEA, "short": short, "trial": trial}
    row["scorecard"] = {"unseen": look}
    world.office().audit.record(freeze.TABLE, row, now_ns=world.now_ns)


def tried(world: World, name: str, earned: np.ndarray) -> str:
    """The trial of an alpha and family of that name."""
    hashes = [hashlib.sha256(f"{name}{what}".encode()).hexdigest() for what in "cdk"]
    span = (world.now_ns - 1000 * DAY_NS, world.now_ns)
    given = (name, name, "forward_1d", name, span, *hashes, earned, 252.0, "validate", 42)
    return Ledger.open(world.workspace.ledger).append([Trial(*given)], world.now_ns)[0].trial_id


def test_a_look_that_fell_short_is_found_by_its_field_and_bars_the_idea(world: World) -> None:
    told_short(world, "")
    office, standard = world.office(), profile("standard")
    assert "other rows do not undo that" in fell_short(office, CODE, "x", "t", standard)[0]
    assert fell_short(office, "a comment changed it", IDEA, "t", standard)
    assert fell_short(office, "other", "other", "t", standard) == []
    assert fell_short(office, CODE, IDEA, "t", profile("base")) == []
    told_short(world, "", short=False)
    assert len(fell_short(world.office(), CODE, IDEA, "t", standard)) == 1


def test_the_same_code_under_another_name_and_family_buys_no_other_look(world: World) -> None:
    stream = np.random.Generator(np.random.Philox(5))
    earned, noise = stream.standard_normal((2, 300)) / 100
    told_short(world, tried(world, "first", earned))
    standard, names = profile("standard"), {}
    for name, returns in (
        ("renamed", earned.copy()),
        ("a day less at the end", earned[:-1]),
        ("a day less at the beginning", earned[1:]),
        ("variant", earned + 0.2 * noise),
        ("other", noise),
    ):
        trial = tried(world, name, returns)
        names[name] = fell_short(world.office(), "n" * 64, "n" * 64, trial, standard)
    barred = [name for name, said in names.items() if said]
    assert barred == ["renamed", "a day less at the end", "a day less at the beginning"]
    assert "as queue_imbalance" in names["renamed"][0]


def test_who_earns_alike_under_another_name_is_shown_rows_after_the_look(world: World) -> None:
    """As other code of its family is: what fell short told what those rows were like."""
    stream = np.random.Generator(np.random.Philox(5))
    earned, noise = stream.standard_normal((2, 300)) / 100
    first = tried(world, "first", earned)
    frozen(world, "bob", -10.0)
    told_short(world, first)
    alpha = SimpleNamespace(
        alpha_id="new", code_hash=CODE, manifest=SimpleNamespace(family="fresh")
    )
    data = SimpleNamespace(interval=(0, world.now_ns - 20 * DAY_NS))
    begins = {
        name: begin_ns(world.office(), alpha, "ann", tried(world, name, returns), data)  # type: ignore[arg-type]
        for name, returns in (("variant", earned + 0.2 * noise), ("other", noise))
    }
    assert begins["other"] == world.now_ns - 10 * DAY_NS
    assert begins["variant"] == world.now_ns, "the time of the look"


def test_who_freezes_is_a_validator_and_not_the_author(
    planted_desk: PlantedDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HFT_ALPHA_AUDIT_ENABLED", "0")
    desk = planted_desk.copy(tmp_path / "desk")
    bob = desk.root / ".state" / "people" / "bob"
    done = hft.alpha.freeze("flow", key=bob, root=desk.root, now=at(10))
    assert (done.validator, len(done.code_hash)) == ("bob", 64)
    public = generate(tmp_path / "eve", "eve")
    keys = desk.root / "config" / "keys.yaml"
    rows = load_yaml(keys.read_text(), "keys")
    keys.write_text(dump([*rows, entry("eve", public, roles=["owner"])]))
    with pytest.raises(GovernanceError, match="has no role validator"):
        hft.alpha.freeze("flow", key=tmp_path / "eve", root=desk.root, now=at(10))
    with pytest.raises(DataError, match="there is no such alpha"):
        hft.alpha.freeze("nothing", key=bob, root=desk.root, now=at(10))
