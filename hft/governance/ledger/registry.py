"""A folder of trials that a desk shares: what counts follows the data into a fresh workspace.

Chains and vectors of every workspace of the desk lie there. Before trials are counted, and after
one is written, both sides are given what the other has more of: a chain is only ever made longer by
rows that go on from it. It deletes nothing and decides nothing about trials.
"""

import os
from pathlib import Path

from hft.core.errors import JournalError, Unavailable
from hft.governance.ledger.union import SUFFIX, chain_files
from hft.storage.atomic import write_atomic
from hft.storage.lock import lock

VARIABLE = "HFT_ALPHA_REGISTRY"
VECTORS = ".arrow"


def exchange(folder: Path, registry: Path, returns: str) -> None:
    """Give ledger and registry what the other has more of.

    Raises: Unavailable where the registry is not there, JournalError where a chain there is another
    one than here, or cannot be read or written.
    """
    reached(registry)
    try:
        _vectors(folder / returns, registry / returns)  # before the rows that name them
        names = {path.name for place in (folder, registry) for path in chain_files(place)}
        for name in sorted(names):
            _chains(folder / name, registry / name)
    except OSError as error:
        where = error.filename or registry
        raise JournalError(f"{where}: {error.strerror or error}; trials cannot be shared") from None


def reached(registry: Path) -> None:
    """Raises: Unavailable where the registry is not there."""
    if not registry.is_dir():
        raise Unavailable(
            f"{VARIABLE}: {registry}: is not there, and a count of trials without it is no count; "
            "bring it back and ask again"
        )


def _chains(here: Path, there: Path) -> None:
    mine, theirs = _whole(here), _whole(there)
    if mine == theirs:
        return
    if theirs.startswith(mine):
        _extend(here, mine, theirs)
    elif mine.startswith(theirs):
        _extend(there, theirs, mine)
    else:
        raise JournalError(
            f"{here}: the registry has another chain of writer {here.name.removesuffix(SUFFIX)}; "
            f"one of the two was changed: compare it with {there}, and restore it from a copy"
        )


def _extend(path: Path, before: bytes, whole: bytes) -> None:
    """Add the rest under the file's lock, if it still is what it was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o664)
    try:
        lock(file, path)
        if _whole(path) == before:
            os.ftruncate(file, len(before))  # a torn line was never acknowledged
            os.write(file, whole[len(before) :])
            os.fsync(file)
    finally:
        os.close(file)


def _whole(path: Path) -> bytes:
    """The whole lines of a chain; an absent one has none."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return b""
    return content[: content.rfind(b"\n") + 1]


def _vectors(here: Path, there: Path) -> None:
    """Files named by what they hold: the same name is the same content."""
    mine, theirs = _names(here), _names(there)
    for source, target, names in ((here, there, mine - theirs), (there, here, theirs - mine)):
        for name in sorted(names):
            target.mkdir(parents=True, exist_ok=True)
            write_atomic(target / name, (source / name).read_bytes(), contended=True)


def _names(folder: Path) -> set[str]:
    try:
        return {name for name in os.listdir(folder) if name.endswith(VECTORS)}
    except FileNotFoundError:
        return set()
