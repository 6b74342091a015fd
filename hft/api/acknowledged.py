"""What a running gateway says of an alpha that was taken off: that it is silent, and how soon."""

import json
import os
import time
from pathlib import Path
from typing import Any

from hft.audit.journal import Journal
from hft.core.errors import Busy, HftError
from hft.services.paper.changes import LATE
from hft.storage.lock import lock

LOCK = ".lock"  # of a session's home; held while it runs
WAIT_S, PAUSE_S = 5.0, 0.05
NOBODY = "no gateway is running to wait for"


def is_running(home: Path) -> bool:
    """Does a process run the session of a home? Nothing is made to find out."""
    try:
        file = os.open(home / LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        lock(file, home / LOCK, shared=True, wait_s=0)
    except Busy:
        return True
    except HftError:
        return False
    finally:
        os.close(file)
    return False


def silenced(journal: Journal, alpha_id: str, after: int, wait_s: float = WAIT_S) -> str:
    """Wait for every gateway that trades the alpha, and say in how many seconds it was silent.

    `after` is the number of the last audit row before the alpha was taken off.
    """
    homes = _homes(journal, alpha_id)
    if not homes:
        return NOBODY
    deadline = time.monotonic() + wait_s
    while True:
        heard = {home: late for home, late in _silent(journal, alpha_id, after) if home in homes}
        if homes <= heard.keys() or time.monotonic() > deadline:
            return "\n".join(_sentence(home, heard, wait_s) for home in sorted(homes))
        time.sleep(PAUSE_S)


def _sentence(home: str, heard: dict[str, float | None], wait_s: float) -> str:
    if home not in heard:
        return (
            f"the gateway of {home} has not acknowledged it within {wait_s:g} s; stop it with "
            f"`hft gateway kill --home {home}` or end its process"
        )
    late = heard[home]
    took = "" if late is None else f" {late / 1000:.3f} s after the file was written"
    return f"the gateway of {home} was silent{took}: no new risk of it leaves any more"


def _homes(journal: Journal, alpha_id: str) -> set[str]:
    """Those that run now and last said that the alpha has a weight."""
    said: dict[str, str] = {}
    for own, evidence in _rows(journal, alpha_id, 0):
        said[str(evidence["home"])] = str(own["new_state"])
    return {home for home in said if is_running(Path(home))}


def _silent(journal: Journal, alpha_id: str, after: int) -> list[tuple[str, float | None]]:
    return [
        (str(evidence["home"]), evidence.get(LATE))
        for own, evidence in _rows(journal, alpha_id, after)
        if own["new_state"] == "weight 0"
    ]


def _rows(journal: Journal, alpha_id: str, after: int) -> list[tuple[dict[str, Any], Any]]:
    """What sessions on paper said of the alpha, with the evidence."""
    found = []
    for row in journal.rows(after):
        own = row["row"]
        if row["table"] == "control_log" and own.get("scope") == alpha_id:
            evidence = json.loads(own.get("evidence") or "{}")
            if "home" in evidence:
                found.append((own, evidence))
    return found
