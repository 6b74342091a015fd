"""Four eyes: is the person who approves another one than the owner, and not the author?

Names, keys and addresses come from the keys file; the author from the last commit of the alpha's
folder. Doubt refuses: a folder with changes that nobody committed has no known author.
"""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hft.audit.keys import Key, Keys
from hft.audit.sign import read_key_file
from hft.core.errors import GovernanceError

TIMEOUT_S = 20.0


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
    """The person a private key belongs to. Raises: GovernanceError naming the fix."""
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
    return Person(found, os_user)


def last_author(root: Path, folder: Path) -> Author:
    """Who wrote the last commit of `folder`; nobody where the workspace is not in git."""
    words = ["log", "-1", "--format=%an%x00%ae%x00%cn%x00%ce", "--", str(folder)]
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *words],
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return Author()
    parts = done.stdout.decode("utf-8", "replace").strip().split("\0")
    if done.returncode != 0 or len(parts) != 4:
        return Author()
    names = tuple(dict.fromkeys(part for part in (parts[0], parts[2]) if part))
    emails = tuple(dict.fromkeys(part.lower() for part in (parts[1], parts[3]) if part))
    return Author(names, emails)


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
