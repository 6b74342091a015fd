"""A workspace in which something lived: validated, proposed, approved, held and given more weight.

Made once for the tampering batteries and copied: every file, row and signature is the real thing.
"""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from promotion_world import ALPHA, World, evidence, profile, sessions

from hft.audit.artifacts import hashes_of
from hft.governance.canary.apply import apply
from hft.governance.canary.decide import decide
from hft.governance.canary.history import history_of, with_counted
from hft.governance.promotion.claim import Claim
from hft.research.data import usage
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
    world.promoted()
    stepped(world, 3, "hold")
    stepped(world, 20, "escalate")
    return world


def looked(world: World, row: dict[str, Any]) -> None:
    world.office().audit.record("control_log", row, now_ns=world.now_ns)


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
