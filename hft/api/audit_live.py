"""What an owner with a shell could move beside the journal: files, looks, and what is live.

Gathered for `audit_facts`; nothing here judges signatures or the chain.
"""

import contextlib
import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from hft.api.desk import Desk
from hft.api.evidence_files import relative
from hft.audit.journal import Row
from hft.audit.keys import Keys
from hft.audit.walk import Finding
from hft.core.errors import HftError

STRANGER = "PROMOTION_OUT_OF_PLACE"
UNFOUNDED = "CHANGE_UNFOUNDED"
LACKING = "COUNTERSIGNATURE_MISSING"
LOOKED = "LOOKED_AT_CHANGED"
MOVED = {part: f"LIVE_{part.upper()}_CHANGED" for part in ("code", "thresholds", "limits")}
SIMULATOR = "LIVE_SIMULATOR_CHANGED"


def strangers(desk: Desk, rows: Sequence[Row], paths: Sequence[str]) -> Iterator[Finding]:
    """Promotion files that no row ever put where they lie, whatever their signatures say.

    Where rows were retired, older files may have lost theirs.
    """
    from hft.governance.promotion.changes import changes

    if any(row["table"] == "control_log" and row["row"].get("kind") == "retire" for row in rows):
        return
    base = relative(desk.workspace.promotions, desk.root)
    placed = {f"{base}/{change.evidence['file']}" for change in changes(rows)}
    known = {change.yaml_sha256: change for change in changes(rows)}
    for path in paths:
        if path in placed:
            continue
        digest = hashlib.sha256((desk.root / path).read_bytes()).hexdigest()
        was = known.get(digest)
        words = f"{path}: no row put a file there"
        if was is not None:
            words += f"; row {was.seq} put these bytes at {base}/{was.evidence['file']}"
        yield Finding(STRANGER, path, 0 if was is None else was.seq, "", words)


def unfounded(rows: Sequence[Row]) -> Iterator[Finding]:
    """Changes of promotions that no decision stands for, or one of another weight."""
    from hft.governance.promotion.changes import changes

    if any(row["table"] == "control_log" and row["row"].get("kind") == "retire" for row in rows):
        return
    decided: dict[str, list[float]] = {}
    for row in rows:
        digest, weight = _decision(row)
        if digest:
            decided.setdefault(digest, []).append(weight)
    for change in changes(rows):
        weights = decided.get(change.yaml_sha256, [])
        if change.weight in weights:
            weights.remove(change.weight)
            continue
        words = f"row {change.seq}: {change.alpha_id} at {change.weight:g}: nobody decided that"
        yield Finding(UNFOUNDED, "audit.control_log", change.seq, "evidence", words)


def countersigned(desk: Desk, rows: Sequence[Row], keys: Keys) -> Iterator[Finding]:
    """Approvals that fewer validators signed than their bundle asks for.

    Where rows were retired, older approvals may have lost theirs.
    """
    from hft.governance.promotion.bundle import NAME, Bundle
    from hft.governance.promotion.countersign import lacking

    if any(row["table"] == "control_log" and row["row"].get("kind") == "retire" for row in rows):
        return
    found = {}
    for path in (desk.workspace.experiments / "promotions").glob(f"*/*/{NAME}"):
        with contextlib.suppress(HftError, OSError):  # told as an artifact
            bundle = Bundle.read(path)
            found[bundle.sha256] = bundle
    for seq, words in lacking(rows, found.get, keys):
        yield Finding(LACKING, "audit.alpha_promotion_log", seq, "stage", words)


def _decision(row: Row) -> tuple[str, float]:
    """The file that a row of a decision names, and its weight; "" for another row."""
    own = row["row"]
    if row["table"] == "alpha_promotion_log" and own.get("approved"):
        return str(own.get("yaml_sha256") or ""), float(own.get("canary_weight") or 0.0)
    if row["table"] == "alpha_canary_log" and own.get("applied"):
        told = json.loads(own.get("checks") or "{}")
        return str(told.get("yaml_sha256") or ""), float(own.get("new_weight") or 0.0)
    return "", 0.0


def looks(desk: Desk, rows: Sequence[Row]) -> Iterator[Finding]:
    """The file of what was looked at, against what rows know of it; a clone has none."""
    from hft.research.data import usage

    if not desk.auditor.journal.path.is_file():
        return
    place = relative(desk.workspace.experiments / usage.FILE, desk.root)
    for seq, words in usage.lost(desk.workspace, usage.recorded(rows)):
        yield Finding(LOOKED, place, seq, "", words)


def live(desk: Desk, rows: Sequence[Row]) -> Iterator[Finding]:
    """What moved under a promotion that counts."""
    from hft.governance.promotion.changes import changes
    from hft.governance.promotion.promotions import read

    newest = {change.alpha_id: change for change in changes(rows)}
    for file in read(desk.workspace.promotions).active():
        change = newest.get(file.alpha_id)
        if file.promotion is None or change is None or file.promotion.expired(desk.now_ns):
            continue
        for code, place, words in _moved(desk, file.alpha_id, file.promotion.data):
            told = f"{place}: {words}; row {change.seq} made it live at {change.weight:g}"
            yield Finding(code, place, change.seq, "", told)


def _moved(desk: Desk, name: str, data: Any) -> Iterator[tuple[str, str, str]]:
    """Code, place and words of each thing that is not what was promoted."""
    from hft.governance.promotion.bundle import find
    from hft.governance.promotion.evidence import file_hash
    from hft.governance.simulator.report import FOLDER as REPORTS
    from hft.governance.simulator.report import sha256_of
    from hft.research.alphas.loader import code_hash

    hashes, promotions = data["hashes"], desk.workspace.experiments / "promotions"
    folder = desk.workspace.alphas / name
    if code_hash(folder) != hashes["code"]:
        words = f"is not the code of {name} that was promoted"
        yield MOVED["code"], relative(folder, desk.root), words
    limits = _limits(desk)
    if limits is not None and hashes["limits"] and file_hash(limits) != hashes["limits"]:
        words = f"are not the limits that {name} was promoted under"
        yield MOVED["limits"], relative(limits, desk.root), words
    try:
        bundle = find(promotions, name, hashes["bundle"])[1]
    except (HftError, OSError):
        return  # absent or changed, which is told: nobody knows by which thresholds it was judged
    named = bundle.data["inputs"].get("thresholds") or data["profile"]
    place = f"config/governance/{named}.yaml"
    try:
        profile = desk.profile(Path(str(named)).name)
        now = profile.replace(bundle.data["inputs"].get("overrides", {}))
        wrong = "" if now.hash == hashes["thresholds"] else "are others"
    except HftError as error:
        wrong = f"cannot be read ({error})"
    if wrong:
        yield MOVED["thresholds"], place, f"the thresholds that {name} was promoted under {wrong}"
    wanted = bundle.hashes.get("simulator")
    if wanted and sha256_of(desk.root) != wanted:
        yield SIMULATOR, REPORTS, f"is not the simulator's report that {name} was promoted with"


def _limits(desk: Desk) -> Path | None:
    """The workspace's own limits of live; None where it leaves them to hft's."""
    folder = desk.root / "config" / "limits"
    paths = (folder / f"{name}.yaml" for name in ("live", desk.settings.limits))
    return next((path for path in paths if path.is_file()), None)
