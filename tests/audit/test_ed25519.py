"""Our own check of signatures says what RFC 8032 and ssh-keygen say."""

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hft.audit import ed25519
from hft.audit.ed25519 import BadSignature, check_armoured, read_armour, verify

# RFC 8032, section 7.1: public key, message, signature.
VECTORS = {
    "TEST 1": (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e3970"
        "1cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    "TEST 2": (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613"
        "d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    "TEST 3": (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760"
        "984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    "TEST SHA(abc)": (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23"
        "a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c6"
        "6431e0303dca179c138ac17ad9bef1177331a704",
    ),
}


@pytest.mark.parametrize("name", VECTORS)
def test_the_vectors_of_rfc_8032_hold_and_fail_with_any_byte_changed(name: str) -> None:
    public, message, signature = (bytes.fromhex(text) for text in VECTORS[name])
    assert verify(public, message, signature)
    assert not verify(public, message + b"x", signature)
    for at in range(0, 64, 7):
        changed = bytearray(signature)
        changed[at] ^= 1
        assert not verify(public, message, bytes(changed))
    for at in range(0, 32, 5):
        other = bytearray(public)
        other[at] ^= 1
        assert not verify(bytes(other), message, signature)


def test_a_signature_with_a_second_form_of_its_number_is_refused() -> None:
    public, message, signature = (bytes.fromhex(text) for text in VECTORS["TEST 2"])
    scalar = int.from_bytes(signature[32:], "little") + ed25519.ORDER
    assert not verify(public, message, signature[:32] + scalar.to_bytes(32, "little"))
    assert not verify(b"\xff" * 32, message, signature)
    assert not verify(public, message, signature[:63])


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("key") / "id"
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "x", "-f", str(path)]
    subprocess.run(words, check=True)
    return path


def ssh_sign(key: Path, message: bytes, namespace: str = "hft", *more: str) -> str:
    words = ["ssh-keygen", "-Y", "sign", "-n", namespace, *more, "-f", str(key)]
    return subprocess.run(words, input=message, capture_output=True, check=True).stdout.decode()


@pytest.mark.parametrize("size", [0, 1, 63, 64, 1000, 100_000])
@pytest.mark.parametrize("hash_name", ["sha256", "sha512"])
def test_what_ssh_keygen_signs_is_checked(key: Path, size: int, hash_name: str) -> None:
    message = os.urandom(size)
    armour = ssh_sign(key, message, "hft", f"-Ohashalg={hash_name}")
    line = key.with_suffix(".pub").read_text()
    assert check_armoured(message, armour, "hft") == ed25519.public_of_line(line)
    with pytest.raises(BadSignature, match="does not fit"):
        check_armoured(message + b"x", armour, "hft")
    with pytest.raises(BadSignature, match="namespace"):
        check_armoured(message, armour, "git")


def test_a_signature_for_another_purpose_does_not_count(key: Path) -> None:
    with pytest.raises(BadSignature, match="'file', not 'hft'"):
        check_armoured(b"x", ssh_sign(key, b"x", "file"), "hft")


def test_every_changed_character_of_an_armour_is_refused(key: Path) -> None:
    armour = ssh_sign(key, b"payload")
    for at in range(0, len(armour) - 1, 3):
        changed = "A" if armour[at] != "A" else "B"
        if armour[at] == "\n":
            continue
        text = armour[:at] + changed + armour[at + 1 :]
        with pytest.raises(BadSignature):
            check_armoured(b"payload", text, "hft")


@given(st.text(max_size=300) | st.binary(max_size=300).map(lambda raw: raw.decode("latin-1")))
def test_any_text_is_a_signature_or_refused(text: str) -> None:
    for armour in (text, f"{ed25519.BEGIN}\n{text}\n{ed25519.END}"):
        with pytest.raises(BadSignature):
            read_armour(armour)
