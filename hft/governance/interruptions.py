"""Validations that were begun and never ended: it was interrupted or killed, or the alpha did it.

A note with the row that is due lies in `.state/validations` while one is at work, and is locked by
its process. The next validation, proposal, approval or canary decision that finds a note which
nobody holds records that row: what was asked for ends in the audit, whatever became of it.
"""

import json
import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hft.core.errors import Busy, JournalError
from hft.storage.atomic import sync_folder
from hft.storage.chain import canonical
from hft.storage.lock import lock

FOLDER, SUFFIX = "validations", ".begun.json"


@contextmanager
def begun(
    state: Path, row: Mapping[str, Any], told: tuple[type[BaseException], ...] = ()
) -> Iterator[None]:
    """The note of a validation at work; `row` is what the audit gets if it never ends.

    An error other than `told`, of which there is a row, leaves the note: Ctrl-C is no verdict.
    Raises: JournalError when it cannot be written.
    """
    path = state / FOLDER / f"{uuid.uuid4().hex}{SUFFIX}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = _locked(path.with_suffix(".new"), canonical(row))
    except OSError as error:
        raise JournalError(f"{path}: {error.strerror or error}") from None
    try:
        _named(path)
        yield
        path.unlink(missing_ok=True)
    except told:
        path.unlink(missing_ok=True)
        raise
    finally:
        os.close(file)


def _named(path: Path) -> None:
    """The note by its name. Raises: JournalError."""
    try:
        path.with_suffix(".new").rename(path)
        sync_folder(path.parent)
    except OSError as error:
        for one in (path, path.with_suffix(".new")):
            one.unlink(missing_ok=True)
        raise JournalError(f"{path}: {error.strerror or error}") from None


def _locked(path: Path, text: bytes) -> int:
    """The open file of a new note: held and whole before `close` can find it by its name."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    try:
        lock(file, path)
        os.write(file, text)
        os.fsync(file)
    except BaseException:  # Busy and Ctrl-C, too
        os.close(file)
        path.unlink(missing_ok=True)
        raise
    return file


def close(state: Path, record: Callable[..., Any], now_ns: int) -> list[str]:
    """Record what is due of validations that ended without a word; a sentence for each."""
    said = []
    for path in sorted((state / FOLDER).glob(f"*{SUFFIX}")):
        try:
            file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        try:
            lock(file, path, wait_s=0)
            sentence = _close(path, record, now_ns)
        except Busy:
            continue  # it is at work
        finally:
            os.close(file)
        said += [sentence] if sentence else []
    return said


def _close(path: Path, record: Callable[..., Any], now_ns: int) -> str:
    """The row, then the note goes. One that is torn was never begun in earnest."""
    try:
        row = json.loads(path.read_bytes())
        sentence = str(row["details"]["error"])
    except (ValueError, KeyError, TypeError, FileNotFoundError):
        path.unlink(missing_ok=True)
        return ""
    record("alpha_gate_log", row, now_ns=now_ns)
    path.unlink(missing_ok=True)
    return sentence
