"""What a validation leaves behind: its folder of reports, an experiment, rows in the audit.

The folder appears whole or not at all. The page and the reports hold digest inputs; time, machine
and run id stand in `manifest.json` beside them.
"""

import hashlib
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hft.audit.artifacts import FILES, hashes_of
from hft.audit.keys import moment
from hft.core.errors import (
    Busy,
    ConfigError,
    DataError,
    GovernanceError,
    HftError,
    StrategyError,
    Unavailable,
    ValidationError,
)
from hft.core.json_text import page
from hft.core.version import VERSION
from hft.governance.scorecard import Scorecard
from hft.governance.validation.request import Request
from hft.governance.validation.services import Services
from hft.governance.verdict import GateResult
from hft.reports.governance.document import Document
from hft.reports.governance.pages import validation_page
from hft.research import experiments
from hft.research.alphas.remote import RemoteAlpha
from hft.research.data.dataset import ResearchData
from hft.research.measures.measurement import rounded
from hft.storage.atomic import staged

# What is one row in the audit: nothing else may look as if the process had ended on the way.
REFUSALS = (GovernanceError, DataError, ConfigError, StrategyError, Unavailable, Busy)
PAGE, MANIFEST, SCORECARD = "report.html", "manifest.json", "scorecard.json"
REPORTS = {
    "A": "feasibility_report.json",
    "B": "correctness_report.json",
    "C": "backtest_report.json",
    "F": "twin_report.json",
}


def write(
    request: Request,
    services: Services,
    alpha: RemoteAlpha,
    data: ResearchData,
    gates: tuple[GateResult, ...],
    card: Scorecard | None,
    page: Document,
    detail: Mapping[str, Any],
) -> tuple[Path, str]:
    """The folder of reports and the id of the run."""
    run_id = _experiment(request, services, alpha, data, gates, card, detail)
    folder = _free(services.kept / "validations" / alpha.alpha_id / run_id)
    reports = {REPORTS[gate.gate]: gate.to_dict() for gate in gates}
    if "correctness" in detail and "B" in {gate.gate for gate in gates}:
        reports[REPORTS["B"]] |= {"runs": detail["correctness"]}
    if "twin" in detail:
        reports[REPORTS["F"]] |= {"runs": detail["twin"]}
    if card is not None:
        reports[SCORECARD] = card.to_dict()
    manifest = {
        "run_id": run_id,
        "alpha_id": alpha.alpha_id,
        "ts_ns": services.now_ns,
        "version": VERSION,
        "machine": platform.node(),
        "python": platform.python_version(),
        "data_paths": _paths(request.data, services.workspace.root),
        "options": request.options(alpha.manifest).to_dict(),
        "thresholds": {
            "profile": request.profile.name,
            "values": dict(request.profile.values),
            "set": dict(request.profile.changed),
        },
        "inputs": dict(page.inputs),
        "scorecard_sha256": card.sha256 if card else None,
    }
    with staged(folder) as stage:
        for name, content in reports.items():
            stage.aside(name).write_text(text(content), encoding="utf-8")
        stage.aside(MANIFEST).write_text(plain(manifest), encoding="utf-8")
        stage.aside(PAGE).write_text(validation_page(page), encoding="utf-8")
    return folder, run_id


def _experiment(
    request: Request,
    services: Services,
    alpha: RemoteAlpha,
    data: ResearchData,
    gates: tuple[GateResult, ...],
    card: Scorecard | None,
    detail: Mapping[str, Any],
) -> str:
    """The run of the experiments folder; without figures only its id."""
    options = request.options(alpha.manifest)
    if card is None:
        return experiments.run_id_of(services.now_ns, options.hash, data.fingerprint)
    found = detail["measured"]
    run = experiments.write_run(
        services.kept,
        alpha_id=alpha.alpha_id,
        now_ns=services.now_ns,
        config_hash=options.hash,
        data_hash=data.fingerprint,
        data_paths=_paths(request.data, services.workspace.root),
        metrics={
            name: value
            for name, value in card.values.items()
            if isinstance(value, int | float) or value is None
        },
        gate_status={gate.gate: gate.verdict.value for gate in gates},
        scorecard=card.to_dict(),
        backtest_report=rounded(found.figures),
        signals=detail["signal"],
        equity=found.test.equity,
        market=None if data.panel else data.price,
        ts_ns=data.ts_ns,
    )
    return str(run.meta["run_id"])


def record_gates(
    request: Request,
    services: Services,
    alpha: RemoteAlpha,
    gates: tuple[GateResult, ...],
    folder: Path,
    run_id: str,
    trial: str,
) -> None:
    """A row in the audit for each gate that ran; it names its report and the page by hash."""
    for gate in gates:
        shared = (PAGE, MANIFEST, *((SCORECARD,) if (folder / SCORECARD).is_file() else ()))
        files = hashes_of(folder, services.workspace.root, (REPORTS[gate.gate], *shared))
        row = {
            "alpha_id": alpha.alpha_id,
            "run_id": run_id,
            "gate": gate.gate,
            "passed": int(gate.passed),
            "verdict": gate.verdict.value,
            "missing": list(gate.missing),
            "trial_id": trial,
            "config_hash": request.options(alpha.manifest).hash,
            "thresholds_hash": request.profile.hash,
            "profile": request.profile.name,
            "convention": "2012",
            "evidence_digest": gate.evidence_digest,
            "details": {
                "reason": gate.reason,
                "checks": [one.to_dict() for one in gate.checks],
                FILES: files,
            },
        }
        services.record(
            "alpha_gate_log",
            rounded(row),
            now_ns=services.now_ns,
            ledger_heads=services.ledger.heads(),
        )


def record_refusal(request: Request, services: Services, error: HftError) -> None:
    """A decision was asked for and could not be made: that is a row, too."""
    services.record(
        "alpha_gate_log",
        refusal(request.alpha_id, request.profile.name, request.profile.hash, error),
        now_ns=services.now_ns,
        ledger_heads=services.ledger.heads(),
    )


def refusal(alpha_id: str, profile: str, thresholds_hash: str, error: HftError) -> dict[str, Any]:
    """The row of a validation that could not be made."""
    return {
        "alpha_id": alpha_id,
        **dict.fromkeys(("run_id", "trial_id", "config_hash"), ""),
        "gate": "A",
        "passed": 0,
        "verdict": "FAIL",
        "missing": [],
        "thresholds_hash": thresholds_hash,
        "profile": profile,
        "convention": "2012",
        "evidence_digest": hashlib.sha256(str(error).encode()).hexdigest(),
        "details": {"error": str(error), "kind": type(error).__name__},
    }


def aborted(request: Request, now_ns: int) -> dict[str, Any]:
    """The row of a validation whose process ended before a verdict."""
    words = f"alpha {request.alpha_id!r}: the process of the validation begun at {moment(now_ns)} "
    words += "ended before a verdict; it was interrupted or killed, or the alpha ended it"
    row = refusal(
        request.alpha_id, request.profile.name, request.profile.hash, ValidationError(words)
    )
    return row | {"details": {"error": words, "kind": "ABORTED"}}


def _paths(source: Any, root: Path) -> list[str]:
    """The files and folders named: as seen from the workspace where they are in it."""
    given = [source] if isinstance(source, str | Path) else source
    if not isinstance(given, list | tuple):
        return []
    return [_seen_from(root, one) for one in given if isinstance(one, str | Path)]


def _seen_from(root: Path, path: str | Path) -> str:
    whole = Path(path).absolute()
    inside = whole.is_relative_to(root)
    return whole.relative_to(root).as_posix() if inside else str(whole)


def _free(folder: Path) -> Path:
    """The folder, or the next name like it that nobody has."""
    count, found = 1, folder
    while found.exists():
        count += 1
        found = folder.with_name(f"{folder.name}_{count}")
    return found


def text(content: Any) -> str:
    """Readable JSON with sorted keys."""
    return plain(rounded(content))


def plain(content: Any) -> str:
    """The same with every digit, so that its hashes can be made again."""
    return page(content, str)
