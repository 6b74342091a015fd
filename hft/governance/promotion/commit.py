"""Changing what an alpha may trade, so that a crash at any step leaves nothing or something whole.

Order of an approval or an escalation: the signed file and its audit rows are staged under `.state`;
the rows are recorded (the first one is the decision); the file is put in place; the stage goes.
`recover` completes what was decided and drops what was not. A rollback puts the file in place
first: it must take effect even when the journal cannot be written, and is completed always.

A rollback waits for no decision that is being made (`exclusive`), only for the few writes of one
that is carried out; a decision that it overtook is not carried out any more.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from hft.audit.signed_rows import sign_row
from hft.core.errors import Busy, JournalError
from hft.governance.promotion.changes import newest_files
from hft.governance.promotion.document import Promotion
from hft.storage.atomic import sync_folder, write_atomic
from hft.storage.chain import canonical
from hft.storage.lock import WAIT_S, locked

SUFFIX = ".pending.json"
URGENT_S = 5.0  # how long a rollback waits for writes that are under way


class Recorder(Protocol):
    """The audit journal as a writer sees it."""

    def record(
        self,
        table: str,
        row: Mapping[str, Any],
        *,
        now_ns: int,
        key_fp: str = "",
        limits_hash: str = "",
        ledger_heads: Mapping[str, Any] | None = None,
    ) -> Any:
        """One durable row."""
        ...

    def rows(self) -> list[dict[str, Any]]:
        """Every row, oldest first."""
        ...


@dataclass(frozen=True)
class Row:
    """One audit row to be recorded."""

    table: str
    values: Mapping[str, Any]
    key_fp: str = ""
    limits_hash: str = ""
    ledger_heads: Mapping[str, Any] | None = None

    def signed(self, key: Path, now_ns: int) -> "Row":
        """The row with the signature of who decides, which covers it as recorded at `now_ns`.

        Raises: GovernanceError for a key that cannot sign.
        """
        return replace(self, values=sign_row(self.table, self.values, now_ns, key))

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "table": self.table,
            "values": dict(self.values),
            "key_fp": self.key_fp,
            "limits_hash": self.limits_hash,
            "ledger_heads": dict(self.ledger_heads or {}),
        }


@dataclass(frozen=True)
class Change:
    """A promotion file to be put in place with the rows that say why."""

    alpha_id: str
    path: Path
    promotion: Promotion
    rows: tuple[Row, ...]
    now_ns: int
    before: str = ""  # the sha256 of the file put in place last, when it was decided
    file_first: bool = False


def change_row(
    promotion: Promotion, path: Path, *, old_state: str, cause: str, more: Mapping[str, Any] = {}
) -> Row:
    """The control row of a change: all that `asof` needs to know about it."""
    data = promotion.data
    evidence = {
        "alpha_id": promotion.alpha_id,
        "weight": promotion.weight,
        "enabled": promotion.enabled,
        "state": promotion.state,
        "profile": promotion.profile,
        "expiry_review_date": data["expiry_review_date"],
        "limits": data["hashes"]["limits"],
        "bundle": data["hashes"]["bundle"],
        "owner": data["owner"],
        "validator": data["validator"],
        "signer": data["signatures"]["state"]["name"],
        "forced": data["forced"],
        "self_approved": data["self_approved"],
        "trust": data.get("trust", ""),
        "file": f"{path.parent.name}/{path.name}",
        "yaml_sha256": promotion.sha256,
        **more,
    }
    values = {
        "scope": promotion.alpha_id,
        "kind": "promotion",
        "old_state": old_state,
        "new_state": promotion.state,
        "cause": cause,
        "evidence": evidence,
    }
    return Row("control_log", values, limits_hash=str(data["hashes"]["limits"] or ""))


@contextmanager
def exclusive(folder: Path, *, urgent: bool = False) -> Iterator[None]:
    """One writer of promotions at a time.

    Raises: Busy at once where somebody else writes, JournalError where nobody can.

    What is `urgent` goes on all the same: an approval at work must not hold a rollback up.
    """
    with ExitStack() as held:
        try:
            doing = "is changing a promotion of this workspace"
            held.enter_context(locked(folder / "lock", wait_s=0, doing=doing))
        except (Busy, JournalError):
            if not urgent:
                raise
        yield


def commit(folder: Path, recorder: Recorder, change: Change) -> None:
    """Carry a change out.

    Raises: JournalError; what was claimed before it is completed later. Busy where the promotion
    was changed since it was decided; then nothing is.
    """
    with _placing(folder, urgent=change.file_first):
        if change.file_first:
            stage = _out(folder, change)
            _record(recorder, stage, _values(change))
        else:
            _assert_still(folder, recorder, change)
            stage = _stage(folder, change)
            _record(recorder, stage, _values(change))
            _place(change.path, change.promotion.text)
        _drop(stage)


def _out(folder: Path, change: Change) -> Path:
    """The stage of a rollback, whose file is in place whatever became of the stage.

    Raises: JournalError where one of both could not be written.
    """
    try:
        stage = _stage(folder, change)
    finally:
        try:
            _place(change.path, change.promotion.text)
        except JournalError:
            _overwrite(change.path, change.promotion.text)
    return stage


def _overwrite(path: Path, text: str) -> None:
    """A file where there is no room for another one beside it: its own room is enough. Cut off in
    the middle it cannot be read, and gives no weight.
    """
    try:
        with open(path, "r+b") as file:
            file.write(text.encode())
            file.truncate()
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise JournalError(f"{path}: {error.strerror or error}") from None


@contextmanager
def _placing(folder: Path, *, urgent: bool = False) -> Iterator[None]:
    """The few writes of one change; what is `urgent` waits for a while and then for nobody."""
    with ExitStack() as held:
        try:
            wait_s = URGENT_S if urgent else WAIT_S
            held.enter_context(locked(folder / "placing.lock", wait_s=wait_s))
        except (Busy, JournalError):
            if not urgent:
                raise
        yield


def _assert_still(folder: Path, recorder: Recorder, change: Change) -> None:
    """Raises: Busy where a rollback came between, recorded or not yet."""
    now = newest_files(recorder.rows()).get(change.alpha_id, "")
    if now != change.before or (folder / f"{change.alpha_id}{SUFFIX}").exists():
        raise Busy(f"{change.alpha_id}: was changed while this was decided; run it again")


def recover(folder: Path, recorder: Recorder, root: Path) -> list[str]:
    """Complete or drop what a crash left; returns one sentence for each."""
    said = []
    with _placing(folder):  # a rollback that is being written needs no completion
        for stage in sorted(folder.glob(f"*{SUFFIX}")):
            said.append(_recover(stage, recorder, root))
    return said


def _recover(stage: Path, recorder: Recorder, root: Path) -> str:
    try:
        given = json.loads(stage.read_bytes())
        name, path = str(given["alpha_id"]), root / str(given["path"])
        promotion = Promotion.from_bytes(str(given["text"]).encode(), str(stage))
    except (ValueError, KeyError, TypeError):
        _drop(stage)
        return f"{stage.name}: was damaged and is dropped; nothing had been decided with it"
    decided = _known(recorder, promotion.sha256, int(given["now_ns"]))
    out = given["file_first"] and not promotion.enabled and promotion.weight == 0.0
    if (
        not decided and not out
    ):  # what gives weight is decided by a row, and by nothing that lies here
        _drop(stage)
        return f"{name}: a change that was cut off before it was decided is dropped; run it again"
    if out:
        _place(path, promotion.text)
    _record(recorder, stage, given)
    _place(path, promotion.text)
    _drop(stage)
    now = f"{promotion.state}, weight {promotion.weight:g}"
    return f"{name}: a change that was cut off is completed: {now}"


def _stage(folder: Path, change: Change) -> Path:
    stage = folder / f"{change.alpha_id}{SUFFIX}"
    given = _values(change)
    root = _root_of(folder)
    given["path"] = os.path.relpath(change.path, root)
    _place(stage, canonical(given))
    return stage


def _root_of(folder: Path) -> Path:
    """`<root>/.state/promotions` is the stage of the workspace at `<root>`."""
    return folder.parent.parent


def _values(change: Change) -> dict[str, Any]:
    return {
        "alpha_id": change.alpha_id,
        "path": "",
        "text": change.promotion.text,
        "yaml_sha256": change.promotion.sha256,
        "rows": [row.to_dict() for row in change.rows],
        "now_ns": change.now_ns,
        "file_first": change.file_first,
    }


def _record(recorder: Recorder, stage: Path, given: Mapping[str, Any]) -> None:
    """Record the rows that are not in the journal yet, in their order."""
    present = _present(recorder, int(given["now_ns"]))
    for row in given["rows"]:
        if (row["table"], _key(row["values"])) in present:
            continue
        recorder.record(
            row["table"],
            row["values"],
            now_ns=int(given["now_ns"]),
            key_fp=row["key_fp"],
            limits_hash=row["limits_hash"],
            ledger_heads=row["ledger_heads"],
        )


def _present(recorder: Recorder, now_ns: int) -> set[tuple[str, str]]:
    """Rows of the same moment; a change is recorded at one `now_ns` only."""
    same = [row for row in recorder.rows() if row["ts"] == now_ns]
    return {(str(row["table"]), _key(row["row"])) for row in same}


def _known(recorder: Recorder, yaml_sha256: str, now_ns: int) -> bool:
    """Was the decision for this file recorded?"""
    return any(
        yaml_sha256 in json.dumps(row["row"]) for row in recorder.rows() if row["ts"] == now_ns
    )


def _key(values: Mapping[str, Any]) -> str:
    """What tells two rows of one change apart: who, which step, which file."""
    parts = ("alpha_id", "scope", "kind", "stage", "action", "gate", "cause", "subject")
    found = [str(values.get(part, "")) for part in parts]
    return "|".join(found)


def _place(path: Path, text: str | bytes) -> None:
    try:
        write_atomic(path, text)
    except OSError as error:
        raise JournalError(f"{path}: {error.strerror or error}") from None


def _drop(stage: Path) -> None:
    stage.unlink(missing_ok=True)
    sync_folder(stage.parent)


def override(alpha_id: str, kind: str, subject: str, reason: str) -> Row:
    """A row of what was decided in spite of a rule."""
    values = {
        "kind": kind,
        "alpha_id": alpha_id,
        "subject": subject,
        "reason": reason,
    }
    return Row("override_log", values)
