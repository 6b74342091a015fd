"""The page of every time somebody went round a rule."""

from pathlib import Path

from hft.audit.auditor import Auditor
from hft.audit.overrides import KINDS, counts, overrides
from tests.audit.some_rows import START, some_row


def test_every_kind_of_override_stands_on_the_page_once(tmp_path: Path) -> None:
    audit = Auditor(tmp_path, "http://127.0.0.1:9", actor="ada")
    kinds = ("force", "self_approval", "asserted", "waiver", "vault_look", "vault_refused")
    kinds += ("vault_budget",)
    for n, kind in enumerate(kinds):
        row = {"kind": kind, "alpha_id": "p", "reason": f"because {n}", "signature": "s" * (n % 2)}
        audit.record("override_log", row, now_ns=START + n)
    for n, kind in enumerate(("limits", "kill", "reset", "policy", "retire")):
        row = {"scope": "all", "kind": kind, "old_state": "a", "new_state": "b", "cause": "c"}
        audit.record("control_log", row, now_ns=START + 10 + n)
    promotion = {**some_row(3)[1], "forced": 1, "self_approved": 1}
    audit.record("alpha_promotion_log", promotion, now_ns=START)  # the row above tells the force
    canary = {**some_row(6)[1], "evidence": "asserted"}
    audit.record("alpha_canary_log", canary, now_ns=START + 20)
    audit.record(*some_row(0), now_ns=START)
    found = overrides(audit.rows())
    assert [one.kind for one in found] == [
        *("forced promotion", "self-approval", "self-approval", "asserted evidence", "waiver"),
        *("vault look", "vault look refused", "vault budget overridden"),
        *("limit change", "kill", "reset", "asserted evidence"),
    ]
    assert counts(found) == {
        **dict.fromkeys(KINDS, 1),
        "self-approval": 2,
        "asserted evidence": 2,
    }
    assert all(one.actor == "ada" and one.seq > 1 for one in found)
    assert [one.signed for one in found[:2]] == [False, False]
    assert found[0].reason == "because 0" and found[8].subject == "all: a -> b"
    assert overrides(audit.rows(), START + 13) == [found[-1]]
