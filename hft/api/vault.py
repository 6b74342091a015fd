"""One look at the vault: a frozen candidate on rows nobody has seen, counted before it is taken."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hft.api.desk import Desk, open_desk
from hft.api.promotion import needed_key, office_of
from hft.api.refusals import of_vault
from hft.core.errors import GovernanceError, PromotionError
from hft.governance.promotion.payment import pay
from hft.governance.promotion.people import person
from hft.governance.promotion.verdicts import Validated, promotable
from hft.governance.vault import Budget
from hft.reports.figures import counted
from hft.research.alphas import recount
from hft.research.alphas.remote import RemoteAlpha
from hft.research.data import usage
from hft.research.data.dataset import ResearchData
from hft.research.data.footprint import Footprint
from hft.research.data.load import load
from hft.research.measures.measurement import measure
from hft.research.worker.roster import find


@dataclass(frozen=True)
class LookTaken:
    """What the vault showed: Sharpe ratio annual and net of fees, mean IC of the sessions."""

    alpha_id: str
    sharpe: float | None
    sharpe_validated: float | None
    ic: float | None
    net: float
    sessions: int
    rows: int
    looks_left: int
    sentence: str
    notice: str

    def to_json(self) -> dict[str, Any]:
        """JSON-ready."""
        return dict(self.__dict__)

    def text(self) -> str:
        """For a terminal."""
        shown = ["-" if x is None else f"{x:.2f}" for x in (self.sharpe, self.sharpe_validated)]
        ic = "-" if self.ic is None else f"{self.ic:.4f}"
        return (
            f"{self.alpha_id} on the vault: {counted(self.sessions, 'session')}, "
            f"{counted(self.rows, 'row')}\n"
            f"  Sharpe ratio  {shown[0]} (out of sample in its validation: {shown[1]})\n"
            f"  IC            {ic}\n  net           {self.net:.6g} points\n"
            f"{self.sentence}; {self.looks_left} left"
        )


def look(
    id: str,
    *,
    reason: str,
    key: str | Path | None = None,
    scorecard: str | Path | None = None,
    root: str | Path | None = None,
    now: Any = None,
) -> LookTaken:
    """Score a validated alpha on the vault split of its data; the budget pays before it is shown.

    A refusal leaves a row in the audit, too. Raises: GovernanceError when the budget is spent or
    the vault was seen before, PromotionError when code or data moved since the validation, or the
    data has no vault.
    """
    desk = open_desk(root, now=now)
    if not reason.strip():
        raise GovernanceError("a look at the vault needs a reason: --reason TEXT")
    with of_vault(desk, id, reason):
        validated, alpha, data = _frozen(desk, id, scorecard)
        budget = _paid(desk, alpha, data, reason, key)
    vault = data.select("vault")
    signal = recount.confirmed(alpha, vault, (validated.options.rules.threshold,))
    found = measure(vault, signal, validated.options)
    days = found.information.days or found.information.chunks
    return LookTaken(
        alpha_id=id,
        sharpe=found.test.sharpe(),
        sharpe_validated=validated.scorecard.get("sharpe_oos"),
        ic=days.mean if days else None,
        net=float(found.test.net.sum()),
        sessions=len(found.data.sessions),
        rows=len(found.data),
        looks_left=budget.left - 1,
        sentence=budget.sentence,
        notice=desk.auditor.deliver().notice,
    )


def _frozen(
    desk: Desk, id: str, scorecard: str | Path | None
) -> tuple[Validated, RemoteAlpha, ResearchData]:
    """The candidate as it was validated, and its data with a vault. Raises: PromotionError."""
    named = None if scorecard is None else Path(scorecard)
    validated, _ = promotable(desk.workspace.experiments / "validations", id, named)
    alpha = find(desk.workspace, id)
    if alpha.code_hash != validated.scorecard.get("code_hash"):
        raise PromotionError(f"{id}: its code moved since the validation; a candidate is frozen")
    data = load(
        [str(desk.root / path) for path in validated.data],
        fields=alpha.manifest.data_fields,
        horizon_ns=validated.options.horizon_ns,
    )
    if data.splits is None or "vault" not in data.splits.parts:
        raise PromotionError(
            f"{data.source}: has no vault; `hft data features --split 40,40,20` keeps one"
        )
    judged = data.select("validate").fingerprint
    if judged != validated.scorecard.get("data_fingerprint"):
        raise PromotionError(
            f"{data.source}: its rows or splits moved since the validation; validate again"
        )
    return validated, alpha, data


def _paid(
    desk: Desk, alpha: RemoteAlpha, data: ResearchData, reason: str, key: str | Path | None
) -> Budget:
    """One look off the budget. Raises: GovernanceError when it is spent, the vault was seen before,
    or the key is not registered."""
    own, vault = needed_key(desk, key), data.select("vault")
    signer = person(desk.keys, own, None, desk.user, desk.now_ns)
    seen = desk.unknown_uses()
    seen += usage.not_fresh(usage.uses(desk.workspace, data), vault)
    if seen:
        raise GovernanceError(seen[0])
    budget = pay(
        office_of(desk, asked=False),
        alpha.manifest.family or alpha.alpha_id,
        alpha.alpha_id,
        data.content,
        Footprint.of(vault),
        budget=desk.settings.alpha_vault_looks,
        reason=reason,
        signer=signer,
        key=own,
    )
    use = usage.Use.of("vault", alpha.alpha_id, data, vault)
    usage.record(desk.workspace, use, desk.now_ns, desk.looked)
    return budget
