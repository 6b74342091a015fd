"""Heads of the chain that were kept elsewhere: in promotion files, exports and git tags.

A chain that fits in itself may still be another one than it was; an anchor is what tells. Nothing
here judges a journal: `verify` compares. Tags are made and read with `git`, signed with the
person's own key where one is given.
"""

import json
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hft.audit import repository
from hft.audit.ed25519 import BEGIN, BadSignature, check_armoured
from hft.audit.journal import Row
from hft.audit.keys import Keys
from hft.core.errors import DataError, JournalError
from hft.storage.chain import Chain, Head

TAG = "hft-audit-"
EXPORTS = "audit_anchors"


@dataclass(frozen=True)
class Anchor:
    """That row `seq` had this hash, and where it says so; `doubt` is why it counts less.

    `outside`: whoever can write the workspace cannot change it. A tag or an export in it is not.
    """

    seq: int
    hash: str
    source: str
    journal_id: str = ""
    doubt: str = ""
    outside: bool = False


def ledger_heads(
    rows: Iterable[Row], promotions: Iterable[Mapping[str, Any]] = ()
) -> dict[str, dict[str, Any]]:
    """The newest head of each ledger writer that audit rows and promotion files name.

    `promotions` are the contents of promotion files.
    """
    newest: dict[str, dict[str, Any]] = {}
    sets = [json.loads(row["ledger_heads"] or "{}") for row in rows]
    sets += [promotion["heads"]["ledger"] for promotion in promotions]
    for heads in sets:
        for writer, head in heads.items():
            if head["seq"] > newest.get(writer, {"seq": -1})["seq"]:
                newest[writer] = {"seq": int(head["seq"]), "hash": str(head["hash"])}
    return dict(sorted(newest.items()))


def exports_path(folder: Path, journal_id: str) -> Path:
    """Where the heads of exports are kept, tracked in git: one chained file per journal."""
    return folder / EXPORTS / f"{journal_id}.jsonl"


def note_export(folder: Path, journal_id: str, head: Head, out: str, sha256: str) -> None:
    """Keep the head of an export. Raises: JournalError."""
    row = {"head_seq": head.seq, "head_hash": head.hash, "file": out, "sha256": sha256}
    Chain(exports_path(folder, journal_id)).append([row])


def from_exports(folder: Path) -> list[Anchor]:
    """The heads of every export that was noted, of any journal.

    Raises: JournalError when a note cannot be read.
    """
    found = []
    for path in sorted((folder / EXPORTS).glob("*.jsonl")):
        chain = Chain(path)
        checked = chain.verify()
        doubt = "" if checked.damage is None else f"line {checked.damage.line} was changed"
        for row in chain.read():
            source = f"{path.name}: export {row.get('file', '')}"
            seq, head = int(row.get("head_seq", 0)), str(row.get("head_hash", ""))
            found.append(Anchor(seq, head, source, path.stem, doubt))
    return found


def from_export_file(path: Path) -> Anchor:
    """The head in the first line of an export. Raises: DataError."""
    try:
        with open(path, "rb") as file:
            head = json.loads(file.readline())
        seq, digest, journal = head["head"]["seq"], head["head"]["hash"], head["journal_id"]
        return Anchor(seq, digest, str(path), journal, outside=True)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from None
    except (ValueError, KeyError, TypeError):
        raise DataError(f"{path}: line 1: is not the head of an audit export") from None


def make_tag(root: Path, head: Head, journal_id: str, key: Path | None = None) -> str:
    """Tag the newest commit with the head of the chain; returns why not, empty when it is there.

    An unsigned tag is made where no key is given.
    """
    name = f"{TAG}{head.seq}"
    text = f"hft audit\n\nseq: {head.seq}\nrow_hash: {head.hash}\njournal: {journal_id}\n"
    words = ["-c", "user.name=hft", "-c", "user.email=hft@localhost"] if not key else []
    if key is not None:
        words = ["-c", "gpg.format=ssh", "-c", f"user.signingkey={key.absolute()}", *words]
    kind = "-s" if key is not None else "-a"
    done = _git(root, [*words, "tag", kind, "--no-column", "-F", "-", name], text)
    if done is None:
        return "git is not installed"
    if done.returncode == 0:
        return ""
    there = _git(root, ["cat-file", "tag", name])
    if there is not None and there.returncode == 0 and f"row_hash: {head.hash}" in there.stdout:
        return ""
    lines = done.stderr.strip().splitlines()
    return lines[-1].strip() if lines else "git refused the tag"


def from_tags(root: Path, keys: Keys) -> list[Anchor]:
    """The heads in the tags of the repository at `root`; empty outside git."""
    done = _git(root, ["for-each-ref", "--format=%(refname:strip=2)", f"refs/tags/{TAG}*"])
    if done is None or done.returncode != 0:
        return []
    names = sorted(done.stdout.split())
    found = []
    for name in names:
        content = _git(root, ["cat-file", "tag", name])
        if content is not None and content.returncode == 0:
            found.append(_tag(name, content.stdout, keys))
    return found


def _tag(name: str, content: str, keys: Keys) -> Anchor:
    said = dict(line.split(": ", 1) for line in content.splitlines() if line.count(": ") == 1)
    source = f"git tag {name}"
    try:
        seq, head, journal = int(said["seq"]), said["row_hash"], said.get("journal", "")
    except (KeyError, ValueError):
        return Anchor(0, "", source, doubt="says no seq and row_hash")
    payload, begin, rest = content.partition(BEGIN)
    if not begin:
        return Anchor(seq, head, source, journal, "is not signed")
    try:
        public = check_armoured(payload.encode(), begin + rest, "git")
    except BadSignature as error:
        return Anchor(seq, head, source, journal, f"its signature fails: {error}")
    known = keys.by_public(public)
    return Anchor(seq, head, source, journal, "" if known else "is signed by an unknown key")


def _git(root: Path, words: list[str], text: str = "") -> "subprocess.CompletedProcess[str] | None":
    try:
        done = repository.ask(root, words, text)
    except subprocess.TimeoutExpired:
        raise JournalError("git did not answer within 20 s; try again") from None
    if done is None:
        return None
    out, err = (part.decode("utf-8", "replace") for part in (done.stdout, done.stderr))
    return subprocess.CompletedProcess(done.args, done.returncode, out, err)
