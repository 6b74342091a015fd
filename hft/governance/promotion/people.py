"""Four eyes: is the person who approves another one than the owner, and not the author?

Names, keys and addresses come from the keys file, and only for who shows that the private key is
theirs; the author from the last commit of the alpha's folder. Doubt refuses: a folder with changes
that nobody committed has no known author.
"""

import secrets
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hft.audit import repository
from hft.audit.keys import Key, Keys
from hft.audit.sign import read_key_file, sign, verify
from hft.core.errors import GovernanceError
from hft.research.alphas.file_access import CACHES

SUBMODULE = "160000"  # the mode of one, as `git ls-files -s` tells
HIDDEN = "hsS"  # `git ls-files -v`: changes of such a file are not looked for


@dataclass(frozen=True)
class Person:
    """Who acts: the entry of the key, and the user of the operating system."""

    key: Key
    os_user: str

    @property
    def name(self) -> str:
        return self.key.name

    def to_dict(self) -> dict[str, str]:
        """What the bundle keeps of the owner."""
        return {
            "name": self.name,
            "fingerprint": self.key.fingerprint,
            "os_user": self.os_user,
        }


@dataclass(frozen=True)
class Author:
    """Author and committer of the last commit of a folder; empty outside git."""

    names: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()


def person(
    keys: Keys, key_file: Path | None, name: str | None, os_user: str, now_ns: int
) -> Person:
    """The person a private key belongs to, by a signature made with it now.

    What a key file says about itself is not believed: anybody can write another one's public half
    into it. Raises: GovernanceError naming the fix, Unavailable without ssh-keygen.
    """
    if key_file is None:
        raise GovernanceError("no key to sign with; name one with --key or HFT_SIGNING_KEY")
    print_ = read_key_file(key_file).fingerprint
    found = next((key for key in keys if key.fingerprint == print_), None)
    if found is None:
        raise GovernanceError(
            f"{key_file}: its public half is not in {keys.source}; register it there"
        )
    if name is not None and name != found.name:
        raise GovernanceError(f"{key_file}: is the key of {found.name}, not of {name}")
    refused = found.refusal(now_ns)
    if refused:
        raise GovernanceError(refused)
    _proven(found, keys, key_file, now_ns)
    return Person(found, os_user)


def _proven(found: Key, keys: Keys, key_file: Path, now_ns: int) -> None:
    """A text nobody can have known is signed, and the signature checked."""
    text = f"hft-identity:{secrets.token_hex(32)}\n".encode()
    signature = sign(text, key_file)
    try:
        signer = verify(text, signature, found.name, keys, now_ns)
    except GovernanceError as error:
        raise GovernanceError(
            f"{key_file}: holds the public half of {found.name} but does not sign as that person "
            f"({error}); name your own key with --key"
        ) from None
    if signer.fingerprint != found.fingerprint:
        raise GovernanceError(f"{key_file}: signs with another key of {found.name} than it names")


def last_author(root: Path, folder: Path) -> Author:
    """Who wrote the last commit of `folder`; nobody where the workspace is not in git."""
    log = ("log", "-1", "--format=%an%x00%ae%x00%cn%x00%ce", "--", str(folder))
    parts = (_git(root, *log) or "").strip().split("\0")
    if len(parts) != 4:
        return Author()
    names = tuple(dict.fromkeys(part for part in (parts[0], parts[2]) if part))
    emails = tuple(dict.fromkeys(part.lower() for part in (parts[1], parts[3]) if part))
    return Author(names, emails)


def uncommitted(root: Path, folder: Path) -> str:
    """Why nobody knows who wrote what lies in `folder`; empty where git does, or is not used.

    A change that git was told to ignore, or not to look for, counts as one.
    """
    if not any((above / ".git").exists() for above in (root, *root.parents)):
        return ""
    shown = folder.relative_to(root) if folder.is_relative_to(root) else folder
    asked = ("--porcelain", "--untracked-files=all", "--ignored=matching", "-z")
    status = _git(root, "status", *asked, "--", str(folder))
    listed = _git(root, "ls-files", "-v", "-s", "-z", "--", str(folder))
    if status is None or listed is None:
        return f"{shown}: git cannot say what was committed; run `git status` there and mend it"
    changed = [one[3:] for one in status.split("\0") if _counts(one)]
    entries = [one.partition("\t") for one in listed.split("\0") if one]
    for told, _, path in entries:
        if told.split()[1] == SUBMODULE:
            return (
                f"{path}: is a repository of its own, whose commits are not of this one; add files"
            )
    changed += [path for told, _, path in entries if told[:1] in HIDDEN]
    if listed and not changed:
        return ""
    what = changed[0] if changed and changed[0].startswith(f"{shown}/") else str(shown)
    more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
    return (
        f"{what}{more}: not committed, so that nobody knows who wrote it; "
        "let the author commit it, then approve again"
    )


def _counts(entry: str) -> bool:
    """Is a line of `git status` a change? What is cached, or ignored and no source, is none."""
    parts = Path(entry[3:]).parts
    if not parts or any(part in CACHES for part in parts):
        return False
    return not entry.startswith("!!") or not parts[-1].startswith(".")


def _git(root: Path, *words: str) -> str | None:
    """What git says; None where it cannot."""
    try:
        done = repository.ask(root, list(words))
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done is None or done.returncode != 0:
        return None
    return done.stdout.decode("utf-8", "replace")


def same_person(owner: Mapping[str, Any], approver: Person, author: Author) -> list[str]:
    """Every way in which the approver is not a second pair of eyes; empty when they are."""
    found = []
    if approver.key.fingerprint == owner["fingerprint"]:
        found.append("the key is the owner's")
    if approver.name.casefold() == str(owner["name"]).casefold():
        found.append("the name is the owner's")
    if approver.os_user and approver.os_user == owner["os_user"]:
        found.append(f"the operating-system user {approver.os_user} is the owner's")
    by_name = approver.name.casefold() in {name.casefold() for name in author.names}
    by_mail = bool(set(approver.key.emails) & set(author.emails))
    if by_name or by_mail:
        found.append(f"{approver.name} wrote the last commit of the alpha's folder")
    return found
