"""The origins of a proposal's evidence: every tape of its shadow runs, and the validated data."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date as Date
from pathlib import Path
from typing import Any

from hft.core.errors import HftError
from hft.governance import provenance
from hft.governance.gates.origins import Origins, PaperOrigins
from hft.governance.paper import PaperSession, PaperSummary
from hft.governance.promotion.bundle import NAME, Bundle
from hft.governance.promotion.document import utc_date
from hft.governance.promotion.office import Office
from hft.governance.provenance import Origin, Statement
from hft.governance.sessions import of_run, run_folders
from hft.research.data import sidecars
from hft.research.data.dataset import ResearchData
from hft.runs.ingest import open_tapes
from hft.runs.result import Run


@dataclass
class _Seen:
    """What the runs of a proposal stand on; a run that is on a tape of another counts as twice."""

    tapes: dict[str, Origin] = field(default_factory=dict)
    by_run: dict[str, list[str]] = field(default_factory=dict)
    instruments: set[str] = field(default_factory=set)
    first: Date | None = None
    twice: int = 0


def collect(
    office: Office,
    alpha_id: str,
    data: ResearchData,
    folders: Sequence[Path],
    *,
    owner: str,
    paper: PaperSummary | None = None,
    rehearsal: bool = False,
) -> tuple[Origins, Mapping[str, list[str]]]:
    """Where the evidence comes from, and the tapes of each run by its digest.

    Raises: DataError for a statement that is none.
    """
    known = provenance.statements(office.workspace.root, office.keys)
    seen = _runs(folders, known, used_before(office, alpha_id))
    today, whole = utc_date(office.now_ns), of_data(data, known)
    found = seen.tapes.values()
    symbols = _symbols(data)
    return Origins(
        tapes=len(seen.tapes),
        unsaid=sum(not one.says for one in found),
        synthetic=sum(one.says == "synthetic" for one in found),
        unwitnessed=sum(one.signed_by in ("", owner) for one in found),
        data=whole.says,
        data_witnessed=whole.signed_by not in ("", owner),
        oldest_days=None if seen.first is None else (today - seen.first).days,
        instruments=tuple(sorted(seen.instruments)),
        others=tuple(sorted(seen.instruments - symbols)) if symbols else (),
        named=bool(symbols),
        twice=seen.twice,
        paper_oldest_days=_age(paper, today),
        paper=None
        if paper is None
        else _paper(paper, paper_before(office, alpha_id), symbols, owner),
        rehearsal=rehearsal,
    ), seen.by_run


def of_data(data: ResearchData, known: Sequence[Statement]) -> Origin:
    """Of the tapes behind the data where there are any; else a sidecar's word, or a statement."""
    if data.tapes is not None:
        each = [provenance.of_tape(tape, known) for tape in data.tapes]
        says = {one.says for one in each}
        worst = next((one for one in ("synthetic", "", "recorded", "live") if one in says), "")
        names = {one.signed_by for one in each}
        return Origin(data.content, worst, names.pop() if len(names) == 1 else "")
    declared = provenance.of_content(data.content, known)
    told = {str(one.get("source_type", "")) for one in data.metadata.values()}
    if "synthetic" in told:
        return Origin(data.content, "synthetic", declared.signed_by)
    if declared.says:
        return declared
    return Origin(data.content, "recorded" if told == {sidecars.SOURCE_TYPES[1]} else "")


def used_before(office: Office, alpha_id: str) -> set[str]:
    """The tapes that an attempt counted which was approved and then rolled back."""
    shadows = _before(office, alpha_id)
    return {tape for one in shadows for run in one.get("runs", ()) for tape in run.get("tapes", ())}


def paper_before(office: Office, alpha_id: str) -> list[PaperSession]:
    """The paper sessions that such an attempt counted."""
    told = [one.get("paper") or {} for one in _before(office, alpha_id)]
    return [PaperSession(**row) for one in told for row in one.get("sessions", ())]


def _before(office: Office, alpha_id: str) -> list[Mapping[str, Any]]:
    """The shadow evidence of attempts that were approved before the last rollback."""
    outs = [one.ts_ns for one in office.changes(alpha_id) if one.state == "rolled_back"]
    approved = {
        row["row"].get("bundle_sha256")
        for row in office.audit.rows()
        if row["table"] == "alpha_promotion_log"
        and row["row"].get("approved")
        and row["row"].get("stage") in ("approve", "renew")
        and row["ts"] <= max(outs, default=0)
    }
    found: list[Mapping[str, Any]] = []
    for path in (office.reports / alpha_id).glob(f"*/{NAME}") if approved else ():
        try:
            bundle = Bundle.of(json.loads(path.read_bytes()))
        except (HftError, OSError, ValueError):
            continue
        if bundle.sha256 in approved:
            found.append(bundle.data["shadow"])
    return found


def _paper(
    paper: PaperSummary, before: Sequence[PaperSession], symbols: set[str], owner: str
) -> PaperOrigins:
    found = paper.sessions
    named = {one.symbol for one in found if one.symbol}
    return PaperOrigins(
        sessions=len(found),
        unsaid=sum(not one.says for one in found),
        synthetic=sum(one.says == "synthetic" for one in found),
        unwitnessed=sum(one.signed_by in ("", owner) for one in found),
        unnamed=sum(not one.symbol for one in found),
        others=tuple(sorted(named - symbols)) if symbols else tuple(sorted(named))[1:],
        twice=sum(any(one.overlaps(other) for other in before) for one in found),
    )


def _runs(folders: Sequence[Path], known: Sequence[Statement], used: set[str]) -> _Seen:
    """Every run once; folders that cannot be read are problems of the shadow evidence, not here."""
    seen = _Seen()
    for path in run_folders(folders) if folders else ():
        try:
            run = Run.open(path)
            if run.digest in seen.by_run:
                continue
            paths = [str(entry["path"]) for entry in run.manifest["tapes"]]
            origins = [provenance.of_tape(tape, known) for tape in open_tapes(paths)]
            days = [row.date for row in of_run(run)]
        except HftError:
            continue
        hashes = sorted({one.sha256 for one in origins})
        seen.by_run[run.digest] = hashes
        seen.twice += any(one in seen.tapes or one in used for one in hashes)
        seen.tapes |= {one.sha256: one for one in origins}
        seen.instruments |= {one.symbol for one in run.names.instruments}
        seen.first = min((*days, *([seen.first] if seen.first else [])), default=None)
    return seen


def _symbols(data: ResearchData) -> set[str]:
    """The instruments that the data names."""
    if data.tapes is not None:
        return {one.symbol for one in data.tapes.instruments.values()}
    told = {str(name) for one in data.metadata.values() for name in one.get("symbols", ())}
    return told | ({name for name in data.symbols if name} if data.panel else set())


def _age(paper: PaperSummary | None, today: Date) -> int | None:
    if paper is None or not paper.first_day:
        return None
    first = paper.first_day
    return (today - Date(int(first[:4]), int(first[4:6]), int(first[6:]))).days


def with_tapes(runs: Sequence[Mapping[str, Any]], by_run: Mapping[str, list[str]]) -> Any:
    """The rows of the runs, each with the tapes it stands on."""
    return tuple({**run, "tapes": by_run.get(str(run.get("digest")), [])} for run in runs)
