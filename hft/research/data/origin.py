"""The tapes behind a feature folder: where they were, and whether they are still the same.

The manifest of the features has each tape's hash and its path as seen from the features, so that
both can be moved together. Tapes that are gone or were made again are not used: the rows stand
alone then, and a sentence says so.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hft.core.errors import HftError
from hft.tape.dataset import Tapes


def paths_of(tapes: Tapes, out: Path) -> dict[str, str]:
    """Each tape as seen from `out`, absolute where they share nothing; by hash."""
    found = {}
    for tape in tapes:
        home = tape.path.resolve().parent
        shared = os.path.commonpath([home, out.resolve()])
        near = shared != home.anchor
        text = os.path.relpath(home, out.resolve()) if near else str(home)
        found[tape.sha256] = f"{Path(text).as_posix()}/{tape.path.name}"
    return dict(sorted(found.items()))


def tapes_behind(folder: Path, manifest: Mapping[str, Any]) -> tuple[Tapes | None, str]:
    """The tapes that the manifest names; or None and a sentence that says what is missing."""
    from hft.runs.ingest import open_tapes

    told = manifest.get("tape_paths")
    if not told:
        return None, (
            f"{folder}: does not say where its tapes are, so that there is no replay; "
            "make the features again"
        )
    paths = [Path(folder, text).resolve() for text in told.values()]
    missing = [path for path in paths if not path.is_file()]
    if missing:
        return None, (
            f"{missing[0]}: the tape behind {folder} is not there any more, so that there is no "
            "replay; put it back, or make the features again from where it is"
        )
    try:
        tapes: Tapes = open_tapes([str(path) for path in paths])
    except HftError as error:
        return (
            None,
            f"the tapes behind {folder} cannot be opened, so that there is no replay: {error}",
        )
    if {tape.sha256 for tape in tapes} != set(told):
        return None, (
            f"{paths[0].parent}: holds other tapes than {folder} was made of, so that there is no "
            "replay; make the features again"
        )
    order = tuple(manifest.get("tape_order") or ())
    return Tapes(tapes.tapes, tapes.session, order), ""
