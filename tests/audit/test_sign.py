"""Signatures by ssh-keygen: who signed, when it counts, and one sentence for everything else."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hft.audit import sign as module
from hft.audit.keys import Keys, entry
from hft.audit.sign import generate, read_key_file, sign, verify
from hft.core.errors import GovernanceError, Unavailable

NS = 1_000_000_000
AT = 1_790_000_000 * NS


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


@pytest.fixture(scope="module")
def people(folder: Path) -> Keys:
    return Keys.from_rows(
        [
            entry("Ada Lovelace, *?!", generate(folder / "ada", "ada"), roles=["owner"]),
            entry("bob", generate(folder / "bob", "bob"), roles=["validator"]),
        ]
    )


def test_a_signature_names_its_signer_roles_and_key(folder: Path, people: Keys) -> None:
    signature = sign(b"payload", folder / "ada")
    signer = verify(b"payload", signature, "Ada Lovelace, *?!", people, AT)
    assert (signer.name, signer.roles) == ("Ada Lovelace, *?!", ("owner",))
    printed = subprocess.run(
        ["ssh-keygen", "-l", "-f", str(folder / "ada.pub")], capture_output=True, check=True
    )
    assert signer.fingerprint in printed.stdout.decode()


def test_the_same_bytes_and_key_give_the_same_signature(folder: Path) -> None:
    assert sign(b"x", folder / "ada") == sign(b"x", folder / "ada")


def test_a_made_key_is_private_and_is_never_written_over(folder: Path, people: Keys) -> None:
    assert (folder / "ada").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    with pytest.raises(GovernanceError, match="a key is already there"):
        generate(folder / "ada", "again")


def refusal(*given: Any) -> str:
    with pytest.raises(GovernanceError) as raised:
        verify(*given)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_a_signature_that_does_not_fit_is_refused_with_the_reason(
    folder: Path, people: Keys
) -> None:
    bob = sign(b"payload", folder / "bob")
    assert "does not fit" in refusal(b"other", bob, "bob", people, AT)
    assert "by bob, not by Ada" in refusal(b"payload", bob, "Ada Lovelace, *?!", people, AT)
    assert "carol: is not in" in refusal(b"payload", bob, "carol", people, AT)
    assert "cannot be read" in refusal(b"payload", "no signature", "bob", people, AT)
    assert "cannot be read" in refusal(b"payload", bob[:-40], "bob", people, AT)


def test_a_signature_made_for_something_else_is_refused(folder: Path, people: Keys) -> None:
    words = ["ssh-keygen", "-Y", "sign", "-n", "git", "-f", str(folder / "bob")]
    other = subprocess.run(words, input=b"x", capture_output=True, check=True).stdout.decode()
    assert "made for 'git'" in refusal(b"x", other, "bob", people, AT)


def test_an_unknown_signer_is_refused(folder: Path, people: Keys) -> None:
    generate(folder / "eve", "eve")
    assert "signer is unknown" in refusal(b"x", sign(b"x", folder / "eve"), "bob", people, AT)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"from": "2027-01-01"}, "counts from 2027-01-01"),
        ({"until": "2026-01-01"}, "expired at 2026-01-01"),
        ({"revoked": "2026-01-01"}, "is revoked since 2026-01-01"),
        ({"revoked": True}, "is revoked"),
    ],
)
def test_a_key_out_of_its_time_is_refused(
    folder: Path, limits: dict[str, Any], words: str, people: Keys
) -> None:
    public = (folder / "bob.pub").read_text()
    keys = Keys.from_rows([{**entry("bob", public), **limits}])
    assert words in refusal(b"x", sign(b"x", folder / "bob"), "bob", keys, AT)


def test_ssh_keygen_itself_holds_to_the_times_of_the_file(folder: Path, people: Keys) -> None:
    """The allowed signers say the same as our own check, to the second and in UTC."""
    public = (folder / "bob.pub").read_text()
    limits = {"from": "2026-06-01T00:00:00Z", "until": "2026-06-01T00:00:02Z"}
    keys = Keys.from_rows([{**entry("bob", public), **limits}])
    first = keys.rows[0].from_ns
    signature = sign(b"x", folder / "bob")
    allowed = folder / "allowed"
    allowed.write_text(keys.allowed_signers())
    (folder / "sig").write_text(signature)
    answers = {}
    for offset in (-1, 0, 1, 2):
        stamp = module.stamp(first + offset * NS)
        words = ["-Y", "verify", "-f", str(allowed), "-I", "bob", "-n", "hft"]
        words += ["-s", str(folder / "sig"), f"-Overify-time={stamp}"]
        done = subprocess.run(
            ["ssh-keygen", *words],
            input=b"x",
            capture_output=True,
            check=False,
            env={**os.environ, "TZ": "UTC"},
        )
        answers[offset] = done.returncode == 0
        assert answers[offset] == (keys.rows[0].refusal(first + offset * NS) == ""), offset
    assert answers == {-1: False, 0: True, 1: True, 2: False}


def test_the_zone_of_the_machine_does_not_move_the_limits(folder: Path, people: Keys) -> None:
    public = (folder / "bob.pub").read_text()
    keys = Keys.from_rows([{**entry("bob", public), "from": "2026-06-01T00:00:00Z"}])
    code = (
        "import sys, pathlib; from hft.audit.keys import Keys; from hft.audit.sign import *\n"
        "keys = Keys.from_bytes(pathlib.Path(sys.argv[1]).read_bytes())\n"
        "print(verify(b'x', sign(b'x', pathlib.Path(sys.argv[2])), 'bob', keys, int(sys.argv[3])))"
    )
    from hft.audit.keys import dump

    path = folder / "zone.yaml"
    path.write_text(dump([{**entry("bob", public), "from": "2026-06-01T00:00:00Z"}]))
    for zone in ("Asia/Tokyo", "America/New_York"):
        words = [sys.executable, "-c", code, str(path), str(folder / "bob")]
        words.append(str(keys.rows[0].from_ns))
        env = {**os.environ, "TZ": zone}
        done = subprocess.run(words, capture_output=True, text=True, check=False, env=env)
        assert "Signer(name='bob'" in done.stdout, done.stderr


def test_a_key_that_others_may_read_is_refused_with_the_cure(folder: Path, people: Keys) -> None:
    loose = folder / "loose"
    loose.write_bytes((folder / "bob").read_bytes())
    loose.chmod(0o644)
    with pytest.raises(GovernanceError, match=r"others may read it \(mode 0644\); run `chmod 600"):
        sign(b"x", loose)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (["-t", "rsa", "-b", "2048"], "is of type ssh-rsa, not ssh-ed25519"),
        (["-t", "ecdsa"], "is of type ecdsa-sha2-nistp256"),
        (["-t", "rsa", "-b", "2048", "-m", "PEM"], "is another kind"),
    ],
)
def test_a_key_of_another_type_is_refused(tmp_path: Path, make: list[str], words: str) -> None:
    path = tmp_path / "id"
    subprocess.run(["ssh-keygen", "-q", *make, "-N", "", "-f", str(path)], check=True)
    with pytest.raises(GovernanceError, match=words):
        sign(b"x", path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "there is no such key"),
        (b"", "is no private key"),
        (b"\xff\x00", "is no private key"),
        (b"ssh-ed25519 AAAA me", "is the public half"),
        (b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END", "is damaged"),
    ],
)
def test_what_is_no_private_key_is_refused(
    tmp_path: Path, content: bytes | None, words: str
) -> None:
    path = tmp_path / "id"
    if content is not None:
        path.write_bytes(content)
        path.chmod(0o600)
    with pytest.raises(GovernanceError, match=words):
        sign(b"x", path)


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    socket = tmp_path / "agent"
    process = subprocess.Popen(
        ["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    process.stdout.readline()
    monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
    yield
    process.terminate()
    process.wait(timeout=10)
    process.stdout.close()


def test_a_key_with_a_passphrase_signs_through_the_agent_only(tmp_path: Path, agent: None) -> None:
    path = tmp_path / "id"
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-C", "c", "-f", str(path)]
    subprocess.run(words, check=True)
    assert read_key_file(path).encrypted
    with pytest.raises(GovernanceError, match=r"passphrase and the SSH agent does not.*ssh-add"):
        sign(b"x", path)
    ask = tmp_path / "ask"
    ask.write_text("#!/bin/sh\necho secret\n")
    ask.chmod(0o700)
    env = {**os.environ, "SSH_ASKPASS": str(ask), "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":0"}
    subprocess.run(["ssh-add", "-q", str(path)], check=True, env=env, stdin=subprocess.DEVNULL)
    keys = Keys.from_rows([entry("carol", path.with_suffix(".pub").read_text())])
    assert verify(b"x", sign(b"x", path), "carol", keys, AT).name == "carol"


def test_without_ssh_keygen_signing_and_checking_say_what_to_install(
    folder: Path, people: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signature = sign(b"x", folder / "bob")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="ssh-keygen is not installed; install"):
        sign(b"x", folder / "bob")
    with pytest.raises(Unavailable, match="ssh-keygen is not installed"):
        verify(b"x", signature, "bob", people, AT)
    with pytest.raises(Unavailable, match="ssh-keygen is not installed"):
        generate(tmp_path / "new", "new")
