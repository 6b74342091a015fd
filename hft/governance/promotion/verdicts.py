"""A validation's folder as a promotion reads it: scorecard, verdicts of A to C, what it ran on.

Read only. A folder that is missing or damaged is a PromotionError that names the file.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hft.core.errors import PromotionError
from hft.governance.profile import Profile
from hft.governance.verdict import Verdict
from hft.research.backtest import Rules
from hft.research.measures.measurement import Options
from hft.storage.chain import canonical

SCORECARD = "scorecard.json"
SECTIONS = ("gate_a", "gate_b", "gate_c")
REPORTS = {
    "A": "feasibility_report.json",
    "B": "correctness_report.json",
    "C": "backtest_report.json",
}
MANIFEST = "manifest.json"
# What passed under a strict profile passes under a lenient one, never the other way round.
STRICT = {"base": 0, "standard": 1, "tier1": 2}


@dataclass(frozen=True)
class Validated:
    """One validation. `context` is its manifest: run, data paths, options, time of the decision."""

    path: Path
    scorecard: Mapping[str, Any]
    reports: Mapping[str, Mapping[str, Any]]
    context: Mapping[str, Any]

    @property
    def run_id(self) -> str:
        """The run it is of."""
        return str(self.context["run_id"])

    @property
    def alpha_id(self) -> str:
        """The alpha that was validated."""
        return str(self.context["alpha_id"])

    @property
    def data(self) -> list[str]:
        """The paths of the data."""
        return [str(path) for path in self.context["data_paths"]]

    @property
    def options(self) -> Options:
        """The options of its figures. Raises: PromotionError naming the file."""
        try:
            given = dict(self.context["options"])
            return Options(**{**given, "rules": Rules(**given["rules"])})
        except (TypeError, ValueError, KeyError):
            raise PromotionError(
                f"{self.path / MANIFEST}: options: are not those of a validation; validate again"
            ) from None

    @property
    def scorecard_hash(self) -> str:
        """SHA-256 of the scorecard's canonical form."""
        return hashlib.sha256(canonical(self.scorecard)).hexdigest()

    @property
    def created_ns(self) -> int:
        """When it was decided."""
        return int(self.context["ts_ns"])

    def verdict(self, gate: str) -> str:
        """The verdict of A, B or C; INSUFFICIENT where the gate did not run."""
        return str(self.reports.get(gate, {}).get("verdict", "INSUFFICIENT"))

    def summary(self) -> dict[str, dict[str, str]]:
        """Verdict, reason and evidence digest of each gate, for the bundle."""
        return {
            gate: {
                "verdict": self.verdict(gate),
                "reason": str(self.reports.get(gate, {}).get("reason", "did not run")),
                "evidence_digest": str(self.reports.get(gate, {}).get("evidence_digest", "")),
            }
            for gate in REPORTS
        }

    def unproven(self, rows: Iterable[Mapping[str, Any]], profile: Profile) -> list[str]:
        """The gates A to C that did not pass, or were judged by less than this profile asks."""
        found = []
        for gate in REPORTS:
            verdict = self.verdict(gate)
            if verdict != Verdict.PASS:
                words = self.reports.get(gate, {}).get("reason") or "did not run"
                found.append(f"{gate} {verdict}: {words}")
        mine = [
            row["row"]
            for row in rows
            if row["table"] == "alpha_gate_log"
            and row["row"].get("run_id") == self.run_id
            and row["row"]["gate"] in REPORTS
        ]
        named = [str(row.get("profile") or "") for row in mine if row["gate"] == "C"]
        under = min(named, key=lambda name: STRICT.get(name, -1), default="")
        if STRICT.get(under, -1) < STRICT[profile.name]:
            found.append(
                f"C INSUFFICIENT: it was judged under {under or 'no profile'}, "
                f"validate again with --profile {profile.name}"
            )
            return found
        return found + self._loosened({str(row.get("thresholds_hash")) for row in mine}, profile)

    def _loosened(self, hashes: set[str], profile: Profile) -> list[str]:
        """Thresholds of A to C that were lower at the validation than they are now."""
        told: Any = self.context.get("thresholds")
        try:
            then = Profile(str(told["profile"]), dict(told["values"]))
        except (TypeError, KeyError, ValueError):
            return ["C INSUFFICIENT: it does not say by which thresholds it was, validate again"]
        if hashes != {then.hash}:
            return [
                "C INSUFFICIENT: the thresholds in its manifest are not those that the journal has "
                "for its gates, validate again"
            ]
        return [
            f"{key[5].upper()} INSUFFICIENT: {key} was {was} at the validation and is {now} now, "
            "validate again"
            for key, was, now in then.looser_than(profile, SECTIONS)
        ]

    def trial_id(self, rows: Iterable[Mapping[str, Any]]) -> str:
        """The trial it is, by the audit rows of its gates, which must say what the reports say.

        Raises: PromotionError when the journal has no such validation, or another verdict.
        """
        found = ""
        recorded = {
            str(row["row"]["gate"]): row["row"]
            for row in rows
            if row["table"] == "alpha_gate_log" and row["row"].get("run_id") == self.run_id
        }
        for gate, report in self.reports.items():
            row = recorded.get(gate)
            if row is None:
                raise PromotionError(
                    f"{self.path}: the audit journal has no gate {gate} of run {self.run_id}; "
                    "validate again"
                )
            same = (row["verdict"], row["evidence_digest"]) == (
                report.get("verdict"),
                report.get("evidence_digest"),
            )
            if not same:
                raise PromotionError(
                    f"{self.path / REPORTS[gate]}: is not what the audit journal recorded"
                )
            found = str(row["trial_id"]) or found
        return found


def find(validations: Path, alpha_id: str, named: Path | None = None) -> Validated:
    """The newest validation of an alpha, or the one whose scorecard or folder is named.

    Raises: PromotionError when there is none.
    """
    if named is not None:
        return read(named.parent if named.is_file() else named)
    found = [path.parent for path in sorted((validations / alpha_id).glob(f"*/{SCORECARD}"))]
    if not found:
        raise PromotionError(
            f"{alpha_id}: has no scorecard; run `hft alpha validate {alpha_id} --data DATA` first"
        )
    return read(found[-1])


def promotable(
    validations: Path, alpha_id: str, named: Path | None = None
) -> tuple[Validated, str]:
    """The newest validation that can be measured again, and a sentence where it is not the newest.

    Rows of a frame in memory are gone: what was judged on one proves nothing to another person.
    Raises: PromotionError when there is none at all.
    """
    newest = find(validations, alpha_id, named)
    if named is not None or newest.data:
        return newest, ""
    for path in sorted((validations / alpha_id).glob(f"*/{SCORECARD}"), reverse=True):
        older = read(path.parent)
        if older.data:
            return older, (
                f"the newest validation, {newest.run_id}, is of a frame in memory, which cannot be "
                f"read again; the newest on files is promoted: {older.run_id}"
            )
    return newest, ""


def read(folder: Path) -> Validated:
    """The validation in a folder. Raises: PromotionError naming the file."""
    scorecard = _json(folder / SCORECARD)
    reports = {
        gate: _json(folder / name) for gate, name in REPORTS.items() if (folder / name).is_file()
    }
    context = _json(folder / MANIFEST)
    for field in ("alpha_id", "data_paths", "options", "run_id", "ts_ns"):
        if field not in context:
            raise PromotionError(f"{folder / MANIFEST}: {field}: is missing; validate again")
    return Validated(folder, scorecard, reports, context)


def _json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise PromotionError(f"{path}: is missing; validate again") from None
    except (OSError, ValueError) as error:
        raise PromotionError(f"{path}: cannot be read: {error}") from None
    if not isinstance(data, dict):
        raise PromotionError(f"{path}: is not a JSON object; validate again")
    return data
