"""Where a run's tapes and the files of its strategies lay on the machine that made it.

That is no part of the run: its manifest names tapes by their hash, and files not at all. The places
are kept beside it, in a file that is not exported, so that the same machine finds them again.
"""

import json
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

PLACES = ".places.json"
TAPES, STRATEGIES, QUEUE = "tapes", "strategies", "queue"


def split_places(manifest: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A manifest without places, and the places that were in it."""
    plain, places = deepcopy(dict(manifest)), dict[str, Any]()
    for tape in plain.get("tapes", []):
        if path := tape.pop("path", ""):
            tape["file"] = Path(path).name
            places.setdefault(TAPES, {})[_known_by(tape)] = path
    config = plain.get("config", {})
    for name, entry in config.get("strategies", {}).items():
        if file := entry.get("file"):
            places.setdefault(STRATEGIES, {})[name] = file
            entry["file"] = ""
    queue = config.get("venue", {}).get("queue")
    if isinstance(queue, dict) and queue.get("file"):
        places[QUEUE], queue["file"] = queue["file"], ""
    return plain, places


def with_places(manifest: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The manifest of a run folder with the places that this machine knows. Mutates: manifest."""
    try:
        places = json.loads((folder / PLACES).read_text(encoding="utf-8"))
        for tape in manifest.get("tapes", []):
            if path := places.get(TAPES, {}).get(_known_by(tape)):
                tape["path"] = path
        config = manifest.get("config", {})
        for name, file in places.get(STRATEGIES, {}).items():
            config["strategies"][name]["file"] = file
        if QUEUE in places:
            config["venue"]["queue"]["file"] = places[QUEUE]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass  # a run of another machine; its tapes are looked for by hash
    return manifest


def _known_by(entry: Mapping[str, Any]) -> str:
    """Rows and name: two instruments may have the same rows."""
    return f"{entry['sha256']} {entry.get('name', '')}"
