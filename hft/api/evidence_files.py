"""Which files of a workspace belong into an audit pack: what promotions and pages stand on.

A promotion names memo, bundle and limits by hash; a file is taken when it has that hash, wherever
it lies, and what is not found is said. Nothing is written.
"""

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any

from hft.api.desk import Desk
from hft.audit.artifacts import Artifact, of_rows
from hft.core.errors import HftError

RUN_FILES = ("manifest.json", "report.html", "digest")
NAMED = ("memo", "unseen", "bundle", "limits")
BUNDLE = "bundle.json"
BESIDE = {"memo": "memo.md", "unseen": "unseen.json"}  # what a promotion names in its folder


def evidence_files(
    desk: Desk, alphas: Sequence[str], runs: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """Files by relative name that rows and promotions name, and a sentence for each that is not
    there. A file that nobody names proves nothing and stays out.

    `rows` are those that are packed. Without alphas and runs: of every alpha that was promoted.
    """
    from hft.governance.promotion.promotions import read

    space = desk.workspace
    found: dict[str, bytes] = {}
    names = alphas or ([] if runs else _promoted(space.promotions))
    for alpha in names:
        for path in sorted(space.promotions.rglob(f"{alpha}.yaml")):
            found[relative(path, desk.root)] = path.read_bytes()
    files = [file for file in read(space.promotions).files if file.alpha_id in names]
    contents = [file.promotion.data for file in files if file.promotion is not None]
    absent = []
    for one in [*of_rows(rows), *of_promotions(desk, rows, contents)]:
        path = desk.root / one.path
        if path.is_file():
            found[one.path] = path.read_bytes()
        else:
            absent.append(f"{one.path}: is not here")
    for run in runs:
        found |= dict(_run_files(desk, run))
    missing = [*absent, *_named(desk, names, found)]
    return found, tuple(dict.fromkeys(missing))


def of_promotions(
    desk: Desk, rows: Sequence[Mapping[str, Any]], contents: Sequence[Mapping[str, Any]]
) -> Iterator[Artifact]:
    """Bundles by the rows of their proposals, memos by the promotion files, these by their rows."""
    from hft.governance.promotion.changes import changes

    named = (one for one in of_rows(rows) if one.path.endswith(f"/{BUNDLE}"))
    folders = {one.sha256: str(PurePosixPath(one.path).parent) for one in named}
    for row in rows:
        own = row["row"]
        if row["table"] == "alpha_promotion_log" and own.get("stage") == "propose":
            bundle = str(own.get("bundle_sha256") or "")
            if bundle:
                if bundle not in folders:  # its gate rows are retired, or name no files yet
                    folders[bundle] = _proposed_in(desk, own["alpha_id"], row["ts"], bundle)
                yield Artifact(f"{folders[bundle]}/{BUNDLE}", bundle, int(row["seq"]))
    for data in contents:
        folder = folders.get(str(data["hashes"]["bundle"]))
        if folder is not None:
            said = f"the promotion of {data['alpha_id']}"
            for name, file in BESIDE.items():
                if data["hashes"].get(name):
                    yield Artifact(f"{folder}/{file}", str(data["hashes"][name]), said_by=said)
    newest = {change.evidence["file"]: change for change in changes(rows)}
    place = relative(desk.workspace.promotions, desk.root)
    for file, change in sorted(newest.items()):
        yield Artifact(f"{place}/{file}", change.yaml_sha256, change.seq, needed=True)


def _proposed_in(desk: Desk, alpha_id: str, ts_ns: int, sha256: str) -> str:
    """The folder of a proposal: named by its second; the one with the bundle, else the first."""
    base = desk.workspace.experiments / "promotions" / alpha_id
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(ts_ns // 1_000_000_000))
    there = sorted(base.glob(f"{stamp}_*/{BUNDLE}"))
    same = [p for p in there if hashlib.sha256(p.read_bytes()).hexdigest() == sha256]
    found = (same or there or [base / f"{stamp}_" / BUNDLE])[0]
    return relative(found.parent, desk.root)


def relative(path: Path, root: Path) -> str:
    """A path as the workspace names it."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def _promoted(folder: Path) -> list[str]:
    return sorted({path.stem for path in folder.rglob("*.yaml")})


def _named(desk: Desk, alphas: Sequence[str], found: dict[str, bytes]) -> Iterator[str]:
    """Add the limits files that promotions name; say what is not there."""
    from hft.governance.promotion.promotions import read

    have = {hashlib.sha256(data).hexdigest() for data in found.values()}
    for file in read(desk.workspace.promotions).files:
        if file.promotion is None or file.alpha_id not in alphas:
            continue
        hashes: Mapping[str, Any] = file.promotion.data["hashes"]
        for name in NAMED:
            wanted = hashes.get(name)
            if not wanted or wanted in have:
                continue
            path = _limits_file(desk, str(wanted)) if name == "limits" else None
            if path is None:
                yield f"{relative(file.path, desk.root)}: {name} {str(wanted)[:12]} is not here"
            else:
                found[f"limits/{str(wanted)[:12]}_{path.name}"] = path.read_bytes()
                have.add(str(wanted))


def _limits_file(desk: Desk, wanted: str) -> Path | None:
    """The limits file with a hash, of the workspace or as shipped."""
    from hft.settings import config_file, limits_path

    shipped = config_file("limits/research.yaml")
    folders = [desk.root / "config" / "limits", *([shipped.parent] if shipped else [])]
    paths = [path for folder in folders for path in sorted(folder.glob("*.yaml"))]
    with suppress(HftError):
        paths.append(limits_path(desk.settings.limits))
    same = (p for p in paths if hashlib.sha256(p.read_bytes()).hexdigest() == wanted)
    return next(same, None)


def _run_files(desk: Desk, run: str) -> Iterator[tuple[str, bytes]]:
    from hft.api.replays import load

    folder = load(run, desk.root / desk.settings.replay_out).path
    for name in RUN_FILES:
        path = Path(folder) / name
        if path.is_file():
            yield f"runs/{Path(folder).name}/{name}", path.read_bytes()
