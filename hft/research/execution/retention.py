"""Tapes that carry a signal: which copies under a replay folder may go.

A copy is as large as the tapes behind it, and every change of a signal makes another. One stays
while any run folder names it, since a run is verified against its tapes; the newest few stay in
any case, since a replay that goes on now has no run folder yet. Nothing else is ever removed.
"""

import re
import shutil
from pathlib import Path

from hft.core.errors import JournalError
from hft.runs.folder.reader import RunReader

KEPT = 3
_NAME = re.compile(r"[0-9a-f]{16}")


def prune(folder: Path, kept: int = KEPT) -> list[Path]:
    """Remove the copies of `folder` that no run needs; the folders that went.

    With a run whose manifest cannot be read nothing is removed: what it needs is not known.
    """
    needed = _needed(folder / "runs")
    if needed is None:
        return []
    copies = sorted(
        (
            path
            for path in (folder / "tapes").glob("*")
            if _NAME.fullmatch(path.name) and path.is_dir() and not path.is_symlink()
        ),
        key=lambda path: (path.stat().st_mtime_ns, path.name),
        reverse=True,
    )
    gone = [path for path in copies[kept:] if path.name not in needed]
    for path in gone:
        shutil.rmtree(path, ignore_errors=True)
    return gone


def _needed(runs: Path) -> set[str] | None:
    """The names of the copies that run folders, whole or partial, were made on."""
    found: set[str] = set()
    for path in sorted(runs.glob("*/manifest.json")):
        try:
            tapes = RunReader(path.parent).manifest["tapes"]
            found |= {Path(one["path"]).parent.name for one in tapes}
        except (JournalError, KeyError, TypeError):
            return None
    return found
