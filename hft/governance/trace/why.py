"""Why an alpha is where it is: the chain from its first trial to its last canary row.

Every link has its time, what was decided, and a hash to look it up by; pages are named where they
are still there.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hft.audit.artifacts import FILES
from hft.audit.overrides import named
from hft.governance.promotion.freeze import STAGE as FREEZE
from hft.reports.figures import counted

PAGE = "report.html"
KINDS = {"propose": "proposal", FREEZE: "freeze"}  # by the stage of a promotion's row


@dataclass(frozen=True)
class Link:
    """One step: `kind` is trial, gate, freeze, proposal, approval, change, canary or override."""

    ts_ns: int
    kind: str
    words: str
    hash: str
    actor: str = ""
    page: str = ""
    reasons: tuple[str, ...] = ()  # such as `C FAIL: sharpe_oos -0.2 is below 0; ...`

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return dict(self.__dict__) | {"reasons": list(self.reasons)}


def why(
    alpha_id: str,
    rows: Iterable[Mapping[str, Any]],
    trials: Sequence[Mapping[str, Any]],
    pages: Mapping[str, str],
) -> list[Link]:
    """The chain, oldest first. `trials`: rows of the ledger; `pages`: page by run id."""
    found = [_trials(trials)] if trials else []
    for row in rows:
        link = _link(alpha_id, row, pages)
        if link is not None:
            found.append(link)
    order = {"trial": 0}
    return sorted(found, key=lambda link: (link.ts_ns, order.get(link.kind, 1)))


def pages_of(experiments: Path, alpha_id: str) -> dict[str, str]:
    """The pages of an alpha's validations and promotions by the name of their folder."""
    found = {}
    for kind in ("validations", "promotions", "canary"):
        for path in sorted((experiments / kind / alpha_id).glob(f"*/{PAGE}")):
            found[path.parent.name] = path.relative_to(experiments).as_posix()
    return found


def _trials(trials: Sequence[Mapping[str, Any]]) -> Link:
    first = min(trials, key=lambda row: int(row["ts_ns"]))
    sources = sorted({str(row["source"]) for row in trials})
    words = f"{counted(len(trials), 'trial')} ({', '.join(sources)}), the first one"
    return Link(int(first["ts_ns"]), "trial", words, str(first["trial_id"]))


def _link(alpha_id: str, row: Mapping[str, Any], pages: Mapping[str, str]) -> Link | None:
    own = row["row"]
    if alpha_id not in (own.get("alpha_id"), own.get("scope")):
        return None
    table = row["table"]
    words = {
        "alpha_gate_log": _gate,
        "alpha_promotion_log": _promotion,
        "alpha_canary_log": _canary,
        "control_log": _change,
        "override_log": _override,
    }.get(table)
    if words is None:
        return None
    kind = {
        "alpha_gate_log": "gate",
        "alpha_promotion_log": KINDS.get(str(own.get("stage")), "approval"),
        "alpha_canary_log": "canary",
        "control_log": "change",
        "override_log": "override",
    }[table]
    page = _own_page(own, pages) or pages.get(str(own.get("run_id", "")), "")
    reasons = tuple(json.loads(own.get("reasons") or "[]"))
    return Link(
        int(row["ts"]), kind, words(own), str(row["row_hash"]), str(row["actor"]), page, reasons
    )


def _own_page(own: Mapping[str, Any], pages: Mapping[str, str]) -> str:
    """The page that stands among the files a row names: that of D and E is the proposal's."""
    files = json.loads(own.get("details") or "{}").get(FILES) or {}
    found = (pages.get(name.split("/")[-2], "") for name in files if name.endswith(f"/{PAGE}"))
    return next((page for page in found if page), "")


def _gate(own: Mapping[str, Any]) -> str:
    trial = f", trial {str(own['trial_id'])[:12]}" if own["trial_id"] else ""
    error = json.loads(own["details"] or "{}").get("error")
    why = f", not evaluated: {error}" if error else ""
    return f"gate {own['gate']} {own['verdict']} under {own['profile']}{trial}{why}"


def _promotion(own: Mapping[str, Any]) -> str:
    # A freeze approves nothing, so its row says so; one that was refused holds no code.
    code = json.loads(own.get("scorecard") or "{}").get("code_hash")
    if own["stage"] == FREEZE and code:
        return f"code frozen as {code[:12]}"
    answer = "accepted" if own["approved"] else "refused"
    marks = [name for name in ("forced", "self_approved") if own[name]]
    words = f"{own['stage']} {answer}, weight {own['canary_weight']:g}"
    words += f", bundle {str(own['bundle_sha256'])[:12]}" if own["bundle_sha256"] else ""
    return " ".join([words, *(f"({mark})" for mark in marks)])


def _canary(own: Mapping[str, Any]) -> str:
    return (
        f"canary {own['action']} {own['old_weight']:g} -> {own['new_weight']:g} "
        f"on {own['evidence']}: {own['reason']}"
    )


def _override(own: Mapping[str, Any]) -> str:
    about = [named(own["subject"]), own["reason"]]
    return ": ".join([f"override {own['kind']}", *(text for text in about if text)])


def _change(own: Mapping[str, Any]) -> str:
    return f"{own['kind']} {own['old_state'] or 'nothing'} -> {own['new_state']}: {own['cause']}"
