"""What a run is a function of, in four hashes: which of them moved since a replay was blessed.

`kernel` is the code below the line, `code` the strategies' own, `config` all other choices, `tapes`
the recorded market. The configuration has a short hash a part, so that a clean clone can say which.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from hft.core.json_text import spaced

# Of a strategy's entry in the manifest: what is its text, and when it is woken by what.
CODE = ("source", "closure", "outside", "state", "track", "logs")
WAKING = ("every_ns", "wakes_on", "instruments")
PART_HEX = 12
KINDS = {
    "kernel": "the code of hft below the line",
    "code": "the strategy's code",
    "config": "the configuration",
    "tapes": "the tapes",
}


def inputs_of(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The four hashes, and those of the parts of the configuration."""
    config = manifest["config"]
    strategies, queue = config["strategies"], config["venue"]["queue"]
    code = {name: {key: one.get(key) for key in CODE} for name, one in strategies.items()}
    own_queue = {key: queue[key] for key in queue if key != "file"} if _is_own(queue) else None
    parts = {name: _short(value) for name, value in _parts(manifest).items()}
    return {
        "hashes": {
            "kernel": manifest["hashes"]["code"],
            "code": _sha([code, own_queue]),
            "config": _sha(parts),
            "tapes": manifest["hashes"]["tapes"],
        },
        "parts": parts,
    }


def moved(blessed: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, list[str]]:
    """Which of the four are not as blessed -> the parts that are not, where they are known."""
    found: dict[str, list[str]] = {}
    for kind in KINDS:
        if blessed["hashes"].get(kind) != now["hashes"][kind]:
            found[kind] = []
    if "config" in found:
        names = {*blessed["parts"], *now["parts"]}
        found["config"] = sorted(
            name for name in names if blessed["parts"].get(name) != now["parts"].get(name)
        )
    return found


def _parts(manifest: Mapping[str, Any]) -> dict[str, Any]:
    config = manifest["config"]
    venue = dict(config["venue"])
    if _is_own(venue["queue"]):
        venue["queue"] = venue["queue"]["name"]
    made = config["strategies"].items()
    return {
        "params": {name: one["params"] for name, one in made},
        "wake-ups": {name: {key: one.get(key) for key in WAKING} for name, one in made},
        "venue": venue,
        "limits": config["limits"],
        "span": [config["start_ns"], config["end_ns"]],
        "faults": config["faults"],
        "gateway": config["gateway"],
        "controls": config.get("controls"),
        "seed": manifest["seed"],
        "instruments": [tape.get("instrument") for tape in manifest["tapes"]],
    }


def _is_own(queue: Any) -> bool:
    return isinstance(queue, Mapping)


def _sha(value: Any) -> str:
    return hashlib.sha256(spaced(value).encode()).hexdigest()


def _short(value: Any) -> str:
    return _sha(value)[:PART_HEX]
