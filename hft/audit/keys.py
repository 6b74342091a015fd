"""Who may sign as what: the people of `config/keys.yaml`, their keys, roles and times.

It decides whether a key counts at a moment, and whether two entries are one person. A person may
have several keys, one after another; a key and an e-mail address belong to one person only. It
never reads a private key; signing and checking are in `sign`.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from hft.audit.ed25519 import KEY_TYPE, BadSignature, public_of
from hft.core.errors import ConfigError, GovernanceError
from hft.storage.chain import canonical
from hft.storage.strict_yaml import load_yaml
from hft.storage.yaml_text import dump_yaml

ROLES = ("owner", "validator", "risk", "operator")
NAMESPACE = "hft"
FIELDS = ("name", "emails", "roles", "key", "from", "until", "revoked")
SECOND_NS = 1_000_000_000
NAME = re.compile(r"\S(?:.*\S)?")


@dataclass(frozen=True)
class Key:
    """One entry: a person's key, what it may sign, and when.

    Units: UTC nanoseconds; `from_ns` inclusive, `until_ns` and `revoked_ns` exclusive. A key that
    was revoked without a time never counted.
    """

    name: str
    emails: tuple[str, ...]
    roles: tuple[str, ...]
    key: str  # type and base64, without a comment
    from_ns: int
    until_ns: int | None
    revoked_ns: int | None

    @property
    def blob(self) -> bytes:
        """The public key as SSH packs it."""
        return base64.b64decode(self.key.split()[1])

    @property
    def public(self) -> bytes:
        """The 32 bytes of the public key."""
        return public_of(self.blob)

    @property
    def fingerprint(self) -> str:
        """As `ssh-keygen -l` prints it."""
        return fingerprint(self.blob)

    @property
    def principal(self) -> str:
        """The name as ssh-keygen takes it: one word without wild cards."""
        return quote(self.name, safe="@+")

    @property
    def end_ns(self) -> int | None:
        """The first moment at which it no longer counts."""
        return min((t for t in (self.until_ns, self.revoked_ns) if t is not None), default=None)

    def refusal(self, at_ns: int) -> str:
        """Why the key does not count at a moment; empty when it does."""
        if self.revoked_ns is not None and at_ns >= self.revoked_ns:
            since = f" since {moment(self.revoked_ns)}" if self.revoked_ns else ""
            return f"the key {self.fingerprint} of {self.name} is revoked{since}"
        if at_ns < self.from_ns:
            return f"the key {self.fingerprint} of {self.name} counts from {moment(self.from_ns)}"
        if self.until_ns is not None and at_ns >= self.until_ns:
            return (
                f"the key {self.fingerprint} of {self.name} expired at {moment(self.until_ns)}; "
                "register a new one in config/keys.yaml"
            )
        return ""


@dataclass(frozen=True)
class Keys:
    """Every entry of the file in its order, and the SHA-256 of its bytes ("" without a file)."""

    rows: tuple[Key, ...]
    hash: str = ""
    source: str = "config/keys.yaml"

    @classmethod
    def read(cls, path: Path) -> "Keys":
        """The keys of a file; an absent one has none. Raises: ConfigError naming row and field."""
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return cls((), "", str(path))
        except OSError as error:
            reason = error.strerror or "cannot be read"
            raise ConfigError(f"{path}: {reason}; it lists who may sign") from None
        return cls.from_bytes(content, str(path))

    @classmethod
    def from_bytes(cls, content: bytes, source: str = "keys.yaml") -> "Keys":
        """The keys in the bytes of a file. Raises: ConfigError naming row and field."""
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError:
            raise ConfigError(f"{source}: is not UTF-8 text; save it as UTF-8") from None
        rows = load_yaml(text, source)
        found = cls.from_rows([] if rows is None else rows, source)
        return cls(found.rows, hashlib.sha256(content).hexdigest(), source)

    @classmethod
    def from_rows(cls, rows: Any, source: str = "keys") -> "Keys":
        """The keys of plain rows; the hash is that of their canonical form. Raises: ConfigError."""
        if not isinstance(rows, Sequence) or isinstance(rows, str):
            raise ConfigError(f"{source}: is not a list of keys; begin each with `- name: ...`")
        keys = tuple(_key(row, f"{source}: row {n}") for n, row in enumerate(rows, start=1))
        _refuse_shared(keys, source)
        digest = hashlib.sha256(canonical({"keys": [dict(row) for row in rows]})).hexdigest()
        return cls(keys, digest, source)

    def __iter__(self) -> Iterator[Key]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def of(self, name: str) -> tuple[Key, ...]:
        """Every key of a person. Raises: GovernanceError listing who is known."""
        found = tuple(key for key in self.rows if key.name == name)
        if not found:
            known = ", ".join(sorted({key.name for key in self.rows})) or "nobody yet"
            raise GovernanceError(f"{name}: is not in {self.source}, which knows {known}")
        return found

    def by_public(self, public: bytes) -> Key | None:
        """The entry of a 32-byte public key."""
        return next((key for key in self.rows if key.public == public), None)

    def allowed_signers(self) -> str:
        """The file that `ssh-keygen -Y verify` reads; times are in UTC."""
        return "".join(_allowed(key) for key in self.rows)


def fingerprint(blob: bytes) -> str:
    """SHA256:... of a public key as SSH packs it."""
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    return f"SHA256:{digest}"


def entry(
    name: str,
    public: str,
    *,
    emails: Sequence[str] = (),
    roles: Sequence[str] = ROLES,
    from_ns: int = 0,
) -> dict[str, Any]:
    """A row for the file; `public` is the text of a .pub file. Raises: ConfigError."""
    row = {
        "name": name,
        "emails": list(emails),
        "roles": list(roles),
        "key": " ".join(public.split()[:2]),
        "from": moment(from_ns),
        "until": None,
        "revoked": None,
    }
    _key(row, "key")
    return row


def dump(rows: Sequence[Mapping[str, Any]]) -> str:
    """The text of a keys file."""
    return dump_yaml([dict(row) for row in rows]) if rows else "[]\n"


def moment(at_ns: int) -> str:
    """A time as the file writes it."""
    return datetime.fromtimestamp(at_ns // SECOND_NS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _allowed(key: Key) -> str:
    end = key.end_ns
    if end is not None and end <= key.from_ns:
        return ""  # it never counted
    options = [f'namespaces="{NAMESPACE}"']
    if key.from_ns:  # ssh-keygen takes the first moment of 1970 for a mistake
        options.append(f'valid-after="{stamp(key.from_ns)}"')
    if end is not None:
        # To ssh-keygen the last second still counts.
        options.append(f'valid-before="{stamp(end - SECOND_NS)}"')
    return f"{key.principal} {','.join(options)} {key.key}\n"


def stamp(at_ns: int) -> str:
    """A time as ssh-keygen reads it."""
    return datetime.fromtimestamp(at_ns // SECOND_NS, UTC).strftime("%Y%m%d%H%M%S")


def _key(row: Any, where: str) -> Key:
    if not isinstance(row, Mapping):
        raise ConfigError(f"{where}: is not a mapping with {', '.join(FIELDS)}")
    unknown = [str(field) for field in row if field not in FIELDS]
    if unknown:
        raise ConfigError(
            f"{where}: {unknown[0]}: is not a known field; the fields are {', '.join(FIELDS)}"
        )
    missing = [field for field in ("name", "roles", "key", "from") if field not in row]
    if missing:
        raise ConfigError(f"{where}: {missing[0]}: is missing; add it")
    from_ns = _time(row["from"], f"{where}: from")
    until = row.get("until")
    until_ns = None if until is None else _time(until, f"{where}: until")
    if until_ns is not None and until_ns <= from_ns:
        raise ConfigError(f"{where}: until: is not after `from`; write a later time or null")
    return Key(
        _name(row["name"], where),
        _emails(row.get("emails"), where),
        _roles(row["roles"], where),
        _public(row["key"], f"{where}: key"),
        from_ns,
        until_ns,
        _revoked(row.get("revoked"), f"{where}: revoked"),
    )


def _name(given: Any, where: str) -> str:
    printable = isinstance(given, str) and given.isprintable() and NAME.fullmatch(given)
    if not printable or len(given) > 200:
        raise ConfigError(f"{where}: name: {given!r} is no name; write the person's name as text")
    return str(given)


def _emails(given: Any, where: str) -> tuple[str, ...]:
    found = _texts([] if given is None else given, f"{where}: emails")
    for address in found:
        if not re.fullmatch(r"[^@\s]+@[^@\s]+", address):
            raise ConfigError(f"{where}: emails: {address!r} is no address; write one like a@b.org")
    return tuple(address.lower() for address in found)


def _roles(given: Any, where: str) -> tuple[str, ...]:
    found = _texts(given, f"{where}: roles")
    for role in found:
        if role not in ROLES:
            raise ConfigError(f"{where}: roles: {role!r} is none of {', '.join(ROLES)}")
    if not found:
        raise ConfigError(f"{where}: roles: is empty; write at least one of {', '.join(ROLES)}")
    return tuple(dict.fromkeys(found))


def _texts(given: Any, where: str) -> list[str]:
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise ConfigError(f"{where}: is not a list; write [..]")
    for item in given:
        if not isinstance(item, str):
            raise ConfigError(f"{where}: {item!r} is not a text")
    return list(given)


def _public(given: Any, where: str) -> str:
    words = given.split() if isinstance(given, str) else []
    if len(words) < 2 or words[0] != KEY_TYPE:
        kind = words[0][:40] if words else repr(given)
        raise ConfigError(
            f"{where}: {kind} is not of type {KEY_TYPE}; make a key with `ssh-keygen -t ed25519` "
            "and write the line of its .pub file here"
        )
    try:
        blob = base64.b64decode(words[1], validate=True)
        public_of(blob)
    except (binascii.Error, ValueError, BadSignature):
        raise ConfigError(f"{where}: is damaged; copy the line of the .pub file again") from None
    return f"{KEY_TYPE} {base64.b64encode(blob).decode()}"


def _revoked(given: Any, where: str) -> int | None:
    if given is None or given is False:
        return None
    return 0 if given is True else _time(given, where)


def _time(given: Any, where: str) -> int:
    """A date (its midnight UTC) or a time with zone, whole seconds."""
    try:
        parsed = datetime.fromisoformat(given) if isinstance(given, str) else None
    except ValueError:
        parsed = None
    if parsed is None or (parsed.tzinfo is None and len(given) > 10) or parsed.microsecond:
        raise ConfigError(
            f"{where}: {given!r} is no time; write 2026-11-21 or 2026-11-21T10:00:00Z"
        )
    parsed = parsed.replace(tzinfo=parsed.tzinfo or UTC)
    seconds = int(parsed.timestamp())
    if not 0 <= seconds < 253_000_000_000:
        raise ConfigError(f"{where}: {given!r} is not between the years 1970 and 9987")
    return seconds * SECOND_NS


def _refuse_shared(keys: Sequence[Key], source: str) -> None:
    """One key, one person; one address, one person."""
    row_of: dict[str, tuple[int, str]] = {}
    for row, key in enumerate(keys, start=1):
        if key.key in row_of:
            first, _ = row_of[key.key]
            raise ConfigError(f"{source}: row {row}: key: is that of row {first}; keep one of them")
        row_of[key.key] = (row, key.name)
        for address in key.emails:
            first, name = row_of.setdefault(address, (row, key.name))
            if name != key.name:
                raise ConfigError(
                    f"{source}: row {row}: emails: {address} belongs to {name} in row {first}; "
                    "one person has one name"
                )
