"""Changing who may sign under a root of trust: asked for by one person, signed by a quorum.

A change waits as a file beside the keys, so that it travels by git from one signer to the next.
With the last signature it becomes a row of the changes file, the keys file and an audit row.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hft.audit.keys import Key, Keys, dump, entry, moment
from hft.audit.sign import read_key_file, sign
from hft.audit.trust import KEEPERS, ROW, KeyChange, Trust, signed_by, state_of, unfit
from hft.core.errors import ConfigError, GovernanceError
from hft.core.json_text import page
from hft.storage.atomic import write_atomic
from hft.storage.chain import Chain


@dataclass(frozen=True)
class Step:
    """What became of a change: who signed, how many more it needs; `row_hash` once it counts."""

    number: int
    signers: tuple[str, ...]
    lacking: int
    after: str = ""
    row_hash: str = ""

    @property
    def applied(self) -> bool:
        """Whether the keys are others now."""
        return bool(self.row_hash)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {**self.__dict__, "signers": list(self.signers), "applied": self.applied}


def changes_file(keys: Path) -> Path:
    """Where the signed changes of a keys file are; tracked in git beside it."""
    return keys.with_name(f"{keys.stem}.changes.jsonl")


def pending_file(keys: Path) -> Path:
    """Where a change waits for signatures."""
    return keys.with_name(f"{keys.stem}.pending.json")


def with_key(keys: Keys, name: str, public: str, **more: Any) -> str:
    """The text of a keys file with one entry more. Raises: ConfigError."""
    text = dump([*map(_row, keys), entry(name, public, **more)])
    Keys.from_bytes(text.encode(), "the keys after it")
    return text


def without_key(keys: Keys, who: str, at_ns: int) -> str:
    """The text of a keys file in which every key of a person, or the one with a fingerprint, is
    revoked from a time on. Raises: GovernanceError where nobody is meant.
    """
    named = [key for key in keys if who in (key.name, key.fingerprint) and key.revoked_ns is None]
    if not named:
        known = ", ".join(sorted({key.name for key in keys}))
        raise GovernanceError(f"{who}: has no key that counts; there are {known}")
    rows = [_row(key) | ({"revoked": moment(at_ns)} if key in named else {}) for key in keys]
    return dump(rows)


def propose(path: Path, trust: Trust, text: str, key: Path, now_ns: int) -> Step:
    """Ask for the keys of `text`, with the first signature.

    Raises: GovernanceError where another change waits, or for a key without a vote.
    """
    file = pending_file(path)
    if file.exists():
        raise GovernanceError(
            f"{file}: a change waits for signatures; sign it with `hft audit keys sign`, or "
            "remove the file"
        )
    change = KeyChange(len(trust.hashes) + 1, now_ns, state_of(trust.keys), text)
    return signed(path, trust, change, key, now_ns)


def waiting(path: Path, trust: Trust) -> KeyChange:
    """The change that waits for signatures. Raises: GovernanceError."""
    assert_rooted(trust, path)
    file = pending_file(path)
    try:
        change = KeyChange.of(json.loads(file.read_bytes()))
    except FileNotFoundError:
        raise GovernanceError(f"{file}: no change of the keys waits") from None
    except (OSError, ValueError, KeyError, TypeError):
        raise GovernanceError(f"{file}: cannot be read; remove it and ask again") from None
    if (change.number, change.before) != (len(trust.hashes) + 1, state_of(trust.keys)):
        raise GovernanceError(
            f"{file}: was made for another state of the keys; remove it and ask again"
        )
    return change


def difference(keys: Keys, text: str) -> list[str]:
    """What a change does, a sentence an entry: nobody signs what was not shown."""
    before = {key.key: key for key in keys}
    after = {key.key: key for key in Keys.from_bytes(text.encode(), "the keys after it")}
    told = [f"adds {_shown(key)}" for name, key in after.items() if name not in before]
    told += [f"removes {_shown(key)}" for name, key in before.items() if name not in after]
    for name in before.keys() & after.keys():
        if before[name] != after[name]:
            told.append(f"changes {_shown(before[name])} to {_shown(after[name])}")
    return told


def signed(path: Path, trust: Trust, change: KeyChange, key: Path, now_ns: int) -> Step:
    """One more signature; with the last of the quorum the keys are others.

    Raises: GovernanceError for a key without a vote, a second signature of one person, or a change
    that could never count.
    """
    assert trust.root is not None
    signer = _voter(trust.keys, key, now_ns)
    if signer.name in signed_by(change, trust.keys):
        raise GovernanceError(f"{signer.name} signed this change before; another person signs next")
    own = (signer.name, sign(change.payload, key))
    change = replace(change, signatures=(*change.signatures, own))
    signers = signed_by(change, trust.keys)
    step = Step(change.number, tuple(sorted(signers)), max(0, trust.root.quorum - len(signers)))
    wrong = unfit(change, change.number, trust.keys, trust.since_ns, trust.root.quorum)
    if wrong:  # what could never count is not handed to the next person
        raise GovernanceError(f"this change of the keys cannot be: {wrong}")
    if step.lacking:
        write_atomic(pending_file(path), page(change.to_dict()))
        return step
    added = Chain(changes_file(path)).append([change.to_dict()])
    write_atomic(path, change.text)
    pending_file(path).unlink(missing_ok=True)
    after = state_of(Keys.from_bytes(change.text.encode(), str(path)))
    return replace(step, after=after, row_hash=added.hashes[0])


def complete(
    path: Path, trust: Trust, rows: Iterable[Mapping[str, Any]], record: Callable[..., Any]
) -> list[str]:
    """What a crash kept from changes that count: their audit rows, and the end of waiting.

    A sentence for each. `record` takes the values of a `control_log` row. Where rows were retired
    older changes may have lost theirs, and nothing is done.
    """
    control = [row["row"] for row in rows if row["table"] == "control_log"]
    if trust.wrong or any(own.get("kind") == "retire" for own in control):
        return []
    known = {own["new_state"] for own in control if own.get("kind") == ROW}
    said = []
    for number, digest in enumerate(trust.hashes, start=1):
        if f"change {number}" in known:
            continue
        told = {"n": number, "row_hash": digest}
        if number == len(trust.hashes):
            told["after"] = state_of(trust.keys)
        record(row_of("a change that was cut off by a crash is completed", told, number))
        said.append(f"change {number} of the keys was cut off, and is completed")
    if said and _number(pending_file(path)) <= len(trust.hashes):
        pending_file(path).unlink(missing_ok=True)
    return said


def _number(pending: Path) -> int:
    """Which change waits; 0 for none that can be read."""
    try:
        return KeyChange.of(json.loads(pending.read_bytes())).number
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def row_of(cause: str, evidence: Mapping[str, Any], number: int = 0) -> dict[str, Any]:
    """The values of an audit row about the keys; `number` is that of a change that counts now."""
    return {
        "scope": "keys",
        "kind": ROW,
        "old_state": "",
        "new_state": f"change {number}" if number else "",
        "cause": cause,
        "evidence": dict(evidence),
    }


def _voter(keys: Keys, key: Path, now_ns: int) -> Key:
    """Raises: GovernanceError for a key that has no vote now."""
    print_ = read_key_file(key).fingerprint
    found = next((one for one in keys if one.fingerprint == print_), None)
    if found is None:
        raise GovernanceError(f"{key}: is none of the keys that count here")
    wrong = found.refusal(now_ns)
    if not wrong and not set(KEEPERS) & set(found.roles):
        wrong = f"{found.name}: a change of the keys needs a role of {' or '.join(KEEPERS)}"
    if wrong:
        raise GovernanceError(wrong)
    return found


def _row(key: Key) -> dict[str, Any]:
    """An entry as the file has it."""
    ends: Mapping[str, int | None] = {"until": key.until_ns, "revoked": key.revoked_ns}
    return {
        "name": key.name,
        "emails": list(key.emails),
        "roles": list(key.roles),
        "key": key.key,
        "from": moment(key.from_ns),
        **{name: None if at is None else moment(at) for name, at in ends.items()},
    }


def text_of(keys: Keys) -> str:
    """The keys file that says these keys."""
    return dump([_row(key) for key in keys])


def _shown(key: Key) -> str:
    roles: Sequence[str] = key.roles
    end = f", revoked at {moment(key.revoked_ns)}" if key.revoked_ns is not None else ""
    return f"{key.fingerprint} of {key.name} ({', '.join(roles)}{end})"


def assert_rooted(trust: Trust, keys: Path) -> None:
    """Raises: ConfigError without a root: then nobody's signature changes anything."""
    if trust.root is None:
        raise ConfigError(
            f"HFT_TRUST_ROOT is not set, so that {keys} counts as it lies there; edit it by hand, "
            "or name a root (docs/audit.md)"
        )
