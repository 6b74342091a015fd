"""Whatever is changed in journal or database is found, and said where."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from hft.audit.anchors import Anchor
from hft.audit.auditor import Auditor
from hft.audit.journal import Journal
from hft.audit.records import COMMON, TABLES
from hft.audit.verify import PromotionFile, Signed, Verified, verify
from hft.audit.walk import changed_byte, walk
from hft.storage.chain import Chain, Head
from hft.storage.chain_row import canonical, row_hash
from hft.storage.database import Source, opened
from tests.audit.some_rows import START, some_row, write


@pytest.fixture
def whole(auditor: Auditor) -> Auditor:
    """A journal with a row for every table, delivered."""
    write(auditor, 8)
    assert auditor.deliver().delivered == 8
    return auditor


def check(auditor: Auditor, **more: Any) -> Verified:
    return verify(auditor.journal, auditor.source, **more)


def codes(found: Verified) -> list[tuple[str, int, str]]:
    return [(one.code, one.seq, one.column) for one in found.findings]


def test_a_whole_audit_is_what_it_was(whole: Auditor) -> None:
    found = check(whole)
    assert found.ok and found.compared and found.rows == 8
    assert found.unanchored == {"seq": 2, "ts": START, "table": "alpha_gate_log"}
    json.dumps(found.to_dict())


def test_every_changed_byte_of_a_journal_is_found_at_its_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every byte of the file, one after the other, set to another value."""
    monkeypatch.setattr(
        sys.modules[walk.__module__], "LOCATED_MAX", 0
    )  # the search for the byte has its own test
    audit = Auditor(tmp_path / "a", "http://127.0.0.1:9")
    write(audit, 3)
    data = audit.journal.path.read_bytes()
    row_at, row = [], 1
    for byte in data:
        row_at.append(row)
        row += byte == 10
    for at, byte in enumerate(data):
        for value in {byte ^ 1, byte ^ 0x80, 10, 32} - {byte}:
            changed = data[:at] + bytes([value]) + data[at + 1 :]
            found = walk(changed.splitlines(keepends=True), "j")
            assert found.findings, (at, value)
            named = {one.seq for one in found.findings}
            assert named & {row_at[at], row_at[at] + 1}, (at, value, found.findings)


def test_the_changed_byte_itself_is_found_from_the_hash_alone(tmp_path: Path) -> None:
    audit = Auditor(tmp_path / "a", "http://127.0.0.1:9")
    write(audit, 1)
    line = audit.journal.path.read_bytes().splitlines()[1]
    wanted = {"verdict": b'"PASS"', "ts": str(START).encode(), "actor": b'"actor":"'}
    for name, text in wanted.items():
        at = line.index(text) + len(text) - 2
        changed = line[:at] + (b"7" if line[at : at + 1] != b"7" else b"8") + line[at + 1 :]
        found = changed_byte(changed)
        assert found is not None and found[0] == name and f"byte {at + 1}," in found[1]
    assert changed_byte(line.replace(b"PASS", b"FAIL")) is None  # more than one byte


@pytest.mark.parametrize("table", sorted(TABLES))
def test_each_changed_column_of_the_database_is_named(whole: Auditor, table: str) -> None:
    source, shape = whole.source, TABLES[table]
    row = next(row for row in whole.rows() if row["table"] == table)
    others = [*(name for name, _ in COMMON if name != "seq"), *(c.name for c in shape.columns)]
    names = [name for name in others if name not in shape.order]  # a key column cannot be updated
    kinds = dict(zip(shape.column_names, shape.column_types, strict=True))
    changes = ", ".join(
        f"`{name}` = " + (f"concat(`{name}`, 'x')" if kinds[name] == "String" else f"`{name}` + 1")
        for name in names
    )
    floats = [name for name in names if kinds[name] == "Float64"]
    with opened(source) as database:
        database.command(
            f"ALTER TABLE audit.{table} UPDATE {changes} WHERE journal_id = {{id:String}} "
            "SETTINGS mutations_sync = 1",
            {"id": whole.journal.id},
        )
    found = check(whole)
    named = {one.column for one in found.findings}
    unmoved = {name for name in floats if row["row"][name] is None or abs(row["row"][name]) > 1e15}
    assert named == set(names) - unmoved
    assert {(one.code, one.place) for one in found.findings} == {
        ("DATABASE_ROW_CHANGED", f"audit.{table}")
    }
    assert {one.seq for one in found.findings} == {row["seq"]}


def test_a_row_that_is_missing_or_there_twice_or_strange_is_found(whole: Auditor) -> None:
    write(whole, 8, 8)
    whole.deliver()
    journal_id = whole.journal.id
    with opened(whole.source) as database:
        given = {"id": journal_id}
        database.command(
            "ALTER TABLE audit.risk_log DELETE WHERE journal_id = {id:String} AND seq = 3 "
            "SETTINGS mutations_sync = 1",
            given,
        )
        database.command(
            "INSERT INTO audit.override_log SELECT * FROM audit.override_log "
            "WHERE journal_id = {id:String} AND seq = 6",
            given,
        )
        for table, seq, other in (("control_log", 4, 99), ("orders_log", 9, 5)):
            database.command(
                f"INSERT INTO audit.{table} SELECT * REPLACE (toUInt64({other}) AS seq) FROM "
                f"(SELECT * FROM audit.{table} WHERE journal_id = {{id:String}} AND seq = {seq})",
                given,
            )
    assert codes(check(whole)) == [
        ("DATABASE_ROW_MISSING", 3, ""),
        ("DATABASE_ROW_UNKNOWN", 5, ""),
        ("DATABASE_ROW_TWICE", 6, ""),
        ("DATABASE_ROW_UNKNOWN", 99, ""),
    ]


def test_a_changed_row_of_the_journal_is_located_by_its_copy_in_the_database(
    whole: Auditor,
) -> None:
    path = whole.journal.path
    path.write_bytes(path.read_bytes().replace(b"known gap", b"known lap"))
    (one,) = check(whole).findings
    assert (one.code, one.seq, one.column) == ("JOURNAL_ROW_CHANGED", 6, "reason")
    path.write_bytes(path.read_bytes().replace(b"known lap", b"unknown hole"))
    (one,) = check(whole).findings
    assert (one.code, one.seq, one.column) == ("JOURNAL_ROW_CHANGED", 6, "reason")
    assert "'known gap'" in one.sentence and "'unknown hole'" in one.sentence


def rewrite(journal: Journal, change: Any, key: bytes | None = None) -> None:
    """What a careful forger does: change rows and compute every hash again."""
    rows = [json.loads(line) for line in journal.raw_lines()]
    before, lines = "0" * 64, []
    for row in rows:
        change(row)
        row["prev_hash"] = before
        row["row_hash"] = before = row_hash(row, key)
        lines.append(canonical(row) + b"\n")
    journal.path.write_bytes(b"".join(lines))


def forge(row: dict[str, Any]) -> None:
    if row["seq"] == 4:
        row["row"]["cause"] = "nothing happened"


def test_rewriting_with_computed_hashes_is_found_by_an_anchor(tmp_path: Path) -> None:
    audit = Auditor(tmp_path / "a", "http://127.0.0.1:9")
    write(audit, 8)
    head = audit.head()
    rewrite(audit.journal, forge)
    assert verify(audit.journal, None).ok, "the chain alone cannot know"
    found = verify(audit.journal, None, anchors=[Anchor(head.seq, head.hash, "export x")])
    assert codes(found) == [("JOURNAL_REWRITTEN", 9, "")]
    assert "export x anchors" in found.findings[0].sentence


def test_rewriting_is_found_and_located_by_the_database(whole: Auditor) -> None:
    rewrite(whole.journal, forge)
    found = codes(check(whole))
    assert ("DATABASE_ROW_CHANGED", 4, "cause") in found
    assert min(seq for _, seq, _ in found) == 4


def test_rewriting_is_found_by_the_key_of_the_hashes(tmp_path: Path) -> None:
    audit = Auditor(tmp_path / "a", "http://127.0.0.1:9", hmac_key=b"secret")
    write(audit, 8)
    assert verify(audit.journal, None).ok
    rewrite(audit.journal, forge)
    assert len(verify(audit.journal, None).findings) >= 8
    rewrite(audit.journal, lambda row: row["row"].update(hash="sha256") if row["seq"] == 1 else 0)
    assert not verify(audit.journal, None).ok


@pytest.mark.parametrize("left", [0, 1, 2, 5])
def test_a_cut_tail_is_found(whole: Auditor, left: int) -> None:
    head, lines = whole.head(), whole.journal.raw_lines()
    whole.journal.path.write_bytes(b"".join(lines[:left]))
    anchored = check(whole, anchors=[Anchor(head.seq, head.hash, "tag t", whole.journal.id)])
    assert "JOURNAL_CUT" in {code for code, _, _ in codes(anchored)} or not left
    found = {code for code, _, _ in codes(check(whole))}
    wanted = "JOURNAL_ABSENT" if not left else "JOURNAL_CUT"
    if left or whole.source.is_embedded:
        assert wanted in found


def test_a_journal_of_another_workspace_does_not_pass_for_this_one(
    whole: Auditor, tmp_path: Path
) -> None:
    head, own = whole.head(), whole.journal.id
    other = Auditor(tmp_path / "other", whole.source)
    write(other, 8)
    shutil.copy(other.journal.path, whole.journal.path)
    found = check(whole, anchors=[Anchor(head.seq, head.hash, "tag", own)])
    assert not found.ok


def test_a_row_taken_out_or_moved_is_found(tmp_path: Path) -> None:
    audit = Auditor(tmp_path / "a", "http://127.0.0.1:9")
    write(audit, 6)
    lines = audit.journal.raw_lines()

    def after(changed: list[bytes]) -> list[tuple[str, int, str]]:
        audit.journal.path.write_bytes(b"".join(changed))
        return codes(verify(audit.journal, None))

    assert after(lines[:3] + lines[4:]) == [("JOURNAL_ROWS_MISSING", 4, "")]
    assert after(lines[:1] + lines[3:]) == [("JOURNAL_ROWS_MISSING", 2, "")]
    assert ("JOURNAL_FORKED", 4, "") in after([*lines[:3], lines[4], lines[3], *lines[5:]])
    assert ("JOURNAL_FORKED", 3, "") in after([*lines[:4], lines[2], *lines[4:]])
    assert ("JOURNAL_ROWS_MISSING", 1, "") in after(lines[1:])
    assert after([*lines[:-1], lines[-1][:-1]]) == [("JOURNAL_TORN", 7, "")]


def test_a_row_put_in_the_place_of_another_breaks_the_next_one(tmp_path: Path) -> None:
    audit = Auditor(tmp_path / "a", "http://127.0.0.1:9")
    write(audit, 6)
    lines = audit.journal.raw_lines()
    row = json.loads(lines[3])
    row["row"]["cause"] = "other"
    row["row_hash"] = row_hash(row)
    lines[3] = canonical(row) + b"\n"
    audit.journal.path.write_bytes(b"".join(lines))
    assert codes(verify(audit.journal, None)) == [("JOURNAL_BROKEN", 5, "")]


def test_a_ledger_that_went_back_is_found_in_the_rows(tmp_path: Path) -> None:
    audit = Auditor(tmp_path / "a", "http://127.0.0.1:9")
    table, row = some_row(0)
    for seq, digest in [(5, "a"), (7, "b"), (7, "b"), (6, "c"), (7, "d")]:
        heads = {"w": {"seq": seq, "hash": digest}, "v": {"seq": 1, "hash": "v"}}
        audit.record(table, row, now_ns=START, ledger_heads=heads)
    found = codes(verify(audit.journal, None))
    assert found == [
        ("LEDGER_WENT_BACK", 5, "ledger_heads"),
        ("LEDGER_WENT_BACK", 6, "ledger_heads"),
    ]


def test_a_promotion_without_its_row_is_unaudited(tmp_path: Path) -> None:
    audit = Auditor(tmp_path / "a", "http://127.0.0.1:9")
    table, row = some_row(3)
    written = audit.record(
        table, {**row, "stage": "approve", "approved": 1, "bundle_sha256": "b1"}, now_ns=1
    )
    audit.record(table, {**row, "approved": 1, "bundle_sha256": "b3"}, now_ns=2)
    head = Head(written.seq, written.row_hash)
    good = PromotionFile("x/p.yaml", "p", "b1", "", head)
    assert verify(audit.journal, None, promotions=[good]).ok
    assert verify(audit.journal, None, promotions=[good]).unanchored is not None
    proposed = PromotionFile("x/p.yaml", "p", "b3", "", head)
    assert codes(verify(audit.journal, None, promotions=[proposed])) == [
        ("UNAUDITED_PROMOTION", 0, "")
    ], "a proposal approves nothing"
    for bad in (
        PromotionFile("x/p.yaml", "p", "b2", "", head),
        PromotionFile("x/q.yaml", "q", "b1", "", head),
    ):
        (one,) = verify(audit.journal, None, promotions=[bad]).findings
        assert one.code == "UNAUDITED_PROMOTION" and one.place == bad.path
    forged = PromotionFile("x/p.yaml", "p", "b1", "", Head(written.seq, "f" * 64))
    assert codes(verify(audit.journal, None, promotions=[forged])) == [
        ("JOURNAL_REWRITTEN", written.seq, "")
    ]


def test_a_signature_that_does_not_fit_is_a_finding(tmp_path: Path) -> None:
    from hft.audit.keys import Keys, entry
    from hft.audit.sign import generate, sign

    keys = Keys.from_rows([entry("ada", generate(tmp_path / "k", "x"), roles=["owner"])])
    journal = Journal(tmp_path / "a")
    good = Signed("bundle", b"x", sign(b"x", tmp_path / "k"), "ada", START, roles=("owner",))
    assert verify(journal, None, keys=keys, signed=[good]).ok
    bad = Signed("bundle", b"y", good.signature, "ada", START)
    role = Signed("bundle", b"x", good.signature, "ada", START, roles=("validator",))
    found = verify(journal, None, keys=keys, signed=[bad, role])
    assert [one.code for one in found.findings] == ["BAD_SIGNATURE", "BAD_SIGNATURE"]


def test_a_database_that_is_away_is_said_and_is_no_finding(tmp_path: Path) -> None:
    audit = Auditor(tmp_path / "a", Source("http://127.0.0.1:9", connect_s=1.0))
    write(audit, 2)
    found = verify(audit.journal, audit.source)
    assert found.ok and not found.compared and "not compared" in found.database
    nothing = verify(audit.journal, Source(f"chdb://{tmp_path}/none"))
    assert "no audit tables yet" in nothing.database and not (tmp_path / "none").exists()


def test_rows_that_wait_are_no_finding(whole: Auditor) -> None:
    write(whole, 3, 8)
    assert check(whole).ok


def test_the_oldest_row_without_an_anchor_is_named(tmp_path: Path) -> None:
    audit = Auditor(tmp_path / "a", "http://127.0.0.1:9")
    write(audit, 3)
    head = audit.head()
    write(audit, 2, 3)
    found = verify(audit.journal, None, anchors=[Anchor(head.seq, head.hash, "x", outside=True)])
    assert found.unanchored is not None and found.unanchored["seq"] == 5
    assert Chain(audit.journal.path).verify().damage is None
