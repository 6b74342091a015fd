"""`hft alpha ledger` and `hft alpha vault`, as a user calls them."""

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hft.api.desk import open_desk
from hft.cli.app import app
from hft.governance.ledger.ledger import Ledger
from hft.governance.vault import subject
from tests.governance.ledger.ledgers import NOW_NS, trial


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty workspace, and the one the commands see."""
    (tmp_path / "research" / "alphas").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*words: str) -> Result:
    from hft.cli import context

    context.current.json = False
    return CliRunner().invoke(app, ["alpha", *words])


def record(desk: Path, *numbers: int, now_ns: int = NOW_NS, **changes: str) -> Ledger:
    ledger = Ledger.open(desk / "research" / "ledger")
    ledger.append([trial(number, **changes) for number in numbers], now_ns)
    return ledger


def test_an_empty_ledger_says_what_fills_it(desk: Path) -> None:
    done = call("ledger")
    assert done.exit_code == 0 and "hft alpha validate" in done.stdout
    assert not (desk / "research" / "ledger").exists()


def test_the_table_has_counts_hurdle_and_heads(desk: Path) -> None:
    record(desk, *range(15))
    record(desk, 3, 50, family="queue")
    ledger = record(desk, 60, label_family="fwd_60s")
    lines = call("ledger").stdout.splitlines()
    assert lines[0] == "17 trials, 1 repeat"
    cells = [line.split() for line in lines[3:6]]
    assert [row[:5] for row in cells] == [
        ["ofi", "fwd_5s", "15", "1", "16"],
        ["ofi", "fwd_60s", "1", "0", "1"],
        ["queue", "fwd_5s", "1", "0", "16"],
    ]
    assert cells[0][5:7] == cells[2][5:7] and float(cells[0][6]) > 1 and cells[1][6] == "0.00"
    assert ledger.writer in lines[-1] and "this checkout" in lines[-1]


def test_json_is_one_document_that_narrows_what_is_listed_and_not_what_counts(desk: Path) -> None:
    ledger = record(desk, *range(5))
    record(desk, 50, family="queue", now_ns=NOW_NS + 10**9)
    for words in (("--family", "queue"), ("--since", "2026-09-21T14:13:21Z")):
        found = json.loads(call("ledger", "--json", *words).stdout)
        assert [(row["family"], row["n"]) for row in found["families"]] == [("queue", 6)]
        assert found["heads"] == ledger.heads() and found["problems"] == []


def test_a_damaged_ledger_is_shown_with_what_is_wrong(desk: Path) -> None:
    ledger = record(desk, *range(3))
    lines = ledger.chain.path.read_bytes().splitlines(keepends=True)
    for row in (1, 2):  # in the middle, and at the end
        changed = list(lines)
        changed[row] = changed[row].replace(b'"seed":42', b'"seed":41')
        ledger.chain.path.write_bytes(b"".join(changed))
        done = call("ledger")
        assert done.exit_code == 2 and "LEDGER_BROKEN" in done.stdout
        assert "not counted" in done.stdout and f"line {row + 1}" in done.stdout
        found = json.loads(call("ledger", "--json").stdout)
        assert found["counted"] is False and found["problems"][0]["code"] == "LEDGER_BROKEN"


def test_a_ledger_behind_its_anchored_head_is_rolled_back(desk: Path) -> None:
    ledger = record(desk, *range(3))
    row = {"kind": "waiver", "alpha_id": "a", "subject": "s", "reason": "r", "signature": ""}
    open_desk(desk).auditor.record("override_log", row, now_ns=NOW_NS, ledger_heads=ledger.heads())
    assert call("ledger").exit_code == 0
    path = ledger.chain.path
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:2]))
    done = call("ledger")
    assert done.exit_code == 2 and "LEDGER_ROLLED_BACK" in done.stdout and path.name in done.stdout
    os.unlink(path)
    assert "LEDGER_MISSING" in call("ledger").stdout


def test_the_vault_lists_who_looked(desk: Path) -> None:
    assert "nobody looked" in call("vault").stdout
    row = {
        "kind": "vault_look",
        "alpha_id": "my_alpha",
        "subject": subject("ofi", "da7a" * 16),
        "reason": "final check",
        "signature": "",
    }
    open_desk(desk).auditor.record("override_log", row, now_ns=NOW_NS)
    assert "dataset da7ada7ada7ada7a: 1 of 3 looks taken" in call("vault").stdout
    (found,) = json.loads(call("vault", "--json").stdout)
    assert found["left"] == 2 and found["looks"][0]["reason"] == "final check"


@pytest.mark.parametrize("given", ["yesterday", "2026", "2026-09-21T14:13:21"])
def test_a_time_that_is_none_is_one_sentence(desk: Path, given: str) -> None:
    done = call("ledger", "--since", given)
    assert done.exit_code != 0 and "--since" in str(done.exception)
