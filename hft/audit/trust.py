"""Who may sign, from a root outside of the workspace: its first keys, and every signed change.

The root (`HFT_TRUST_ROOT`) names the first keys and a quorum. Each later state of the keys file is
a row of the changes file beside it, signed by a quorum of people among the keys before. It decides
which keys count; a keys file that says otherwise is refused. It writes nothing: `keychange` does.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hft.audit.keys import Key, Keys
from hft.audit.sign import verify
from hft.core.errors import ConfigError, GovernanceError, HftError
from hft.storage.chain import Chain, canonical
from hft.storage.strict_yaml import load_yaml

VARIABLE = "HFT_TRUST_ROOT"
FILE = "trust.yaml"  # in a root that is a folder
FIELDS = ("quorum", "keys")
QUORUM_MIN = 2  # one stolen key must not change who may sign
KEEPERS = ("validator", "risk")  # roles with a vote: who submits alphas has none
ROW = "keys"  # the kind of the audit row of a change
UNROOTED = (
    "keys are as this workspace says: whoever can write config/keys.yaml can add one; "
    f"name the first keys outside of it with {VARIABLE}"
)


@dataclass(frozen=True)
class Root:
    """The first keys, and how many people a change of them needs."""

    keys: Keys
    quorum: int
    source: str
    sha256: str


@dataclass(frozen=True)
class KeyChange:
    """One state of the keys after another. Units: `ts_ns` UTC nanoseconds, never going back."""

    number: int
    ts_ns: int
    before: str  # the state before, as `state_of` has it
    text: str  # the keys file after it
    signatures: tuple[tuple[str, str], ...] = ()  # name and armour

    @property
    def payload(self) -> bytes:
        """What each signature covers."""
        after = hashlib.sha256(self.text.encode()).hexdigest()
        told = {"after": after, "before": self.before, "n": self.number, "ts": self.ts_ns}
        return b"hft-keys:" + canonical(told) + b"\n"

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "KeyChange":
        """From a row of the changes file. Raises: KeyError, TypeError, ValueError."""
        signed = tuple((str(one["name"]), str(one["sig"])) for one in row["signatures"])
        return cls(int(row["n"]), int(row["ts"]), str(row["before"]), str(row["keys"]), signed)

    def to_dict(self) -> dict[str, Any]:
        """As the changes file and a pending change have it."""
        return {
            "n": self.number,
            "ts": self.ts_ns,
            "before": self.before,
            "keys": self.text,
            "signatures": [{"name": name, "sig": sig} for name, sig in self.signatures],
        }


@dataclass(frozen=True)
class Trust:
    """The keys that count and why; without a root those that the workspace names.

    `wrong` says what does not hold, empty when all does; `hashes` are the rows of the changes file,
    the newest of `since_ns`.
    """

    keys: Keys
    root: Root | None = None
    hashes: tuple[str, ...] = ()
    since_ns: int = 0
    wrong: str = ""
    place: str = ""  # the file that `wrong` is about
    voters: tuple[tuple[Key, ...], ...] = ()  # of each change, as their entries were before it

    @property
    def words(self) -> str:
        """What everybody who decides is told of the keys."""
        if self.root is None:
            return UNROOTED
        return (
            f"keys from the root {self.root.sha256[:16]}, quorum {self.root.quorum}, "
            f"signed changes: {len(self.hashes)}"
        )

    @property
    def mark(self) -> str:
        """What a promotion file keeps of it."""
        if self.root is None:
            return "workspace"
        return f"root {self.root.sha256} quorum {self.root.quorum} change {len(self.hashes)}"


def read_root(path: Path, workspace: Path) -> Root:
    """The root in a file, or in `trust.yaml` of a folder.

    Raises: ConfigError for one inside of the workspace, one that cannot be read, or a quorum that
    one person, or nobody, could meet.
    """
    file = path / FILE if path.is_dir() else path
    real, inside = file.resolve(), workspace.resolve()
    if real.is_relative_to(inside):
        raise ConfigError(
            f"{VARIABLE}: {path}: lies in the workspace {inside}, so that whoever can write here "
            "can change it; put it elsewhere, best where only others may write"
        )
    try:
        content = real.read_bytes()
        given = load_yaml(content.decode("utf-8"), str(file))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is not UTF-8 text"
        raise ConfigError(f"{VARIABLE}: {file}: {reason}") from None
    if not isinstance(given, Mapping) or set(given) != set(FIELDS):
        raise ConfigError(f"{VARIABLE}: {file}: is not a mapping of {' and '.join(FIELDS)}")
    keys = Keys.from_rows(given["keys"], str(file))
    quorum = given["quorum"]
    if type(quorum) is not int or quorum < QUORUM_MIN:
        raise ConfigError(
            f"{file}: quorum: {quorum!r} is no number of at least {QUORUM_MIN}; with less one "
            "stolen key changes who may sign"
        )
    _enough(keys, quorum, str(file))
    return Root(keys, quorum, str(file), hashlib.sha256(content).hexdigest())


def trusted(root: Root | None, listed: Keys, changes: Path) -> Trust:
    """The keys that count: those of the workspace, or what a chain of signed changes leads to.

    `listed` are those of the keys file. What does not hold is in `wrong`; the keys are then those
    up to which all holds.
    """
    if root is None:
        return Trust(listed)
    keys, hashes, since_ns, wrong, voters = _followed(root, changes)
    if wrong:
        return Trust(keys, root, hashes, since_ns, f"{changes}: {wrong}", str(changes), voters)
    if state_of(listed) != state_of(keys):
        word = f"{listed.source}: {_difference(listed, keys)}, which no quorum signed; put it back "
        word += "with `hft audit keys restore`, or ask for it with `hft audit keys add` or `revoke`"
        return Trust(keys, root, hashes, since_ns, word, listed.source, voters)
    same = Keys(keys.rows, listed.hash, listed.source)
    return Trust(same, root, hashes, since_ns, voters=voters)


def _followed(
    root: Root, changes: Path
) -> tuple[Keys, tuple[str, ...], int, str, tuple[tuple[Key, ...], ...]]:
    """The keys after the last change that holds, the hashes so far, its time, what is wrong, and
    who signed each.
    """
    keys, ts = root.keys, 0
    hashes: list[str] = []
    voters: list[tuple[Key, ...]] = []
    try:
        rows = list(Chain(changes).read())
        damage = Chain(changes).verify().damage
    except HftError as error:
        return keys, (), 0, f"{error}; restore it from git", ()
    if damage is not None:
        return keys, (), 0, f"line {damage.line}: {damage.what}; restore it from git", ()
    for number, row in enumerate(rows, start=1):
        try:
            change = KeyChange.of(row)
        except (KeyError, TypeError, ValueError):
            wrong = f"line {number}: is no change of keys; restore it from git"
            return keys, tuple(hashes), ts, wrong, tuple(voters)
        wrong = refusal(change, number, keys, ts, root.quorum)
        if wrong:
            wrong = f"change {number}: {wrong}; restore the file from git"
            return keys, tuple(hashes), ts, wrong, tuple(voters)
        voters.append(tuple(voters_of(change, keys)))
        keys, ts = Keys.from_bytes(change.text.encode(), str(changes)), change.ts_ns
        hashes.append(str(row["row_hash"]))
    return keys, tuple(hashes), ts, "", tuple(voters)


def refusal(change: KeyChange, number: int, keys: Keys, since_ns: int, quorum: int) -> str:
    """Why a change does not follow `keys`; empty when a quorum of their people signed it."""
    wrong = unfit(change, number, keys, since_ns, quorum)
    signers = set() if wrong else signed_by(change, keys)
    if wrong or len(signers) >= quorum:
        return wrong
    have = ", ".join(sorted(signers)) or "nobody"
    return f"is signed by {have}, and needs {quorum} people with a role of {' or '.join(KEEPERS)}"


def unfit(change: KeyChange, number: int, keys: Keys, since_ns: int, quorum: int) -> str:
    """Why a change could not follow `keys`, whoever signs it; empty when it could."""
    if change.number != number or change.before != state_of(keys):
        return "was made for another state of the keys"
    if change.ts_ns < since_ns:
        return "is older than the change before it"
    try:
        after = Keys.from_bytes(change.text.encode(), "the keys after it")
        _enough(after, quorum, "the keys after it")
    except ConfigError as error:
        return str(error)
    return ""


def signed_by(change: KeyChange, keys: Keys) -> set[str]:
    """The people among `keys` with a vote whose signature fits and counted then."""
    return {key.name for key in voters_of(change, keys)}


def voters_of(change: KeyChange, keys: Keys) -> list[Key]:
    """Their entries."""
    found = []
    for name, signature in change.signatures:
        try:
            signer = verify(change.payload, signature, name, keys, change.ts_ns)
        except GovernanceError:
            continue
        if set(KEEPERS) & set(signer.roles):
            found += [key for key in keys if key.fingerprint == signer.fingerprint]
    return found


def state_of(keys: Keys) -> str:
    """SHA-256 of what a keys file says, however it is written."""
    fields = ("name", "emails", "roles", "key", "from_ns", "until_ns", "revoked_ns")
    told = [{name: _plain(getattr(key, name)) for name in fields} for key in keys]
    return hashlib.sha256(canonical({"keys": told})).hexdigest()


def forgotten(rows: Iterable[Mapping[str, Any]], trust: Trust) -> tuple[int, str]:
    """The first audit row of a change of keys that the changes file has not; (0, "") for none."""
    if trust.root is None:
        return 0, ""
    for row in rows:
        own = row["row"]
        if row["table"] != "control_log" or own.get("kind") != ROW or not own.get("new_state"):
            continue
        told = json.loads(own.get("evidence") or "{}")
        number, digest = int(told.get("n", 0)), str(told.get("row_hash", ""))
        if not 0 < number <= len(trust.hashes) or trust.hashes[number - 1] != digest:
            return int(row["seq"]), (
                f"audit row {row['seq']} has change {number} of the keys, which the file of "
                "changes has not; restore it from git"
            )
    return 0, ""


def late(rows: Iterable[Mapping[str, Any]], trust: Trust, now_ns: int) -> tuple[int, str]:
    """The first change that was made when too few of its signers' keys counted; (0, "") for none.

    What a change says of its own time is its signers' word: it was made when it was recorded, which
    is not before any row that stands before its own, or now where it is not recorded yet.
    """
    made, newest, retired = _recorded_at(rows)
    if trust.root is None or not newest or retired:
        return 0, ""
    for number, voters in enumerate(trust.voters, start=1):
        seq, at = made.get(number, (0, now_ns))
        refused = [words for key in voters if (words := key.refusal(at))]
        if len({key.name for key in voters if not key.refusal(at)}) < trust.root.quorum:
            when = f"audit row {seq}" if seq else "now, for no audit row has it"
            return seq, (
                f"change {number} of the keys says an older time than it was made at ({when}): "
                f"{'; '.join(refused)}; let a quorum whose keys count sign it anew"
            )
    return 0, ""


def _recorded_at(
    rows: Iterable[Mapping[str, Any]],
) -> tuple[dict[int, tuple[int, int]], int, bool]:
    """Row and time of each change, the newest time of all rows, and whether rows were retired."""
    made: dict[int, tuple[int, int]] = {}
    newest, retired = 0, False
    for row in rows:
        own, newest = row["row"], max(newest, int(row["ts"]))
        if row["table"] != "control_log":
            continue
        retired = retired or own.get("kind") == "retire"
        if own.get("kind") == ROW and own.get("new_state"):
            number = int(json.loads(own.get("evidence") or "{}").get("n", 0))
            made.setdefault(number, (int(row["seq"]), newest))
    return made, newest, retired


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _enough(keys: Keys, quorum: int, where: str) -> None:
    """Raises: ConfigError where fewer people could vote than a change needs."""
    people = {key.name for key in keys if set(KEEPERS) & set(key.roles) and key.revoked_ns is None}
    if len(people) < quorum:
        raise ConfigError(
            f"{where}: {len(people)} people with a role of {' or '.join(KEEPERS)} cannot make a "
            f"quorum of {quorum}; nobody could change the keys again"
        )


def _difference(listed: Keys, keys: Keys) -> str:
    """The first entry in which the keys file is another one."""
    known = {key.key: key for key in keys}
    there = {key.key: key for key in listed}
    for row, key in enumerate(listed, start=1):
        if key.key not in known:
            return f"row {row}: {key.name} has a key"
        if key != known[key.key]:
            return f"row {row}: the entry of {key.name} was changed"
    for key in keys:
        if key.key not in there:
            return f"the key {key.fingerprint} of {key.name} is gone"
    return "the order of its entries was changed"
