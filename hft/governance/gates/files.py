"""Files in an alpha's folder: each says what it was fitted on, and the rows it knows do not count.

An answer key is a file, or a text in the code, that holds what came later. So every file beside the
code is declared in the manifest, none is larger than a model needs, and code spells out little.
"""

from pathlib import Path

import numpy as np

from hft.core.errors import ValidationError
from hft.governance.profile import Profile
from hft.governance.verdict import Check, Verdict, not_applicable
from hft.research.alphas.fitted import Holding, holding, undeclared, until_ns
from hft.research.alphas.manifest import AlphaManifest
from hft.research.data.dataset import ResearchData
from hft.research.leakage.report import moment


def file_checks(
    folder: Path, manifest: AlphaManifest, data: ResearchData, profile: Profile
) -> list[Check]:
    """Declared, fitted on rows before these, and small."""
    held = holding(folder)
    return [_declared(manifest, held), _before(manifest, data, profile), _small(held, profile)]


def _declared(manifest: AlphaManifest, held: Holding) -> Check:
    silent = undeclared(manifest, held)
    gone = [entry.path for entry in manifest.files if entry.path not in held.files]
    said = []
    if silent:
        said.append(
            f"{', '.join(silent)}: nobody says what that was fitted on; write "
            f'files=({{"path": "{silent[0]}", "fitted_on": "data/train", '
            '"fitted_until": "2024-06-30"},) into the manifest, fitted_on "nothing" for what knows '
            "no data, or remove it"
        )
    if gone:
        said.append(f"files: {', '.join(gone)}: there is no such file; remove the entry")
    return Check(
        "files_declared",
        len(silent) + len(gone),
        0,
        Verdict.FAIL if said else Verdict.PASS,
        reason="; ".join(said),
    )


def _before(manifest: AlphaManifest, data: ResearchData, profile: Profile) -> Check:
    """No row that is judged may be one that a file was fitted on."""
    said, most = [], 0
    for entry in manifest.files:
        try:
            known = until_ns(entry)
        except ValidationError as error:
            return Check("files_fitted", -1, 0, Verdict.FAIL, reason=str(error))
        if known is None:
            continue
        rows = int(np.searchsorted(data.ts_ns, known, side="right"))
        if rows:
            most = max(most, rows)
            days = len(np.unique(data.session[:rows]))
            said.append(
                f"{entry.path} was fitted on {entry.fitted_on} until {entry.fitted_until}: "
                f"{rows} of {len(data)} rows, {days} days from {moment(data.ts_ns[0])} on, are no "
                "evidence. Validate on data that begins later, or fit it on rows before these"
            )
    if said and profile.lenient:
        return not_applicable("files_fitted", f"profile {profile.name} goes on: {said[0]}", most)
    verdict = Verdict.FAIL if said else Verdict.PASS
    return Check("files_fitted", most, 0, verdict, reason="; ".join(said))


def _small(held: Holding, profile: Profile) -> Check:
    files = int(profile.number("gate_a.files_bytes_max"))
    code = int(profile.number("gate_a.literal_bytes_max"))
    size, spelled = sum(held.files.values()), sum(held.spelled.values())
    said = []
    if size > files:
        largest = max(held.files, key=lambda name: held.files[name])
        said.append(
            f"its files have {size:,} bytes, {largest} {held.files[largest]:,} of them, where "
            f"{files:,} are allowed: keep the numbers that the signal needs"
        )
    if spelled > code:
        largest = max(held.spelled, key=lambda name: held.spelled[name])
        said.append(
            f"its code spells out {spelled:,} bytes of numbers and texts, most in {largest}, "
            f"where {code:,} are allowed: put them into a file and declare what it was fitted on"
        )
    return Check(
        "files_small",
        size,
        files,
        Verdict.FAIL if said else Verdict.PASS,
        reason="; ".join(said),
        margin=float(files - size),
    )
