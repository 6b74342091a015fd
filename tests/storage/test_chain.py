"""A chained file: what is acknowledged stays, and what is changed is found and located."""

import fcntl
import multiprocessing
import os
import resource
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hft.core.errors import Busy, DataError, HftError, JournalError
from hft.storage.chain import GENESIS, Chain, Head, canonical, row_hash
from hft.storage.chain_row import NotARow, check_hash, encode, parse_whole, seal

GROUP = 7


def made(folder: Path, rows: int = 5) -> Chain:
    chain = Chain(folder / "a.jsonl")
    chain.append([{"x": number, "name": f"row {number}"} for number in range(rows)])
    return chain


def test_rows_are_numbered_and_each_names_the_hash_of_the_one_before(tmp_path: Path) -> None:
    chain = Chain(tmp_path / "a.jsonl")
    first = chain.append([{"x": 1}, {"x": 2}])
    second = chain.append([{"x": 3}])
    rows = list(chain.read())
    assert [row["seq"] for row in rows] == [1, 2, 3]
    assert [row["prev_hash"] for row in rows] == [GENESIS, *first.hashes]
    assert [row["row_hash"] for row in rows] == [*first.hashes, *second.hashes]
    assert chain.head() == Head(3, second.hashes[0]) == chain.verify().head
    assert all(row_hash(row) == row["row_hash"] for row in rows)
    assert [row["seq"] for row in chain.read(after=2)] == [3]


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        (2**64, "64 bits"),
        (-(2**63) - 1, "64 bits"),
        (b"x", "bytes"),
        ({1: 2}, "key"),
        ("\ud800", "Unicode"),
        ([[float("nan")]], "x[0][0]"),
        ({"deep": {"in": {1, 2}}}, "x.deep.in"),
    ],
)
def test_a_value_without_one_form_is_refused_before_anything_is_written(
    tmp_path: Path, value: object, word: str
) -> None:
    chain = Chain(tmp_path / "a.jsonl")
    with pytest.raises(DataError) as refused:
        chain.append([{"x": 1}, {"x": value}])
    assert word in str(refused.value)
    assert not chain.path.exists()


@pytest.mark.parametrize("name", ["seq", "prev_hash", "row_hash"])
def test_the_fields_of_the_chain_cannot_be_given(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match=name):
        Chain(tmp_path / "a.jsonl").append([{name: 1}])


def test_a_list_that_contains_itself_is_refused(tmp_path: Path) -> None:
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(DataError, match="nested"):
        Chain(tmp_path / "a.jsonl").append([{"x": endless}])


def test_the_form_does_not_depend_on_the_order_of_the_keys() -> None:
    assert canonical({"b": 0.1, "a": "ä"}) == canonical({"a": "ä", "b": 0.1})
    assert canonical({"b": 0.1, "a": "ä"}) == b'{"a":"\\u00e4","b":0.1}'


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(alphabet="ab_rowhsh", max_size=9), inner, max_size=3)
    ),
    max_leaves=8,
)
ROW = st.dictionaries(st.text(max_size=9), JSON, max_size=5).map(
    lambda row: {k: v for k, v in row.items() if k not in ("seq", "prev_hash", "row_hash")}
)


@given(ROW, st.sampled_from([None, b"key"]))
def test_any_row_of_json_values_reads_back_as_it_was(row: dict, key: bytes | None) -> None:
    own, line = seal(row, 3, GENESIS, key)
    read = parse_whole(line[:-1], key)
    assert read == {**row, "seq": 3, "prev_hash": GENESIS, "row_hash": own}
    assert row_hash(read, key) == own and encode(read) + b"\n" == line
    check_hash(line[:-1], key)
    assert b"\n" not in line[:-1]


@given(ROW, st.data())
def test_any_changed_byte_of_a_line_is_seen(row: dict, data: st.DataObject) -> None:
    _, line = seal(row, 1, GENESIS, None)
    at = data.draw(st.integers(0, len(line) - 2))
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != line[at]))
    changed = line[:at] + bytes([byte]) + line[at + 1 : -1]
    for reader in (parse_whole, check_hash):
        with pytest.raises(NotARow):
            reader(changed)


def test_without_the_key_a_row_can_be_read_but_not_rewritten(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    Chain(path, key=b"secret").append([{"x": 1}])
    assert Chain(path, key=b"secret").verify().damage is None
    assert [row["x"] for row in Chain(path).read()] == [1]
    assert Chain(path).verify().damage is not None
    with pytest.raises(JournalError, match="row_hash"):
        Chain(path, key=b"guessed").append([{"x": 2}])


def test_a_torn_last_line_is_cut_and_counted(tmp_path: Path) -> None:
    chain = made(tmp_path, 1)
    with open(chain.path, "ab") as file:
        file.write(b'{"x":')
    assert chain.verify().torn_bytes == 5
    assert len(list(chain.read())) == 1 and chain.head().seq == 1
    assert chain.append([{"x": 2}]).torn_bytes == 5
    assert chain.verify().head.seq == 2 and chain.verify().damage is None


def test_a_file_that_is_only_a_torn_line_begins_anew(tmp_path: Path) -> None:
    chain = Chain(tmp_path / "a.jsonl")
    chain.path.write_bytes(b'{"half":"')
    assert chain.head() == Head(0, GENESIS) and list(chain.read()) == []
    assert chain.append([{"x": 1}]).torn_bytes == 9
    assert chain.verify().head.seq == 1


@pytest.mark.parametrize("last", [b"{}\n", b"garbage\n", b"\0\0\0\n", b"\n", b'{"seq":9}\n'])
def test_nothing_is_added_behind_a_last_line_that_is_no_row(tmp_path: Path, last: bytes) -> None:
    chain = made(tmp_path)
    before = chain.path.read_bytes() + last
    chain.path.write_bytes(before)
    with pytest.raises(JournalError, match="restored"):
        chain.append([{"x": 1}])
    assert chain.path.read_bytes() == before
    damage = chain.verify().damage
    assert damage is not None and damage.line == 6


def test_rows_longer_than_the_tail_that_is_read_are_continued(tmp_path: Path) -> None:
    chain = Chain(tmp_path / "a.jsonl")
    for size in (10, 5_000, 300_000, 10, 70_000):
        chain.append([{"x": "y" * size}])
    checked = chain.verify()
    assert checked.rows == 5 and checked.damage is None


def test_removed_swapped_and_repeated_rows_are_located(tmp_path: Path) -> None:
    chain = made(tmp_path)
    lines = chain.path.read_bytes().splitlines(keepends=True)
    cases = {
        "removed": ([*lines[:2], *lines[3:]], 3, False),
        "swapped": ([lines[0], lines[2], lines[1], *lines[3:]], 2, False),
        "repeated": ([*lines[:3], lines[2], *lines[3:]], 4, True),
        "first gone": (lines[1:], 1, False),
    }
    for name, (changed, line, forked) in cases.items():
        chain.path.write_bytes(b"".join(changed))
        damage = chain.verify().damage
        assert damage is not None and (damage.line, damage.forked) == (line, forked), name


def test_a_row_that_was_rewritten_with_a_new_hash_breaks_the_next_link(tmp_path: Path) -> None:
    chain = made(tmp_path)
    lines = chain.path.read_bytes().splitlines(keepends=True)
    row = parse_whole(lines[2][:-1])
    fields = {k: v for k, v in row.items() if k not in ("seq", "prev_hash", "row_hash")}
    _, forged = seal({**fields, "x": 99}, row["seq"], row["prev_hash"], None)
    chain.path.write_bytes(b"".join([*lines[:2], forged, *lines[3:]]))
    damage = chain.verify().damage
    assert damage is not None and damage.line == 4 and "prev_hash" in damage.what


@given(st.binary(max_size=200), st.integers(0, 5))
def test_garbage_ends_in_one_sentence_or_in_rows(
    tmp_path_factory: pytest.TempPathFactory, garbage: bytes, good: int
) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    chain = made(folder, good) if good else Chain(folder / "a.jsonl")
    with open(chain.path, "ab") as file:
        file.write(garbage)
    for call in (lambda: list(chain.read()), chain.head, lambda: chain.append([{"x": 1}])):
        try:
            call()
        except HftError as error:
            assert "\n" not in str(error) and "a.jsonl" in str(error)
    checked = chain.verify()
    assert checked.head.seq >= good
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    "line",
    [
        b"1" * 5000,
        b"[" * 100_000,
        b'{"a":NaN}',
        b'{"a":1e999}',
        b'{"a":1,"a":2}',
        b"\xff\xfe",
        b'"text"',
        b"null",
        b'{"seq":true,"prev_hash":"","row_hash":""}',
        b'{"seq":' + b"9" * 4000 + b"}",
    ],
)
def test_a_line_that_is_no_row_never_passes(tmp_path: Path, line: bytes) -> None:
    chain = made(tmp_path)
    with open(chain.path, "ab") as file:
        file.write(line + b"\n")
    damage = chain.verify().damage
    assert damage is not None and damage.line == 6 and damage.what


def write_many(path: Path, rows: int, groups: int) -> None:
    chain = Chain(path)
    for group in range(groups):
        chain.append([{"x": group, "y": at} for at in range(rows)])


def test_processes_that_append_at_once_make_one_whole_chain(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=write_many, args=(path, 3, 100)) for _ in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    checked = Chain(path).verify()
    assert checked.rows == 900 and checked.damage is None and checked.torn_bytes == 0


def test_who_reads_while_others_write_sees_whole_groups_only(tmp_path: Path) -> None:
    chain = Chain(tmp_path / "a.jsonl")
    chain.append([{"x": 0}] * GROUP)
    context = multiprocessing.get_context("fork")
    writer = context.Process(target=write_many, args=(chain.path, GROUP, 150))
    writer.start()
    seen, mark, followed = 0, None, 0
    while writer.is_alive():
        rows = sum(1 for _ in chain.read())
        checked = chain.verify()
        lines, mark, torn = chain.follow(mark)
        followed += len(lines)
        assert rows % GROUP == checked.rows % GROUP == followed % GROUP == 0
        assert seen <= rows <= checked.rows <= followed
        assert checked.damage is None and checked.torn_bytes == torn == 0
        seen = rows
    writer.join(60)
    lines, _, _ = chain.follow(mark)
    assert followed + len(lines) == 151 * GROUP


def test_following_notices_a_file_that_was_replaced_or_cut(tmp_path: Path) -> None:
    chain = made(tmp_path)
    lines, mark, _ = chain.follow()
    assert len(lines) == 5 and mark.again
    assert chain.follow(mark)[0] == []
    chain.append([{"x": 9}])
    lines, mark, _ = chain.follow(mark)
    assert len(lines) == 1 and not mark.again
    shutil.copy(chain.path, tmp_path / "copy")
    os.replace(tmp_path / "copy", chain.path)
    lines, mark, _ = chain.follow(mark)
    assert len(lines) == 6 and mark.again
    os.truncate(chain.path, chain.path.stat().st_size // 2)
    lines, mark, torn = chain.follow(mark)
    assert len(lines) < 6 and mark.again and torn
    chain.path.unlink()
    assert chain.follow(mark)[:1] == ([],) and chain.follow(mark)[1].again


def test_rows_are_never_left_in_a_file_that_a_checkout_replaced(tmp_path: Path) -> None:
    chain = made(tmp_path)
    shutil.copy(chain.path, tmp_path / "copy")
    with open(chain.path, "rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        waiting = threading.Thread(target=chain.append, args=([{"x": "late"}],))
        waiting.start()
        time.sleep(0.1)  # it has opened the old file and waits for its lock
        os.replace(tmp_path / "copy", chain.path)
    waiting.join(30)
    assert [row["x"] for row in chain.read()][-1] == "late"
    assert chain.verify().damage is None


def test_a_lock_held_for_long_is_said_and_not_waited_for(tmp_path: Path) -> None:
    path = made(tmp_path).path
    with open(path, "rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        for call in (lambda c: c.append([{"x": 1}]), lambda c: c.verify(), lambda c: c.head()):
            with pytest.raises(Busy, match=r"this process .* holds its lock; waited"):
                call(Chain(path, wait_s=0.05))
    assert Chain(path).append([{"x": 1}]).first_seq == 6


FILL = """
import sys
from pathlib import Path
from hft.core.errors import JournalError
from hft.storage.chain import Chain
chain = Chain(Path(sys.argv[1]))
try:
    while True:
        done = chain.append([{"x": "y" * 300}] * 3)
        print(done.first_seq + 2, flush=True)
except JournalError as error:
    print(error)
    sys.exit(error.exit_code)
"""


@pytest.mark.parametrize("limit", [20_000, 20_001, 20_777, 100])
def test_a_full_disk_keeps_every_row_that_was_acknowledged(tmp_path: Path, limit: int) -> None:
    def full() -> None:
        # The write that would pass the limit fails as it does on a full disk.
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    path = tmp_path / "new" / "a.jsonl"
    done = subprocess.run(
        [sys.executable, "-c", FILL, str(path)], capture_output=True, text=True, preexec_fn=full
    )
    said = done.stdout.splitlines()
    acknowledged = int(said[-2]) if len(said) > 1 else 0
    assert done.returncode == 74 and "kept" in said[-1] and not done.stderr
    checked = Chain(path).verify()
    assert (checked.rows, checked.torn_bytes, checked.damage) == (acknowledged, 0, None)
    assert Chain(path).append([{"x": 1}]).first_seq == acknowledged + 1


def test_a_file_that_cannot_be_opened_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder.jsonl").mkdir()
    for path in (tmp_path / "file" / "a.jsonl", tmp_path / "folder.jsonl"):
        with pytest.raises(JournalError, match=path.name):
            Chain(path).append([{"x": 1}])


def test_an_absent_chain_is_empty_and_reading_does_not_make_it(tmp_path: Path) -> None:
    chain = Chain(tmp_path / "none" / "a.jsonl")
    assert chain.head() == Head(0, GENESIS) and list(chain.read()) == []
    assert chain.verify().rows == 0 and chain.append([]).hashes == ()
    assert not chain.path.parent.exists()
