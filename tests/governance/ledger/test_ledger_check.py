"""A ledger that was deleted, cut, replaced or rewritten is found, given a head kept elsewhere."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hft.core.errors import DataError, HftError, JournalError
from hft.governance.ledger.check import (
    BROKEN,
    FORKED,
    MISSING,
    ROLLED_BACK,
    VECTORS,
    anchored_heads,
)
from hft.governance.ledger.ledger import Ledger
from hft.storage.chain_row import seal
from tests.governance.ledger.ledgers import NOW_NS, filled, trial

CHAIN_FIELDS = ("seq", "prev_hash", "row_hash")


def lines_of(folder: Path, writer: str = "me") -> list[bytes]:
    return (folder / f"{writer}.jsonl").read_bytes().splitlines(keepends=True)


def put(folder: Path, lines: list[bytes], writer: str = "me") -> None:
    (folder / f"{writer}.jsonl").write_bytes(b"".join(lines))


def rehashed(lines: list[bytes], change: Callable[[int, dict], dict | None]) -> list[bytes]:
    """The chain with each row changed (or dropped where None), every hash computed again."""
    prev, seq, out = "0" * 64, 0, []
    for number, line in enumerate(lines):
        row = change(number, json.loads(line))
        if row is None:
            continue
        seq += 1
        fields = {name: value for name, value in row.items() if name not in CHAIN_FIELDS}
        prev, sealed = seal(fields, seq, prev, None)
        out.append(sealed)
    return out


def codes(ledger: Ledger, *anchors: dict) -> list[str]:
    return [problem.code for problem in ledger.verify(anchors)]


def delete(folder: Path) -> None:
    (folder / "me.jsonl").unlink()


def delete_all(folder: Path) -> None:
    shutil.rmtree(folder)


def truncate(folder: Path) -> None:
    put(folder, lines_of(folder)[:-2])


def truncate_inside_a_line(folder: Path) -> None:
    path = folder / "me.jsonl"
    os.truncate(path, path.stat().st_size - 1000)


def replace_by_another(folder: Path) -> None:
    filled(folder / "other", 8)
    os.replace(folder / "other" / "me.jsonl", folder / "me.jsonl")
    for path in (folder / "other" / "returns").iterdir():
        shutil.copy(path, folder / "returns")
    shutil.rmtree(folder / "other")
    put(folder, rehashed(lines_of(folder), lambda at, row: row | {"ts_ns": row["ts_ns"] + at}))


def replace_by_an_older_copy_grown_again(folder: Path) -> None:
    put(folder, lines_of(folder)[:3])
    for number in range(20, 25):
        Ledger.open(folder, writer="me").append([trial(number)], NOW_NS)


def rewrite_and_rehash(folder: Path) -> None:
    def better(at: int, row: dict) -> dict:
        return row | {"sharpe_per_period": 0.3} if at == 2 else row

    put(folder, rehashed(lines_of(folder), better))


def drop_a_row_and_rehash(folder: Path) -> None:
    put(folder, rehashed(lines_of(folder), lambda at, row: None if at == 1 else row))


def rename_to_another_writer(folder: Path) -> None:
    os.replace(folder / "me.jsonl", folder / "you.jsonl")


@pytest.mark.parametrize(
    ("attack", "expected"),
    [
        (delete, [MISSING]),
        (delete_all, [MISSING]),
        (truncate, [ROLLED_BACK]),
        (truncate_inside_a_line, [ROLLED_BACK]),
        (replace_by_another, [ROLLED_BACK]),
        (replace_by_an_older_copy_grown_again, [ROLLED_BACK]),
        (rewrite_and_rehash, [ROLLED_BACK]),
        (drop_a_row_and_rehash, [ROLLED_BACK]),
        (rename_to_another_writer, [MISSING, BROKEN]),
    ],
)
def test_each_way_of_taking_trials_away_is_found_by_an_anchored_head(
    tmp_path: Path, attack: Callable[[Path], None], expected: list[str]
) -> None:
    ledger = filled(tmp_path / "ledger", 6)
    head = ledger.heads()
    ledger.append([trial(6)], NOW_NS)  # what came after the anchor does not hide it
    assert codes(ledger, head) == []
    attack(tmp_path / "ledger")
    found = Ledger.open(tmp_path / "ledger", writer="me").verify([head])
    assert [problem.code for problem in found] == expected
    named = tmp_path / "ledger"
    assert all(str(named) in one.sentence and "\n" not in one.sentence for one in found)


def test_only_the_anchor_tells_a_shorter_chain_from_a_young_one(tmp_path: Path) -> None:
    ledger = filled(tmp_path, 6)
    head = ledger.heads()
    truncate(tmp_path)
    assert codes(ledger) == []
    (problem,) = ledger.verify(head)
    assert problem.code == ROLLED_BACK and problem.writer == "me" and problem.seq == 6
    assert "ends at row 4" in problem.sentence and "row 6" in problem.sentence


def test_every_anchor_is_compared_not_only_the_newest(tmp_path: Path) -> None:
    ledger = filled(tmp_path, 3)
    old = ledger.heads()
    put(tmp_path, rehashed(lines_of(tmp_path), lambda at, row: row | {"seed": 7}))
    ledger.append([trial(8)], NOW_NS)
    new = ledger.heads()
    assert codes(ledger, new) == []
    assert codes(ledger, old, new) == codes(ledger, new, old) == [ROLLED_BACK]


@pytest.mark.parametrize("row", range(6))
def test_a_changed_byte_is_located(tmp_path: Path, row: int) -> None:
    ledger = filled(tmp_path, 6)
    lines = lines_of(tmp_path)
    lines[row] = lines[row].replace(b'"seed":42', b'"seed":43')
    put(tmp_path, lines)
    (problem,) = ledger.verify()
    assert problem.code == BROKEN and problem.seq == row + 1 and "row_hash" in problem.sentence
    with pytest.raises(JournalError, match=f"line {row + 1}"):
        Ledger.open(tmp_path).trials()


def test_a_row_rewritten_with_its_own_new_hash_breaks_the_link_and_is_not_counted(
    tmp_path: Path,
) -> None:
    ledger = filled(tmp_path, 4)
    lines = lines_of(tmp_path)
    row = json.loads(lines[1])
    fields = {name: row[name] for name in row if name not in CHAIN_FIELDS}
    _, forged = seal(fields | {"sharpe_per_period": 0.9}, 2, row["prev_hash"], None)
    put(tmp_path, [lines[0], forged, *lines[2:]])
    with pytest.raises(JournalError, match="line 3 does not fit: its prev_hash"):
        Ledger.open(tmp_path).trials()
    (problem,) = ledger.verify()
    assert (problem.code, problem.seq) == (BROKEN, 3)


def test_another_spelling_of_the_same_row_is_found(tmp_path: Path) -> None:
    ledger = filled(tmp_path, 3)

    def doubled(line: bytes) -> bytes:
        body = line.rstrip(b"\n").replace(b'"seed":42', b'"seed":1,"seed":42')
        at = body.index(b',"row_hash":"')
        end = at + len(b',"row_hash":"') + 65
        digest = hashlib.sha256(body[:at] + body[end:]).hexdigest().encode()
        return body[: end - 65] + digest + body[end - 1 :] + b"\n"

    lines = lines_of(tmp_path)
    put(tmp_path, [*lines[:2], doubled(lines[2])])
    (problem,) = ledger.verify()
    assert problem.code == BROKEN and problem.seq == 3 and "canonical" in problem.sentence


def test_two_rows_with_one_writer_and_number_are_a_fork(tmp_path: Path) -> None:
    ledger = filled(tmp_path, 3)
    shared = lines_of(tmp_path)
    ledger.append([trial(10)], NOW_NS)
    mine = lines_of(tmp_path)[3:]
    put(tmp_path, shared)
    Ledger.open(tmp_path, writer="me").append([trial(11)], NOW_NS)
    theirs = lines_of(tmp_path)[3:]
    put(tmp_path, shared + mine + theirs)  # a conflict that was ended by keeping both
    (problem,) = Ledger.open(tmp_path).verify()
    assert (problem.code, problem.writer, problem.seq) == (FORKED, "me", 4)


def test_a_torn_last_line_is_no_damage(tmp_path: Path) -> None:
    ledger = filled(tmp_path, 3)
    heads = ledger.heads()
    with open(tmp_path / "me.jsonl", "ab") as file:
        file.write(b'{"alpha_id":"al')
    assert ledger.verify(heads) == [] and ledger.trials().height == 3
    assert Ledger.open(tmp_path).heads() == heads


def test_a_broken_chain_of_another_writer_stops_counting_but_not_recording(tmp_path: Path) -> None:
    filled(tmp_path, 3, writer="other")
    lines = lines_of(tmp_path, "other")
    put(tmp_path, [lines[0], b"garbage\n", *lines[2:]], "other")
    ledger = Ledger.open(tmp_path, writer="me")
    assert ledger.append([trial(7)], NOW_NS)[0].seq == 1
    with pytest.raises(JournalError, match=r"other\.jsonl: line 2"):
        ledger.trials()
    assert not ledger.is_readable
    assert codes(ledger, ledger.heads() | {"other": {"seq": 3, "hash": "0" * 64}}) == [BROKEN]


@pytest.mark.parametrize("how", ["deleted", "cut", "emptied", "other values"])
def test_missing_or_changed_returns_are_named_with_their_trial(tmp_path: Path, how: str) -> None:
    ledger = filled(tmp_path, 3)
    ledger.append([trial(7)], NOW_NS)
    path = tmp_path / "returns" / f"{trial(7).returns_sha256}.arrow"
    if how == "deleted":
        path.unlink()
    elif how == "cut":
        os.truncate(path, path.stat().st_size - 100)
    elif how == "emptied":
        path.write_bytes(b"")
    else:
        filled(tmp_path / "other", 0).append([trial(8)], NOW_NS)
        other = next((tmp_path / "other" / "returns").iterdir())
        shutil.copy(other, path)
        shutil.rmtree(tmp_path / "other")
    (problem,) = ledger.verify()
    assert problem.code == VECTORS and problem.seq == 4 and trial(7).id in problem.sentence
    assert ledger.verify(vectors=False) == []
    assert trial(7).id not in Ledger.open(tmp_path).vectors([trial(7).id])
    assert Ledger.open(tmp_path).family(label_family="fwd_5s").missing == (trial(7).id,)


FUZZ = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(data=st.data())
@FUZZ
def test_returns_with_any_changed_byte_are_whole_or_reported(
    tmp_path: Path, data: st.DataObject
) -> None:
    folder = tmp_path / "fuzz"
    shutil.rmtree(folder, ignore_errors=True)
    ledger = filled(folder, 2)
    (path,) = (folder / "returns").iterdir()
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    found = Ledger.open(folder).vectors([trial(0).id, trial(1).id])
    for number in (0, 1):
        if trial(number).id in found:
            assert found[trial(number).id].tobytes() == trial(number).returns.tobytes()
    assert len(found) + len(ledger.verify()) == 2


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=8),
    st.lists(st.integers(), max_size=3),
    st.just({"a": 1}),
)


FUZZED = (
    *CHAIN_FIELDS,
    *("writer_id", "ts_ns", "trial_id", "data_interval", "n_obs", "source", "seed"),
    *("sharpe_per_period", "returns_sha256", "skew", "extra"),
)


@given(name=st.sampled_from(FUZZED), value=VALUES, hashed=st.booleans())
@FUZZ
def test_a_field_of_any_value_is_read_right_or_named(
    tmp_path: Path, name: str, value: object, hashed: bool
) -> None:
    folder = tmp_path / "fuzz"
    shutil.rmtree(folder, ignore_errors=True)
    ledger = filled(folder, 2)
    lines = lines_of(folder)
    row = json.loads(lines[1])
    row[name] = value
    changed = json.dumps(row, sort_keys=True, separators=(",", ":"))
    if hashed:  # by somebody who knows how
        body = {key: inner for key, inner in row.items() if key != "row_hash"}
        text = json.dumps(body, sort_keys=True, separators=(",", ":"))
        row["row_hash"] = hashlib.sha256(text.encode()).hexdigest()
        changed = json.dumps(row, sort_keys=True, separators=(",", ":"))
    put(folder, [lines[0], changed.encode() + b"\n"])
    same = changed.encode() + b"\n" == lines[1]
    heads = {"me": {"seq": 2, "hash": json.loads(lines[1])["row_hash"]}}
    problems = ledger.verify(heads)
    assert bool(problems) != same
    assert all("\n" not in problem.sentence for problem in problems)
    for call in (ledger.trials, lambda: ledger.append([trial(3)], NOW_NS), ledger.heads):
        try:
            call()
        except HftError as error:
            assert "\n" not in str(error)


@given(garbage=st.binary(max_size=120), front=st.booleans())
@FUZZ
def test_garbage_lines_end_in_one_clear_sentence(
    tmp_path: Path, garbage: bytes, front: bool
) -> None:
    folder = tmp_path / "fuzz"
    shutil.rmtree(folder, ignore_errors=True)
    ledger = filled(folder, 2)
    lines = lines_of(folder)
    put(folder, [garbage + b"\n", *lines] if front else [*lines, garbage + b"\n"])
    (problem,) = ledger.verify(vectors=False)
    assert problem.code == BROKEN and "\n" not in problem.sentence
    with pytest.raises(JournalError, match="line"):
        ledger.trials()


def test_heads_are_taken_from_audit_rows_and_promotions(tmp_path: Path) -> None:
    ledger = filled(tmp_path, 2)
    first = ledger.heads()
    ledger.append([trial(5)], NOW_NS)
    rows = [
        {"seq": 2, "ledger_heads": json.dumps(first)},
        {"seq": 3, "ledger_heads": "{}"},
        {"seq": 4, "ledger_heads": json.dumps(first)},
        {"seq": 5},
    ]
    promotions = [{"heads": {"audit": {}, "ledger": ledger.heads()}}, {"heads": None}, {}]
    anchors = anchored_heads(rows, promotions)
    assert anchors == [first, ledger.heads()]
    assert ledger.verify(anchors) == []
    truncate(tmp_path)
    assert codes(ledger, *anchors) == [ROLLED_BACK, ROLLED_BACK]


@pytest.mark.parametrize("heads", [{"me": {}}, {"me": {"seq": "x", "hash": ""}}, {"me": 7}])
def test_a_head_that_cannot_be_read_is_an_error_and_not_a_pass(tmp_path: Path, heads: dict) -> None:
    with pytest.raises(DataError, match="head"):
        filled(tmp_path, 2).verify(heads)
    with pytest.raises(DataError, match="audit row 7"):
        anchored_heads([{"seq": 7, "ledger_heads": "{"}])
