"""What lies where in a run folder, how its JSON is written, and how the folders of runs are found.

`<run_id>.partial/` becomes `<run_id>/` when everything is in it. Wall time enters only the name.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from hft.core.errors import JournalError
from hft.core.json_text import page

PARTIAL = ".partial"
MANIFEST, METRICS, DIGEST, NAMES = "manifest.json", "metrics.json", "digest", "instruments.json"
LIMITS, JOURNAL, LOGS = "limits.yaml", "journal", "logs.parquet"
ADVICE = "advice.json"  # which change of the limits was tried, after the run
SNAPSHOT = "snapshot.npz"  # where a partial run can go on
RECORDS = ("digest", "summary", "full")


def run_id(key: str, now_ns: int | None = None) -> str:
    """`<UTC stamp>_<first 8 hex of key>`; `key` is the hash of code, config, tape and seed."""
    seconds = (time.time_ns() if now_ns is None else now_ns) // 1_000_000_000
    return f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(seconds))}_{key[:8]}"


def find_sealed(out: str | Path, key: str, record: str = "digest") -> Path | None:
    """The newest sealed run of the same key that recorded at least as much, or None."""
    for path in sorted(Path(out).glob(f"*_{key[:8]}*"), reverse=True):
        if path.name.endswith(PARTIAL) or not (path / DIGEST).is_file():
            continue
        try:
            manifest = read_json(path / MANIFEST)
        except JournalError:
            continue  # a damaged folder is no reason not to run
        enough = RECORDS.index(manifest.get("record", "digest")) >= RECORDS.index(record)
        if manifest.get("key") == key and enough:
            return path
    return None


def folders(out: str | Path) -> Iterator[Path]:
    """Every run folder of `out`, oldest first, partial ones too."""
    for path in sorted(Path(out).glob("*_*")):
        if path.is_dir() and (path / NAMES).is_file():
            yield path


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


def dump_json(data: Any) -> str:
    """JSON of a run folder: sorted keys, so that equal content is equal bytes."""
    return page(data, _plain)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    return str(value)
