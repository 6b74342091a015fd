"""A finished validation: verdicts, scorecard, what is missing, its folder."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hft.governance.gates.b import structural_failure
from hft.governance.scorecard import Scorecard
from hft.governance.verdict import GateResult, Verdict
from hft.reports.governance.document import Document
from hft.reports.governance.shown import Shown

if TYPE_CHECKING:
    from hft.reports.governance.svg import Plot


@dataclass(frozen=True, repr=False)
class Validation(Shown):
    """What `hft.alpha.validate` returns.

    `gates` are those that ran, in order; `price` is what was announced before, `counted` what came
    of it; `path` is the folder of its reports; `notice` says what could not be delivered.
    """

    alpha_id: str
    profile: str
    gates: tuple[GateResult, ...]
    scorecard: Scorecard | None
    price: str
    document: Document
    path: Path
    run_id: str
    trial_id: str = ""
    notice: str = ""
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def verdict(self) -> Verdict:
        """FAIL when structure fails, INSUFFICIENT while history is short, else the worst gate."""
        return overall(self.gates)

    @property
    def passed(self) -> bool:
        """Only PASS passes."""
        return self.verdict is Verdict.PASS

    @property
    def missing(self) -> tuple[str, ...]:
        """The shopping list of all gates that judge, each line once."""
        judging = [gate for gate in self.gates if not gate.advisory]
        return tuple(dict.fromkeys(text for gate in judging for text in gate.missing))

    @property
    def counted(self) -> str:
        """What came of the price: effective N and hurdle with these trials; "" when none ran."""
        return self.document.price

    def gate(self, name: str) -> GateResult | None:
        """One gate by its letter; None when it did not run."""
        return next((gate for gate in self.gates if gate.gate == name), None)

    @property
    def checks(self) -> Any:
        """Every check of every gate as a polars frame."""
        import polars as pl

        rows = [
            {"gate": gate.gate, **{k: _text(v) for k, v in check.to_dict().items()}}
            for gate in self.gates
            for check in gate.checks
        ]
        return pl.DataFrame(rows, infer_schema_length=None)

    def to_json(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "alpha_id": self.alpha_id,
            "profile": self.profile,
            "verdict": self.verdict.value,
            "gates": [gate.to_dict() for gate in self.gates],
            "missing": list(self.missing),
            "price": self.price,
            "counted": self.counted,
            "scorecard": self.scorecard.to_dict() if self.scorecard else None,
            "trial_id": self.trial_id,
            "run_id": self.run_id,
            "path": str(self.path),
            "notice": self.notice,
        }

    def path_fan(self) -> "Plot":
        """The cross-validated paths as a picture. Raises: ConfigError without any."""
        return self.plot("path_fan")

    def text(self, width: int | None = None, color: bool = False) -> str:
        """Verdicts, checks and shopping list, as wide as the terminal where nothing is said."""
        from hft.reports.governance.summary import text

        return text(self.document, width, color)

    def __repr__(self) -> str:
        return self.text()


def overall(gates: tuple[GateResult, ...]) -> Verdict:
    """What a person may say of the alpha after the gates that ran."""
    found = {gate.gate: gate.verdict for gate in gates}
    second = next((gate for gate in gates if gate.gate == "B"), None)
    if found.get("A") is Verdict.FAIL or (second is not None and structural_failure(second)):
        return Verdict.FAIL
    if found.get("A") is Verdict.INSUFFICIENT:
        return Verdict.INSUFFICIENT
    if found.get("B") is Verdict.FAIL:
        return Verdict.FAIL
    rest = [found[name] for name in ("B", "C") if name in found]
    if len(rest) < 2:
        return Verdict.INSUFFICIENT
    for verdict in (Verdict.FAIL, Verdict.INSUFFICIENT):
        if verdict in rest:
            return verdict
    return Verdict.PASS


def _text(value: Any) -> Any:
    return (
        "; ".join(value) if isinstance(value, list) else str(value) if value is not None else None
    )
