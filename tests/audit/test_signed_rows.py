"""The signature in a row covers the row: whoever changes one needs the key of who decided."""

from pathlib import Path
from typing import Any

import pytest

from hft.audit.auditor import Auditor
from hft.audit.journal import Journal
from hft.audit.keys import Key, Keys, entry
from hft.audit.pack_check import row_payload
from hft.audit.sign import generate
from hft.audit.signed_rows import payload, sign_row
from hft.audit.verify import verify
from tests.audit.some_rows import START, forged

NOBODY = "http://127.0.0.1:9"
PROMOTION = {
    "alpha_id": "p",
    "stage": "approve",
    "approved": True,
    "forced": 0,
    "self_approved": 0,
    "bundle_sha256": "b" * 64,
    "gate_d_passed": 1,
    "gate_e_passed": 1,
    "canary_weight": 0.01,
    "reasons": ["ünï", 1.5],
    "scorecard": {"sharpe_oos": 2.0, "nothing": None},
    "yaml_sha256": "y" * 64,
}
CANARY = {
    "alpha_id": "p",
    "action": "escalate",
    "old_weight": 0.01,
    "new_weight": 0.05,
    "reason": "ten sessions",
    "checks": {},
    "evidence": "runs",
    "applied": 1,
}
LOOK = {"kind": "vault_look", "alpha_id": "p", "subject": "ofi", "reason": "final check"}
ROWS = {"alpha_promotion_log": PROMOTION, "alpha_canary_log": CANARY, "override_log": LOOK}


class People:
    """Ann owns, bob validates; both with keys of their own."""

    def __init__(self, folder: Path) -> None:
        self.path = {name: folder / name for name in ("ann", "bob")}
        roles = {"ann": ["owner"], "bob": ["validator"]}
        rows = [
            entry(name, generate(path, name), roles=roles[name], from_ns=START - 1)
            for name, path in self.path.items()
        ]
        self.keys = Keys.from_rows(rows)

    def key(self, name: str) -> Key:
        return next(key for key in self.keys if key.name == name)


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> People:
    return People(tmp_path_factory.mktemp("people"))


@pytest.fixture
def journal(tmp_path: Path, people: People) -> Journal:
    """One signed row in each table that has signatures."""
    audit = Auditor(tmp_path / "audit", NOBODY)
    for n, (table, row) in enumerate(ROWS.items()):
        record(audit, people, table, row, at=START + n)
    return audit.journal


def record(
    audit: Auditor, people: People, table: str, row: Any, *, by: str = "bob", at: int = START
) -> None:
    row = sign_row(table, row, at, people.path[by])
    audit.record(table, row, now_ns=at, key_fp=people.key(by).fingerprint)


def wrong(journal: Journal, people: People) -> list[tuple[str, int, str]]:
    found = verify(journal, None, keys=people.keys).findings
    return [(one.code, one.seq, one.sentence.split(": ", 2)[2]) for one in found]


def test_signed_rows_of_every_table_hold(journal: Journal, people: People) -> None:
    assert wrong(journal, people) == []


def test_the_pack_checker_makes_the_same_payload_from_the_standard_library(
    journal: Journal,
) -> None:
    for row in journal.rows():
        assert row_payload(row) == payload(row["table"], row["row"], row["ts"])
        given = ROWS[row["table"]]
        assert row_payload(row) == payload(row["table"], given, row["ts"]), "as the caller has it"


@pytest.mark.parametrize("seq", [2, 3, 4])
def test_every_changed_column_of_a_signed_row_is_found_though_the_chain_is_whole(
    journal: Journal, people: People, seq: int
) -> None:
    whole = journal.path.read_bytes()
    row = next(row for row in journal.rows() if row["seq"] == seq)
    for name, value in [*row["row"].items(), ("ts", row["ts"]), ("key_fp", row["key_fp"])]:
        if name in ("stage", "action", "kind", "evidence"):
            continue  # words of a list, changed below

        def change(each: dict[str, Any], name: str = name, value: Any = value) -> None:
            if each["seq"] == seq:
                part = each if name in ("ts", "key_fp") else each["row"]
                part[name] = f"{value}x" if isinstance(value, str) else value + 1

        forged(journal, change)
        assert [(code, at) for code, at, _ in wrong(journal, people)] == [("BAD_SIGNATURE", seq)], (
            name
        )
        journal.path.write_bytes(whole)


def test_another_word_of_a_list_is_found_too(journal: Journal, people: People) -> None:
    def change(row: dict[str, Any]) -> None:
        words = {2: ("stage", "renew"), 3: ("action", "graduate"), 4: ("kind", "force")}
        if row["seq"] in words:
            name, word = words[row["seq"]]
            row["row"][name] = word

    forged(journal, change)
    assert [seq for _, seq, _ in wrong(journal, people)] == [2, 3, 4]


def test_a_signature_that_was_taken_away_is_missed(journal: Journal, people: People) -> None:
    forged(journal, lambda row: row["row"].update(signature="") if row["seq"] > 1 else None)
    assert wrong(journal, people) == [("BAD_SIGNATURE", n, "is not signed") for n in (2, 3, 4)]


def test_a_signed_row_cannot_be_used_again(journal: Journal, people: People) -> None:
    audit = Auditor(journal.folder, NOBODY)
    row = next(row for row in journal.rows() if row["seq"] == 4)
    audit.record("override_log", row["row"], now_ns=row["ts"], key_fp=row["key_fp"])
    ((code, seq, text),) = wrong(journal, people)
    assert (code, seq) == ("BAD_SIGNATURE", 5) and "has the signature of row 4" in text


@pytest.mark.parametrize(
    ("table", "change", "by", "said"),
    [
        ("alpha_promotion_log", {}, "ann", "ann has none of the roles validator"),
        ("alpha_promotion_log", {"stage": "propose"}, "bob", "bob has none of the roles owner"),
        ("alpha_promotion_log", {"self_approved": 1}, "ann", ""),
        ("alpha_canary_log", {}, "ann", "ann has none of the roles validator, operator"),
        ("alpha_canary_log", {"action": "rollback"}, "ann", ""),
        ("override_log", {}, "ann", ""),
    ],
)
def test_the_role_must_fit_what_was_decided(
    tmp_path: Path, people: People, table: str, change: dict[str, Any], by: str, said: str
) -> None:
    audit = Auditor(tmp_path / "audit", NOBODY)
    record(audit, people, table, {**ROWS[table], **change}, by=by)
    found = wrong(audit.journal, people)
    assert [one[2] for one in found] == ([said] if said else [])


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("alpha_promotion_log", {"approved": 0}),
        ("alpha_canary_log", {"action": "hold"}),
        ("alpha_canary_log", {"action": "rollback"}),
        ("alpha_canary_log", {"applied": 0}),
        ("override_log", {"kind": "waiver"}),
    ],
)
def test_what_gives_nobody_more_needs_no_signature(
    tmp_path: Path, people: People, table: str, change: dict[str, Any]
) -> None:
    audit = Auditor(tmp_path / "audit", NOBODY)
    audit.record(table, {**ROWS[table], **change}, now_ns=START)
    assert wrong(audit.journal, people) == []


def test_a_key_that_did_not_count_then_is_found(tmp_path: Path, people: People) -> None:
    audit = Auditor(tmp_path / "audit", NOBODY)
    record(audit, people, "override_log", LOOK, at=START - 2_000_000_000)
    ((code, seq, text),) = wrong(audit.journal, people)
    assert (code, seq) == ("BAD_SIGNATURE", 2) and "bob" in text


def test_since_leaves_signatures_of_older_rows_alone(journal: Journal, people: People) -> None:
    def change(row: dict[str, Any]) -> None:
        if row["seq"] == 2:
            row["row"]["canary_weight"] = 0.5

    forged(journal, change)
    keys = people.keys
    assert not verify(journal, None, keys=keys).ok
    assert not verify(journal, None, keys=keys, since_ns=START).ok
    assert verify(journal, None, keys=keys, since_ns=START + 1).ok
