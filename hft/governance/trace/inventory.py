"""Every model there is: who owns it, who validated it, where it stands, what is open.

Joined from alphas, promotion files and the audit journal; an alpha that cannot be loaded and a file
without an alpha are in it too, with the finding.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hft.governance.promotion.promotions import File
from hft.governance.promotion.signatures import Effective
from hft.governance.stages import Stage
from hft.research.worker.roster import Roster

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Model:
    """One line of the inventory; times in UTC nanoseconds, 0 = never."""

    alpha_id: str
    tier: str
    status: str
    stage: str
    owner: str
    validator: str
    weight: float
    profile: str
    expiry: str
    validated_ns: int
    verdicts: Mapping[str, str]
    findings: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {**self.__dict__, "verdicts": dict(self.verdicts), "findings": list(self.findings)}


def inventory(
    alphas: Roster,
    files: Mapping[str, tuple[File, Effective]],
    rows: Iterable[Row],
) -> list[Model]:
    """All models by id. `files`: the file that speaks for each alpha, and what it counts as."""
    told = list(rows)
    names = sorted({*alphas.alphas, *files})
    return [_model(name, alphas, files.get(name), _of(told, name)) for name in names]


def stage_of(file: tuple[File, Effective] | None, rows: Sequence[Row]) -> Stage:
    """Where an alpha stands, from its file and its rows."""
    validated, proposed = _last(rows, "alpha_gate_log"), _last_stage(rows, "propose")
    if file is not None and file[0].promotion is not None:
        promotion, counts = file[0].promotion, file[1]
        if promotion.state == Stage.ROLLED_BACK:
            out = int(promotion.data["canary"]["last_ts_ns"] or 0)
            return Stage.VALIDATED if validated > out else Stage.ROLLED_BACK
        return Stage.EXPIRED if counts.code == "EXPIRED" else Stage(promotion.state)
    if proposed:
        return Stage.PROPOSED
    verdicts = _verdicts(rows)
    passed = all(verdicts.get(gate) == "PASS" for gate in "ABC")
    return Stage.VALIDATED if passed else Stage.SCAFFOLDED


def _model(
    name: str,
    alphas: Roster,
    file: tuple[File, Effective] | None,
    rows: Sequence[Row],
) -> Model:
    alpha = alphas.alphas.get(name)
    promotion = file[0].promotion if file else None
    counts = file[1] if file else Effective(0.0)
    findings = [] if alpha else [f"{name}: its alpha cannot be loaded"]
    if counts.code and counts.code != "DISABLED":
        findings.append(counts.reason)
    manifest = alpha.manifest if alpha else None
    code = promotion.data["hashes"]["code"] if promotion else None
    if promotion and promotion.enabled and alpha and alpha.code_hash != code:
        findings.append(f"{name}: its code is not the promoted one")
    return Model(
        alpha_id=name,
        tier=str(getattr(manifest, "tier", "") or ""),
        status=str(getattr(manifest, "status", "") or ""),
        stage=str(stage_of(file, rows)),
        owner=str(promotion.data["owner"] if promotion else getattr(manifest, "owner", "") or ""),
        validator=str(promotion.data["validator"]) if promotion else "",
        weight=counts.weight,
        profile=promotion.profile if promotion else "",
        expiry=promotion.expiry.isoformat() if promotion else "",
        validated_ns=_last(rows, "alpha_gate_log"),
        verdicts=_verdicts(rows),
        findings=tuple(findings),
    )


def _of(rows: Sequence[Row], name: str) -> list[Row]:
    return [row for row in rows if row["row"].get("alpha_id") == name]


def _last(rows: Sequence[Row], table: str) -> int:
    return max((int(row["ts"]) for row in rows if row["table"] == table), default=0)


def _last_stage(rows: Sequence[Row], stage: str) -> int:
    return max(
        (
            int(row["ts"])
            for row in rows
            if row["table"] == "alpha_promotion_log"
            and row["row"].get("stage") == stage
            and row["row"].get("approved")
        ),
        default=0,
    )


def _verdicts(rows: Sequence[Row]) -> dict[str, str]:
    """The newest verdict of each gate."""
    found: dict[str, str] = {}
    for row in rows:
        if row["table"] == "alpha_gate_log":
            found[str(row["row"]["gate"])] = str(row["row"]["verdict"])
    return dict(sorted(found.items()))
