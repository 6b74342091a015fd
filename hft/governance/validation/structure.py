"""What Gate A looks at before any figure is believed."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hft.governance.gates.a import none_of
from hft.governance.gates.files import file_checks
from hft.governance.gates.inputs import audit, manifest_checks
from hft.governance.gates.leakage import leak_checks
from hft.governance.gates.timestamps import known_at
from hft.governance.ledger.ledger import Ledger
from hft.governance.profile import Profile
from hft.governance.verdict import Check, holds, insufficient, not_applicable
from hft.research.alphas.remote import RemoteAlpha
from hft.research.data import sidecars
from hft.research.data.dataset import ResearchData
from hft.research.leakage import LeakReport, check_alpha

COUNTING = ("validate", "whole")


def admission(
    alpha: RemoteAlpha,
    data: ResearchData,
    ledger: Ledger,
    anchors: Iterable[Mapping[str, Mapping[str, Any]]],
    profile: Profile,
    now_ns: int,
    *,
    pinned: str | None = None,
    data_roots: Sequence[str] = (),
) -> list[Check]:
    """What has to hold before the alpha is shown a row: nothing of it is a trial."""
    checks = manifest_checks(alpha.manifest, data)
    checks += audit(
        data,
        alpha.manifest,
        now_ns=now_ns,
        pinned=pinned,
        coverage_min=profile.number("gate_a.coverage_min"),
    )
    checks.append(known_at(alpha.manifest, data, profile))
    checks += file_checks(alpha.folder, alpha.manifest, data, profile)
    checks.append(_walls(alpha, profile))
    checks.append(none_of("rows_of_validate", _rows(data)))
    problems = ledger.verify(anchors)
    checks.append(none_of("ledger", [f"{one.code}: {one.sentence}" for one in problems]))
    checks.append(none_of("data_governance", governance(data, data_roots)))
    return checks


def leak_tests(
    alpha: RemoteAlpha, data: ResearchData, profile: Profile
) -> tuple[list[Check], LeakReport]:
    """The leak tests, which show the alpha rows. Raises: ValidationError when the alpha raises."""
    cuts = int(profile.number("gate_a.cuts_min"))
    report = check_alpha(alpha, data, cuts=max(cuts, 12))
    return list(leak_checks(report, cuts)), report


def _walls(alpha: RemoteAlpha, profile: Profile) -> Check:
    """Did the code run where it could reach nothing but rows?"""
    if not alpha.lacking:
        return holds("walls", True)
    if profile.lenient:
        return not_applicable("walls", f"profile {profile.name} goes on without: {alpha.lacking}")
    missing = ("a machine with Landlock 6 and seccomp: Linux 6.12 on x86-64",)
    return insufficient("walls", f"the alpha ran without walls: {alpha.lacking}", missing)


def _rows(data: ResearchData) -> list[str]:
    if data.split in COUNTING:
        return list(data.spoiled)
    return [f"{data.source}: rows of the split {data.split} prove nothing; validate on `validate`"]


def governance(data: ResearchData, roots: Sequence[str]) -> list[str]:
    """What is wrong with where the files are, and with what is said beside them."""
    allowed = [Path(root).resolve() for root in roots]
    found = []
    outside = [
        name
        for name in data.files
        if allowed and not any(Path(name).resolve().is_relative_to(root) for root in allowed)
    ]
    if outside:
        more = f" and {len(outside) - 1} more files" if len(outside) > 1 else ""
        verb = "are" if more else "is"
        found.append(
            f"{outside[0]}{more}: {verb} not under an allowed folder ({', '.join(map(str, roots))})"
        )
    for name, columns in data.files.items():
        file = Path(name)
        if name in data.metadata:
            said = sidecars.problems(data.metadata[name], rows_of(file), columns)
            found += [f"{name}: its metadata: {one}" for one in said]
    return found


def rows_of(file: Path) -> int | None:
    """Rows of a table as it is on disk; None where only reading it whole would tell."""
    if file.suffix not in (".parquet", ".pq") or not file.is_file():
        return None
    import pyarrow.parquet as pq

    return int(pq.read_metadata(file).num_rows)
