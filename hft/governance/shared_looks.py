"""Looks at a vault in the folder that a desk shares: they count in a fresh workspace, too.

A file a look, named by the hash of what it holds: its audit row as the journal of its workspace has
it. What somebody takes out of the folder is brought back by the next call of a workspace that has
it. Nothing is taken out here.
"""

import hashlib
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from hft.core.errors import JournalError, Unavailable
from hft.governance.ledger.registry import VARIABLE
from hft.governance.vault import ELSEWHERE, KIND, TABLE
from hft.storage.atomic import write_atomic
from hft.storage.chain_row import NotARow, canonical, parse
from hft.storage.lock import locked

FOLDER, LOCK, SUFFIX = "vault_looks", "vault_looks.lock", ".json"


def only_one(registry: Path, doing: str) -> AbstractContextManager[int]:
    """Of all workspaces of the desk one decides at a time. Raises: Busy, Unavailable."""
    _there(registry)
    return locked(registry / LOCK, doing=doing)


def exchanged(registry: Path | None, rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The audit rows of this workspace, and looks of others behind them; what those lack is brought
    to them.

    Raises: Unavailable where the registry is away, JournalError for a look there that is not what
    its name says.
    """
    own = list(rows)
    if registry is None:
        return own
    _there(registry)
    mine = {_name(content): content for content in map(canonical, filter(_is_look, own))}
    try:
        (registry / FOLDER).mkdir(exist_ok=True)
        for name, content in mine.items():
            path = registry / FOLDER / name
            if not path.is_file() or path.read_bytes() != content:
                write_atomic(path, content, contended=True)
        others = sorted(
            path for path in (registry / FOLDER).glob(f"*{SUFFIX}") if path.name not in mine
        )
        return [*own, *({**_read(path), ELSEWHERE: True} for path in others)]
    except OSError as error:
        where = error.filename or registry
        raise JournalError(f"{where}: {error.strerror or error}; looks cannot be shared") from None


def _there(registry: Path) -> None:
    if not registry.is_dir():
        raise Unavailable(
            f"{VARIABLE}: {registry}: is not there, and a count of looks without it is no count"
        )


def _is_look(row: Mapping[str, Any]) -> bool:
    return row.get("table") == TABLE and row["row"].get("kind") == KIND


def _name(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest() + SUFFIX


def _read(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    try:
        if path.name == _name(content):
            return parse(content)
    except NotARow:
        pass
    raise JournalError(
        f"{path}: is not the look that its name says; `hft alpha vault` in the workspace that took "
        "it writes it again"
    )
