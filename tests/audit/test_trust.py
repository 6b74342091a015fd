"""The first keys lie outside of the workspace, and a quorum signs every change of them."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hft.api import audit as api
from hft.api import keys
from hft.audit import keychange
from hft.audit.keys import Keys, dump, entry
from hft.audit.sign import generate, sign
from hft.audit.trust import KeyChange, state_of
from hft.cli.app import run
from hft.storage.strict_yaml import load_yaml
from hft.storage.yaml_text import dump_yaml

PEOPLE = {"ann": ["owner"], "bob": ["validator"], "cyd": ["risk"], "dan": ["validator", "risk"]}
SINCE = 1_700_000_000 * 10**9


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Private keys, made once, and a root of trust of which two people change the keys."""
    folder = tmp_path_factory.mktemp("store")
    rows = []
    for name, roles in PEOPLE.items():
        public = generate(folder / name, name)
        if name != "dan":
            rows.append(entry(name, public, roles=roles, from_ns=SINCE))
    (folder / "root").mkdir()
    (folder / "root" / "trust.yaml").write_text(dump_yaml({"quorum": 2, "keys": rows}))
    (folder / "keys.yaml").write_text(dump(rows))
    return folder


@pytest.fixture
def desk(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace whose keys come from the root."""
    root = tmp_path / "desk"
    (root / "research" / "alphas").mkdir(parents=True)
    (root / "config").mkdir()
    shutil.copy(store / "keys.yaml", root / "config" / "keys.yaml")
    monkeypatch.setenv("HFT_TRUST_ROOT", str(store / "root"))
    monkeypatch.setenv("HFT_ALPHA_AUDIT_ENABLED", "0")
    monkeypatch.chdir(root)
    return root


def told(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> Any:
    """The document of a command, or the sentence of its refusal."""
    capsys.readouterr()
    assert run(["--json", "audit", *words]) == code
    found = json.loads(capsys.readouterr().out)
    return found.get("error", found)


def add(store: Path, capsys: pytest.CaptureFixture[str], *more: str, code: int = 0) -> Any:
    words = ("--pub", str(store / "dan.pub"), "--role", "validator", *more)
    return told(capsys, "keys", "add", "dan", *words, code=code)


def causes(root: Path) -> list[str]:
    return [row["row"]["cause"] for row in api.show(root=root) if row["table"] == "control_log"]


def codes(capsys: pytest.CaptureFixture[str]) -> list[str]:
    code = run(["--json", "audit", "verify"])
    found = [one["code"] for one in json.loads(capsys.readouterr().out)["findings"]]
    assert code == (2 if found else 0)
    return found


def test_a_change_counts_with_the_signature_that_completes_the_quorum(
    desk: Path, store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = add(store, capsys, "--key", str(store / "bob"))
    assert (first["applied"], first["lacking"]) == (False, 1)
    assert "dan" not in (desk / "config" / "keys.yaml").read_text()
    assert told(capsys, "keys", "sign", "--key", str(store / "cyd"))["applied"]
    assert "dan" in (desk / "config" / "keys.yaml").read_text()
    shown = told(capsys, "keys", "show")
    assert shown["wrong"] == "" and [row["name"] for row in shown["keys"]][-1] == "dan"
    # Whoever came by a change signs the next one.
    assert not told(capsys, "keys", "revoke", "bob", "--key", str(store / "dan"))["applied"]
    assert told(capsys, "keys", "sign", "--key", str(store / "bob"))["applied"]
    bob = Keys.read(desk / "config" / "keys.yaml").of("bob")
    assert bob[0].revoked_ns is not None and codes(capsys) == []
    assert [text.split(":")[0] for text in causes(desk)] == [
        *("add a key of dan", "sign a change of the keys"),
        *("revoke bob", "sign a change of the keys"),
    ]


def test_a_change_that_a_crash_cut_off_is_completed_with_its_audit_row(
    desk: Path, store: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    add(store, capsys, "--key", str(store / "bob"))

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(keychange, "write_atomic", killed)
        keys.sign(key=store / "cyd")
    assert codes(capsys) == ["KEYS_UNSIGNED"]
    told(capsys, "keys", "restore")
    assert codes(capsys) == []
    assert "a change that was cut off by a crash is completed" in causes(desk)
    assert not (desk / "config" / "keys.pending.json").exists()


def test_two_who_complete_the_quorum_at_once_make_one_change(
    desk: Path, store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add(store, capsys, "--key", str(store / "bob"))
    hft = str(Path(sys.executable).with_name("hft"))
    words = [hft, "audit", "keys", "sign", "--key", str(store / "cyd")]
    both = [subprocess.Popen(words, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [one.communicate()[1] for one in both]
    assert sorted(one.returncode for one in both)[0] == 0, said
    assert "no change of the keys waits" in "".join(said)
    assert len((desk / "config" / "keys.changes.jsonl").read_bytes().splitlines()) == 1


@pytest.mark.parametrize(
    ("key", "words"), [("ann", "a role of validator or risk"), ("dan", "none of the keys that")]
)
def test_a_key_without_a_vote_asks_for_nothing(
    desk: Path, store: Path, key: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert words in add(store, capsys, "--key", str(store / key), code=2)
    assert causes(desk)[-1].startswith("refused: add a key of dan")
    assert not (desk / "config" / "keys.pending.json").exists()


def test_one_person_is_no_quorum_however_often_they_sign(
    desk: Path, store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add(store, capsys, "--key", str(store / "bob"))
    again = told(capsys, "keys", "sign", "--key", str(store / "bob"), code=2)
    assert "another person signs next" in again and "refused: sign" in causes(desk)[-1]
    # A forger writes the row that one signature is for: it is no change.
    pending = json.loads((desk / "config" / "keys.pending.json").read_text())
    forged(desk, pending)
    assert codes(capsys) == ["KEYS_UNSIGNED"]
    pending["signatures"] *= 2
    forged(desk, pending)
    assert codes(capsys) == ["KEYS_UNSIGNED"]


def forged(desk: Path, change: dict[str, Any]) -> None:
    from hft.storage.chain import Chain

    path = desk / "config" / "keys.changes.jsonl"
    path.unlink(missing_ok=True)
    Chain(path).append([change])
    (desk / "config" / "keys.yaml").write_text(change["keys"])


def test_an_entry_that_nobody_signed_is_refused_named_and_taken_out_again(
    desk: Path, store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The attack of a person with a shell: one more line in keys.yaml."""
    path = desk / "config" / "keys.yaml"
    rows = [entry("dan", (store / "dan.pub").read_text(), from_ns=SINCE)]
    path.write_text(path.read_text() + dump(rows))
    refused = add(store, capsys, "--key", str(store / "bob"), code=2)
    assert "row 4: dan has a key, which no quorum signed" in refused
    assert codes(capsys) == ["KEYS_UNSIGNED"]
    assert run(["alpha", "promote", "flow", "--key", str(store / "dan")]) == 2
    assert "no quorum signed" in capsys.readouterr().err
    (row,) = [row for row in api.show(root=desk) if row["table"] == "alpha_promotion_log"]
    assert "no quorum signed" in row["row"]["reasons"] and not row["row"]["approved"]
    assert told(capsys, "keys", "restore")["written"] == str(path)
    assert state_of(Keys.read(path)) == state_of(Keys.read(store / "keys.yaml"))
    assert codes(capsys) == [] and told(capsys, "keys", "restore")["written"] is None


def test_an_expired_key_dates_no_change_back(
    desk: Path, store: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The holder of an old key writes a change of the time when it counted, signed by two."""
    rows = load_yaml((store / "root" / "trust.yaml").read_text(), "root")["keys"]
    rows[1]["until"] = "2025-06-01T00:00Z"
    root = desk.parent / "trust.yaml"
    root.write_text(dump_yaml({"quorum": 2, "keys": rows}))
    (desk / "config" / "keys.yaml").write_text(dump(rows))
    monkeypatch.setenv("HFT_TRUST_ROOT", str(root))
    add(store, capsys, "--key", str(store / "bob"), code=2)  # today it signs nothing
    old = Keys.from_rows(rows)
    text = keychange.with_key(old, "dan", (store / "dan.pub").read_text(), roles=["validator"])
    change = KeyChange(1, SINCE + 10**9, state_of(old), text)
    signed = [(name, sign(change.payload, store / name)) for name in ("bob", "cyd")]
    forged(desk, replace(change, signatures=tuple(signed)).to_dict())
    assert codes(capsys) == ["KEYS_UNSIGNED"], "no row has it: it is made now"
    monkeypatch.setenv("HFT_ALPHA_REHEARSAL", "1")
    assert run(["alpha", "promote", "flow", "--key", str(store / "ann")]) == 2
    assert "expired at 2025-06-01" in capsys.readouterr().err
    told(capsys, "keys", "restore")  # whoever writes its row writes it behind those of today
    assert codes(capsys) == ["KEYS_UNSIGNED"]


def test_a_change_that_is_forgotten_again_is_found_by_its_audit_row(
    desk: Path, store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told(capsys, "keys", "revoke", "bob", "--key", str(store / "bob"), code=2)  # two must stay
    add(store, capsys, "--key", str(store / "bob"))
    told(capsys, "keys", "sign", "--key", str(store / "cyd"))
    (desk / "config" / "keys.changes.jsonl").unlink()
    shutil.copy(store / "keys.yaml", desk / "config" / "keys.yaml")
    assert codes(capsys) == ["KEYS_CUT"]
    assert run(["alpha", "promote", "flow", "--key", str(store / "ann")]) == 2
    assert "has change 1 of the keys" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("quorum: 1\nkeys: []\n", "one stolen key changes"),
        ("keys: []\n", "is not a mapping of quorum and keys"),
        ("quorum: 2\nkeys: []\n", "cannot make a quorum of 2"),
        ("quorum: [\n", "trust.yaml"),
    ],
)
def test_a_root_that_protects_nothing_is_refused(
    desk: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    text: str,
    words: str,
) -> None:
    (tmp_path / "trust.yaml").write_text(text)
    monkeypatch.setenv("HFT_TRUST_ROOT", str(tmp_path / "trust.yaml"))
    assert words in told(capsys, "keys", "show", code=78)


def test_a_root_inside_of_the_workspace_is_refused_also_by_a_link(
    desk: Path,
    store: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shutil.copytree(store / "root", desk / "mine")
    os.symlink(desk / "mine", tmp_path / "elsewhere")
    for path in (desk / "mine", tmp_path / "elsewhere"):
        monkeypatch.setenv("HFT_TRUST_ROOT", str(path))
        assert "lies in the workspace" in told(capsys, "keys", "show", code=78)
    monkeypatch.delenv("HFT_TRUST_ROOT")
    (desk / "config" / "default.yaml").write_text(f"HFT_TRUST_ROOT: {store / 'root'}\n")
    assert "from the environment alone" in told(capsys, "keys", "show", code=78)


def test_without_a_root_the_keys_are_as_the_workspace_says_and_so_it_is_told(
    desk: Path, store: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("HFT_TRUST_ROOT")
    assert "whoever can write config/keys.yaml" in told(capsys, "keys", "show")["trust"]
    assert "edit it by hand" in add(store, capsys, "--key", str(store / "bob"), code=78)
