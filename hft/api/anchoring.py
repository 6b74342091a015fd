"""The anchor remote at a desk: asked, brought up to date, and taken back from.

What it keeps is compared with the journal here; `verify` takes its rows where a clone has no
journal.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hft.api.desk import Desk, open_desk
from hft.audit.anchors import Anchor
from hft.audit.compare import CUT
from hft.audit.journal import LOCK_NAME, Journal
from hft.audit.remote import (
    CURE,
    VARIABLE,
    Kept,
    Remote,
    changes_told,
    disagreement,
    kept_of,
    readable,
)
from hft.audit.verify import ABSENT, REWRITTEN
from hft.audit.walk import Finding
from hft.core.errors import Busy, ConfigError, GovernanceError, Unavailable
from hft.governance.promotion.commit import exclusive
from hft.storage.atomic import write_atomic
from hft.storage.lock import lock, locked

ANCHOR = "ANCHOR_DOUBTFUL"
NOWHERE = (
    "nothing outside of this workspace keeps its newest rows: a git tag, export or promotion file "
    f"here is no anchor, whoever can write here can write it anew; name a remote with {VARIABLE}"
)


class Copy(Journal):
    """The rows of a journal as the remote keeps them, for a clone that has none."""

    def __init__(self, kept: Kept, url: str, key: bytes | None) -> None:
        super().__init__(Path(f"{url}#{kept.journal_id[:8]}"), key)
        self.kept = kept

    @property
    def path(self) -> Path:
        return self.folder

    def raw_lines(self) -> list[bytes]:
        return list(self.kept.lines)


def journal_for(desk: Desk, own: Journal, heads: Sequence[tuple[int, str]]) -> Journal:
    """The journal here, or where there is none the remote's one that the promotion files name."""
    found = desk.anchored.kept
    if own.raw_lines() or not found or desk.remote is None:
        return own
    if not heads and len(found) > 1:
        return own  # nothing here says which of them is this workspace's
    named = {
        journal: sum((seq, digest) in _heads(kept) for seq, digest in heads)
        for journal, kept in found.items()
    }
    best = max(sorted(named), key=lambda journal: named[journal])
    if heads and not named[best]:
        return own
    return Copy(found[best], desk.remote.url, desk.hmac_key)


def _heads(kept: Kept) -> set[tuple[int, str]]:
    return {(row["seq"], row["row_hash"]) for row in kept.rows}


def outside_of(desk: Desk) -> list[Anchor]:
    """The newest row that the remote keeps of this workspace's journal."""
    if desk.remote is None or desk.anchored.wrong:
        return []
    kept = kept_of(desk.anchored.kept or {}, desk.auditor.journal.raw_lines())
    if kept is None:
        return []
    return [Anchor(*kept.head, desk.remote.url, kept.journal_id, outside=True)]


def findings_of(desk: Desk, journal: Journal) -> tuple[list[Finding], list[str]]:
    """What the remote knows of the journal that it is not, and what has to be said beside."""
    if desk.remote is None:
        return [], [NOWHERE]
    found = desk.anchored
    if found.kept is None:
        return [], [f"not compared with the anchors elsewhere: {found.away}"]
    url = desk.remote.url
    allowed, unknown = desk.remote.promises()
    told = [Finding(ANCHOR, url, 0, "", f"{allowed}; {CONFIGURE}")] if allowed else []
    words = [f"{url}: {unknown}"] if unknown else []
    other = desk.rival(found.kept)
    if other:
        told.append(Finding(REWRITTEN, journal.path.name, 0, "", f"{journal.path.name}: {other}"))
    kept = kept_of(found.kept, journal.raw_lines())
    if kept is None:
        return told, [*words, f"{url}: keeps no row of this journal yet; `hft audit anchor`"]
    told += [Finding(ANCHOR, url, 0, "", text) for text in kept.doubts]
    wrong = disagreement(journal.raw_lines(), kept)
    if wrong:
        seq = int(wrong.partition("row ")[2].partition(" ")[0].rstrip(","))
        code = CUT if "ends before" in wrong else REWRITTEN
        told.append(Finding(code, journal.path.name, seq, "", f"{journal.path.name}: {wrong}"))
    if isinstance(journal, Copy):
        own = desk.auditor.journal
        if own.folder.is_dir():  # a clone has none
            place = own.path.name
            told.append(Finding(ABSENT, place, 0, "", f"{place}: is gone or empty; {CURE}"))
        return told, [*words, f"no journal is here: its rows are taken from {url}"]
    return told, [*words, *_waiting(journal, kept, url)]


CONFIGURE = (
    "set `receive.denyDeletes` and `receive.denyNonFastForwards` there, or protect the branches "
    "hft-anchors/*"
)


def _waiting(journal: Journal, kept: Kept, url: str) -> list[str]:
    """What happened here and does not stand there yet."""
    waits = [row for row in readable(journal.raw_lines()) if row["seq"] > kept.head.seq]
    if not waits:
        return [f"{url}: keeps every row up to {kept.head.seq}"]
    what = f"rows {waits[0]['seq']} to {waits[-1]['seq']}{changes_told(waits)}"
    return [f"pending: {what} do not stand at {url} yet; `hft audit anchor` brings them"]


def anchor(
    root: str | Path | None = None, *, now: Any = None, config: str | None = None
) -> dict[str, Any]:
    """Bring every row to the remote, and try what it allows.

    Raises: ConfigError without a remote, Unavailable, GovernanceError for a journal that is cut.
    """
    desk = _desk(root, now, config)
    assert desk.remote is not None
    try:
        brought = desk.remote.push(desk.auditor.journal)
    except (Unavailable, GovernanceError):
        desk.auditor.anchor()
        raise
    allowed, unknown = desk.remote.promises()
    return {
        "remote": desk.remote.url,
        "brought": brought,
        "seq": desk.auditor.journal.head().seq,
        "allows": allowed,
        "unknown": unknown,
    }


def restore(
    root: str | Path | None = None, *, now: Any = None, config: str | None = None
) -> dict[str, Any]:
    """The rows that the journal lacks, from the remote; an other journal is put aside first.

    Raises: ConfigError without a remote, Unavailable, GovernanceError where the remote keeps none.
    """
    desk = _desk(root, now, config)
    assert desk.remote is not None
    # An approval at work would go on with rows that are about to change.
    with exclusive(desk.workspace.state / "promotions"), _held(desk.auditor.journal) as lines:
        return _restored(desk, desk.remote, lines)


@contextmanager
def _held(own: Journal) -> Iterator[list[bytes]]:
    """The lines of the journal, which nobody adds to meanwhile; who waits finds the new file.

    Where there is none nobody begins one.
    """
    try:
        file = os.open(own.path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        with locked(own.folder / LOCK_NAME, doing="restores the journal"):
            if own.path.exists():
                raise Busy(f"{own.path}: was begun meanwhile; try again") from None
            yield []
        return
    try:
        lock(file, own.path)
        with os.fdopen(os.dup(file), "rb") as stream:
            lines = stream.readlines()
        yield lines
    finally:
        os.close(file)


def _restored(desk: Desk, remote: Remote, lines: list[bytes]) -> dict[str, Any]:
    own = desk.auditor.journal
    kept = remote.kept()
    there = kept_of(kept, lines) if lines else next(iter(kept.values()), None)
    if there is None or (not lines and len(kept) > 1):
        raise GovernanceError(
            f"{remote.url}: keeps {len(kept)} journals, and which is this workspace's cannot "
            "be told; copy the right branch by hand"
        )
    if not disagreement(lines, there) and lines:
        return {"restored": 0, "aside": None}
    aside = None
    if lines:
        aside = own.path.with_name(f"{own.path.name}.{desk.now_ns}.aside")
        write_atomic(aside, b"".join(lines))
    write_atomic(own.path, b"".join(there.lines))
    lost = len(there.lines) - sum(line in set(lines) for line in there.lines)
    return {"restored": lost, "aside": None if aside is None else str(aside)}


def _desk(root: Any, now: Any, config: str | None) -> Desk:
    desk = open_desk(root, now=now, config=config)
    if desk.remote is None:
        raise ConfigError(f"{VARIABLE} is not set; name a git repository that takes nothing back")
    return desk
