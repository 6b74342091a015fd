"""The alphas of a workspace, each described by its own worker: none is imported to be listed."""

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from hft.core.errors import ValidationError
from hft.research.alphas.ids import alpha_id
from hft.research.alphas.loader import IMPL, folders, unknown
from hft.research.alphas.manifest import AlphaManifest
from hft.research.worker.client import WorkerAlpha
from hft.research.workspace import Workspace


@dataclass(frozen=True)
class Entry:
    """One alpha as it describes itself."""

    manifest: AlphaManifest
    folder: Path
    code_hash: str


@dataclass(frozen=True)
class Roster:
    """The alphas of a workspace by id, and a sentence for each folder that gives none."""

    alphas: Mapping[str, Entry] = field(default_factory=dict)
    errors: tuple[str, ...] = ()


def roster(workspace: Workspace) -> Roster:
    """Every alpha of the workspace. Raises: Unavailable; never for what an alpha does."""
    found: dict[str, Entry] = {}
    errors: list[str] = []
    with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        for entry in threads.map(_described, folders(workspace)):
            if isinstance(entry, str):
                errors.append(entry)
                continue
            name = entry.manifest.alpha_id
            known = found.setdefault(name, entry)
            if known is not entry:
                errors.append(
                    f"{entry.folder}: alpha {name!r} is already in {known.folder}; rename one"
                )
    return Roster(found, tuple(errors))


def _described(folder: Path) -> Entry | str:
    try:
        with WorkerAlpha(folder) as alpha:
            return Entry(alpha.manifest, folder, alpha.code_hash)
    except ValidationError as error:
        return str(error)


def find(workspace: Workspace, identifier: str) -> WorkerAlpha:
    """One alpha of a workspace by its id, opened; to be closed.

    Raises: ValidationError that lists the ids there are, or why it fails; Unavailable.
    """
    wanted = alpha_id(identifier)
    straight = workspace.alphas / wanted
    known, errors = [], []
    others = [folder for folder in folders(workspace) if folder != straight]
    for folder in [straight, *others] if (straight / IMPL).is_file() else others:
        try:
            found = WorkerAlpha(folder)
        except ValidationError as error:
            if folder == straight:
                raise
            errors.append(str(error))
            continue
        if found.alpha_id == wanted:
            return found
        found.close()
        known.append(found.alpha_id)
    none = unknown(wanted, known, errors)
    if (
        straight / IMPL
    ).is_file():  # no slip of the pen: there is code, which calls itself otherwise
        raise ValidationError(str(none))
    raise none
