"""A workspace in which something lived: code frozen, a vault looked at, validated, proposed,
approved by two, held and given more weight.

Made once for the tampering batteries and copied: every file, row and signature is the real thing.
"""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from promotion_world import ALPHA, HASHES, ROOT, World, evidence, profile, sessions

from hft.audit.artifacts import hashes_of
from hft.audit.signed_rows import sign_row
from hft.governance.canary.apply import apply
from hft.governance.canary.decide import decide
from hft.governance.canary.history import history_of, with_counted
from hft.governance.promotion import freeze
from hft.governance.promotion.claim import Claim
from hft.governance.promotion.payment import pay
from hft.research.data import usage
from hft.research.data.footprint import Footprint
from hft.research.data.usage import Use

DAY_NS = 86_400_000_000_000


def lived(root: Path, keys: Path) -> World:
    """The workspace; its clock stands after the escalation."""
    world = World.made(root, keys)
    (world.workspace.alphas / ALPHA / "README.md").write_text("# What it is\n")
    (root / "config" / "default.yaml").write_text("alpha.rehearsal: true\n")
    for name, first in (("a", 20260101), ("b", 20260201)):
        use = Use("try", ALPHA, name * 64, (first, first + 20), None)
        usage.record(world.workspace, use, world.now_ns, lambda row: looked(world, row))
    frozen(world)
    paid(world)
    promoted_by_two(world)
    stepped(world, 3, "hold")
    stepped(world, 20, "escalate")
    return world


def looked(world: World, row: dict[str, Any]) -> None:
    world.office().audit.record("control_log", row, now_ns=world.now_ns)


def frozen(world: World) -> None:
    """Bob's word on the code."""
    values = sign_row(
        freeze.TABLE, freeze.row(ALPHA, HASHES["code"], "d" * 64), world.now_ns, world.key("bob")
    )
    key = world.person("bob").key.fingerprint
    world.office("bob").audit.record(freeze.TABLE, values, now_ns=world.now_ns, key_fp=key)


def paid(world: World) -> None:
    """A look at a vault."""
    rows = Footprint({day: (100.0, 101.0) for day in range(20250101, 20250121)})
    whose: dict[str, Any] = {"budget": 3, "signer": world.person("bob"), "key": world.key("bob")}
    pay(world.office("bob"), "ofi", ALPHA, "f" * 64, rows, reason="final check", **whose)


def promoted_by_two(world: World) -> None:
    """Proposed under a `standard` that asks for two validators, and approved by them."""
    text = (ROOT / "config" / "governance" / "standard.yaml").read_text()
    assert "validators_min: 1" in text
    file = world.root / "config" / "governance" / "standard.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(text.replace("validators_min: 1", "validators_min: 2"))
    plain = profile("standard")
    world.propose(profile=replace(plain, values={**plain.values, "promotion.validators_min": 2}))
    for name, stage in (("bob", "countersign"), ("dan", "approve")):
        world.pass_days(1 / 24)
        done = world.approve(name)
        assert done.stage == stage, done.objections
    assert done.approved, done.objections


def stepped(world: World, count: int, action: str) -> None:
    """Trade with the present weight, decide, write the page, apply: as the command does."""
    file = world.file()
    assert file.promotion is not None
    office = world.office("cyd")
    past = with_counted(history_of(office.changes(ALPHA), world.now_ns), office.audit.rows(), ALPHA)
    first = date.fromordinal(world.now_ns // DAY_NS + date(1970, 1, 1).toordinal() + 1)
    weight = file.promotion.weight
    world.traded += sessions(first, count, weight=weight, seed=3, sharpe=4.5)
    last = world.traded[-1].date
    world.now_ns = (last - date(1970, 1, 1)).days * DAY_NS + 20 * 3_600_000_000_000
    decision = decide(
        file.promotion,
        evidence(world.traded),
        profile("standard"),
        now_ns=world.now_ns,
        claim=Claim.of(world.bundle().data["claim"]),
        history=past,
    )
    assert decision.action == action, decision.reasons
    folder = world.workspace.experiments / "canary" / ALPHA / decision.evidence_digest[:16]
    folder.mkdir(parents=True)
    (folder / "report.html").write_text(f"<html>{action}</html>")
    named = replace(decision, files=hashes_of(folder, world.root))
    apply(world.office("cyd"), file, named, person=world.person("cyd"), key=world.key("cyd"))
