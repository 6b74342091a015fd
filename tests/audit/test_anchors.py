"""Heads kept elsewhere: git tags, exports, promotion files."""

import json
import subprocess
from pathlib import Path

import pytest

from hft.audit import anchors
from hft.audit.auditor import Auditor
from hft.audit.export import export
from hft.audit.keys import Keys, entry
from hft.audit.sign import generate
from hft.audit.verify import verify
from hft.core.errors import DataError, GovernanceError
from hft.storage.chain import Head
from tests.audit.some_rows import START, write


def git(root: Path, *words: str) -> str:
    settings = ["-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", "-C", str(root), *settings, *words], capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    (tmp_path / "x").write_text("x")
    git(tmp_path, "add", "x")
    git(tmp_path, "commit", "-qm", "x")
    return tmp_path


@pytest.fixture
def audit(tmp_path: Path) -> Auditor:
    found = Auditor(tmp_path / "audit", "http://127.0.0.1:9")
    write(found, 4)
    return found


def test_a_signed_tag_anchors_the_head(repository: Path, audit: Auditor) -> None:
    keys = Keys.from_rows([entry("ada", generate(repository / "k", "x"))])
    head = audit.head()
    assert anchors.make_tag(repository, head, audit.journal.id, repository / "k") == ""
    assert anchors.make_tag(repository, head, audit.journal.id, repository / "k") == ""
    (found,) = anchors.from_tags(repository, keys)
    assert (found.seq, found.hash, found.source) == (*head, f"git tag hft-audit-{head.seq}")
    assert found.doubt == "" and found.journal_id == audit.journal.id
    assert verify(audit.journal, None, anchors=[found]).unanchored is not None, "a local tag"
    (stranger,) = anchors.from_tags(repository, Keys(()))
    assert stranger.doubt == "is signed by an unknown key"


def test_a_tag_that_was_written_anew_is_found(repository: Path, audit: Auditor) -> None:
    keys = Keys.from_rows([entry("ada", generate(repository / "k", "x"))])
    head = audit.head()
    anchors.make_tag(repository, head, audit.journal.id, repository / "k")
    name = f"hft-audit-{head.seq}"
    content = git(repository, "cat-file", "tag", name).replace(head.hash, "f" * 64)
    done = subprocess.run(
        ["git", "-C", str(repository), "hash-object", "-w", "-t", "tag", "--stdin"],
        input=content,
        capture_output=True,
        text=True,
        check=True,
    )
    git(repository, "update-ref", f"refs/tags/{name}", done.stdout.strip())
    (forged,) = anchors.from_tags(repository, keys)
    assert "its signature fails" in forged.doubt
    found = verify(audit.journal, None, anchors=[forged])
    assert [one.code for one in found.findings] == ["ANCHOR_DOUBTFUL"]


def test_without_a_key_the_tag_is_there_and_says_so(repository: Path, audit: Auditor) -> None:
    assert anchors.make_tag(repository, audit.head(), audit.journal.id) == ""
    (found,) = anchors.from_tags(repository, Keys(()))
    assert found.doubt == "is not signed"
    assert verify(audit.journal, None, anchors=[found]).ok


def test_a_second_tag_of_another_row_with_that_number_is_refused(
    repository: Path, audit: Auditor
) -> None:
    head = audit.head()
    anchors.make_tag(repository, head, "j")
    assert "already exists" in anchors.make_tag(repository, Head(head.seq, "f" * 64), "j")


def test_outside_git_there_is_no_tag_and_a_reason(tmp_path: Path, audit: Auditor) -> None:
    assert anchors.make_tag(tmp_path, audit.head(), "j") != ""
    assert anchors.from_tags(tmp_path, Keys(())) == []


def test_an_export_is_an_anchor_and_reads_as_a_chain(tmp_path: Path, audit: Auditor) -> None:
    first = export(audit.journal, tmp_path / "out" / "e.jsonl", tmp_path / "registry")
    again = export(audit.journal, tmp_path / "e2.jsonl", tmp_path / "registry")
    assert first.sha256 == again.sha256 and first.rows == 4
    lines = (tmp_path / "e2.jsonl").read_bytes().splitlines(keepends=True)
    assert lines[1:] == audit.journal.raw_lines()
    assert json.loads(lines[0])["head"] == {"seq": 5, "hash": audit.head().hash}
    noted = anchors.from_exports(tmp_path / "registry")
    assert [(one.seq, one.hash) for one in noted] == [tuple(audit.head())] * 2
    assert anchors.from_export_file(tmp_path / "e2.jsonl").hash == audit.head().hash
    assert verify(audit.journal, None, anchors=noted).ok


def test_an_export_from_a_time_on_has_the_head_of_all(tmp_path: Path, audit: Auditor) -> None:
    part = export(audit.journal, tmp_path / "e.jsonl", tmp_path / "r", since_ns=START + 2)
    assert (part.rows, part.seq) == (2, 5)


def test_a_damaged_journal_is_not_anchored(tmp_path: Path, audit: Auditor) -> None:
    path = audit.journal.path
    path.write_bytes(path.read_bytes().replace(b"line", b"lime", 1))
    with pytest.raises(GovernanceError, match=r"row 4 was changed.*is not anchored"):
        export(audit.journal, tmp_path / "e.jsonl", tmp_path / "r")
    assert not (tmp_path / "e.jsonl").exists() and not (tmp_path / "r").exists()
    with pytest.raises(DataError, match="no rows yet"):
        empty = Auditor(tmp_path / "empty", "http://127.0.0.1:9")
        export(empty.journal, tmp_path / "e.jsonl", tmp_path / "r")
    with pytest.raises(DataError, match="is not the head"):
        anchors.from_export_file(path)


def test_the_newest_ledger_heads_come_from_rows_and_promotions(audit: Auditor) -> None:
    promotion = {"heads": {"ledger": {"v": {"seq": 9, "hash": "99"}, "w": {"seq": 1, "hash": "1"}}}}
    found = anchors.ledger_heads(audit.rows(), [promotion])
    assert found == {"v": {"seq": 9, "hash": "99"}, "w": {"seq": 4, "hash": f"{3:064x}"}}
