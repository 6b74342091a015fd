"""Signing and checking with `ssh-keygen`, so that people use the keys they have.

It decides nothing about roles: it says who signed, and refuses what does not fit. A passphrase is
never asked for: an encrypted key signs through the SSH agent. No private key is ever copied, and
no signature is believed without the person, the time and the bytes it was made for.
"""

import base64
import os
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hft.audit.ed25519 import KEY_TYPE, Armoured, BadSignature, read_armour, split_texts
from hft.audit.keys import NAMESPACE, Key, Keys, fingerprint, stamp
from hft.core.errors import GovernanceError, JournalError, Unavailable

PROGRAM = "ssh-keygen"
TIMEOUT_S = 20.0
PRIVATE_MAGIC = b"openssh-key-v1\0"
PRIVATE_BEGIN = "-----BEGIN OPENSSH PRIVATE KEY-----"


@dataclass(frozen=True)
class Signer:
    """Who made a signature, as the keys file knows them."""

    name: str
    roles: tuple[str, ...]
    fingerprint: str
    emails: tuple[str, ...] = ()


@dataclass(frozen=True)
class KeyFile:
    """What the file of a private key says about itself without a passphrase."""

    path: Path
    kind: str
    public: str  # type and base64
    encrypted: bool

    @property
    def fingerprint(self) -> str:
        """As `ssh-keygen -l` prints it."""
        return fingerprint(base64.b64decode(self.public.split()[1]))


def sign(payload: bytes, key: Path) -> str:
    """The armoured signature of `payload`, in the namespace `hft`, made with a private key's file.

    Raises: GovernanceError for a key that cannot sign, Unavailable without ssh-keygen.
    """
    found = read_key_file(key)
    by_agent = found.encrypted
    with tempfile.TemporaryDirectory() as folder:
        used = key
        if by_agent:  # given the public half, ssh-keygen asks the agent for the other one
            used = Path(folder) / "key.pub"
            used.write_text(found.public + "\n")
        done = _run(["-Y", "sign", "-n", NAMESPACE, "-f", str(used)], payload)
    if done.returncode == 0 and b"BEGIN SSH SIGNATURE" in done.stdout:
        return done.stdout.decode("ascii")
    if by_agent:
        raise GovernanceError(
            f"{key}: is protected by a passphrase and the SSH agent does not have it; "
            f"add it with `ssh-add {key}`"
        )
    raise GovernanceError(f"{key}: {PROGRAM} cannot sign with it: {_said(done)}")


def verify(payload: bytes, signature: str, name: str, keys: Keys, at_ns: int) -> Signer:
    """The person `name`, when `signature` over `payload` is theirs and counts at `at_ns`.

    Raises: GovernanceError in one sentence, Unavailable without ssh-keygen.
    """
    found = signed_by(signature, keys)
    keys.of(name)
    if found.name != name:
        raise GovernanceError(f"the signature is by {found.name}, not by {name}")
    refused = found.refusal(at_ns)
    if refused:
        raise GovernanceError(refused)
    with tempfile.TemporaryDirectory() as folder:
        allowed, armour = Path(folder) / "allowed", Path(folder) / "sig"
        allowed.write_text(keys.allowed_signers())
        armour.write_text(signature.strip() + "\n")
        words = ["-Y", "verify", "-f", str(allowed), "-I", found.principal, "-n", NAMESPACE]
        done = _run([*words, "-s", str(armour), f"-Overify-time={stamp(at_ns)}"], payload)
    if done.returncode != 0:
        raise GovernanceError(
            f"the signature of {name} does not fit what it stands for; it was changed after signing"
        )
    return Signer(found.name, found.roles, found.fingerprint, found.emails)


def signed_by(signature: str, keys: Keys) -> Key:
    """The entry whose key a signature names; nothing is checked. Raises: GovernanceError."""
    try:
        armoured: Armoured = read_armour(signature)
    except BadSignature as error:
        raise GovernanceError(f"the signature cannot be read: {error}") from None
    if armoured.namespace != NAMESPACE:
        raise GovernanceError(
            f"the signature was made for {armoured.namespace!r}, not for {NAMESPACE!r}"
        )
    found = keys.by_public(armoured.public)
    if found is None:
        raise GovernanceError(
            f"the signer is unknown: no entry of {keys.source} has the key of this signature"
        )
    return found


def read_key_file(path: Path) -> KeyFile:
    """What a private key's file says. Raises: GovernanceError naming the file and the fix."""
    try:
        text = path.read_text(encoding="ascii")
        mode = stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        raise GovernanceError(
            f"{path}: there is no such key; name one with --key or HFT_SIGNING_KEY"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is no private key"
        raise GovernanceError(f"{path}: {reason}") from None
    if text.startswith("ssh-"):
        raise GovernanceError(f"{path}: is the public half; name the file without .pub")
    if mode & 0o077:
        raise GovernanceError(
            f"{path}: others may read it (mode {mode:04o}); run `chmod 600 {path}`"
        )
    found = _parse(text, path)
    if found.kind != KEY_TYPE:
        raise GovernanceError(
            f"{path}: is of type {found.kind}, not {KEY_TYPE}; "
            "make one with `ssh-keygen -t ed25519`"
        )
    return found


def generate(path: Path, comment: str) -> str:
    """Make a key pair at `path` (mode 0600) and `path`.pub; returns the public line.

    Raises: GovernanceError where one is already there, Unavailable without ssh-keygen.
    """
    if path.exists():
        raise GovernanceError(f"{path}: a key is already there; keep it, or name another file")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.chmod(path.parent, 0o700)
    except OSError as error:
        raise JournalError(f"{path.parent}: {error.strerror or error}") from None
    done = _run(["-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path)], b"")
    if done.returncode != 0:
        raise GovernanceError(f"{path}: {PROGRAM} cannot make a key: {_said(done)}")
    os.chmod(path, 0o600)
    return path.with_name(path.name + ".pub").read_text(encoding="utf-8").strip()


def _parse(text: str, path: Path) -> KeyFile:
    lines = text.strip().splitlines()
    if not lines or lines[0].strip() != PRIVATE_BEGIN:
        kind = "another kind" if "PRIVATE KEY" in text else "no private key"
        raise GovernanceError(
            f"{path}: is {kind}, not an OpenSSH key of type {KEY_TYPE}; "
            "make one with `ssh-keygen -t ed25519`"
        )
    try:
        blob = base64.b64decode("".join(lines[1:-1]))
        if not blob.startswith(PRIVATE_MAGIC):
            raise ValueError
        rest = blob[len(PRIVATE_MAGIC) :]
        cipher, rest = _first(rest)
        for _ in range(2):  # key derivation and its options
            _, rest = _first(rest)
        public, _ = _first(rest[4:])
        kind = _first(public)[0].decode("ascii", "replace")
    except (ValueError, BadSignature):
        raise GovernanceError(f"{path}: is damaged; it cannot be read as a private key") from None
    line = f"{kind} {base64.b64encode(public).decode()}"
    return KeyFile(path, kind, line, cipher != b"none")


def _first(data: bytes) -> tuple[bytes, bytes]:
    """The first length-prefixed text, and what follows it."""
    end = 4 + int.from_bytes(data[:4], "big")
    (found,) = split_texts(data[:end], 1)
    return found, data[end:]


def _run(words: list[str], data: bytes) -> "subprocess.CompletedProcess[bytes]":
    """ssh-keygen without a terminal, so that it never asks; times are UTC."""
    program = shutil.which(PROGRAM)
    if program is None:
        raise _missing()
    try:
        return subprocess.run(
            ["env", "TZ=UTC", "LC_ALL=C", "SSH_ASKPASS_REQUIRE=never", program, *words],
            input=data,
            capture_output=True,
            timeout=TIMEOUT_S,
            start_new_session=True,
            check=False,
        )
    except FileNotFoundError:
        raise _missing() from None
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{PROGRAM} did not answer within {TIMEOUT_S:.0f} s; try again") from None


def _missing() -> Unavailable:
    return Unavailable(f"{PROGRAM} is not installed; install the OpenSSH client to sign and check")


def _said(done: "subprocess.CompletedProcess[bytes]") -> str:
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return lines[-1].strip() if lines else f"it ended with code {done.returncode}"
