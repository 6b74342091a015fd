"""A pack checks itself with Python alone, in a folder that knows nothing of hft."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from hft.audit.anchors import Anchor
from hft.audit.auditor import Auditor
from hft.audit.keys import Keys, dump, entry
from hft.audit.pack import Pack, pack
from hft.audit.sign import generate, sign
from hft.audit.verify import Signed
from hft.core.errors import DataError, GovernanceError
from tests.audit.some_rows import START, write


@pytest.fixture
def audit(tmp_path: Path) -> Auditor:
    found = Auditor(tmp_path / "audit", "http://127.0.0.1:9")
    write(found, 16)
    return found


def packed(audit: Auditor, folder: Path, **more: Any) -> Pack:
    public = generate(folder / "key", "x") if not (folder / "key").exists() else ""
    rows = [entry("ada", public or (folder / "key.pub").read_text())]
    head = audit.head()
    given: dict[str, Any] = {
        "wanted": lambda row: row["row"].get("alpha_id") == "p",
        "files": {"runs/r/digest": b"1", "runs/r/report.html": b"<html>"},
        "keys": Keys.from_rows(rows),
        "keys_file": dump(rows).encode(),
        "signed": [Signed("x/p.yaml: owner", b"pay", sign(b"pay", folder / "key"), "ada", START)],
        "anchors": [Anchor(head.seq, head.hash, "tag")],
    }
    return pack(audit.journal, folder / "out" / "pack.zip", **{**given, **more})


def run(folder: Path, *words: str) -> tuple[int, str]:
    """verify.py in an interpreter without site packages, from another folder."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-W", "error", str(folder / "verify.py"), *words],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )
    assert done.stderr == "", done.stderr
    return done.returncode, done.stdout


def unpacked(found: Pack, folder: Path) -> Path:
    with zipfile.ZipFile(found.path) as archive:
        archive.extractall(folder)
    return folder


def test_a_pack_verifies_itself_unpacked_and_as_a_zip(audit: Auditor, tmp_path: Path) -> None:
    found = packed(audit, tmp_path)
    folder = unpacked(found, tmp_path / "u")
    code, said = run(folder)
    assert code == 0, said
    assert "all is well" in said and "signatures: 1" in said and "SHA256:" in said
    assert run(folder, found.path)[0] == 0
    assert found.rows == 2 and found.files == 2
    assert (folder / "files" / "runs" / "r" / "report.html").read_bytes() == b"<html>"


def test_rows_that_were_not_asked_for_tell_nothing(audit: Auditor, tmp_path: Path) -> None:
    folder = unpacked(packed(audit, tmp_path), tmp_path / "u")
    text = (folder / "journal.jsonl").read_text()
    assert "known gap" not in text and text.count('"alpha_id":"p"') == 2
    assert len(text.splitlines()) == 17


def test_the_same_content_is_the_same_pack(audit: Auditor, tmp_path: Path) -> None:
    assert packed(audit, tmp_path).sha256 == packed(audit, tmp_path).sha256


def test_every_changed_file_of_a_pack_is_found(audit: Auditor, tmp_path: Path) -> None:
    folder = unpacked(packed(audit, tmp_path), tmp_path / "u")
    for path in sorted(folder.rglob("*")):
        if path.is_dir() or path.name in ("verify.py", "manifest.json"):
            continue
        before = path.read_bytes()
        path.write_bytes(before[:-1] + b"#")
        code, said = run(folder)
        assert code == 2 and path.name in said, said
        path.write_bytes(before)
    (folder / "files" / "more").write_text("x")
    assert run(folder) == (2, run(folder)[1]) and "files/more: was added" in run(folder)[1]
    (folder / "files" / "more").unlink()
    (folder / "keys.yaml").unlink()
    assert "keys.yaml: is missing" in run(folder)[1]


def reseal(folder: Path, name: str, content: bytes) -> None:
    """What a forger does: change a file and write its new hash into the manifest."""
    import hashlib

    (folder / name).write_bytes(content)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"][name] = hashlib.sha256(content).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_a_forged_manifest_does_not_hide_a_change(audit: Auditor, tmp_path: Path) -> None:
    folder = unpacked(packed(audit, tmp_path), tmp_path / "u")
    rows = (folder / "journal.jsonl").read_bytes()
    reseal(folder, "journal.jsonl", rows.replace(b'"forced":0', b'"forced":1', 1))
    assert "row 5 was changed" in run(folder)[1]
    reseal(folder, "journal.jsonl", b"".join(rows.splitlines(keepends=True)[:-1]))
    assert "does not end with the packed head" in run(folder)[1]
    lines = rows.splitlines(keepends=True)
    reseal(folder, "journal.jsonl", b"".join(lines[:3] + lines[4:]))
    assert "are missing" in run(folder)[1]
    reseal(folder, "journal.jsonl", rows)
    reseal(folder, "signed/000.payload", b"other")
    assert "the signature of ada: it does not fit the content" in run(folder)[1]
    reseal(folder, "signed/000.payload", b"pay")
    keys = json.loads((folder / "keys.json").read_text())
    reseal(folder, "keys.json", json.dumps([{**keys[0], "revoked_ns": 0}]).encode())
    assert "did not count at that time" in run(folder)[1]
    reseal(folder, "keys.json", json.dumps([{**keys[0], "name": "bob"}]).encode())
    assert "is not signed with a key of ada" in run(folder)[1]


def test_what_is_no_pack_is_said(audit: Auditor, tmp_path: Path) -> None:
    folder = unpacked(packed(audit, tmp_path), tmp_path / "u")
    (tmp_path / "bad.zip").write_bytes(b"no zip")
    for place in (str(tmp_path / "bad.zip"), str(tmp_path / "none"), str(tmp_path / "audit")):
        code, said = run(folder, place)
        assert code == 2 and "is no audit pack" in said


def test_a_pack_of_keyed_rows_needs_the_key(tmp_path: Path) -> None:
    audit = Auditor(tmp_path / "audit", "http://127.0.0.1:9", hmac_key=b"secret")
    write(audit, 8)
    folder = unpacked(packed(audit, tmp_path), tmp_path / "u")
    (tmp_path / "k").write_bytes(b"secret\n")
    (tmp_path / "guess").write_bytes(b"guess")
    assert "not checked" in run(folder)[1]
    assert run(folder, str(folder), "--hmac-key", str(tmp_path / "k"))[0] == 0
    assert run(folder, str(folder), "--hmac-key", str(tmp_path / "guess"))[0] == 2


def test_nothing_is_packed_from_a_damaged_journal_or_about_nothing(
    audit: Auditor, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="no audit row is about"):
        packed(audit, tmp_path, wanted=lambda row: False)
    path = audit.journal.path
    path.write_bytes(path.read_bytes().replace(b"known gap", b"known lap", 1))
    with pytest.raises(GovernanceError, match="is not packed"):
        packed(audit, tmp_path)
    assert not (tmp_path / "out").exists()
