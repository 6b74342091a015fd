"""Reading the journal as a stranger would: every line, every hash, every number.

It decides whether the lines of a journal are whole and says where they are not, and goes on after
damage so that all of it is found. Pure: lines in, findings out; what the world outside knows of
the journal (anchors, database) is compared in `verify`.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from hft.audit.cures import cure
from hft.audit.journal import FIRST_TABLE, KEYED, Row
from hft.storage.chain import GENESIS, Head
from hft.storage.chain_row import NotARow, parse, parse_whole

ROW_CHANGED = "JOURNAL_ROW_CHANGED"
ROWS_MISSING = "JOURNAL_ROWS_MISSING"
FORKED = "JOURNAL_FORKED"
BROKEN = "JOURNAL_BROKEN"
TORN = "JOURNAL_TORN"
NO_HEAD = Head(0, GENESIS)
LOCATED_MAX = 3  # changed rows whose changed byte is looked for
FIELD = re.compile(rb'"(\w+)":')


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong and where; `seq` 0 and an empty column where none is meant."""

    code: str
    place: str
    seq: int
    column: str
    sentence: str

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, with what to do about it."""
        return asdict(self) | {"cure": cure(self.code)}


@dataclass(frozen=True)
class Retired:
    """The rows that were taken away on purpose: up to `last_seq`, whose hash was `last_hash`."""

    last_seq: int
    last_hash: str
    count: int
    sha256: str
    by_seq: int


@dataclass
class Walk:
    """What the lines of a journal say; `changed` are rows whose own hash is wrong."""

    first: Row | None = None
    rows: list[Row] = field(default_factory=list)
    changed: dict[int, Row] = field(default_factory=dict)
    head: Head = NO_HEAD
    lost: int = 0  # lines at the end of which nothing can be believed
    retired: Retired | None = None
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def id(self) -> str:
        """The name of the journal."""
        return "" if self.first is None else str(self.first["row"].get("journal_id", ""))


def walk(lines: Iterable[bytes], place: str, key: bytes | None = None) -> Walk:
    """Check every line (with its newline, except a torn last one)."""
    found = Walk()
    gaps: list[tuple[int, int, str]] = []
    bad = 0  # lines since the last good row of which nothing can be believed
    for number, line in enumerate(lines, start=1):
        expected = found.head.seq + bad + 1
        if not line.endswith(b"\n"):
            _torn(found, line, place, expected)
            break
        row = _row(found, line[:-1], place, number, expected, key)
        if row is None:
            bad += 1
            continue
        if row["seq"] <= found.head.seq:
            _say(found, FORKED, place, row["seq"], f"line {number}: is a second row {row['seq']}")
            continue
        if row["seq"] > expected:
            gaps.append((expected, row["seq"] - 1, row["prev_hash"]))
        elif not bad and row["prev_hash"] != found.head.hash:
            what = f"line {number}: names another row before it: row {expected - 1} was replaced"
            _say(found, BROKEN, place, row["seq"], what)
        bad, found.head = 0, Head(row["seq"], row["row_hash"])
        _take(found, row, place, number, key)
    found.lost = bad
    found.retired = _retired(found.rows)
    _judge_gaps(found, gaps, place)
    return found


def _take(found: Walk, row: Row, place: str, number: int, key: bytes | None) -> None:
    if row.get("table") != FIRST_TABLE:
        if number == 1:
            _say(found, BROKEN, place, row["seq"], "line 1: does not name the journal")
        found.rows.append(row)
        return
    if number != 1:
        _say(found, BROKEN, place, row["seq"], f"line {number}: a second journal begins here")
        return
    found.first = row
    if key is not None and row["row"].get("hash") != KEYED:
        _say(found, BROKEN, place, 1, "line 1: says that no key was used; it was written anew")


def _row(
    found: Walk, line: bytes, place: str, number: int, expected: int, key: bytes | None
) -> Row | None:
    """A line as a row; None when nothing of it can be believed."""
    try:
        return parse_whole(line, key)
    except NotARow as error:
        looked = sum(finding.code == ROW_CHANGED for finding in found.findings) < LOCATED_MAX
        byte = changed_byte(line, key) if looked else None
        column, where = byte if byte is not None else ("", str(error))
        sentence = f"{place}: line {number}: row {expected} was changed: {where}"
        found.findings.append(Finding(ROW_CHANGED, place, expected, column, sentence))
    try:
        row = parse(line)
    except NotARow:
        return None
    if isinstance(row.get("row"), dict) and row.get("seq") == expected:
        found.changed[expected] = row
    return None


def changed_byte(line: bytes, key: bytes | None = None) -> tuple[str, str] | None:
    """Column and words for the one byte whose change explains a wrong hash; None if none does.

    The hash stands in the line itself, so that the byte that was there before can be looked for.
    """
    match = re.search(rb',"row_hash":"([^"]{64})"', line)
    if match is None:
        return None
    content = line[: match.start()] + line[match.end() :]
    stated = match.group(1).decode("latin-1")
    real = _digest(key, content).hexdigest()
    if sum(a != b for a, b in zip(real, stated, strict=True)) == 1:
        return "row_hash", "one character of its row_hash"
    state, shift = _digest(key, b""), match.end() - match.start()
    for at in range(len(content)):
        rest = content[at + 1 :]
        for byte in range(32, 127):  # canonical rows are ASCII
            trial = state.copy()
            trial.update(bytes((byte,)) + rest)
            if trial.hexdigest() == stated:
                place = at if at < match.start() else at + shift
                restored = content[:at] + bytes((byte,)) + rest
                starts = [m for m in FIELD.finditer(restored) if m.start() <= at]
                name = starts[-1].group(1).decode() if starts else ""
                was, now = chr(byte), chr(content[at])
                return name, f"byte {place + 1}, in `{name}`, was {was!r} and is {now!r}"
        state.update(content[at : at + 1])
    return None


def _digest(key: bytes | None, data: bytes) -> Any:
    if key is None:
        return hashlib.sha256(data)
    return hmac.new(key, data, hashlib.sha256)


def _torn(found: Walk, line: bytes, place: str, expected: int) -> None:
    """A crash leaves the beginning of a row; anything else was done by hand."""
    begins = line.startswith(b'{"') or line in (b"{", b"")
    try:
        json.JSONDecoder().raw_decode(line.decode("utf-8", "replace"))
        whole = True
    except ValueError:
        whole = False
    if whole or not begins:
        what = f"the last line has no end; row {expected} was changed by hand"
        _say(found, TORN, place, expected, what)
    else:
        found.notes.append(
            f"{place}: a write of row {expected} was cut off by a crash ({len(line)} bytes); "
            "it was never acknowledged, and the next row replaces it"
        )


def _retired(rows: Sequence[Row]) -> Retired | None:
    """The newest record of rows that were taken away."""
    for row in reversed(rows):
        if row.get("table") == "control_log" and row["row"].get("kind") == "retire":
            try:
                said = json.loads(row["row"]["evidence"])
                return Retired(
                    int(said["last_seq"]),
                    str(said["last_row_hash"]),
                    int(said["count"]),
                    str(said["sha256"]),
                    int(row["seq"]),
                )
            except (ValueError, KeyError, TypeError):
                return None
    return None


def _judge_gaps(found: Walk, gaps: Sequence[tuple[int, int, str]], place: str) -> None:
    """Rows are missing unless a record in the chain says that they were retired."""
    retired = found.retired
    for first, last, prev_hash in gaps:
        known = retired is not None and (retired.last_seq, retired.last_hash) == (last, prev_hash)
        if first == 2 and known:
            continue
        which = f"row {first} is" if first == last else f"rows {first} to {last} are"
        _say(found, ROWS_MISSING, place, first, f"{which} missing")
    there = found.rows[0]["seq"] if found.rows else 0
    if retired is not None and there <= retired.last_seq:
        found.notes.append(
            f"{place}: rows up to {retired.last_seq} were to be retired and are still there; "
            "run `hft audit retire` again"
        )


def _say(found: Walk, code: str, place: str, seq: int, what: str) -> None:
    found.findings.append(Finding(code, place, seq, "", f"{place}: {what}"))
