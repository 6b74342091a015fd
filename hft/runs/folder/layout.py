"""What lies where in a run folder, how its JSON is written, and how the folders of runs are found.

`<run_id>.partial/` becomes `<run_id>/` when everything is in it. Wall time enters only the name.
"""

import json
import time
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from hft.core.errors import JournalError
from hft.core.json_text import page

PARTIAL = ".partial"
MANIFEST, METRICS, DIGEST, NAMES = "manifest.json", "metrics.json", "digest", "instruments.json"
FIGURES = "metrics.prom"  # what a live gateway shows, of the run's end
LIMITS, JOURNAL, LOGS = "limits.yaml", "journal", "logs.parquet"
ADVICE = "advice.json"  # which change of the limits was tried, after the run
HOURS = "open_hours.json"  # which times were tried that leave no fill outside the open hours
SNAPSHOT = "snapshot.npz"  # where a partial run can go on
RECORDS = ("digest", "summary", "full")
SUMMARY = ("fills", "equity", "trips", "controls")
TABLES = {"digest": (), "summary": SUMMARY, "full": (*SUMMARY, "decisions", "events", "series")}
PARQUET = b"PAR1"  # the last bytes of a table that is whole


def run_id(key: str, now_ns: int | None = None) -> str:
    """`<UTC stamp>_<first 8 hex of key>`; `key` is the hash of code, config, tape and seed."""
    seconds = (time.time_ns() if now_ns is None else now_ns) // 1_000_000_000
    return f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(seconds))}_{key[:8]}"


def find_sealed(out: str | Path, key: str, record: str = "digest") -> Path | None:
    """The newest sealed run of the same key that has at least as much of its record, or None."""
    for path in reversed(_oldest_first(Path(out).glob(f"*_{key[:8]}*"))):
        if path.name.endswith(PARTIAL) or not (path / DIGEST).is_file():
            continue
        try:
            manifest = read_json(path / MANIFEST)
            kept = manifest.get("record", "digest")
            enough = RECORDS.index(kept) >= RECORDS.index(record)
            if manifest.get("key") == key and enough and _is_whole(path, manifest, kept):
                return path
        except (JournalError, OSError, ValueError):
            continue  # a damaged folder is no reason not to run
    return None


def _is_whole(path: Path, manifest: dict[str, Any], record: str) -> bool:
    """Is everything there that a run of this record is sealed with, and the digest its own?"""
    if (path / DIGEST).read_text().strip() != manifest.get("digest"):
        return False
    if not (path / NAMES).is_file():
        return False
    steps = read_json(path / METRICS).get("totals", {}).get("steps", 0)
    if record == "full" and steps and not any((path / JOURNAL).glob("*")):
        return False
    return all(_has_end(path / f"{name}.parquet") for name in TABLES[record])


def _has_end(table: Path) -> bool:
    with table.open("rb") as file:
        file.seek(-len(PARQUET), 2)
        return file.read() == PARQUET


def folders(out: str | Path) -> Iterator[Path]:
    """Every run folder of `out`, oldest first, partial ones too."""
    for path in _oldest_first(Path(out).glob("*_*")):
        if path.is_dir() and (path / NAMES).is_file():
            yield path


def _oldest_first(found: Iterable[Path]) -> list[Path]:
    """By the second in the name; runs of one second by the moment that their manifest has."""
    ordered: list[Path] = []
    for _, group in groupby(sorted(found), key=lambda path: path.name.partition("_")[0]):
        same = list(group)
        ordered += same if len(same) == 1 else sorted(same, key=_moment)
    return ordered


def _moment(path: Path) -> tuple[int, int]:
    """When a run began, and the number behind its name: `.10` comes after `.2`."""
    number = path.name.removesuffix(PARTIAL).partition(".")[2]
    try:
        began = int(read_json(path / MANIFEST).get("started_ns", 0))
    except (JournalError, TypeError, ValueError):
        began = 0
    return began, int(number) if number.isdecimal() else 0


def read_json(path: Path) -> dict[str, Any]:
    """Raises: JournalError when the file is absent or is not JSON."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise JournalError(f"{path}: missing; this is not a whole run folder") from None
    except (OSError, ValueError) as error:
        raise JournalError(f"{path}: cannot be read: {error}") from None
    if not isinstance(data, dict):
        raise JournalError(f"{path}: not a JSON object")
    return data


def kept_sentence(path: Path) -> str:
    """What was found about a run after it and kept in its folder; "" where nothing was."""
    try:
        return str(read_json(path).get("text", ""))
    except JournalError:
        return ""


def dump_json(data: Any) -> str:
    """JSON of a run folder: sorted keys, so that equal content is equal bytes."""
    return page(data, _plain)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    return str(value)
